//! One scan of log files.
//!
//! In: portions of log files. Out: batches of their events. Promise: decoded on threads that do nothing else; each event once,
//! whoever decodes it; rows that the query's filter leaves out go no further.

use super::{Rows, Trail};
use crate::event::{Decoder, EVENT_DATE, EventBuilder, EventKey, Field};
use crate::lake::LogFileRow;
use crate::source::LogFile;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, RecordBatchOptions,
};
use arrow::compute::{and, filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use bytes::Bytes;
use datafusion::common::hash_utils::RandomState;
use datafusion::common::{DataFusionError, HashSet};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Log files of a portion that are read at once; local reads gain nothing from more, S3 does.
const FETCHES: usize = 16;

/// A scan, shared by its streams.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) trail: Arc<Trail>,
    /// What the query gets.
    pub(super) schema: SchemaRef,
    /// What is decoded: that and, after it, what the filter needs.
    pub(super) decoded: SchemaRef,
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
    pub(super) portions: Mutex<VecDeque<Vec<(usize, LogFile)>>>,
    pub(super) seen: Mutex<HashSet<EventKey, RandomState>>,
    /// What became of the log files.
    pub(super) rows: Arc<Rows>,
}

/// A stream of a scan.
#[derive(Debug)]
pub(super) struct Reader {
    scan: Arc<Scan>,
    threads: usize,
}

impl Reader {
    /// A stream that `threads` threads decode for.
    pub(super) fn new(scan: Arc<Scan>, threads: usize) -> Self {
        Self { scan, threads }
    }
}

impl PartitionStream for Reader {
    fn schema(&self) -> &SchemaRef {
        &self.scan.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = Arc::clone(&self.scan);
        let portions = stream::iter(std::iter::from_fn(move || {
            let mut portions = scan.portions.lock().unwrap_or_else(PoisonError::into_inner);
            portions
                .pop_front()
                .map(|portion| (Arc::clone(&scan), portion))
        }));
        // Spawned, so that decoding goes on while the query works on what is there already.
        let decoded = portions
            .map(|(scan, portion)| tokio::spawn(scan.read(portion)))
            .buffered(self.threads + 1)
            .map(|read| read.map_err(|error| DataFusionError::External(Box::new(error)))?);
        let batches = decoded
            .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(
            SchemaRef::clone(&self.scan.schema),
            batches,
        ))
    }
}

impl Scan {
    async fn read(
        self: Arc<Self>,
        portion: Vec<(usize, LogFile)>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let fetched = self.fetch(portion).await?;
        let decoded = tokio::task::spawn_blocking(move || self.decode(fetched)).await;
        decoded.map_err(|error| DataFusionError::External(Box::new(error)))?
    }

    async fn fetch(
        &self,
        portion: Vec<(usize, LogFile)>,
    ) -> Result<Vec<(LogFile, Result<Bytes, String>)>, DataFusionError> {
        let fetches = stream::iter(portion).map(|(source, file)| async move {
            match self.trail.sources[source].fetch(&file).await {
                Err(error) if error.is_fatal() => Err(DataFusionError::External(Box::new(error))),
                result => Ok((file, result.map_err(|error| error.to_string()))),
            }
        });
        fetches.buffered(FETCHES).try_collect().await
    }

    /// The events of a portion that no other portion had.
    fn decode(
        &self,
        fetched: Vec<(LogFile, Result<Bytes, String>)>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let names = self
            .decoded
            .fields()
            .iter()
            .map(|field| field.name().as_str());
        let mut fields: Vec<Field> = names.filter_map(Field::named).collect();
        let wants_date = self.decoded.index_of(EVENT_DATE).is_ok();
        if wants_date && !fields.contains(&Field::EventTime) {
            fields.push(Field::EventTime);
        }
        let mut builder = EventBuilder::new(&fields);
        let mut decoder = Decoder::new(self.trail.max_json);
        let mut finished = Vec::new();
        let mut rows = Vec::new();
        for (file, bytes) in fetched {
            let mut row =
                LogFileRow::listed((&file.uri, &file.etag, file.size), file.key().as_ref());
            match bytes {
                Err(reason) => row.unfetched(reason),
                Ok(bytes) => {
                    let mut when_full =
                        |builder: &mut EventBuilder| finished.push(builder.finish());
                    row.decoded(decoder.decode(&bytes, &file.uri, (&mut builder, &mut when_full)));
                }
            }
            rows.push(row);
            if builder.is_full() {
                finished.push(builder.finish());
            }
        }
        finished.push(builder.finish());
        let mut batches = Vec::new();
        for result in finished {
            let (batch, keys) = result?;
            let fresh = self.claim(keys);
            if let Some(row) = rows.first_mut() {
                // Which file of the portion a copy was in does not matter to an answer; their number does.
                row.stored += fresh.true_count() as u64;
                row.duplicates += fresh.false_count() as u64;
            }
            batches.push(self.select(self.arrange(&batch)?, fresh)?);
        }
        self.rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(rows);
        Ok(batches)
    }

    fn claim(&self, keys: Vec<EventKey>) -> BooleanArray {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh: Vec<bool> = keys.into_iter().map(|key| seen.insert(key)).collect();
        BooleanArray::from(fresh)
    }

    /// The decoded columns, in their order.
    fn arrange(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.decoded.fields().len());
        for field in self.decoded.fields() {
            if field.name() == EVENT_DATE {
                let index = batch.schema().index_of("event_time")?;
                let times = batch
                    .column(index)
                    .as_primitive::<TimestampMicrosecondType>();
                let days: Date32Array = times.unary(|time| time.div_euclid(DAY) as i32);
                columns.push(Arc::new(days));
            } else {
                columns.push(Arc::clone(
                    batch.column(batch.schema().index_of(field.name())?),
                ));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            SchemaRef::clone(&self.decoded),
            columns,
            &options,
        )?)
    }

    /// The rows that are wanted, and of them the columns that the query gets.
    fn select(
        &self,
        batch: RecordBatch,
        mut wanted: BooleanArray,
    ) -> Result<RecordBatch, DataFusionError> {
        if let Some(filter) = &self.filter {
            let passes = filter.evaluate(&batch)?.into_array(batch.num_rows())?;
            // An unknown answer is a no.
            let passes = match passes.as_boolean() {
                passes if passes.null_count() > 0 => prep_null_mask_filter(passes),
                passes => passes.clone(),
            };
            wanted = and(&wanted, &passes)?;
        }
        let visible: Vec<usize> = (0..self.schema.fields().len()).collect();
        let batch = batch.project(&visible)?;
        Ok(match wanted.has_false() {
            true => filter_record_batch(&batch, &wanted)?,
            false => batch,
        })
    }
}
