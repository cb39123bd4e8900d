//! Log files as tables, without ingest.
//!
//! In: sources. Out: the table `events`, decoded while it is scanned, and what became of the log files and records.
//! Promise: read as an ingest reads; each event once, as in a lake; only the columns that a query asks for are built, and
//! only the log files that it names are read.
//!
//! ```text
//! DecodeExec            columns, filter: unary, one partition in, one out; decodes here or has other machines do it
//!   DataSourceExec      the list of work, a batch for each parcel: DataFusion's own
//! ```

mod decoders;
mod elsewhere;
mod exec;
mod form;
mod ledger;
mod scan;
mod selected;
mod sent;
mod work;

pub use decoders::{Decoders, Parcels, SentRows};
pub(super) use exec::DecodeExec;
pub use form::{Form, Shape};
pub(super) use ledger::LedgerTable;
pub use sent::{decode as decode_there, schema as schema_there};

use super::SessionOptions;
use crate::cloudtrail::Selection;
use crate::event::Summary;
use crate::lake::TableName;
use crate::read::{
    LogFileRow, Observer, ParcelSize, RejectRow, Silent, Tally, WorkList, list, parcels,
};
use crate::source::Source;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use scan::Wanted;
use selected::Selected;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    sources: Arc<[Arc<dyn Source>]>,
    /// All log files, a batch for each parcel.
    work: Vec<RecordBatch>,
    /// How many log files that is.
    log_files: usize,
    /// What the listing left out.
    skipped: Vec<LogFileRow>,
    selection: Selection,
    /// The accounts and regions in the paths of the log files.
    places: Places,
    /// The last day in these paths.
    last_day: Option<NaiveDate>,
    max_json: u64,
    observer: Arc<dyn Observer>,
    /// Other machines that decode.
    decoders: Option<Arc<dyn Decoders>>,
    /// What became of the log files, in each reading of them.
    readings: Mutex<Vec<Arc<Mutex<Reading>>>>,
}

/// One reading of the log files.
#[derive(Debug, Default)]
struct Reading {
    rows: Vec<LogFileRow>,
    rejects: Vec<RejectRow>,
    /// The events that are wanted, if not all are.
    selected: Selected,
}

/// Accounts and regions.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) accounts: BTreeSet<String>,
    pub(super) regions: BTreeSet<String>,
    /// Whether there are log files in other layouts: of which account and region they are, only their events tell.
    pub(super) others: bool,
}

impl Places {
    /// Those in the paths of log files, if the selection names any.
    fn of(listed: &WorkList, selection: &Selection) -> Self {
        let mut places = Self::default();
        if selection.accounts.is_empty() && selection.regions.is_empty() {
            return places;
        }
        for planned in &listed.log_files {
            let Some(key) = planned.log_file.key() else {
                places.others = true;
                continue;
            };
            places.accounts.insert(key.account.to_string());
            places.regions.insert(key.region);
        }
        places
    }

    /// Whether all that a selection names are among them.
    fn have(&self, selection: &Selection) -> bool {
        let mut accounts = selection.accounts.iter().map(ToString::to_string);
        let mut regions = selection.regions.iter();
        accounts.all(|account| self.accounts.contains(&account))
            && regions.all(|region| self.regions.contains(region))
    }
}

