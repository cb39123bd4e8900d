//! Which log files were read, and what became of them.
//!
//! In: one [`LogFileRow`] per log file and attempt. Out: rows of `log_files`, and the set of log files that need not be
//! read again. Promise: a log file is known by URI, ETag and size: one that was replaced under the same name is new.

use super::LakeError;
use super::change::StoredFile;
use super::reader::read_columns;
use super::table::Table;
use super::tables::TableName;
use crate::read::LogFileRow;
use arrow::array::{
    ArrayRef, AsArray, Date32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow::error::ArrowError;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Why a log file has to be read again that was read before.
pub(super) const LOST: &str = "some of its events were lost from the lake";

/// Rows of the ledger as a batch; `now` is the time of ingest in microseconds.
pub(crate) fn log_files_batch(rows: &[LogFileRow], now: i64) -> Result<RecordBatch, ArrowError> {
    let text = |get: &dyn Fn(&LogFileRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(get).collect::<StringArray>())
    };
    let number = |get: &dyn Fn(&LogFileRow) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            rows.iter().map(|row| get(row) as i64),
        ))
    };
    let time = |get: &dyn Fn(&LogFileRow) -> Option<i64>| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(get)
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        )
    };
    let texts = |get: &dyn Fn(&LogFileRow) -> &BTreeSet<String>| -> ArrayRef {
        let field = Field::new("element", DataType::Utf8, true);
        let mut list = ListBuilder::new(StringBuilder::new()).with_field(field);
        for row in rows {
            list.append_value(get(row).iter().map(Some));
        }
        Arc::new(list.finish())
    };
    let days = rows
        .iter()
        .map(|row| row.log_date.map(|date| date.to_epoch_days()));
    let columns = vec![
        text(&|row| Some(&row.log_file)),
        text(&|row| Some(&row.etag)),
        number(&|row| row.size_bytes),
        text(&|row| row.sha256.as_deref()),
        text(&|row| Some(row.outcome.as_str())),
        text(&|row| row.reason.as_deref()),
        number(&|row| row.json_bytes),
        number(&|row| row.events),
        number(&|row| row.stored),
        number(&|row| row.duplicates),
        number(&|row| row.rejected),
        time(&|row| row.summary.first),
        time(&|row| row.summary.last),
        text(&|row| row.account_id.as_deref()),
        text(&|row| row.region.as_deref()),
        Arc::new(days.collect::<Date32Array>()),
        texts(&|row| &row.summary.accounts),
        texts(&|row| &row.summary.regions),
        texts(&|row| &row.summary.event_categories),
        texts(&|row| &row.summary.data_event_services),
        time(&|_| Some(now)),
        text(&|row| row.integrity.as_deref()),
    ];
    RecordBatch::try_new(TableName::LogFiles.schema(), columns)
}

/// What texts and a number are known by, in 16 bytes: ledgers of millions of log files have to fit into memory.
pub(super) fn identity(texts: &[&str], number: u64) -> u128 {
    let mut hash = Sha256::new();
    // The lengths keep the texts apart.
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.update(number.to_le_bytes());
    let half = hash.finalize();
    half.iter()
        .take(16)
        .fold(0, |id, byte| id << 8 | u128::from(*byte))
}

/// The columns that tell of an attempt.
const ATTEMPT: [&str; 5] = ["log_file", "etag", "size_bytes", "outcome", "stored"];

/// An attempt as the ledger has it.
pub(super) struct Attempt {
    pub(super) identity: u128,
    /// What the log file is known by, whichever version.
    pub(super) name: u128,
    pub(super) outcome: String,
    pub(super) stored: u64,
}

pub(super) async fn attempts(table: &Table, file: &StoredFile) -> Result<Vec<Attempt>, LakeError> {
    let folder = table.folder();
    let mut attempts = Vec::new();
    for batch in read_columns(&folder, file, &ATTEMPT).await? {
        let text = |column: usize, row: usize| batch.column(column).as_string::<i32>().value(row);
        let number = |column: usize| batch.column(column).as_primitive::<Int64Type>().values();
        attempts.extend((0..batch.num_rows()).map(|row| Attempt {
            identity: identity(&[text(0, row), text(1, row)], number(2)[row] as u64),
            name: identity(&[text(0, row)], 0),
            outcome: text(3, row).to_owned(),
            stored: number(4)[row] as u64,
        }));
    }
    Ok(attempts)
}

/// The log files that need not be read again.
#[derive(Debug, Default)]
pub struct Known(pub(super) HashSet<u128>);

impl Known {
    /// Whether this log file, with this ETag and size, was read before.
    pub fn contains(&self, log_file: &str, etag: &str, size: u64) -> bool {
        self.0.contains(&identity(&[log_file, etag], size))
    }
}

/// What a log file is known by.
pub(super) fn identity_of(row: &LogFileRow) -> u128 {
    identity(&[&row.log_file, &row.etag], row.size_bytes)
}

/// What its events are known by.
pub(super) fn name_of(row: &LogFileRow) -> u128 {
    identity(&[&row.log_file], 0)
}

/// What the row of a log file is known by of which nothing is known but its events.
pub(super) fn placeholder(log_file: &str) -> u128 {
    identity(&[log_file, ""], 0)
}
