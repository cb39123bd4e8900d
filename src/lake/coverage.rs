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
use arrow::datatypes::TimestampMicrosecondType;
use std::collections::{BTreeSet, HashMap};

impl Lake {
    /// What the lake covers: from its ledger, and the numbers of events and rejected records and the days of events from the
    /// Delta log.
    pub async fn coverage(&self) -> Result<Coverage, LakeError> {
        const COLUMNS: [&str; 8] = [
            "log_file",
            "outcome",
            "first_event_time",
            "last_event_time",
            "accounts",
            "regions",
            "event_categories",
            "data_event_services",
        ];
        // A log file that was rejected first and stored later counts as stored.
        let mut outcomes: HashMap<String, bool> = HashMap::new();
        let mut tally = Tally::default();
        let store = self.log_files.delta().object_store();
        for file in self.log_files.files()? {
            for batch in read_columns(&store, &file, &COLUMNS).await? {
                add_ledger(&mut tally, &batch, &mut outcomes);
            }
        }
        tally.log_files = outcomes.values().filter(|stored| **stored).count() as u64;
        tally.log_files_rejected = outcomes.len() as u64 - tally.log_files;
        tally.records_rejected = self.rejects.files()?.iter().map(|file| file.rows).sum();
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

/// Takes rows of the table `log_files` into account; log files are only noted in `outcomes`.
fn add_ledger(tally: &mut Tally, batch: &RecordBatch, outcomes: &mut HashMap<String, bool>) {
    let column = |name: &str| batch.column_by_name(name);
    let text = |name: &str, row: usize| {
        column(name)
            .map(|c| c.as_string::<i32>().value(row))
            .unwrap_or_default()
    };
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
        let outcome = text("outcome", row);
        if outcome != LogFileOutcome::Skipped.as_str() {
            let stored = outcome == LogFileOutcome::Stored.as_str();
            *outcomes
                .entry(text("log_file", row).to_owned())
                .or_default() |= stored;
        }
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
