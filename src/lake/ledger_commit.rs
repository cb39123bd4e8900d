//! The ledger is written.
//!
//! In: the rows of a parcel. Out: a commit. Promise: one row per log file, ETag and size, whatever was killed and however many
//! ingest at once: a row that another ingest has written meanwhile is not written again, and the row of an attempt that
//! failed, or of an earlier version of the log file, makes way for that of the next. What the rows of a log file count as
//! stored are the events that the table of events has of it, whoever stored them. The commit tells how many rows the other
//! tables had.

use super::change::{Committed, Others, StoredFile};
use super::ledger::{Attempt, Known, attempts, identity_of, log_files_batch, name_of};
use super::ledger_rewrite::Rewrite;
use super::names::{self, ParcelId, Writer};
use super::seen::Seen;
use super::table::MOST_ATTEMPTS;
use super::table::Table;
use super::tables::TableName;
use super::writer::DataFile;
use super::{FORGOTTEN, Lake, LakeError};
use crate::read::{LogFileOutcome, LogFileRow};
use arrow::array::RecordBatch;
use std::collections::{HashMap, HashSet};
use tokio::sync::Mutex;

/// Rows of the ledger that matter to those that follow.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Log files whose attempt failed, by identity.
    pub(super) open: HashMap<u128, OpenRow>,
    /// The parcels that the ledger was known to tell of.
    known: HashSet<ParcelId>,
    /// Log files that another ingest has settled since this one began.
    pub(super) theirs: HashSet<u128>,
    /// The names of the log files that have a row.
    pub(super) names: HashSet<u128>,
    /// The events that the rows stood for when this ingest began.
    pub(super) stored: u64,
}

/// The row of an attempt that failed.
#[derive(Debug, Clone)]
pub(super) struct OpenRow {
    /// The file of the ledger that has the row.
    pub(super) file: StoredFile,
    /// Events that were stored all the same.
    pub(super) stored: u64,
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
        };
        self.open.insert(attempt.identity, row);
    }

    /// Takes in what other ingests wrote.
    async fn take_in(&mut self, table: &Table, others: Others) -> Result<(), LakeError> {
        for file in &others.added {
            // A file that was written again, or merged of others, has rows that were there before.
            let parcel = names::parcel(&file.path).filter(|parcel| self.known.insert(*parcel));
            for attempt in attempts(table, file).await? {
                self.names.insert(attempt.name);
                if parcel.is_some() && attempt.outcome != LogFileOutcome::Unfetched.as_str() {
                    self.theirs.insert(attempt.identity);
                }
                if is_open(&attempt.outcome) {
                    self.note(file, &attempt);
                }
            }
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
                self.entries.stored += attempt.stored;
                self.entries.names.insert(attempt.name);
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
        (parcel, now): (ParcelId, i64),
        seen: &Mutex<Seen>,
    ) -> Result<u64, LakeError> {
        for _ in 0..MOST_ATTEMPTS {
            let is_ours = |row: &&LogFileRow| !self.entries.theirs.contains(&identity_of(row));
            let mut ours: Vec<LogFileRow> = rows.iter().filter(is_ours).cloned().collect();
            let mut rewrite = self.replaced_by(&ours);
            self.replaced_versions(&ours, &mut rewrite).await?;
            self.balance((rows, &mut ours), &mut rewrite, seen).await?;
            let (mut change, kept) = self.rewritten(&rewrite).await?;
            let file = encode(log_files_batch(&ours, now)?)?;
            let own = self.log_files.put(&file, Writer::Parcel(parcel)).await?;
            let new = StoredFile::new(&own, &file);
            change.adds.push(own);
            let adds = change.adds.clone();
            let bytes = adds.iter().map(|add| add.size.max(0) as u64).sum();
            let Committed { done, others } = self.log_files.commit(change).await?;
            self.entries.take_in(&self.log_files, others).await?;
            if done {
                self.replaced(&rewrite, &kept);
                self.entries.names.extend(ours.iter().map(name_of));
                for row in ours.iter().filter(|row| is_open(row.outcome.as_str())) {
                    let attempt = Attempt {
                        identity: identity_of(row),
                        name: name_of(row),
                        outcome: row.outcome.as_str().to_owned(),
                        stored: row.stored,
                    };
                    self.entries.note(&new, &attempt);
                }
                return Ok(bytes);
            }
            self.log_files.discard(&adds).await?;
        }
        Err(self.contended())
    }

    /// Makes the ledger count the events of ingests that were killed before they could write it, where it has a row of their
    /// log file; what it has no row of is going to be read again.
    pub async fn settle(&mut self, seen: &Mutex<Seen>) -> Result<(), LakeError> {
        for _ in 0..MOST_ATTEMPTS {
            let forgotten = self.events.number(FORGOTTEN).await?.unwrap_or_default();
            if self.events.rows()? + forgotten == self.entries.stored {
                return Ok(());
            }
            let mut rewrite = Rewrite::default();
            self.balance((&[], &mut []), &mut rewrite, seen).await?;
            if rewrite.missing.is_empty() {
                return Ok(());
            }
            let (change, kept) = self.rewritten(&rewrite).await?;
            let adds = change.adds.clone();
            let Committed { done, others } = self.log_files.commit(change).await?;
            self.entries.take_in(&self.log_files, others).await?;
            if done {
                self.replaced(&rewrite, &kept);
                return Ok(());
            }
            self.log_files.discard(&adds).await?;
        }
        Err(self.contended())
    }

    fn contended(&self) -> LakeError {
        LakeError::Contended {
            table: self.log_files.name.as_str(),
            attempts: MOST_ATTEMPTS,
        }
    }

    /// Open rows that are replaced are gone, and those that stood beside them are in other files now.
    fn replaced(&mut self, rewrite: &Rewrite, kept: &[(String, StoredFile)]) {
        let open = &mut self.entries.open;
        open.retain(|identity, _| !rewrite.gone.contains(identity));
        for row in open.values_mut() {
            if let Some((_, file)) = kept.iter().find(|(path, _)| *path == row.file.path) {
                row.file = file.clone();
            }
        }
    }
}

fn encode(batch: RecordBatch) -> Result<DataFile, LakeError> {
    let rows = std::iter::once(Ok::<_, LakeError>(batch));
    DataFile::encode(TableName::LogFiles, None, rows)
}
