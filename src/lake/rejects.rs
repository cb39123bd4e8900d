//! Records that could not be decoded.
//!
//! In: rejected records. Out: rows of `rejects`. Promise: a record is there once, also when its log file is read again
//! because an ingest was killed, or by two ingests at once.

use super::change::{Change, Committed, StoredFile};
use super::ledger::identity;
use super::names::{ParcelId, Writer};
use super::reader::read_columns;
use super::table::MOST_ATTEMPTS;
use super::table::Table;
use super::tables::TableName;
use super::writer::DataFile;
use super::{Lake, LakeError};
use crate::event::Reject;
use crate::read::RejectRow;
use arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use std::collections::HashSet;
use std::iter;
use std::sync::Arc;

/// The columns that a rejected record is known by.
pub(super) const IDENTITY: [&str; 4] = ["log_file", "log_file_record", "reason", "record"];

/// What a rejected record is known by.
fn identity_of(row: &RejectRow) -> u128 {
    let Reject {
        record,
        reason,
        text,
        ..
    } = &row.reject;
    identity(&[&row.log_file, reason, text], *record)
}

impl Lake {
    /// Commits the records that are not in the table yet; gives the bytes written.
    pub(super) async fn commit_rejects(
        &mut self,
        rows: &[RejectRow],
        (parcel, now): (ParcelId, i64),
    ) -> Result<u64, LakeError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let table = &mut self.rejects;
        let known = match &mut self.rejected {
            Some(known) => known,
            none => {
                let files = table.files()?;
                none.insert(identities(table, &files).await?)
            }
        };
        for _ in 0..MOST_ATTEMPTS {
            let new = rows.iter().filter(|row| !known.contains(&identity_of(row)));
            let new: Vec<&RejectRow> = new.collect();
            if new.is_empty() {
                return Ok(0);
            }
            let rows = iter::once(batch(&new, now).map_err(LakeError::from));
            let file = DataFile::encode(table.name, None, rows)?;
            let adds = vec![table.put(&file, Writer::Parcel(parcel)).await?];
            let Committed { done, others } = table.commit(Change::add(adds.clone())).await?;
            known.extend(identities(table, &others.added).await?);
            if done {
                known.extend(new.into_iter().map(identity_of));
                return Ok(file.bytes.len() as u64);
            }
            table.discard(&adds).await?;
        }
        Err(LakeError::Contended {
            table: table.name.as_str(),
            attempts: MOST_ATTEMPTS,
        })
    }
}

/// The records in some files of the table.
async fn identities(table: &Table, files: &[StoredFile]) -> Result<HashSet<u128>, LakeError> {
    let folder = table.folder();
    let mut known = HashSet::new();
    for file in files {
        for batch in read_columns(&folder, file, &IDENTITY).await? {
            known.extend(ids_of(&batch));
        }
    }
    Ok(known)
}

/// What the records of a batch are known by.
pub(super) fn ids_of(batch: &RecordBatch) -> Vec<u128> {
    let column = |name: &str| batch.column_by_name(name);
    let text = |name: &str, row: usize| {
        let texts = column(name).and_then(|texts| texts.as_string_opt::<i32>());
        texts.map_or("", |texts| texts.value(row))
    };
    let records = column("log_file_record");
    let records = records.and_then(|records| records.as_primitive_opt::<Int64Type>());
    let id = |row: usize| {
        let texts = ["log_file", "reason", "record"].map(|name| text(name, row));
        identity(
            &texts,
            records.map_or(0, |records| records.value(row) as u64),
        )
    };
    (0..batch.num_rows()).map(id).collect()
}

/// Rejected records as a batch.
pub(super) fn batch(rows: &[&RejectRow], now: i64) -> Result<RecordBatch, ArrowError> {
    let text = |get: &dyn Fn(&RejectRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            rows.iter().map(|row| get(row)),
        ))
    };
    let times =
        TimestampMicrosecondArray::from_iter_values(rows.iter().map(|_| now)).with_timezone("UTC");
    let columns = vec![
        text(&|row| &row.log_file),
        Arc::new(Int64Array::from_iter_values(
            rows.iter().map(|row| row.reject.record as i64),
        )),
        text(&|row| &row.reject.reason),
        text(&|row| &row.reject.text),
        Arc::new(times),
    ];
    RecordBatch::try_new(TableName::Rejects.schema(), columns)
}
