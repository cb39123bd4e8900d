//! What a set of log files covers.
//!
//! In: ledger rows. Out: a [`Coverage`]. Promise: computed from the ledger and the Delta log alone, in time that grows with
//! log files, not with events.

use super::reader::read_columns;
use super::{Lake, LakeError};
use crate::event::Summary;
use crate::read::{LogFileOutcome, Tally};
use crate::report::Coverage;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use std::collections::{BTreeSet, HashMap};

impl Lake {
    /// What was not read when it was last tried: by name, the outcome and the reason.
    pub async fn not_read(&self) -> Result<HashMap<String, (LogFileOutcome, String)>, LakeError> {
        const COLUMNS: [&str; 4] = ["log_file", "outcome", "reason", "ingest_time"];
        let mut outcomes = Outcomes::new();
        let folder = self.log_files.folder();
        for file in self.log_files.files()? {
            for batch in read_columns(&folder, &file, &COLUMNS).await? {
                (0..batch.num_rows()).for_each(|row| note_attempt(&mut outcomes, &batch, row));
            }
        }
        outcomes.retain(|_, attempt| attempt.outcome.not_read().is_some());
        let reasons = outcomes.into_iter().map(|(log_file, attempt)| {
            let reason = attempt.reason.map(String::from).unwrap_or_default();
            (log_file, (attempt.outcome, reason))
        });
        Ok(reasons.collect())
    }

    /// How many events there are.
    pub fn stored_events(&self) -> Result<u64, LakeError> {
        self.events.rows()
    }

    /// What the lake covers: from its ledger, and the numbers of events and rejected records and the days of events from the
    /// Delta log.
    pub async fn coverage(&self) -> Result<Coverage, LakeError> {
        const COLUMNS: [&str; 12] = [
            "log_file",
            "outcome",
            "reason",
            "ingest_time",
            "rejected",
            "first_event_time",
            "last_event_time",
            "accounts",
            "regions",
            "event_categories",
            "data_event_services",
            "integrity",
        ];
        let mut outcomes = HashMap::new();
        let mut tally = Tally::default();
        let folder = self.log_files.folder();
        for file in self.log_files.files()? {
            for batch in read_columns(&folder, &file, &COLUMNS).await? {
                add_ledger(&mut tally, &batch, &mut outcomes);
            }
        }
        for (log_file, attempt) in &outcomes {
            let reason = attempt.reason.as_deref().unwrap_or_default();
            tally.outcome(log_file, attempt.outcome, reason);
            // Not the rows of `rejects`: those of a log file that is whole by now are kept there.
            tally.records_rejected += attempt.rejected;
            tally.compared(log_file, attempt.outcome, attempt.integrity.as_deref());
        }
        for file in self.events.files()? {
            tally.events += file.rows;
            tally
                .summary
                .days
                .extend(file.date.map(|date| date.to_epoch_days()));
        }
        Ok(tally.coverage(self.name()))
    }
}

/// The last attempt at each log file.
type Outcomes = HashMap<String, Attempt>;

/// An attempt at a log file.
#[derive(Debug)]
struct Attempt {
    time: i64,
    outcome: LogFileOutcome,
    /// Its records that could not be decoded.
    rejected: u64,
    /// Why it was not read; of those that were read, the reason is a remark.
    reason: Option<Box<str>>,
    /// What digest files say of it; a ledger of before has no such column.
    integrity: Option<Box<str>>,
}

/// Notes the attempt in a row of the ledger, unless there is a later one at the same log file.
fn note_attempt(outcomes: &mut Outcomes, batch: &RecordBatch, row: usize) {
    let text = |name: &str| {
        let column = batch
            .column_by_name(name)
            .map(|column| column.as_string::<i32>());
        column
            .filter(|column| column.is_valid(row))
            .map(|column| column.value(row))
    };
    let time = batch.column_by_name("ingest_time").map_or(0, |times| {
        times.as_primitive::<TimestampMicrosecondType>().value(row)
    });
    // Of a later version, with outcomes that are not known here: not read, as far as anybody can tell.
    let outcome = text("outcome").and_then(LogFileOutcome::named);
    let outcome = outcome.unwrap_or(LogFileOutcome::Unreadable);
    let rejected = batch.column_by_name("rejected").map_or(0, |rejected| {
        rejected.as_primitive::<Int64Type>().value(row)
    });
    let attempt = Attempt {
        time,
        outcome,
        rejected: u64::try_from(rejected).unwrap_or_default(),
        reason: outcome.not_read().and(text("reason")).map(Box::from),
        integrity: text("integrity").map(Box::from),
    };
    let log_file = text("log_file").unwrap_or_default();
    match outcomes.get_mut(log_file) {
        Some(known) if known.time > time => {}
        Some(known) => *known = attempt,
        None => drop(outcomes.insert(log_file.to_owned(), attempt)),
    }
}

/// Takes rows of the table `log_files` into account; log files are only noted in `outcomes`.
fn add_ledger(tally: &mut Tally, batch: &RecordBatch, outcomes: &mut Outcomes) {
    let column = |name: &str| batch.column_by_name(name);
    let time = |name: &str, row: usize| {
        let times = column(name)?.as_primitive::<TimestampMicrosecondType>();
        times.is_valid(row).then(|| times.value(row))
    };
    let texts = |name: &str, row: usize| -> BTreeSet<String> {
        let list = column(name).map(|c| c.as_list::<i32>().value(row));
        list.iter()
            .flat_map(|list| list.as_string::<i32>().iter().flatten().map(str::to_owned))
            .collect()
    };
    for row in 0..batch.num_rows() {
        note_attempt(outcomes, batch, row);
        tally.summary.merge(&Summary {
            first: time("first_event_time", row),
            last: time("last_event_time", row),
            days: BTreeSet::new(),
            accounts: texts("accounts", row),
            regions: texts("regions", row),
            event_categories: texts("event_categories", row),
            data_event_services: texts("data_event_services", row),
        });
    }
}
