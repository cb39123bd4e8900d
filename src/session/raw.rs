//! Log files as tables, without ingest.
//!
//! In: sources. Out: the table `events`, decoded while it is scanned, and what became of the log files and records.
//! Promise: each event once, as in a lake; only the columns that a query asks for are built; what was read is accounted
//! for like an ingest.

mod account;
mod scan;

pub(super) use account::Account;

use crate::cloudtrail::Selection;
use crate::lake::{LogFileRow, RejectRow, TableName, Tally};
use crate::source::{LogFile, Source, SourceError};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use scan::{Reader, Scan, Wanted};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Compressed bytes that one thread decodes at a time: small enough that all threads end together.
const PORTION: u64 = 4 << 20;

/// Log files that one thread decodes at a time; small ones cost more than their bytes.
const PORTION_FILES: usize = 512;

/// The log files of some sources, as a table.
#[derive(Debug)]
pub(crate) struct RawTable {
    trail: Arc<Trail>,
    threads: usize,
    streams: usize,
}

/// What is read, and what became of it.
#[derive(Debug)]
pub(crate) struct Trail {
    sources: Vec<Arc<dyn Source>>,
    log_files: Vec<(usize, LogFile)>,
    max_json: u64,
    /// What became of the log files, in each reading of them.
    readings: Mutex<Vec<Arc<Mutex<Reading>>>>,
}

/// One reading of the log files.
#[derive(Debug, Default)]
struct Reading {
    rows: Vec<LogFileRow>,
    rejects: Vec<RejectRow>,
}

/// What is in a mutex; it is whole even if a thread panicked while it held it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            readings: Mutex::default(),
        })
    }

    /// The reading that got furthest: a query may stop early, or read the log files twice at once.
    fn furthest(&self) -> Arc<Mutex<Reading>> {
        let readings = locked(&self.readings);
        let furthest = readings.iter().max_by_key(|reading| count(reading));
        furthest.map(Arc::clone).unwrap_or_default()
    }

    /// A reading that begins now. Those that are over are forgotten, but for the furthest.
    fn begin(&self) -> Arc<Mutex<Reading>> {
        let new = Arc::<Mutex<Reading>>::default();
        let mut readings = locked(&self.readings);
        let furthest = (0..readings.len()).max_by_key(|&index| count(&readings[index]));
        let mut index = 0..readings.len();
        readings.retain(|reading| index.next() == furthest || Arc::strong_count(reading) > 1);
        readings.push(Arc::clone(&new));
        new
    }

    /// Whether one reading read all log files.
    fn is_read(&self) -> bool {
        count(&self.furthest()) == self.log_files.len()
    }

    /// The account of the furthest reading.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for row in &locked(&self.furthest()).rows {
            tally.add(row);
        }
        tally
    }

    /// How many log files were read of how many, by the furthest reading.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (count(&self.furthest()), self.log_files.len())
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
            if bytes > PORTION || portion.len() == PORTION_FILES {
                portions.push_back(std::mem::take(&mut portion));
                bytes = 0;
            }
        }
        portions.push_back(portion);
        portions
    }
}

/// How many log files a reading has read.
fn count(reading: &Mutex<Reading>) -> usize {
    locked(reading).rows.len()
}

impl RawTable {
    /// A table that `threads` threads decode and `streams` streams hand out.
    pub(crate) fn new(trail: Arc<Trail>, threads: usize, streams: usize) -> Self {
        Self {
            trail,
            threads,
            streams,
        }
    }

    /// The streams of a scan: all take their log files from one list.
    fn partitions(&self, wanted: Wanted) -> Vec<Arc<dyn PartitionStream>> {
        let scan = Arc::new(Scan::new(wanted));
        let threads = self.threads.div_ceil(self.streams);
        (0..self.streams)
            .map(|_| Arc::new(Reader::new(Arc::clone(&scan), threads)) as _)
            .collect()
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

    /// Rows are filtered by the threads that decode them.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        let how = filters.iter().map(|filter| match filter.is_volatile() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Exact,
        });
        Ok(how.collect())
    }

    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let all: Vec<usize> = (0..self.schema().fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let schema = Arc::new(self.schema().project(projection)?);
        // The filter may need columns that nobody wants to see.
        let names = filters.iter().flat_map(Expr::column_refs);
        let mut decoded = projection.clone();
        for name in names {
            let column = self.schema().index_of(name.name())?;
            if !decoded.contains(&column) {
                decoded.push(column);
            }
        }
        let decoded = Arc::new(self.schema().project(&decoded)?);
        let filter = conjunction(filters.to_vec()).map(|filter| {
            let schema = DFSchema::try_from(SchemaRef::clone(&decoded))?;
            state.create_physical_expr(filter, &schema)
        });
        let partitions = self.partitions(Wanted {
            trail: Arc::clone(&self.trail),
            schema: SchemaRef::clone(&schema),
            decoded,
            filter: filter.transpose()?,
            streams: self.streams,
        });
        Ok(Arc::new(StreamingTableExec::try_new(
            schema, partitions, None, None, false, limit,
        )?))
    }
}
