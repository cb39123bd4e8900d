//! One Delta table.
//!
//! In: data files. Out: commits. Promise: a commit is made only on top of the version that was looked at; the
//! caller learns which files other writers added meanwhile, and decides again when one of them was faster.

use super::LakeError;
use super::change::{Change, Committed, Others, StoredFile, stored};
use super::location::Location;
use super::names::{Writer, uses_path};
use super::reader::Folder;
use super::tables::{LAKE_VERSION, TableName, VERSION_PROPERTY};
use super::writer::DataFile;
use super::written::write;
use super::{last_commit, sealed};
use chrono::Utc;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, Remove, StructType, Transaction};
use deltalake_core::logstore::get_actions;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::SaveMode;
use deltalake_core::table::config::TablePropertiesExt;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use object_store::path::Path;
use object_store::{DynObjectStore, ObjectStoreExt};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// How often a commit is tried again because another writer was faster. Each loss means that the other has made
/// progress, so this many in a row is a sign of something else.
pub(super) const MOST_ATTEMPTS: u32 = 200;

/// What a commit is recognized by, in its `commitInfo`.
const COMMIT_ID: &str = "keytrail.commit";

/// A table and the version of it that was last looked at.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    delta: DeltaTable,
    location: Location,
    /// The numbers that were seen in commits, or looked up.
    numbers: HashMap<String, Option<u64>>,
}

