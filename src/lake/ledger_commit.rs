//! The ledger is written.
//!
//! In: the rows of a parcel. Out: a commit. Promise: one row per log file, ETag and size, whatever was killed and however many
//! ingest at once: a row that another ingest has written meanwhile is not written again, and the row of an attempt that
//! failed makes way for that of the next. The commit tells how many rows the other tables had.

use super::change::{Change, Committed, Others, StoredFile};
use super::ledger::{Known, identity, log_files_batch};
use super::names::{self, ParcelId, Writer};
use super::reader::{fitted, read_columns};
use super::table::MOST_ATTEMPTS;
use super::table::Table;
use super::tables::TableName;
use super::writer::DataFile;
use super::{Lake, LakeError};
use crate::read::{LogFileOutcome, LogFileRow};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use std::collections::{HashMap, HashSet};

/// Rows of the ledger that matter to those that follow.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Log files whose attempt failed, by identity.
    open: HashMap<u128, OpenRow>,
    /// The parcels that the ledger was known to tell of.
    known: HashSet<ParcelId>,
    /// Log files that another ingest has settled since this one began.
    theirs: HashSet<u128>,
    /// Events that others stored under the name of a log file whose row may be ours to write, by the name's identity.
    pub(super) elsewhere: HashMap<u128, u64>,
    /// Parcels that another ingest has accounted for since this one began.
    pub(super) parcels: Vec<ParcelId>,
}

/// The row of an attempt that failed.
#[derive(Debug, Clone)]
struct OpenRow {
    /// The file of the ledger that has the row.
    file: StoredFile,
    /// Events that were stored all the same.
    stored: u64,
    /// Whether these are all events that the lake has of the log file, also those the ledger had not heard of.
    all: bool,
}

/// What a log file is known by.
fn identity_of(row: &LogFileRow) -> u128 {
    identity(&[&row.log_file, &row.etag], row.size_bytes)
}

/// What the row of a log file is known by of which nothing is known but its events.
fn placeholder(log_file: &str) -> u128 {
    identity(&[log_file, ""], 0)
}

/// The columns that tell of an attempt.
const ATTEMPT: [&str; 5] = ["log_file", "etag", "size_bytes", "outcome", "stored"];

/// An attempt as the ledger has it.
struct Attempt {
    identity: u128,
    outcome: String,
    stored: u64,
}

async fn attempts(table: &Table, file: &StoredFile) -> Result<Vec<Attempt>, LakeError> {
    let store = table.delta().object_store();
    let mut attempts = Vec::new();
    for batch in read_columns(&store, file, &ATTEMPT).await? {
        let text = |column: usize, row: usize| batch.column(column).as_string::<i32>().value(row);
        let number = |column: usize| batch.column(column).as_primitive::<Int64Type>().values();
        attempts.extend((0..batch.num_rows()).map(|row| Attempt {
            identity: identity(&[text(0, row), text(1, row)], number(2)[row] as u64),
            outcome: text(3, row).to_owned(),
            stored: number(4)[row] as u64,
        }));
    }
    Ok(attempts)
}

/// Whether an attempt that ended like this may be made again.
fn is_open(outcome: &str) -> bool {
    outcome == LogFileOutcome::Rejected.as_str() || outcome == LogFileOutcome::Unfetched.as_str()
}

impl Entries {
    fn note(&mut self, file: &StoredFile, attempt: &Attempt) {
        let row = OpenRow {
            file: file.clone(),
            stored: attempt.stored,
            all: attempt.outcome == LogFileOutcome::Unfetched.as_str(),
        };
        self.open.insert(attempt.identity, row);
    }

    /// Takes in what other ingests wrote.
    async fn take_in(&mut self, table: &Table, others: Others) -> Result<(), LakeError> {
        for file in &others.added {
            // A file that was written again, or merged of others, has rows that were there before.
            let parcel = names::parcel(&file.path).filter(|parcel| self.known.insert(*parcel));
            for attempt in attempts(table, file).await? {
                if parcel.is_some() && attempt.outcome != LogFileOutcome::Unfetched.as_str() {
                    self.theirs.insert(attempt.identity);
                }
                if is_open(&attempt.outcome) {
                    self.note(file, &attempt);
                }
            }
            self.parcels.extend(parcel);
        }
        let removed = &others.removed;
        self.open.retain(|_, row| !removed.contains(&row.file.path));
        Ok(())
    }
}

impl Lake {
    /// The log files that need not be read again. Those that were rejected are known too, unless they are to be tried again.
    pub async fn known_log_files(&mut self, retry_rejected: bool) -> Result<Known, LakeError> {
        let mut known = HashSet::new();
        self.entries = Entries::default();
        for file in self.log_files.files()? {
            self.entries.known.extend(names::parcel(&file.path));
            for attempt in attempts(&self.log_files, &file).await? {
                let unfetched = attempt.outcome == LogFileOutcome::Unfetched.as_str();
                let open = is_open(&attempt.outcome);
                if open {
                    self.entries.note(&file, &attempt);
                }
                if !open || (!unfetched && !retry_rejected) {
                    known.insert(attempt.identity);
                }
            }
        }
        Ok(Known(known))
    }

