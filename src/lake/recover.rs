//! Rows of data files that no log names become part of their table again.
//!
//! In: the data files in the folder of a table. Out: a commit. Promise: each row once; of a log file the last row. Only files
//! whose names tell that their bytes are right are taken; those that have nothing but new rows are taken as they are.

use super::change::Change;
use super::commit::keys_of;
use super::files;
use super::ledger::identity;
use super::names::{self, Writer};
use super::reader::{BytesReader, read_columns};
use super::writer::{DataFile, TELLING};
use super::written::Written;
use super::{Lake, LakeError, TableName, rejects};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use bytes::Bytes;
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashSet};

/// What the rows of a table are known by.
fn ids(name: TableName, batch: &RecordBatch) -> Vec<u128> {
    match name {
        TableName::Events => keys_of(batch).map(|key| key.id).collect(),
        TableName::Rejects => rejects::ids_of(batch),
        TableName::LogFiles => {
            let names = batch.column_by_name("log_file");
            let names = names.and_then(|names| names.as_string_opt::<i32>());
            let names = names.into_iter().flatten();
            names
                .map(|name| identity(&[name.unwrap_or_default()], 0))
                .collect()
        }
    }
}

/// The day of a file of events, as its path tells.
pub(super) fn day_of(path: &str) -> Option<NaiveDate> {
    let (folder, _) = path.split_once('/')?;
    folder.split_once('=')?.1.parse().ok()
}

/// The account of a file whose bytes are those that were written.
pub(super) fn found((name, path): (TableName, &str), bytes: &Bytes) -> Result<Written, LakeError> {
    let columns = match name {
        TableName::Events => Some(TELLING.as_slice()),
        TableName::Rejects | TableName::LogFiles => None,
    };
    let (_, rows) = BytesReader::read(bytes.clone(), columns)?;
    let file = DataFile::found((name, day_of(path)), (bytes.clone(), &rows));
    Ok(file.at(path.to_owned()))
}

/// The columns that these are made of.
fn id_columns(name: TableName) -> &'static [&'static str] {
    match name {
        TableName::Events => &["event_time", "event_id", "content_sha256"],
        TableName::Rejects => &rejects::IDENTITY,
        TableName::LogFiles => &["log_file"],
    }
}

impl Lake {
    /// Makes rows that no log names part of their table; gives their number.
    pub(super) async fn recover(&mut self, name: TableName) -> Result<u64, LakeError> {
        let files = self.table(name).files()?;
        let named: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let folder = self.table(name).folder();
        let mut unnamed = files::list(self.table(name)).await?;
        unnamed.retain(|file| {
            let is_data = names::read(&file.path).is_some() && !named.contains(file.path.as_str());
            let has_day = day_of(&file.path).is_some() == name.partition_column().is_some();
            is_data && has_day
        });
        // The last first: it may have taken the place of others.
        unnamed.sort_by(|a, b| (b.modified, &b.path).cmp(&(a.modified, &a.path)));
        let mut days: BTreeMap<Option<NaiveDate>, Vec<String>> = BTreeMap::new();
        for file in unnamed {
            let paths = days.entry(day_of(&file.path)).or_default();
            paths.push(file.path);
        }
        let mut recovered = 0;
        for (date, paths) in days {
            let mut known = HashSet::new();
            for file in files.iter().filter(|file| file.date == date) {
                let batches = read_columns(&folder, file, id_columns(name)).await?;
                known.extend(batches.iter().flat_map(|batch| ids(name, batch)));
            }
            let mut adds = Vec::new();
            for path in paths {
                let bytes = match folder.bytes(&path).await {
                    Ok(bytes) => bytes,
                    Err(LakeError::Damaged(_)) => continue,
                    Err(error) => return Err(error),
                };
                let read = |columns: Option<&[&str]>| {
                    let read = BytesReader::read(bytes.clone(), columns);
                    read.map_err(|error| folder.unreadable(&path, error))
                };
                let (_, batches) = read(Some(id_columns(name)))?;
                let ids = batches.iter().flat_map(|batch| ids(name, batch));
                let new: Vec<bool> = ids.map(|id| known.insert(id)).collect();
                let rows = new.iter().filter(|new| **new).count();
                recovered += rows as u64;
                if rows == new.len() {
                    adds.push(found((name, &path), &bytes)?.add());
                } else if rows > 0 {
                    let mut new = new.into_iter();
                    let rest = read(None)?.1.into_iter().map(|batch| {
                        let keep: BooleanArray =
                            new.by_ref().take(batch.num_rows()).map(Some).collect();
                        filter_record_batch(&batch, &keep).map_err(LakeError::from)
                    });
                    let file = DataFile::encode(name, date, rest)?;
                    adds.push(self.table(name).put(&file, Writer::Merge).await?);
                }
            }
            if !adds.is_empty() {
                self.table_mut(name).insist(Change::add(adds)).await?;
            }
        }
        Ok(recovered)
    }
}
