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
use arrow::compute::take;
use arrow::datatypes::Int32Type;
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
        let kept = idle().pop();
        let mut decoder = kept.unwrap_or_else(|| {
            decoder(self.max_json, self.keep_secrets, &self.stop).comparing(self.comparison.clone())
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
        let EventRows { batch, keys } = rows;
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

/// A decoder whose rows [`data_files`] takes.
pub(super) fn decoder(max_json: u64, keep_secrets: bool, stop: &Stop) -> ParcelDecoder {
    ParcelDecoder::new(Field::all(), max_json, stop.clone())
        .with_dictionaries()
        .keeping_secrets(keep_secrets)
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
        let order = order(batch, keys, rows);
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

/// These rows of a batch in the order of `(access_key_id, event_time)`, those without a key last.
fn order(batch: &RecordBatch, keys: &[EventKey], rows: Vec<u32>) -> UInt32Array {
    let column = batch.column(Field::AccessKeyId as usize);
    let column = column.as_dictionary::<Int32Type>();
    let words = column.values().as_string::<i32>();
    let mut sorted: Vec<usize> = (0..words.len()).collect();
    sorted.sort_unstable_by_key(|word| words.value(*word));
    let mut ranks = vec![0; words.len()];
    for (rank, word) in sorted.into_iter().enumerate() {
        ranks[word] = rank;
    }
    let mut rows = rows;
    rows.sort_by_cached_key(|row| {
        let word = column.key(*row as usize);
        let rank = word.map_or(usize::MAX, |word| ranks[word]);
        (rank, keys[*row as usize].time)
    });
    UInt32Array::from(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Decoder, EventBuilder};
    use crate::lake::LakeError;

    /// A log file with several keys, and events without one, not in order.
    fn log_file() -> String {
        let record = |n: u32| {
            let key = match n % 7 {
                0 => String::new(),
                key => format!(r#","accessKeyId":"AKIAIOSFODNN7EXAMPL{key}""#),
            };
            format!(
                r#"{{"eventVersion":"1.11","eventName":"Get{}","eventSource":"s3.amazonaws.com","sourceIPAddress":"192.0.2.{}",
                "eventTime":"2025-03-0{}T00:{:02}:00Z","eventID":"{n:08}-0000-4000-8000-000000000000","requestParameters":{{"n":{n}}},
                "userIdentity":{{"type":"IAMUser"{key}}}}}"#,
                n % 5,
                n % 3,
                1 + n % 2,
                59 - n % 60,
            )
        };
        let records: Vec<String> = (0..500).map(record).collect();
        format!(r#"{{"Records":[{}]}}"#, records.join(","))
    }

    fn decoded(mut builder: EventBuilder) -> (RecordBatch, Vec<EventKey>) {
        let text = log_file();
        let rows: (_, crate::event::WhenFull<'_>) = (&mut builder, &mut |_| {
            unreachable!("few events are packed at once")
        });
        Decoder::new(1 << 20).decode(text.as_bytes(), "a.json", rows);
        builder.finish().unwrap()
    }

    #[test]
    fn codes_make_the_same_files_as_texts() {
        let (texts, keys) = decoded(EventBuilder::new(Field::all()));
        let (codes, _) = decoded(EventBuilder::new(Field::all()).with_dictionaries());
        assert_eq!(keys.len(), 500);
        let fresh: Vec<bool> = (0..500).map(|row| row % 11 != 0).collect();
        let files = data_files(&codes, &keys, &fresh).unwrap();
        let days = by_day(&keys, &fresh).into_iter();
        assert_eq!(files.len(), days.len());
        for (file, (_, rows)) in files.iter().zip(days) {
            let order = order(&codes, &keys, rows);
            let sorted = gather(&texts, &order).unwrap();
            let key = sorted.column(Field::AccessKeyId as usize);
            let key = key.as_string::<i32>();
            let key: Vec<_> = key.iter().map(|key| (key.is_none(), key)).collect();
            assert!(key.is_sorted());
            let pieces = std::iter::once(Ok::<_, LakeError>(sorted));
            let expected = DataFile::encode(TableName::Events, file.date, pieces).unwrap();
            assert_eq!(file.stats, expected.stats);
            assert_eq!(file.uses, expected.uses);
            assert!(file.bytes == expected.bytes);
        }
    }
}
