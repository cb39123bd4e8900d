//! From fetched bytes to data files.
//!
//! In: a parcel with its bytes. Out: [`Packed`]: sorted Parquet, rejects, ledger rows. Promise: all the CPU work of an ingest
//! is here; what reading does not do already is to leave out the events that the lake has, to sort and to encode.

use super::IngestError;
use crate::event::time::day;
use crate::event::{EventKey, Field};
use crate::lake::{DataFile, Packed, Seen, TableName};
use crate::read::{
    Comparison, DecodedParcel, EventRows, FetchedParcel, ParcelDecoder, Stop, Taken,
};
use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, take};
use arrow::datatypes::UInt32Type;
use chrono::NaiveDate;
use std::sync::{Arc, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// Sorted rows that are held at a time, besides the unsorted ones.
const PIECE_ROWS: usize = 8 * 1024;

/// Packs parcels. What it needs from the lake (which events are known) it asks through `handle`.
#[derive(Clone)]
pub(crate) struct Packer {
    pub(crate) max_json: u64,
    pub(crate) keep_secrets: bool,
    pub(crate) comparison: Option<Comparison>,
    pub(crate) stop: Stop,
    pub(crate) seen: Arc<Mutex<Seen>>,
    pub(crate) handle: Handle,
    /// Decoders that no parcel uses at the moment; they keep their memory.
    pub(crate) idle: Arc<std::sync::Mutex<Vec<ParcelDecoder>>>,
}

impl Packer {
    /// Packs a parcel; must not run on a thread that drives network requests.
    pub(crate) fn pack(&self, parcel: FetchedParcel) -> Result<Packed, IngestError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let decoder = idle().pop();
        let mut decoder = decoder.unwrap_or_else(|| {
            ParcelDecoder::new(Field::all(), self.max_json, self.stop.clone())
                .keeping_secrets(self.keep_secrets)
                .comparing(self.comparison.clone())
        });
        let mut packed = Packed::default();
        let decoded = decoder.decode(parcel, &mut |rows| self.take(rows, &mut packed))?;
        idle().push(decoder);
        let DecodedParcel { log_files, rejects } = decoded;
        Ok(Packed {
            log_files,
            rejects,
            ..packed
        })
    }

    /// Turns the rows that the lake does not have into data files.
    fn take(&self, rows: EventRows, packed: &mut Packed) -> Result<Taken, IngestError> {
        let EventRows { batch, keys, .. } = rows;
        let pins = &mut packed.pins;
        let mut seen = self.handle.block_on(self.seen.lock());
        let fresh = self.handle.block_on(seen.claim(&keys, pins))?;
        drop(seen);
        packed.keys.extend(
            keys.iter()
                .zip(&fresh)
                .filter(|(_, fresh)| **fresh)
                .map(|(key, _)| *key),
        );
        packed.events.extend(data_files(&batch, &keys, &fresh)?);
        Ok(Taken {
            fresh,
            spent: Some(batch),
        })
    }
}

/// The fresh rows as data files: one for each day, sorted.
pub(super) fn data_files(
    batch: &RecordBatch,
    keys: &[EventKey],
    fresh: &[bool],
) -> Result<Vec<DataFile>, IngestError> {
    let mut files = Vec::new();
    for (day, rows) in by_day(keys, fresh) {
        let date = NaiveDate::from_epoch_days(day).unwrap_or_default();
        let order = order(batch, &rows)?;
        let pieces = (0..order.len()).step_by(PIECE_ROWS).map(|first| {
            let rows = order.slice(first, PIECE_ROWS.min(order.len() - first));
            gather(batch, &rows)
        });
        files.push(DataFile::encode(TableName::Events, Some(date), pieces)?);
    }
    Ok(files)
}

/// Some rows, in this order. Where a column has nothing, there is nothing to move.
fn gather(batch: &RecordBatch, rows: &UInt32Array) -> Result<RecordBatch, IngestError> {
    let columns = batch.columns().iter().map(|column| {
        if column.null_count() == column.len() {
            Ok(column.slice(0, rows.len()))
        } else {
            take(column, rows, None)
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// The fresh rows of each day; days in order.
fn by_day(keys: &[EventKey], fresh: &[bool]) -> Vec<(i32, Vec<u32>)> {
    let mut days = std::collections::BTreeMap::<i32, Vec<u32>>::new();
    for (row, key) in keys.iter().enumerate().filter(|(row, _)| fresh[*row]) {
        days.entry(day(key.time)).or_default().push(row as u32);
    }
    days.into_iter().collect()
}

/// These rows of a batch in the order of `(access_key_id, event_time)`.
fn order(batch: &RecordBatch, rows: &[u32]) -> Result<UInt32Array, IngestError> {
    let rows = UInt32Array::from(rows.to_vec());
    let column = |field: Field| {
        let values = take(batch.column(field as usize), &rows, None)?;
        let options = SortOptions {
            descending: false,
            nulls_first: false,
        };
        Ok::<_, IngestError>(SortColumn {
            values,
            options: Some(options),
        })
    };
    let order = lexsort_to_indices(
        &[column(Field::AccessKeyId)?, column(Field::EventTime)?],
        None,
    )?;
    Ok(take(&rows, &order, None)?
        .as_primitive::<UInt32Type>()
        .clone())
}
