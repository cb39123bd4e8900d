//! Rows of the ledger, as a repair looks at them.
//!
//! In: batches of `log_files`. Out: a [`Row`] each. Promise: the row that takes a lost one's place tells how many events are there.

use super::change::StoredFile;
use super::ledger::{LOST, identity};
use crate::read::{LogFileOutcome, LogFileRow};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::NaiveDate;

/// A row of the ledger, as far as it matters here, and the file it is in.
pub(super) struct Row {
    pub(super) log_file: String,
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) sha256: Option<String>,
    pub(super) is_stored: bool,
    pub(super) is_lost: bool,
    pub(super) stored: u64,
    pub(super) rejected: u64,
    pub(super) first: Option<i64>,
    pub(super) file: StoredFile,
}

impl Row {
    pub(super) fn read(batch: &RecordBatch, row: usize, file: &StoredFile) -> Self {
        let text = |name: &str| {
            let column = batch.column_by_name(name)?.as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let number = |name: &str| {
            let column = batch.column_by_name(name)?.as_primitive::<Int64Type>();
            Some(column.value(row) as u64)
        };
        let time = |name: &str| {
            let column = batch.column_by_name(name)?;
            let times = column.as_primitive::<TimestampMicrosecondType>();
            times.is_valid(row).then(|| times.value(row))
        };
        Self {
            log_file: text("log_file").unwrap_or_default(),
            etag: text("etag").unwrap_or_default(),
            size: number("size_bytes").unwrap_or_default(),
            sha256: text("sha256"),
            is_stored: text("outcome").as_deref() == Some(LogFileOutcome::Stored.as_str()),
            is_lost: text("reason").as_deref() == Some(LOST),
            stored: number("stored").unwrap_or_default(),
            rejected: number("rejected").unwrap_or_default(),
            first: time("first_event_time"),
            file: file.clone(),
        }
    }

    /// Whether it may have events of days that were forgotten.
    pub(super) fn is_forgotten(&self, before: Option<NaiveDate>) -> bool {
        before.is_some_and(|before| {
            let day = self.first.map(|time| time.div_euclid(86_400_000_000));
            day.is_none_or(|day| day < i64::from(before.to_epoch_days()))
        })
    }

    pub(super) fn name(&self) -> u128 {
        identity(&[&self.log_file], 0)
    }

    pub(super) fn version(&self) -> u128 {
        identity(&[&self.log_file, &self.etag], self.size)
    }

    /// The row that takes its place: so many of its events are there.
    pub(super) fn lost(&self, held: u64) -> LogFileRow {
        LogFileRow {
            outcome: LogFileOutcome::Unfetched,
            reason: Some(LOST.to_owned()),
            sha256: self.sha256.clone(),
            events: held,
            stored: held,
            log_file: self.log_file.clone(),
            etag: self.etag.clone(),
            size_bytes: self.size,
            ..LogFileRow::default()
        }
    }
}
