//! What a reading of log files covers.
//!
//! In: ledger rows. Out: a [`Coverage`]. Promise: small, whatever the number of events.

use super::{LogFileOutcome, LogFileRow};
use crate::cloudtrail::rfc3339;
use crate::event::Summary;
use crate::report::{Coverage, Integrity, NotRead, NotReadExample, NotReadKind};
use chrono::{DateTime, NaiveDate};
use std::collections::BTreeMap;

/// Adds up what was read.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Events, each once.
    pub events: u64,
    /// Log files whose events were read.
    pub log_files: u64,
    /// Log files that could not be read.
    pub log_files_rejected: u64,
    /// Records that could not be decoded.
    pub records_rejected: u64,
    /// What the events are about.
    pub summary: Summary,
    /// What digest files say of the log files.
    pub integrity: Integrity,
    /// What was not read, by kind: how many, and the first of them by name.
    not_read: BTreeMap<NotReadKind, (u64, BTreeMap<String, String>)>,
}

/// Names of a kind in the account of what was not read.
const EXAMPLES: usize = 3;

impl Tally {
    /// Takes a log file into account.
    pub fn add(&mut self, row: &LogFileRow) {
        let reason = row.reason.as_deref().unwrap_or_default();
        self.outcome(&row.log_file, row.outcome, reason);
        self.compared(&row.log_file, row.outcome, row.integrity.as_deref());
        self.events += row.stored;
        self.records_rejected += row.rejected;
        self.summary.merge(&row.summary);
    }

    /// Takes what became of a log file into account, and nothing else of it.
    pub fn outcome(&mut self, log_file: &str, outcome: LogFileOutcome, reason: &str) {
        match outcome {
            LogFileOutcome::Stored => self.log_files += 1,
            LogFileOutcome::Rejected | LogFileOutcome::Unfetched => self.log_files_rejected += 1,
            _ => {}
        }
        let Some(kind) = outcome.not_read() else {
            return;
        };
        let (count, examples) = self.not_read.entry(kind).or_default();
        *count += 1;
        let comes_first = examples
            .last_key_value()
            .is_some_and(|(last, _)| log_file < last.as_str());
        if examples.len() < EXAMPLES || comes_first {
            examples.insert(log_file.to_owned(), reason.to_owned());
            if examples.len() > EXAMPLES {
                examples.pop_last();
            }
        }
    }

    /// Takes into account what digest files say of a log file, if it was read.
    pub fn compared(&mut self, log_file: &str, outcome: LogFileOutcome, state: Option<&str>) {
        if matches!(outcome, LogFileOutcome::Stored | LogFileOutcome::Rejected) {
            self.integrity.add(log_file, state);
        }
    }

    /// The coverage of what came from `source`.
    pub fn coverage(self, source: String) -> Coverage {
        let Summary {
            first,
            last,
            days,
            accounts,
            regions,
            event_categories,
            data_event_services,
        } = self.summary;
        let rfc3339 = |micros: i64| DateTime::from_timestamp_micros(micros).map(rfc3339);
        let missing = match (days.first(), days.last()) {
            (Some(first), Some(last)) => {
                (*first..*last).filter(|day| !days.contains(day)).collect()
            }
            _ => Vec::new(),
        };
        let not_read = self.not_read.into_iter();
        let not_read = not_read.map(|(kind, (count, examples))| NotRead {
            kind,
            count,
            examples: examples
                .into_iter()
                .map(|(log_file, reason)| NotReadExample { log_file, reason })
                .collect(),
        });
        let date = |day: i32| NaiveDate::from_epoch_days(day).map(|date| date.to_string());
        Coverage {
            source,
            events: self.events,
            first_event: first.and_then(rfc3339),
            last_event: last.and_then(rfc3339),
            accounts: accounts.into_iter().collect(),
            regions: regions.into_iter().collect(),
            days_with_events: days.len() as u64,
            days_missing: missing.into_iter().filter_map(date).collect(),
            log_files: self.log_files,
            log_files_rejected: self.log_files_rejected,
            records_rejected: self.records_rejected,
            event_categories: event_categories.into_iter().collect(),
            data_event_services: data_event_services.into_iter().collect(),
            integrity: self.integrity,
            not_read: not_read.collect(),
            warnings: Vec::new(),
        }
    }
}
