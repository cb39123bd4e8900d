//! Data files in the folder of a table that are not part of it yet.
//!
//! In: data files. Out: what a commit has to know of them. Promise: whoever has an account of a file can commit it, on whichever
//! machine it was written.

use super::change::StoredFile;
use super::names::{Seal, Writer, uses_path};
use super::writer::DataFile;
use super::{LakeError, TableName};
use bytes::Bytes;
use chrono::{NaiveDate, Utc};
use deltalake_core::kernel::Add;
use futures::future::try_join;
use object_store::path::Path;
use object_store::{DynObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// The account of a data file that was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    table: TableName,
    /// Relative to the table.
    path: String,
    size: u64,
    /// The day of a file of events.
    date: Option<NaiveDate>,
    rows: u64,
    /// The earliest and latest `event_time` in a file of events.
    times: Option<(i64, i64)>,
    /// Delta's statistics, as JSON.
    stats: String,
}

/// Writes a data file into the folder of its table.
pub(super) async fn write(
    folder: &DynObjectStore,
    file: &DataFile,
    writer: Writer,
) -> Result<Written, LakeError> {
    let name = file.seal.name(writer);
    let path = match (file.table.partition_column(), file.date) {
        (Some(column), Some(date)) => format!("{column}={date}/{name}"),
        _ => name,
    };
    let put = async |path: Path, bytes: &Bytes| {
        let payload = PutPayload::from_bytes(bytes.clone());
        folder.put(&path, payload).await.map(drop)
    };
    let data = put(Path::from(path.as_str()), &file.bytes);
    match &file.uses {
        Some(uses) => drop(try_join(data, put(uses_path(&path), uses)).await?),
        None => data.await?,
    }
    Ok(file.at(path))
}

impl DataFile {
    /// The account of the file when it is at this path, relative to the table.
    pub(super) fn at(&self, path: String) -> Written {
        Written {
            table: self.table,
            path,
            size: self.bytes.len() as u64,
            date: self.date,
            rows: self.rows,
            times: self.times,
            stats: self.stats.clone(),
        }
    }
}

impl Written {
    /// The action that makes it part of its table.
    pub(super) fn add(&self) -> Add {
        let column = self.table.partition_column().zip(self.date);
        let partition = column.map(|(column, date)| (column.to_owned(), Some(date.to_string())));
        Add {
            path: self.path.clone(),
            partition_values: partition.into_iter().collect(),
            size: self.size as i64,
            modification_time: Utc::now().timestamp_millis(),
            data_change: true,
            stats: Some(self.stats.clone()),
            ..Add::default()
        }
    }

    /// The file as its table will have it.
    pub(super) fn stored(&self) -> StoredFile {
        StoredFile {
            path: self.path.clone(),
            size: self.size,
            date: self.date,
            rows: self.rows,
            times: self.times.unwrap_or((i64::MIN, i64::MAX)),
        }
    }

    /// Whether an event of this time may be in it.
    fn may_hold(&self, time: i64) -> bool {
        self.times
            .is_none_or(|(first, last)| (first..=last).contains(&time))
    }

    /// The file itself, without its summary of use; both are taken away from where they are.
    async fn take(self, folder: &Arc<DynObjectStore>) -> Result<DataFile, LakeError> {
        let path = Path::from(self.path.as_str());
        let bytes = folder.get(&path).await?.bytes().await?;
        folder.delete(&path).await?;
        if self.table == TableName::Events {
            folder.delete(&uses_path(&self.path)).await?;
        }
        Ok(DataFile {
            table: self.table,
            date: self.date,
            seal: Seal::of(&bytes),
            bytes,
            stats: self.stats,
            rows: self.rows,
            times: self.times,
            // Of what is left of it, another one is made.
            uses: None,
        })
    }
}

/// Takes those files back that may hold an event of one of these times; the others stay.
pub(super) async fn take_back(
    folder: &Arc<DynObjectStore>,
    written: &mut Vec<Written>,
    times: &HashSet<i64>,
) -> Result<Vec<DataFile>, LakeError> {
    let mut taken = Vec::new();
    for file in std::mem::take(written) {
        match times.iter().any(|time| file.may_hold(*time)) {
            true => taken.push(file.take(folder).await?),
            false => written.push(file),
        }
    }
    Ok(taken)
}
