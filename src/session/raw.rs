//! Log files as a table, without ingest.
//!
//! In: sources. Out: the table `events`, decoded while it is scanned. Promise: each event once, as in a lake; only the
//! columns that a query asks for are built; what was read is accounted for like an ingest.

mod scan;

use crate::cloudtrail::Selection;
use crate::lake::{LogFileRow, TableName, Tally};
use crate::source::{LogFile, Source, SourceError};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use scan::{Reader, Scan};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

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
    scans: Mutex<Vec<Arc<Rows>>>,
}

/// What became of the log files that one scan read.
pub(super) type Rows = Mutex<Vec<LogFileRow>>;

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
            scans: Mutex::default(),
        })
    }

    /// The ledger: of the scan that read most, since a query may scan several times, and stop early.
    pub(crate) fn ledger(&self) -> Vec<LogFileRow> {
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        let most = scans.iter().max_by_key(|rows| count(rows));
        most.map_or_else(Vec::new, |rows| {
            rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    /// The account of the same scan.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for row in &self.ledger() {
            tally.add(row);
        }
        tally
    }

    /// The account of a scan that begins now. Those that are over are forgotten, but for the one that read most.
    fn begin(&self) -> Arc<Rows> {
        let rows = Arc::<Rows>::default();
        let mut scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        let most = (0..scans.len()).max_by_key(|&index| count(&scans[index]));
        let mut index = 0..scans.len();
        scans.retain(|rows| index.next() == most || Arc::strong_count(rows) > 1);
        scans.push(Arc::clone(&rows));
        rows
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

fn count(rows: &Rows) -> usize {
    rows.lock().unwrap_or_else(PoisonError::into_inner).len()
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
        let scan = Arc::new(Scan {
            trail: Arc::clone(&self.trail),
            schema: SchemaRef::clone(&schema),
            decoded,
            filter: filter.transpose()?,
            portions: Mutex::new(self.trail.portions()),
            seen: Mutex::default(),
            rows: self.trail.begin(),
        });
        let threads = self.threads.div_ceil(self.streams);
        let partitions: Vec<Arc<dyn PartitionStream>> = (0..self.streams)
            .map(|_| Arc::new(Reader::new(Arc::clone(&scan), threads)) as _)
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            schema, partitions, None, None, false, limit,
        )?))
    }
}
