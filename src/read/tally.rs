//! What a reading of log files covers.
//!
//! In: ledger rows. Out: a [`Coverage`]. Promise: small, whatever the number of events.

use super::{LogFileOutcome, LogFileRow};
use crate::event::Summary;
use crate::report::Coverage;
use chrono::{DateTime, NaiveDate, SecondsFormat};

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
}

impl Tally {
    /// Takes a log file into account.
    pub fn add(&mut self, row: &LogFileRow) {
        match row.outcome {
            LogFileOutcome::Stored => self.log_files += 1,
            LogFileOutcome::Rejected | LogFileOutcome::Unfetched => self.log_files_rejected += 1,
            LogFileOutcome::Skipped => {}
        }
        self.events += row.stored;
        self.records_rejected += row.rejected;
        self.summary.merge(&row.summary);
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
        let rfc3339 = |micros: i64| {
            Some(
                DateTime::from_timestamp_micros(micros)?
                    .to_rfc3339_opts(SecondsFormat::AutoSi, true),
            )
        };
        let missing = match (days.first(), days.last()) {
            (Some(first), Some(last)) => {
                (*first..*last).filter(|day| !days.contains(day)).collect()
            }
            _ => Vec::new(),
        };
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
        }
    }
}
