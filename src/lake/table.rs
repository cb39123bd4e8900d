//! One Delta table.
//!
//! In: data files. Out: commits. Promise: a commit is made only on top of the version that was looked at; the
//! caller learns which files other writers added meanwhile, and decides again when one of them was faster.

use super::LakeError;
use super::location::Location;
use super::tables::{LAKE_VERSION, TableName, VERSION_PROPERTY};
use super::writer::DataFile;
use chrono::{NaiveDate, Utc};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, StructType};
use deltalake_core::logstore::get_actions;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// How often a commit is tried again because another writer was faster. Each loss means that the other has made
/// progress, so this many in a row is a sign of something else.
pub(super) const MOST_ATTEMPTS: u32 = 200;

/// A file of a table, as the Delta log has it.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    /// Relative to the table.
    pub(crate) path: String,
    pub(crate) size: u64,
    /// The partition of a file of events.
    pub(crate) date: Option<NaiveDate>,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Earliest and latest `event_time`; everything where the log does not say.
    pub(crate) times: (i64, i64),
}

/// What came of a commit.
#[derive(Debug)]
pub(crate) struct Committed {
    /// Whether our files are in the table. If not, somebody else was faster, and nothing of ours is.
    pub(crate) done: bool,
    /// Files that others added, before ours or right after, and that were not looked at yet.
    pub(crate) others: Vec<StoredFile>,
}

/// A table and the version of it that was last looked at.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    delta: DeltaTable,
    location: Location,
}

impl Table {
    /// Opens a table; `None` when there is none.
    pub(crate) async fn open(
        location: &Location,
        name: TableName,
    ) -> Result<Option<Self>, LakeError> {
        let mut delta = Self::unloaded(location, name)?;
        let fail = |error| LakeError::delta(name, error);
        if !location.has_folder(name) || !delta.verify_deltatable_existence().await.map_err(fail)? {
            return Ok(None);
        }
        delta.load().await.map_err(fail)?;
        let table = Self {
            name,
            delta,
            location: location.clone(),
        };
        table.check_version()?;
        Ok(Some(table))
    }

    /// Opens a table and makes it when there is none.
    pub(crate) async fn open_or_create(
        location: &Location,
        name: TableName,
    ) -> Result<Self, LakeError> {
        if let Some(table) = Self::open(location, name).await? {
            return Ok(table);
        }
        location.make_folder(name)?;
        let schema: StructType = name.schema().as_ref().try_into_kernel()?;
        let created = CreateBuilder::new()
            .with_log_store(Self::unloaded(location, name)?.log_store())
            .with_table_name(name.as_str())
            .with_columns(schema.fields().cloned())
            .with_partition_columns(name.partition_column())
            .with_configuration([(VERSION_PROPERTY, Some(LAKE_VERSION.to_string()))])
            .with_raise_if_key_not_exists(false)
            .with_save_mode(SaveMode::Ignore)
            .await;
        match created {
            Ok(delta) => Ok(Self {
                name,
                delta,
                location: location.clone(),
            }),
            // Two ingests that begin at once both find no table; the slower one takes the other's.
            Err(error) => match Self::open(location, name).await? {
                Some(table) => Ok(table),
                None => Err(LakeError::delta(name, error)),
            },
        }
    }

    fn unloaded(location: &Location, name: TableName) -> Result<DeltaTable, LakeError> {
        let url = location.table_url(name.as_str())?;
        let builder = DeltaTableBuilder::from_url(url.clone())
            .map_err(|error| LakeError::delta(name, error))?;
        builder
            .with_storage_backend(location.store(), url)
            .build()
            .map_err(|error| LakeError::delta(name, error))
    }