impl Table {
    /// Opens a table; `None` when there is none.
    pub(crate) async fn open(
        location: &Location,
        name: TableName,
    ) -> Result<Option<Self>, LakeError> {
        let mut delta = Self::unloaded(location, name)?;
        // What went wrong before is past.
        drop(location.fault(name));
        let there = match location.has_folder(name)? {
            true => delta.verify_deltatable_existence().await,
            false => Ok(false),
        };
        if !there.map_err(|error| LakeError::of_log(location, name, &error))? {
            return Ok(None);
        }
        if let Err(error) = delta.load().await {
            let error = LakeError::of_log(location, name, &error);
            return Err(sealed::located(error, &Self::folder_at(location, name)?).await?);
        }
        let table = Self {
            name,
            delta,
            location: location.clone(),
            numbers: HashMap::new(),
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
                numbers: HashMap::new(),
            }),
            // Two ingests that begin at once both find no table; the slower one takes the other's.
            Err(error) => {
                let error = LakeError::of_commit(location, name, error);
                Self::open(location, name).await?.ok_or(error)
            }
        }
    }

    fn unloaded(location: &Location, name: TableName) -> Result<DeltaTable, LakeError> {
        let url = location.table_url(name.as_str())?;
        let builder = DeltaTableBuilder::from_url(url.clone())
            .map_err(|error| LakeError::of_log(location, name, &error))?;
        builder
            .with_storage_backend(location.store(), url)
            .build()
            .map_err(|error| LakeError::of_log(location, name, &error))
    }

    /// An error of an engine that read the log.
    pub(crate) fn fail(&self, error: &DeltaTableError) -> LakeError {
        LakeError::of_log(&self.location, self.name, error)
    }

    /// The folder of a table, whether or not a table is in it.
    pub(crate) fn folder_at(
        location: &Location,
        name: TableName,
    ) -> Result<Arc<DynObjectStore>, LakeError> {
        Ok(Self::unloaded(location, name)?.object_store())
    }

    /// The version of the ledger that was there last, if that is known.
    pub(crate) async fn last_commit(location: &Location) -> Result<Option<u64>, LakeError> {
        let name = TableName::LogFiles;
        match location.has_folder(name)? {
            true => last_commit::read(&Self::folder_at(location, name)?).await,
            false => Ok(None),
        }
    }

    /// The commit that is missing, given the version that was there last.
    pub(crate) fn lost_commit(&self, last: Option<u64>) -> Option<String> {
        last_commit::lost(self.delta.version().unwrap_or_default(), last)
    }

    /// The table's folder.
    pub(crate) fn folder(&self) -> Folder {
        Folder {
            store: self.delta.object_store(),
            lake: self.lake(),
            table: self.name,
        }
    }

    fn check_version(&self) -> Result<(), LakeError> {
        let snapshot = self.delta.snapshot().map_err(|error| self.fail(&error))?;
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

    /// The lake it is in, as a person would write it.
    pub(crate) fn lake(&self) -> String {
        self.location.name()
    }

    pub(crate) fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    /// The files of the version last looked at.
    pub(crate) fn files(&self) -> Result<Vec<StoredFile>, LakeError> {
        let snapshot = self.delta.snapshot().map_err(|error| self.fail(&error))?;
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

    /// How many rows the version last looked at has.
    pub(crate) fn rows(&self) -> Result<u64, LakeError> {
        Ok(self.files()?.iter().map(|file| file.rows).sum())
    }

    /// A number that commits keep; the last one counts.
    pub(crate) async fn number(&mut self, name: &'static str) -> Result<Option<u64>, LakeError> {
        if let Some(known) = self.numbers.get(name) {
            return Ok(*known);
        }
        let fail = |error: DeltaTableError| self.fail(&error);
        let log = self.delta.log_store();
        let version = self.delta.version().unwrap_or_default();
        // As a rule, the last commit tells; else the whole log has to be looked through.
        let entry = log.read_commit_entry(version).await.map_err(fail)?;
        let mut actions = match entry {
            Some(bytes) => get_actions(version, &bytes).map_err(fail)?,
            None => Vec::new(),
        };
        actions.retain(|action| matches!(action, Action::Txn(txn) if txn.app_id == name));
        let found = match actions.pop() {
            Some(Action::Txn(txn)) => Some(txn.version),
            _ => {
                let snapshot = self.delta.snapshot().map_err(fail)?;
                let found = snapshot.transaction_version(log.as_ref(), name).await;
                found.map_err(fail)?
            }
        };
        let found = found.and_then(|number| u64::try_from(number).ok());
        self.numbers.insert(name.to_owned(), found);
        Ok(found)
    }

    /// Looks at the newest version; tells whether the commit of this id is among what is new, and what else is.
    async fn refresh(&mut self, commit: &str) -> Result<Committed, LakeError> {
        let (location, name) = (self.location.clone(), self.name);
        let fail = |error: DeltaTableError| LakeError::of_log(&location, name, &error);
        let before = self.delta.version().unwrap_or_default();
        self.delta.update_state().await.map_err(fail)?;
        let log = self.delta.log_store();
        let mut committed = Committed::default();
        for version in before + 1..=self.delta.version().unwrap_or_default() {
            let Some(bytes) = log.read_commit_entry(version).await.map_err(fail)? else {
                continue;
            };
            let actions = get_actions(version, &bytes).map_err(fail)?;
            let ours = actions.iter().any(|action| {
                matches!(action, Action::CommitInfo(info)
                    if info.info.get(COMMIT_ID).and_then(|id| id.as_str()) == Some(commit))
            });
            committed.done |= ours;
            for action in actions {
                match action {
                    Action::Txn(txn) => {
                        let number = u64::try_from(txn.version).ok();
                        self.numbers.insert(txn.app_id, number);
                    }
                    Action::Add(add) if !ours => committed.others.added.push(stored(
                        &add.path,
                        (add.size, &add.partition_values),
                        add.stats.as_deref(),
                    )),
                    Action::Remove(remove) if !ours => {
                        committed.others.removed.insert(remove.path);
                    }
                    _ => {}
                }
            }
        }
        Ok(committed)
    }

    /// Looks at the newest version; gives what others have done since.
    pub(crate) async fn look(&mut self) -> Result<Others, LakeError> {
        Ok(self.refresh("").await?.others)
    }

    /// Writes a data file into the table's folder. It counts only once it is committed.
    pub(crate) async fn put(&self, file: &DataFile, writer: Writer) -> Result<Add, LakeError> {
        let written = write(&self.delta.object_store(), file, writer).await?;
        Ok(written.add())
    }

    /// Takes away files that did not become part of the table.
    pub(crate) async fn discard(&self, adds: &[Add]) -> Result<(), LakeError> {
        let store = self.delta.object_store();
        for add in adds {
            store.delete(&Path::from(add.path.as_str())).await?;
            if self.name == TableName::Events {
                store.delete(&uses_path(&add.path)).await?;
            }
        }
        Ok(())
    }

    /// The action that takes files out of the table.
    pub(crate) fn removes(&self, files: &[StoredFile]) -> Vec<Remove> {
        let removes = files.iter().map(|file| Remove {
            path: file.path.clone(),
            data_change: true,
            deletion_timestamp: Some(Utc::now().timestamp_millis()),
            extended_file_metadata: Some(true),
            size: Some(file.size as i64),
            partition_values: Some(
                self.name
                    .partition_column()
                    .map(|column| {
                        let date = file.date.map(|date| date.to_string());
                        (column.to_owned(), date)
                    })
                    .into_iter()
                    .collect(),
            ),
            ..Remove::default()
        });
        removes.collect()
    }

    /// Makes a change, on top of the version last looked at.
    pub(crate) async fn commit(&mut self, change: Change) -> Result<Committed, LakeError> {
        let operation = change.operation();
        let Change {
            mut adds,
            mut removes,
            numbers,
            rearranges,
        } = change;
        for add in &mut adds {
            add.data_change = !rearranges;
        }
        for remove in &mut removes {
            remove.data_change = !rearranges;
        }
        let id = Uuid::new_v4().to_string();
        let numbers = numbers
            .into_iter()
            .map(|(name, number)| Transaction::new(name, number as i64));
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_metadata([(COMMIT_ID.to_owned(), id.as_str().into())])
            .with_application_transactions(numbers.collect());
        let removes = removes.into_iter().map(Action::Remove);
        let actions = removes.chain(adds.into_iter().map(Action::Add)).collect();
        let result = {
            let snapshot = self.delta.snapshot().map_err(|error| self.fail(&error))?;
            CommitBuilder::from(properties)
                .with_actions(actions)
                .build(Some(snapshot), self.delta.log_store(), operation)
                .await
        };
        match result {
            Ok(_)
            | Err(DeltaTableError::Transaction {
                source:
                    TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_),
            }) => {}
            Err(error) => return Err(LakeError::of_commit(&self.location, self.name, error)),
        }
        // The log is what counts: a commit whose answer was lost on the network looks like somebody else's.
        let before = self.delta.version().unwrap_or_default();
        let committed = self.refresh(&id).await?;
        self.seal_checkpoints(before).await?;
        if committed.done && self.name == TableName::LogFiles {
            let version = self.delta.version().unwrap_or_default();
            last_commit::write(&self.folder(), version).await?;
        }
        Ok(committed)
    }

    /// Puts the seals beside the checkpoints that were made since a version.
    async fn seal_checkpoints(&self, before: u64) -> Result<(), LakeError> {
        let snapshot = self.delta.snapshot().map_err(|error| self.fail(&error))?;
        let interval = snapshot.table_config().checkpoint_interval().get();
        for version in before + 1..=self.delta.version().unwrap_or_default() {
            if (version + 1).is_multiple_of(interval) {
                sealed::seal_checkpoint(&self.folder(), version).await?;
            }
        }
        Ok(())
    }
}
