//! From fetched bytes to data files.
//!
//! In: a parcel with its bytes. Out: [`Packed`]: sorted Parquet, rejects, ledger rows. Promise: all the CPU work of an ingest
//! is here, and nothing else; every record read is counted as stored, duplicate or rejected.

use super::IngestError;
use crate::event::time::day;
use crate::event::{Decoder, EventBuilder, EventKey, Field};
use crate::lake::{DataFile, LogFileRow, Packed, RejectRow, Seen, TableName};
use crate::source::LogFile;
use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, take};
use arrow::datatypes::UInt32Type;
use bytes::Bytes;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// Sorted rows that are held at a time, besides the unsorted ones.
const PIECE_ROWS: usize = 8 * 1024;

/// A parcel's log files and their bytes, or why there are none.
pub(crate) type Fetched = Vec<(LogFile, Result<Bytes, String>)>;

/// Packs parcels. What it needs from the lake (which events are known) it asks through `handle`.
#[derive(Clone)]
pub(crate) struct Packer {
    pub(crate) max_json: u64,
    pub(crate) seen: Arc<Mutex<Seen>>,
    pub(crate) handle: Handle,
    /// Decoders and builders that no parcel uses at the moment; they keep their memory.
    pub(crate) idle: Arc<std::sync::Mutex<Vec<(Decoder, EventBuilder)>>>,
}

impl Packer {
    /// Packs a parcel; must not run on a thread that drives network requests.
    pub(crate) fn pack(&self, fetched: Fetched) -> Result<Packed, IngestError> {
        let mut work = Work {
            packer: self,
            packed: Packed::default(),
            pending: Vec::new(),
            failure: None,
        };
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut decoder, mut builder) = idle().pop().unwrap_or_else(|| {
            let decoder = Decoder::new(self.max_json);
            (decoder, EventBuilder::new(Field::all()))
        });
        for (log_file, bytes) in fetched {
            work.log_file(log_file, bytes, (&mut decoder, &mut builder));
            if builder.is_full() {
                work.flush(&mut builder);
            }
            if work.failure.is_some() {
                break;
            }
        }
        work.flush(&mut builder);
        match work.failure {
            Some(failure) => Err(failure),
            None => {
                idle().push((decoder, builder));
                Ok(work.packed)
            }
        }
    }
}

/// One parcel at work.
struct Work<'a> {
    packer: &'a Packer,
    packed: Packed,
    /// Rows in the builder, and the ledger row they belong to.
    pending: Vec<(Range<usize>, usize)>,
    failure: Option<IngestError>,
}

impl Work<'_> {
    fn log_file(
        &mut self,
        log_file: LogFile,
        bytes: Result<Bytes, String>,
        (decoder, builder): (&mut Decoder, &mut EventBuilder),
    ) {
        let name = log_file.uri.clone();
        let mut row = LogFileRow::listed(
            (&name, &log_file.etag, log_file.size),
            log_file.key().as_ref(),
        );
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(reason) => {
                row.unfetched(reason);
                return self.packed.log_files.push(row);
            }
        };
        row.sha256 = Some(
            Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        );
        // The row goes in before the file is decoded: a long file hands over rows while it is being decoded.
        let place = self.packed.log_files.len();
        self.packed.log_files.push(row);
        let mut first = builder.rows();
        let mut when_full = |builder: &mut EventBuilder| {
            self.pending.push((first..builder.rows(), place));
            self.flush(builder);
            first = 0;
        };
        let decoded = decoder.decode(&bytes, &name, (&mut *builder, &mut when_full));
        if builder.rows() > first {
            self.pending.push((first..builder.rows(), place));
        }
        let rejects = self.packed.log_files[place].decoded(decoded).into_iter();
        self.packed.rejects.extend(rejects.map(|reject| RejectRow {
            log_file: name.clone(),
            reject,
        }));
    }

    /// Turns the rows in the builder into data files.
    fn flush(&mut self, builder: &mut EventBuilder) {
        if self.failure.is_none()
            && let Err(failure) = self.try_flush(builder)
        {
            self.failure = Some(failure);
        }
    }

    fn try_flush(&mut self, builder: &mut EventBuilder) -> Result<(), IngestError> {
        let (batch, keys) = builder.finish()?;
        let pending = std::mem::take(&mut self.pending);
        if keys.is_empty() {
            return Ok(());
        }
        let Packer { seen, handle, .. } = self.packer;
        let pins = &mut self.packed.pins;
        let fresh = handle.block_on(async { seen.lock().await.claim(&keys, pins).await })?;
        for (rows, place) in pending {
            let stored = fresh[rows.clone()].iter().filter(|fresh| **fresh).count();
            let row = &mut self.packed.log_files[place];
            row.stored += stored as u64;
            row.duplicates += (rows.len() - stored) as u64;
        }
        self.packed.keys.extend(
            keys.iter()
                .zip(&fresh)
                .filter(|(_, fresh)| **fresh)
                .map(|(key, _)| *key),
        );
        for (day, rows) in by_day(&keys, &fresh) {
            let date = NaiveDate::from_epoch_days(day).unwrap_or_default();
            let order = order(&batch, &rows)?;
            let pieces = (0..order.len()).step_by(PIECE_ROWS).map(|first| {
                let rows = order.slice(first, PIECE_ROWS.min(order.len() - first));
                gather(&batch, &rows)
            });
            let file = DataFile::encode(TableName::Events, Some(date), pieces)?;
            self.packed.events.push(file);
        }
        builder.reuse(batch);
        Ok(())
    }
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
