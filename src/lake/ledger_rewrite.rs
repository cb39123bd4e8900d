//! Rows that are in the ledger already are changed.
//!
//! In: rows that are to be written, and the events that are there. Out: files of the ledger, written anew. Promise: the rows of a
//! log file count as stored what the table of events has of it, whoever stored that and in whatever order several ingests
//! write the ledger.
//!
//! Whoever stores events writes the ledger afterwards, and compares then. So the last one to write it for a log file has the
//! events of all the others before it; it looks at the events after the version of the ledger that its commit stands on.

use super::change::{Change, StoredFile};
use super::ledger::{attempts, identity, identity_of, name_of, placeholder};
use super::names::{self, Writer};
use super::reader::{fitted, read_columns};
use super::seen::Seen;
use super::table::Table;
use super::tables::TableName;
use super::tally::{ALWAYS, Wanted};
use super::writer::DataFile;
use super::{Lake, LakeError};
use crate::read::LogFileRow;
use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Rows of the ledger that make way for others, or that count too little.
#[derive(Debug, Default)]
pub(super) struct Rewrite {
    /// The files they are in.
    pub(super) paths: HashSet<String>,
    /// Those that make way.
    pub(super) gone: HashSet<u128>,
    /// The events that those stand for, by the name of the log file.
    pub(super) given_up: HashMap<u128, u64>,
    /// How many rows of other versions make way, by the name of the log file.
    pub(super) versions: HashMap<u128, u64>,
    /// The events that the rows that stay do not count, by the name of the log file.
    pub(super) missing: HashMap<u128, u64>,
}

impl Lake {
    /// The rows of attempts that failed and that these take the place of.
    pub(super) fn replaced_by(&self, rows: &[LogFileRow]) -> Rewrite {
        let mut rewrite = Rewrite::default();
        for row in rows {
            for identity in [identity_of(row), placeholder(&row.log_file)] {
                if let Some(open) = self.entries.open.get(&identity)
                    && rewrite.gone.insert(identity)
                {
                    *rewrite.given_up.entry(name_of(row)).or_default() += open.stored;
                    rewrite.paths.insert(open.file.path.clone());
                }
            }
        }
        rewrite
    }

    /// The rows of other versions of the log files: of one that was read again, because it was touched, or is longer now, the last row
    /// counts. Where it has less than the lake has of the log file, it tells of something else, and both rows stay.
    pub(super) async fn replaced_versions(
        &self,
        rows: &[LogFileRow],
        rewrite: &mut Rewrite,
    ) -> Result<(), LakeError> {
        let known = |row: &&LogFileRow| self.entries.names.contains(&name_of(row));
        let again: HashMap<u128, &LogFileRow> = rows
            .iter()
            .filter(known)
            .map(|row| (name_of(row), row))
            .collect();
        if again.is_empty() {
            return Ok(());
        }
        let mut others: HashMap<u128, Vec<(u128, u64, String)>> = HashMap::new();
        for file in self.log_files.files()? {
            for attempt in attempts(&self.log_files, &file).await? {
                let is_other = again
                    .get(&attempt.name)
                    .is_some_and(|row| identity_of(row) != attempt.identity);
                if is_other && !rewrite.gone.contains(&attempt.identity) {
                    let others = others.entry(attempt.name).or_default();
                    others.push((attempt.identity, attempt.stored, file.path.clone()));
                }
            }
        }
        for (name, versions) in others {
            let stored: u64 = versions.iter().map(|(_, stored, _)| stored).sum();
            if again.get(&name).is_none_or(|row| stored > row.duplicates) {
                continue;
            }
            *rewrite.given_up.entry(name).or_default() += stored;
            *rewrite.versions.entry(name).or_default() += versions.len() as u64;
            for (identity, _, path) in versions {
                rewrite.gone.insert(identity);
                rewrite.paths.insert(path);
            }
        }
        Ok(())
    }

    /// Makes `stored` of the rows agree with the events that are there, for the log files that others have read as well: of
    /// those of `all` rows that are `ours`, in the row; of the others, in what is to be rewritten.
    pub(super) async fn balance(
        &mut self,
        (all, ours): (&[LogFileRow], &mut [LogFileRow]),
        rewrite: &mut Rewrite,
        seen: &Mutex<Seen>,
    ) -> Result<(), LakeError> {
        let mut wanted = self.shared(all, rewrite, &*seen.lock().await);
        if wanted.is_empty() {
            return Ok(());
        }
        let others = self.events.look().await?;
        seen.lock().await.others(others).await?;
        let told = self.in_ledger.of(&self.log_files, &wanted).await?;
        let told = |name: &u128| told.get(name).copied().unwrap_or_default();
        if all.is_empty() {
            wanted.retain(|name, _| told(name).rows > 0);
        }
        for row in all {
            // Rows of other versions of the log file stand for events of other times.
            let own = [&self.entries.theirs, &rewrite.gone];
            let own = own.iter().any(|rows| rows.contains(&identity_of(row)));
            let versions = rewrite.versions.get(&name_of(row)).copied();
            if let Some(times) = wanted.get_mut(&name_of(row))
                && told(&name_of(row)).rows > u64::from(own) + versions.unwrap_or_default()
            {
                *times = ALWAYS;
            }
        }
        let there = self.in_events.of(&self.events, &wanted).await?;
        let forgotten = self.forgotten_before().await?;
        let mut missing = HashMap::new();
        for name in wanted.keys() {
            let there = there.get(name).map_or(0, |count| count.events);
            let given_up = rewrite.given_up.get(name).copied().unwrap_or_default();
            let told = told(name).events.saturating_sub(given_up);
            missing.insert(*name, there.saturating_sub(told));
        }
        for row in ours {
            let Some(missing) = missing.get_mut(&name_of(row)) else {
                continue;
            };
            let first = row.summary.first;
            let day = |before: NaiveDate| i64::from(before.to_epoch_days()) * DAY;
            if forgotten.is_some_and(|before| first.is_none_or(|first| first < day(before))) {
                *missing = 0;
                continue;
            }
            let events = row.stored + row.duplicates;
            row.stored = events.min(*missing);
            row.duplicates = events - row.stored;
            *missing -= row.stored;
        }
        missing.retain(|_, missing| *missing > 0);
        for file in self.log_files.files()? {
            if self.in_ledger.has(&file.path, missing.keys().copied()) {
                rewrite.paths.insert(file.path);
            }
        }
        rewrite.missing = missing;
        Ok(())
    }

