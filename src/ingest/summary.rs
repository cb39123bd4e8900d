//! The account of an ingest.
//!
//! In: parcels that were packed, as they are committed. Out: an [`IngestSummary`]. Promise: every log file and record is
//! counted once; what is not stored is named.

use super::IngestError;
use crate::cloudtrail::delivery_stamp;
use crate::event::RejectKind;
use crate::integrity::Finding;
use crate::lake::{Lake, Packed, Seen};
use crate::read::{LogFileOutcome, LogFileRow, Observer, Outcome};
use crate::report::Integrity;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Mutex;

/// A log file that was not stored, and why.
#[derive(Debug, Clone)]
pub struct Refused {
    /// URI or path.
    pub log_file: String,
    /// Why.
    pub reason: String,
}

/// The account of an ingest. `events_read` is the sum of the three numbers that follow it.
#[derive(Debug, Clone, Default)]
pub struct IngestSummary {
    /// Log files the sources list.
    pub listed: u64,
    /// Log files read and stored.
    pub stored: u64,
    /// Log files the lake had already.
    pub already_stored: u64,
    /// Log files that could not be read.
    pub rejected: Vec<Refused>,
    /// Log files that an earlier ingest could not read, and that were not tried again.
    pub rejected_before: Vec<Refused>,
    /// Of the log files that could not be read, those that could not be fetched: the next ingest tries again.
    pub unfetched: Vec<String>,
    /// Files and folders that hold no events.
    pub skipped: Vec<Refused>,
    /// Log files that are readable but odd.
    pub remarks: Vec<Refused>,
    /// Records read.
    pub events_read: u64,
    /// Records stored.
    pub events_stored: u64,
    /// Records whose event the lake had already.
    pub events_duplicates: u64,
    /// Records that could not be decoded.
    pub events_rejected: u64,
    /// Bytes read from the sources.
    pub bytes_compressed: u64,
    /// Bytes of JSON.
    pub bytes_json: u64,
    /// Bytes written to the lake.
    pub bytes_lake: u64,
    /// When the last log file that was stored was delivered, by the stamp in its name.
    pub last_delivery: Option<DateTime<Utc>>,
    /// How long it took.
    pub elapsed: Duration,
    /// Log files that were left unread because the ingest was asked to stop.
    pub left: u64,
    /// Events of those that were stored before: of a long log file, what was decoded until then.
    pub events_of_left: u64,
    /// Whether the ingest was asked to stop before it knew which log files there are.
    pub stopped_listing: bool,
    /// Log files that were read and turned out to be rejected or to hold no events.
    pub(super) read_in_vain: u64,
    /// Whether log files were compared with digest files.
    pub compared: bool,
    /// What is wrong with the digest files, and log files that they list and that are not there.
    pub integrity: Vec<Finding>,
    /// Log files that are not those that AWS delivered, and how.
    pub failed: Vec<Refused>,
    /// Log files rejected by this run, by kind of fault.
    pub rejected_by_kind: BTreeMap<RejectKind, u64>,
}

/// Whether the word for a log file's state says that it failed.
fn speaks_against(state: &str) -> bool {
    ![
        Integrity::VALID,
        Integrity::NOT_VERIFIED,
        Integrity::PENDING,
    ]
    .contains(&state)
}

impl IngestSummary {
    /// Log files that were read and hold something else than events.
    pub fn without_events(&self) -> u64 {
        let rejected = (self.rejected.len() + self.rejected_before.len()) as u64;
        self.listed - self.stored - self.already_stored - rejected - self.left
    }

    /// All is done of so many log files that were to be read, or it was to stop.
    pub(super) fn end(&mut self, to_read: u64) {
        self.left = to_read - self.stored - self.read_in_vain;
        if self.left == 0 {
            // What another machine stored meanwhile is no log file of which a part is stored.
            self.events_of_left = 0;
        }
    }

    /// Commits a parcel, and takes it into account.
    pub(super) async fn commit(
        &mut self,
        lake: &mut Lake,
        (parcel, seen): (Packed, &Mutex<Seen>),
        observer: &dyn Observer,
    ) -> Result<(), IngestError> {
        let fresh = parcel.keys.len() as u64;
        let (rows, bytes) = lake.commit(parcel, seen).await?;
        self.bytes_lake += bytes;
        let stored: u64 = rows.iter().map(|row| row.stored).sum();
        self.events_of_left += fresh.saturating_sub(stored);
        for row in rows {
            self.add(row, observer);
        }
        Ok(())
    }

    /// Takes a log file into account.
    fn add(&mut self, row: LogFileRow, observer: &dyn Observer) {
        self.events_read += row.events;
        self.events_stored += row.stored;
        self.events_duplicates += row.duplicates;
        self.events_rejected += row.rejected;
        self.bytes_json += row.json_bytes;
        observer.events(row.events, row.stored, row.duplicates, row.rejected);
        self.compared |= row.integrity.is_some();
        if let Some(problem) = row.integrity.as_deref().filter(|it| speaks_against(it)) {
            self.failed.push(Refused {
                log_file: row.log_file.clone(),
                reason: problem.to_owned(),
            });
        }
        if let Some(kind) = row.rejected_as {
            *self.rejected_by_kind.entry(kind).or_default() += 1;
        }
        if row.outcome == LogFileOutcome::Stored {
            let name = row.log_file.rsplit(['/', '\\']).next();
            self.last_delivery = self.last_delivery.max(name.and_then(delivery_stamp));
        }
        if row.outcome == LogFileOutcome::Unfetched {
            self.unfetched.push(row.log_file.clone());
        }
        let outcome = Outcome::from(row.outcome);
        let list = match outcome {
            Outcome::Stored | Outcome::AlreadyStored => &mut self.remarks,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Rejected => &mut self.rejected,
        };
        if let Some(reason) = row.reason {
            list.push(Refused {
                log_file: row.log_file,
                reason,
            });
        }
        match outcome {
            Outcome::Stored => self.stored += 1,
            _ => self.read_in_vain += 1,
        }
        if row.outcome != LogFileOutcome::Unfetched {
            self.bytes_compressed += row.size_bytes;
        }
        observer.log_file(row.size_bytes, outcome);
    }
}