    /// Writes a parcel's rows; gives the bytes written.
    pub(super) async fn commit_log_files(
        &mut self,
        rows: &[LogFileRow],
        parcel: ParcelId,
        now: i64,
    ) -> Result<u64, LakeError> {
        for _ in 0..MOST_ATTEMPTS {
            let mut ours: Vec<LogFileRow> = rows
                .iter()
                .filter(|row| !self.entries.theirs.contains(&identity_of(row)))
                .cloned()
                .collect();
            let mut replaced = HashSet::new();
            let mut files: HashMap<String, StoredFile> = HashMap::new();
            for row in &mut ours {
                let elsewhere = self.entries.elsewhere.get(&identity(&[&row.log_file], 0));
                let elsewhere = elsewhere.copied().unwrap_or_default();
                row.found = (row.found + elsewhere).min(row.duplicates);
                for identity in [identity_of(row), placeholder(&row.log_file)] {
                    if let Some(open) = self.entries.open.get(&identity) {
                        replaced.insert(identity);
                        files.insert(open.file.path.clone(), open.file.clone());
                        let found = match open.all {
                            true => row.found.max(open.stored),
                            false => row.found + open.stored,
                        };
                        row.found = found.min(row.duplicates);
                    }
                }
            }
            let files: Vec<StoredFile> = files.into_values().collect();
            let mut adds = Vec::new();
            let mut kept = Vec::new();
            let mut bytes = 0;
            for file in &files {
                let rest = without(&self.log_files, file, &replaced).await?;
                let writer = names::parcel(&file.path).map_or(Writer::Merge, Writer::Parcel);
                let add = self.log_files.put(&rest, writer).await?;
                bytes += rest.bytes.len() as u64;
                kept.push((file.path.clone(), StoredFile::new(&add, &rest)));
                adds.push(add);
            }
            let batch = log_files_batch(&ours, now)?;
            let file = encode(batch)?;
            bytes += file.bytes.len() as u64;
            let own = self.log_files.put(&file, Writer::Parcel(parcel)).await?;
            let new = StoredFile::new(&own, &file);
            adds.push(own);
            let change = Change {
                removes: self.log_files.removes(&files),
                adds: adds.clone(),
                numbers: self.counted_at_least().await?,
                ..Change::default()
            };
            let Committed { done, others } = self.log_files.commit(change).await?;
            self.entries.take_in(&self.log_files, others).await?;
            if done {
                self.replaced(&replaced, &kept);
                for row in ours.iter().filter(|row| is_open(row.outcome.as_str())) {
                    let attempt = Attempt {
                        identity: identity_of(row),
                        outcome: row.outcome.as_str().to_owned(),
                        stored: row.stored + row.found,
                    };
                    self.entries.note(&new, &attempt);
                }
                return Ok(bytes);
            }
            self.log_files.discard(&adds).await?;
        }
        Err(LakeError::Contended {
            table: self.log_files.name.as_str(),
            attempts: MOST_ATTEMPTS,
        })
    }

    /// Open rows that are replaced are gone, and those that stood beside them are in other files now.
    fn replaced(&mut self, replaced: &HashSet<u128>, kept: &[(String, StoredFile)]) {
        let open = &mut self.entries.open;
        open.retain(|identity, _| !replaced.contains(identity));
        for row in open.values_mut() {
            if let Some((_, file)) = kept.iter().find(|(path, _)| *path == row.file.path) {
                row.file = file.clone();
            }
        }
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

fn encode(batch: RecordBatch) -> Result<DataFile, LakeError> {
    let rows = std::iter::once(Ok::<_, LakeError>(batch));
    DataFile::encode(TableName::LogFiles, None, rows)
}

/// A file of the ledger without some rows.
pub(super) async fn without(
    table: &Table,
    file: &StoredFile,
    gone: &HashSet<u128>,
) -> Result<DataFile, LakeError> {
    let schema = TableName::LogFiles.schema();
    let columns: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let store = table.delta().object_store();
    let mut kept = Vec::new();
    for batch in read_columns(&store, file, &columns).await? {
        let text = |name: &str, row: usize| {
            let column = batch
                .column_by_name(name)
                .map(|column| column.as_string::<i32>());
            column
                .filter(|column| column.is_valid(row))
                .map_or("", |column| column.value(row))
        };
        let sizes = batch
            .column_by_name("size_bytes")
            .map(|column| column.as_primitive::<Int64Type>().values());
        let keep = (0..batch.num_rows()).map(|row| {
            let size = sizes.map_or(0, |sizes| sizes[row] as u64);
            !gone.contains(&identity(&[text("log_file", row), text("etag", row)], size))
        });
        let keep: BooleanArray = keep.map(Some).collect();
        let rest = filter_record_batch(&batch, &keep)?;
        kept.push(Ok::<_, LakeError>(fitted(&rest, &schema)?));
    }
    DataFile::encode(TableName::LogFiles, None, kept.into_iter())
}