    /// The log files whose events may have come from elsewhere too: those of some rows, or all.
    fn shared(&self, rows: &[LogFileRow], rewrite: &Rewrite, seen: &Seen) -> Wanted {
        if rows.is_empty() {
            let names = seen.shared().iter();
            return names.map(|name| (*name, ALWAYS)).collect();
        }
        let mut wanted = Wanted::new();
        for row in rows {
            let name = name_of(row);
            let shared = seen.shared().contains(&name)
                || rewrite.given_up.contains_key(&name)
                || self.entries.theirs.contains(&identity_of(row));
            if shared {
                let (first, last) = (row.summary.first, row.summary.last);
                wanted.insert(name, first.zip(last).unwrap_or(ALWAYS));
            }
        }
        wanted
    }

    /// Writes files of the ledger anew; gives the change that puts them in place of the old ones, and which is whose.
    pub(super) async fn rewritten(
        &mut self,
        rewrite: &Rewrite,
    ) -> Result<(Change, Vec<(String, StoredFile)>), LakeError> {
        let mut files = self.log_files.files()?;
        files.retain(|file| rewrite.paths.contains(&file.path));
        let mut missing = rewrite.missing.clone();
        let (mut adds, mut kept) = (Vec::new(), Vec::new());
        for file in &files {
            let rest = without(&self.log_files, file, (&rewrite.gone, &mut missing)).await?;
            let writer = names::parcel(&file.path).map_or(Writer::Merge, Writer::Parcel);
            let add = self.log_files.put(&rest, writer).await?;
            kept.push((file.path.clone(), StoredFile::new(&add, &rest)));
            adds.push(add);
        }
        let change = Change {
            removes: self.log_files.removes(&files),
            adds,
            numbers: self.counted_at_least().await?,
            ..Change::default()
        };
        Ok((change, kept))
    }

    /// What the ledger is to count, not less than it has counted already.
    async fn counted_at_least(&mut self) -> Result<Vec<(&'static str, u64)>, LakeError> {
        let mut numbers = self.counted().await?;
        for (name, number) in &mut numbers {
            let before = self.log_files.number(name).await?;
            *number = before.unwrap_or_default().max(*number);
        }
        Ok(numbers)
    }
}

/// A file of the ledger without some rows; of what `missing` says that log files have brought besides, duplicates become
/// stored as far as there are any.
pub(super) async fn without(
    table: &Table,
    file: &StoredFile,
    (gone, missing): (&HashSet<u128>, &mut HashMap<u128, u64>),
) -> Result<DataFile, LakeError> {
    let schema = TableName::LogFiles.schema();
    let columns: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let folder = table.folder();
    let mut kept = Vec::new();
    for batch in read_columns(&folder, file, &columns).await? {
        let batch = fitted(&batch, &schema)?;
        let text = |name: &str, row: usize| {
            let column = batch
                .column_by_name(name)
                .map(|column| column.as_string::<i32>());
            column
                .filter(|column| column.is_valid(row))
                .map_or("", |column| column.value(row))
        };
        let numbers = |name: &str| -> Vec<i64> {
            let column = batch.column_by_name(name);
            column.map_or_else(Vec::new, |column| {
                column.as_primitive::<Int64Type>().values().to_vec()
            })
        };
        let sizes = numbers("size_bytes");
        let (mut stored, mut duplicates) = (numbers("stored"), numbers("duplicates"));
        let mut keep = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let names = [text("log_file", row), text("etag", row)];
            let stays = !gone.contains(&identity(&names, sizes[row] as u64));
            keep.push(stays);
            let missing = missing.get_mut(&identity(&names[..1], 0));
            if let Some(missing) = missing.filter(|_| stays) {
                let more = (*missing).min(duplicates[row].max(0) as u64);
                *missing -= more;
                stored[row] += more as i64;
                duplicates[row] -= more as i64;
            }
        }
        let mut columns = batch.columns().to_vec();
        for (name, numbers) in [("stored", stored), ("duplicates", duplicates)] {
            columns[schema.index_of(name)?] = Arc::new(Int64Array::from(numbers));
        }
        let batch = RecordBatch::try_new(SchemaRef::clone(&schema), columns)?;
        let rest = filter_record_batch(&batch, &BooleanArray::from(keep))?;
        kept.push(Ok::<_, LakeError>(rest));
    }
    DataFile::encode(TableName::LogFiles, None, kept.into_iter())
}