    fn check_version(&self) -> Result<(), LakeError> {
        let snapshot = self
            .delta
            .snapshot()
            .map_err(|error| LakeError::delta(self.name, error))?;
        let found = snapshot
            .metadata()
            .configuration()
            .get(VERSION_PROPERTY)
            .and_then(|text| text.parse().ok());
        match found {
            Some(version) if version <= LAKE_VERSION => Ok(()),
            Some(version) => Err(LakeError::Newer {
                lake: self.location.name(),
                version,
                supported: LAKE_VERSION,
            }),
            None => Err(LakeError::NotALake {
                lake: self.location.name(),
            }),
        }
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    /// The files of the version last looked at.
    pub(crate) fn files(&self) -> Result<Vec<StoredFile>, LakeError> {
        let snapshot = self
            .delta
            .snapshot()
            .map_err(|error| LakeError::delta(self.name, error))?;
        let log = snapshot.log_data();
        let files = log.iter().map(|file| {
            stored(
                file.path().as_ref(),
                (file.size(), &file.partition_values_map()),
                file.stats().as_deref(),
            )
        });
        Ok(files.collect())
    }

    /// Looks at the newest version; gives the files that were added since the last look.
    async fn refresh(&mut self) -> Result<Vec<StoredFile>, LakeError> {
        let fail = |error| LakeError::delta(self.name, error);
        let before = self.delta.version().unwrap_or_default();
        self.delta.update_state().await.map_err(fail)?;
        let log = self.delta.log_store();
        let mut added = Vec::new();
        for version in before + 1..=self.delta.version().unwrap_or_default() {
            let Some(bytes) = log.read_commit_entry(version).await.map_err(fail)? else {
                continue;
            };
            for action in get_actions(version, &bytes).map_err(fail)? {
                if let Action::Add(add) = action {
                    added.push(stored(
                        &add.path,
                        (add.size, &add.partition_values),
                        add.stats.as_deref(),
                    ));
                }
            }
        }
        Ok(added)
    }

    /// Writes a data file into the table's folder. It counts only once it is committed.
    pub(crate) async fn put(&self, file: &DataFile) -> Result<Add, LakeError> {
        let mut partition_values = HashMap::new();
        let mut path = String::new();
        if let (Some(column), Some(date)) = (self.name.partition_column(), file.date) {
            partition_values.insert(column.to_owned(), Some(date.to_string()));
            path = format!("{column}={date}/");
        }
        path.push_str(&format!("part-{}.zstd.parquet", Uuid::new_v4()));
        let payload = PutPayload::from_bytes(file.bytes.clone());
        self.delta
            .object_store()
            .put(&Path::from(path.as_str()), payload)
            .await?;
        Ok(Add {
            path,
            partition_values,
            size: file.bytes.len() as i64,
            modification_time: Utc::now().timestamp_millis(),
            data_change: true,
            stats: Some(file.stats.clone()),
            ..Add::default()
        })
    }

    /// Makes files part of the table, on top of the version last looked at.
    pub(crate) async fn commit(&mut self, adds: Vec<Add>) -> Result<Committed, LakeError> {
        let fail = |error| LakeError::delta(self.name, error);
        let paths: HashSet<String> = adds.iter().map(|add| add.path.clone()).collect();
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        let result = {
            let snapshot = self.delta.snapshot().map_err(fail)?;
            CommitBuilder::from(CommitProperties::default().with_max_retries(0))
                .with_actions(adds.into_iter().map(Action::Add).collect())
                .build(Some(snapshot), self.delta.log_store(), operation)
                .await
        };
        match result {
            Ok(_)
            | Err(DeltaTableError::Transaction {
                source:
                    TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_),
            }) => {}
            Err(error) => return Err(fail(error)),
        }
        // The log is what counts: a commit whose answer was lost on the network looks like somebody else's.
        let (ours, others) = self
            .refresh()
            .await?
            .into_iter()
            .partition::<Vec<_>, _>(|file| paths.contains(&file.path));
        Ok(Committed {
            done: !ours.is_empty(),
            others,
        })
    }
}

fn stored(
    path: &str,
    (size, partitions): (i64, &HashMap<String, Option<String>>),
    stats: Option<&str>,
) -> StoredFile {
    let stats: serde_json::Value = stats
        .and_then(|stats| serde_json::from_str(stats).ok())
        .unwrap_or(serde_json::Value::Null);
    let time = |bound: &str| {
        let text = stats.get(bound)?.get("event_time")?.as_str()?;
        Some(
            chrono::DateTime::parse_from_rfc3339(text)
                .ok()?
                .timestamp_micros(),
        )
    };
    StoredFile {
        path: path.to_owned(),
        size: size.max(0) as u64,
        date: partitions
            .values()
            .flatten()
            .find_map(|value| value.parse().ok()),
        rows: stats
            .get("numRecords")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default(),
        times: (
            time("minValues").unwrap_or(i64::MIN),
            time("maxValues").unwrap_or(i64::MAX),
        ),
    }
}
