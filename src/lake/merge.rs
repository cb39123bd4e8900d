//! Sorted files become one.
//!
//! In: files of events, each sorted by `(access_key_id, event_time)`. Out: their rows in that order, in pieces. Promise: of each
//! file, only a few rows are decoded at a time.

use super::LakeError;
use super::reader::fitted;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::sync::Arc;

/// Rows of a file that are decoded at a time.
const ROWS: usize = 1_024;

/// One of the files, at the row that comes next.
struct Cursor {
    reader: ParquetRecordBatchReader,
    /// That of the file with the most columns.
    schema: SchemaRef,
    batch: RecordBatch,
    row: usize,
}

impl Cursor {
    /// The next row's place in the order: those without a key come last.
    fn place(&self) -> (bool, &str, i64) {
        let key = self
            .batch
            .column_by_name("access_key_id")
            .map(|keys| keys.as_string::<i32>())
            .filter(|keys| keys.is_valid(self.row))
            .map(|keys| keys.value(self.row));
        let time = self.batch.column_by_name("event_time").map(|times| {
            times
                .as_primitive::<TimestampMicrosecondType>()
                .value(self.row)
        });
        (
            key.is_none(),
            key.unwrap_or_default(),
            time.unwrap_or_default(),
        )
    }
}

/// The rows of some files in order.
pub(super) struct Merge {
    cursors: Vec<Cursor>,
}

impl Merge {
    /// Files by their bytes.
    pub(super) fn new(files: Vec<Bytes>) -> Result<Self, LakeError> {
        let mut merge = Self {
            cursors: Vec::with_capacity(files.len()),
        };
        let builders = files
            .into_iter()
            .map(ParquetRecordBatchReaderBuilder::try_new);
        let builders = builders.collect::<Result<Vec<_>, _>>()?;
        let schemas = builders.iter().map(|builder| builder.schema());
        let widest = schemas.max_by_key(|schema| schema.fields().len()).cloned();
        for (builder, schema) in builders.into_iter().zip(widest.iter().cycle()) {
            let mut reader = builder.with_batch_size(ROWS).build()?;
            if let Some(batch) = reader.next().transpose()? {
                merge.cursors.push(Cursor {
                    reader,
                    batch: fitted(&batch, schema)?,
                    schema: Arc::clone(schema),
                    row: 0,
                });
            }
        }
        Ok(merge)
    }

    /// Rows in order, until one of the files needs to be read on.
    fn piece(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        let mut rows = Vec::new();
        loop {
            let next = (0..self.cursors.len())
                .min_by(|a, b| self.cursors[*a].place().cmp(&self.cursors[*b].place()));
            let Some(next) = next else {
                return Ok(None);
            };
            let cursor = &mut self.cursors[next];
            rows.push((next, cursor.row));
            cursor.row += 1;
            if cursor.row < cursor.batch.num_rows() {
                continue;
            }
            let batches: Vec<&RecordBatch> = self.cursors.iter().map(|c| &c.batch).collect();
            let piece = interleave_record_batch(&batches, &rows)?;
            let cursor = &mut self.cursors[next];
            match cursor.reader.next().transpose()? {
                Some(batch) => {
                    (cursor.batch, cursor.row) = (fitted(&batch, &cursor.schema)?, 0);
                }
                None => drop(self.cursors.remove(next)),
            }
            return Ok(Some(piece));
        }
    }
}

impl Iterator for Merge {
    type Item = Result<RecordBatch, LakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.piece().transpose()
    }
}
