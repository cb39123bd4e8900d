//! Log files as a table, without ingest.
//!
//! In: sources. Out: the table `events`, decoded while it is scanned. Promise: each event once, as in a lake; only the
//! columns that a query asks for are built; what was read is accounted for like an ingest.

use crate::cloudtrail::Selection;
use crate::event::{Decoder, EVENT_DATE, EventBuilder, EventKey, Field};
use crate::lake::{LogFileRow, TableName, Tally};
use crate::source::{LogFile, Source, SourceError};
use arrow::array::{ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Compressed bytes that one thread decodes at a time: small enough that all threads end together.
const PORTION: u64 = 4 << 20;

/// Log files read at once by one thread; local reads gain nothing from more, S3 does.
const FETCHES: usize = 16;

/// The log files of some sources, as a table.
#[derive(Debug)]
pub(crate) struct RawTable {
    trail: Arc<Trail>,
    threads: usize,
}

/// What is read, and what became of it.
#[derive(Debug)]
pub(crate) struct Trail {
    sources: Vec<Arc<dyn Source>>,
    log_files: Vec<(usize, LogFile)>,
    max_json: u64,
    rows: Mutex<Vec<LogFileRow>>,
}

impl Trail {
    /// Lists the sources.
    pub(crate) async fn list(
        sources: Vec<Arc<dyn Source>>,
        selection: &Selection,
        max_json: u64,
    ) -> Result<Self, SourceError> {
        let (mut log_files, mut listed) = (Vec::new(), HashSet::new());
        for (place, source) in sources.iter().enumerate() {
            let listing = source.list(selection, &|_, _| ()).await?;
            let new = listing
                .files
                .into_iter()
                .filter(|file| listed.insert((file.uri.clone(), file.etag.clone())));
            log_files.extend(new.map(|file| (place, file)));
        }
        Ok(Self {
            sources,
            log_files,
            max_json,
            rows: Mutex::default(),
        })
    }

    /// The ledger of the last scan.
    pub(crate) fn ledger(&self) -> Vec<LogFileRow> {
        self.rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The account of the last scan.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for row in self
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            tally.add(row);
        }
        tally
    }

    pub(crate) fn name(&self) -> String {
        self.sources
            .iter()
            .map(|source| source.uri())
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn portions(&self) -> VecDeque<Vec<(usize, LogFile)>> {
        let (mut portions, mut portion, mut bytes) = (VecDeque::new(), Vec::new(), 0);
        for (source, file) in &self.log_files {
            bytes += file.size;
            portion.push((*source, file.clone()));
            if bytes > PORTION {
                portions.push_back(std::mem::take(&mut portion));
                bytes = 0;
            }
        }
        portions.push_back(portion);
        portions
    }
}

impl RawTable {
    pub(crate) fn new(trail: Arc<Trail>, threads: usize) -> Self {
        Self { trail, threads }
    }
}

#[async_trait]
impl TableProvider for RawTable {
    fn schema(&self) -> SchemaRef {
        TableName::Events.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let all: Vec<usize> = (0..self.schema().fields().len()).collect();
        let schema = Arc::new(self.schema().project(projection.unwrap_or(&all))?);
        let scan = Arc::new(Scan {
            trail: Arc::clone(&self.trail),
            schema: SchemaRef::clone(&schema),
            portions: Mutex::new(self.trail.portions()),
            seen: Mutex::default(),
        });
        self.trail
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let partitions: Vec<Arc<dyn PartitionStream>> = (0..self.threads.max(1))
            .map(|_| Arc::new(Reader(Arc::clone(&scan))) as _)
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            schema, partitions, None, None, false, limit,
        )?))
    }
}

/// One scan, shared by its threads.
#[derive(Debug)]
struct Scan {
    trail: Arc<Trail>,
    schema: SchemaRef,
    portions: Mutex<VecDeque<Vec<(usize, LogFile)>>>,
    seen: Mutex<HashSet<EventKey>>,
}

#[derive(Debug)]
struct Reader(Arc<Scan>);

impl PartitionStream for Reader {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = Arc::clone(&self.0);
        let batches = stream::try_unfold(scan, |scan| async move {
            let portion = scan
                .portions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(portion) = portion else {
                return Ok::<_, DataFusionError>(None);
            };
            let fetched = scan.fetch(portion).await?;
            let worker = Arc::clone(&scan);
            let decoded = tokio::task::spawn_blocking(move || worker.decode(fetched)).await;
            let batches = decoded.map_err(|error| DataFusionError::External(Box::new(error)))??;
            Ok(Some((stream::iter(batches.into_iter().map(Ok)), scan)))
        });
        Box::pin(RecordBatchStreamAdapter::new(
            SchemaRef::clone(&self.0.schema),
            batches.try_flatten(),
        ))
    }
}

impl Scan {
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
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str());
        let mut fields: Vec<Field> = names.filter_map(Field::named).collect();
        let wants_date = self.schema.index_of(EVENT_DATE).is_ok();
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
                let stored = fresh.iter().filter(|fresh| **fresh).count() as u64;
                row.stored += stored;
                row.duplicates += fresh.len() as u64 - stored;
            }
            let batch = if fresh.contains(&false) {
                filter_record_batch(&batch, &BooleanArray::from(fresh))?
            } else {
                batch
            };
            batches.push(self.arrange(&batch)?);
        }
        self.trail
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(rows);
        Ok(batches)
    }

    fn claim(&self, keys: Vec<EventKey>) -> Vec<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter().map(|key| seen.insert(key)).collect()
    }

    /// The columns of the scan's schema, in its order.
    fn arrange(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
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
            SchemaRef::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}