/// What is in a mutex; it is whole even if a thread panicked while it held it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trail {
    /// Lists the sources.
    pub(crate) async fn list(
        sources: Vec<Arc<dyn Source>>,
        options: &SessionOptions,
    ) -> Result<Self, super::SessionError> {
        let observer = Arc::clone(&options.observer);
        let listed = list(&sources, &options.selection, observer.as_ref()).await?;
        let log_files = listed.log_files.len();
        let places = Places::of(&listed, &options.selection);
        let days = listed.log_files.iter();
        let last_day = days.filter_map(|planned| planned.log_file.log_date()).max();
        let parcels = parcels(listed.log_files, ParcelSize::QUESTION);
        let work: Result<_, _> = parcels.iter().map(work::batch).collect();
        Ok(Self {
            sources: sources.into(),
            work: work.map_err(DataFusionError::from)?,
            log_files,
            skipped: listed.skipped.iter().map(LogFileRow::skipped).collect(),
            selection: options.selection.clone(),
            places,
            last_day,
            max_json: options.max_json,
            observer,
            decoders: options.decoders.clone(),
            readings: Mutex::default(),
        })
    }

    /// The shape of rows with these columns of `events`, of which the query gets the first `visible`.
    fn shape(&self, columns: Vec<String>, visible: usize) -> Shape {
        Shape {
            columns,
            visible,
            selecting: !self.selection.is_everything(),
            max_json: self.max_json,
        }
    }

    /// The last day in the paths of the log files.
    pub(super) fn last_day(&self) -> Option<NaiveDate> {
        self.last_day
    }

    /// The accounts and regions in the paths of all log files of the time asked for, if some that the selection names are not
    /// there; log files in other layouts have none.
    pub(super) async fn other_places(&self) -> Result<Places, super::SessionError> {
        match self.places.have(&self.selection) {
            true => Ok(Places::default()),
            false => self.all_places().await,
        }
    }

    /// The accounts and regions that the paths of all log files name, whatever was selected.
    pub(super) async fn all_places(&self) -> Result<Places, super::SessionError> {
        let wider = Selection {
            accounts: Default::default(),
            regions: Default::default(),
            ..self.selection.clone()
        };
        let listed = list(&self.sources, &wider, &Silent).await?;
        Ok(Places::of(&listed, &self.selection))
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
        count(&self.furthest()) == self.log_files
    }

    /// The events that are wanted.
    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What the furthest reading read, and of that what is wanted.
    pub(crate) fn tallies(&self) -> (Tally, Tally) {
        let mut tally = Tally::default();
        let reading = self.furthest();
        let reading = locked(&reading);
        for row in reading.rows.iter().chain(&self.skipped) {
            tally.add(row);
        }
        let mut wanted = tally.clone();
        if !self.selection.is_everything() {
            let Selected { events, summary } = reading.selected.clone();
            wanted.events = events;
            wanted.summary = Summary {
                event_categories: std::mem::take(&mut wanted.summary.event_categories),
                data_event_services: std::mem::take(&mut wanted.summary.data_event_services),
                ..summary
            };
        }
        (tally, wanted)
    }

    /// How many log files were read of how many, by the furthest reading.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (count(&self.furthest()), self.log_files)
    }

    pub(crate) fn name(&self) -> String {
        self.sources
            .iter()
            .map(|source| source.uri())
            .collect::<Vec<_>>()
            .join(", ")
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

    /// The plan that decodes rows of this form: its parcels are dealt out to the streams in turn. Of what other machines decode
    /// there is one stream: jobs are bounded, and come one after the other.
    fn decode(
        &self,
        form: Form,
        work: Vec<RecordBatch>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let decoders = self.trail.decoders.as_ref();
        let order = decoders.and_then(|decoders| {
            let order = decoders.order(&form);
            order.inspect_err(|why| decoders.stays(why)).ok()
        });
        let streams = match order {
            Some(_) => 1,
            None => self.streams,
        };
        let mut partitions = vec![Vec::new(); streams];
        for (parcel, place) in work.iter().zip((0..streams).cycle()) {
            partitions[place].push(parcel.clone());
        }
        let list = MemorySourceConfig::try_new_exec(&partitions, work::schema(), None)?;
        let wanted = Wanted {
            trail: Arc::clone(&self.trail),
            form,
            work,
            order,
        };
        let threads = self.threads.div_ceil(streams);
        Ok(Arc::new(DecodeExec::new(list, Arc::new(wanted), threads)))
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
        // The filter may need columns that nobody wants to see.
        let names = filters.iter().flat_map(Expr::column_refs);
        let mut decoded = projection.clone();
        for name in names {
            let column = self.schema().index_of(name.name())?;
            if !decoded.contains(&column) {
                decoded.push(column);
            }
        }
        let names = decoded.iter();
        let names = names.map(|column| self.schema().field(*column).name().clone());
        let form = Form::new(self.trail.shape(names.collect(), projection.len()))?;
        let filter = conjunction(filters.to_vec()).map(|filter| {
            let schema = DFSchema::try_from(SchemaRef::clone(form.decoded()))?;
            state.create_physical_expr(filter, &schema)
        });
        let form = form.filtered(filter.transpose()?);
        let mut work = self.trail.work.clone();
        for names in filters.iter().filter_map(work::named) {
            work = work::only(&work, &names)?;
        }
        let plan = self.decode(form, work)?;
        Ok(match limit {
            Some(_) => plan.with_fetch(limit).unwrap_or(plan),
            None => plan,
        })
    }
}
