//! Log files, read and decoded while a query asks for them.
//!
//! In: portions of log files. Out: batches of their events. Promise: decoded on threads that do nothing else; each event once
//! in each round, whoever decodes it; rows that the query's filter leaves out go no further; a plan that reads its input
//! again (recursive queries do, once per step) reads all of it again.

use super::{Reading, Trail, locked};
use crate::event::time::day;
use crate::event::{Decoder, EVENT_DATE, EventBuilder, EventKey, Field};
use crate::lake::{LogFileRow, RejectRow};
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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Log files of a portion that are read at once; local reads gain nothing from more, S3 does.
const FETCHES: usize = 16;

/// One scan of a plan, shared by its streams.
#[derive(Debug)]
pub(super) struct Scan {
    wanted: Arc<Wanted>,
    rounds: Mutex<Vec<Arc<Round>>>,
}

/// What a scan is to give.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) trail: Arc<Trail>,
    /// What the query gets.
    pub(super) schema: SchemaRef,
    /// What is decoded: that and, after it, what the filter needs.
    pub(super) decoded: SchemaRef,
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
    /// Streams that hand it out.
    pub(super) streams: usize,
}

impl Scan {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            wanted: Arc::new(wanted),
            rounds: Mutex::default(),
        }
    }

    /// The n-th time that the scan is done, from 0.
    fn round(&self, n: usize) -> Arc<Round> {
        let mut rounds = locked(&self.rounds);
        while rounds.len() <= n {
            rounds.push(Arc::new(Round::begin(Arc::clone(&self.wanted))));
        }
        Arc::clone(&rounds[n])
    }
}

/// A stream of a scan.
#[derive(Debug)]
pub(super) struct Reader {
    scan: Arc<Scan>,
    threads: usize,
    /// How often it was started.
    started: AtomicUsize,
}

impl Reader {
    /// A stream that `threads` threads decode for.
    pub(super) fn new(scan: Arc<Scan>, threads: usize) -> Self {
        Self {
            scan,
            threads,
            started: AtomicUsize::new(0),
        }
    }
}

impl PartitionStream for Reader {
    fn schema(&self) -> &SchemaRef {
        &self.scan.wanted.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let started = self.started.fetch_add(1, Ordering::Relaxed);
        let round = self.scan.round(started);
        let of = Arc::clone(&round);
        let portions = stream::iter(std::iter::from_fn(move || {
            let portion = locked(&of.portions).pop_front();
            portion.map(|portion| (Arc::clone(&of), portion))
        }));
        // Spawned, so that decoding goes on while the query works on what is there already.
        let decoded = portions
            .map(|(round, portion)| tokio::spawn(round.read(portion)))
            .buffered(self.threads + 1)
            .map(|read| read.map_err(|error| DataFusionError::External(Box::new(error)))?);
        let end = stream::once(async move {
            round.end();
            Ok(Vec::new())
        });
        let batches = decoded
            .chain(end)
            .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(
            SchemaRef::clone(&self.scan.wanted.schema),
            batches,
        ))
    }
}

/// All log files once.
#[derive(Debug)]
struct Round {
    wanted: Arc<Wanted>,
    portions: Mutex<VecDeque<Vec<(usize, LogFile)>>>,
    seen: Mutex<HashSet<EventKey, RandomState>>,
    reading: Arc<Mutex<Reading>>,
    /// Streams that have given all they had.
    ended: AtomicUsize,
}

impl Round {
    fn begin(wanted: Arc<Wanted>) -> Self {
        Self {
            portions: Mutex::new(wanted.trail.portions()),
            seen: Mutex::default(),
            reading: wanted.trail.begin(),
            ended: AtomicUsize::new(0),
            wanted,
        }
    }

    /// Forgets what was seen when the last stream has ended: a plan may keep many rounds.
    fn end(&self) {
        if self.ended.fetch_add(1, Ordering::AcqRel) + 1 == self.wanted.streams {
            *locked(&self.seen) = HashSet::default();
        }
    }

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
            match self.wanted.trail.sources[source].fetch(&file).await {
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
            .wanted
            .decoded
            .fields()
            .iter()
            .map(|field| field.name().as_str());
        let mut fields: Vec<Field> = names.filter_map(Field::named).collect();
        let wants_date = self.wanted.decoded.index_of(EVENT_DATE).is_ok();
        if wants_date && !fields.contains(&Field::EventTime) {
            fields.push(Field::EventTime);
        }
        let mut builder = EventBuilder::new(&fields);
        let mut decoder = Decoder::new(self.wanted.trail.max_json);
        let mut finished = Vec::new();
        let (mut rows, mut rejects) = (Vec::new(), Vec::new());
        for (file, bytes) in fetched {
            let mut row =
                LogFileRow::listed((&file.uri, &file.etag, file.size), file.key().as_ref());
            match bytes {
                Err(reason) => row.unfetched(reason),
                Ok(bytes) => {
                    let mut when_full =
                        |builder: &mut EventBuilder| finished.push(builder.finish());
                    let decoded = decoder.decode(&bytes, &file.uri, (&mut builder, &mut when_full));
                    rejects.extend(row.decoded(decoded).into_iter().map(|reject| RejectRow {
                        log_file: file.uri.clone(),
                        reject,
                    }));
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
        let mut reading = locked(&self.reading);
        reading.rows.extend(rows);
        reading.rejects.extend(rejects);
        Ok(batches)
    }

    fn claim(&self, keys: Vec<EventKey>) -> BooleanArray {
        let mut seen = locked(&self.seen);
        let fresh: Vec<bool> = keys.into_iter().map(|key| seen.insert(key)).collect();
        BooleanArray::from(fresh)
    }

    /// The decoded columns, in their order.
    fn arrange(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.wanted.decoded.fields().len());
        for field in self.wanted.decoded.fields() {
            if field.name() == EVENT_DATE {
                let index = batch.schema().index_of("event_time")?;
                let times = batch
                    .column(index)
                    .as_primitive::<TimestampMicrosecondType>();
                let days: Date32Array = times.unary(day);
                columns.push(Arc::new(days));
            } else {
                columns.push(Arc::clone(
                    batch.column(batch.schema().index_of(field.name())?),
                ));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            SchemaRef::clone(&self.wanted.decoded),
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
        if let Some(filter) = &self.wanted.filter {
            let passes = filter.evaluate(&batch)?.into_array(batch.num_rows())?;
            // An unknown answer is a no.
            let passes = match passes.as_boolean() {
                passes if passes.null_count() > 0 => prep_null_mask_filter(passes),
                passes => passes.clone(),
            };
            wanted = and(&wanted, &passes)?;
        }
        let visible: Vec<usize> = (0..self.wanted.schema.fields().len()).collect();
        let batch = batch.project(&visible)?;
        Ok(match wanted.has_false() {
            true => filter_record_batch(&batch, &wanted)?,
            false => batch,
        })
    }
}
