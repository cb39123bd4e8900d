//! Log files, read and decoded while a query asks for them.
//!
//! In: parcels. Out: batches of their events. Promise: decoded on threads that do nothing else; each event once in each
//! reading, whoever decodes it; rows that the query's filter leaves out go no further.

use super::selected::{self, Selected};
use super::{Reading, Trail, locked, work};
use crate::event::time::day;
use crate::event::{EVENT_DATE, EventKey, Field};
use crate::read::{
    EventRows, FetchLimits, FetchedParcel, Outcome, Parcel, ParcelDecoder, Phase, Stop, Taken,
    fetch,
};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, RecordBatchOptions,
};
use arrow::compute::{and, filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::common::hash_utils::RandomState;
use datafusion::common::{DataFusionError, HashSet};
use datafusion::physical_expr::PhysicalExpr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Log files of a parcel that are fetched at once; local reads gain nothing from more, S3 does.
const FETCHES: usize = 16;

/// What a scan is to give.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) trail: Arc<Trail>,
    /// What the query gets.
    pub(super) schema: SchemaRef,
    /// What is decoded: that and, after it, what the filter needs.
    pub(super) decoded: SchemaRef,
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
    /// The log files it is going to read.
    pub(super) work: Vec<RecordBatch>,
}

/// All log files of a list, once.
#[derive(Debug)]
pub(super) struct Round {
    wanted: Arc<Wanted>,
    seen: Mutex<HashSet<EventKey, RandomState>>,
    reading: Arc<Mutex<Reading>>,
    /// Partitions that somebody still reads.
    left: AtomicUsize,
    stop: Stop,
}

impl Round {
    /// A reading that so many partitions share.
    pub(super) fn begin(wanted: Arc<Wanted>, partitions: usize) -> Self {
        let observer = &wanted.trail.observer;
        observer.phase(Phase::Reading);
        let (log_files, bytes) = work::amount(&wanted.work);
        observer.total(log_files, bytes);
        Self {
            seen: Mutex::default(),
            reading: wanted.trail.begin(),
            left: AtomicUsize::new(partitions),
            stop: Stop::default(),
            wanted,
        }
    }

    /// A partition has ended, or nobody wants more of it. With the last one, decoding ends, and what was seen is forgotten: a
    /// plan may keep many rounds.
    pub(super) fn end(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stop.request();
            *locked(&self.seen) = HashSet::default();
        }
    }

    /// The events of a parcel that no other parcel had.
    pub(super) async fn read(
        self: Arc<Self>,
        parcel: Parcel,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let external = |error| DataFusionError::External(Box::new(error));
        let sources = Arc::clone(&self.wanted.trail.sources);
        let limits = FetchLimits {
            at_once: FETCHES,
            max_json: self.wanted.trail.max_json,
        };
        let fetched = fetch(sources, parcel, limits).await.map_err(external)?;
        let decoded = tokio::task::spawn_blocking(move || self.decode(fetched)).await;
        decoded.map_err(|error| DataFusionError::External(Box::new(error)))?
    }

    fn decode(&self, fetched: FetchedParcel) -> Result<Vec<RecordBatch>, DataFusionError> {
        let fields = self.wanted.decoded.fields().iter();
        let mut columns: Vec<Field> = fields
            .filter_map(|field| Field::named(field.name()))
            .collect();
        let wants_date = self.wanted.decoded.index_of(EVENT_DATE).is_ok();
        if wants_date && !columns.contains(&Field::EventTime) {
            columns.push(Field::EventTime);
        }
        let selection = &self.wanted.trail.selection;
        if !selection.is_everything() {
            let missing = selected::COLUMNS.into_iter();
            let missing = missing.filter(|field| !columns.contains(field));
            columns.extend(missing.collect::<Vec<_>>());
        }
        let mut selected = Selected::default();
        let mut batches = Vec::new();
        let mut take = |EventRows { batch, keys }: EventRows| {
            let fresh = self.claim(&keys);
            if !selection.is_everything() {
                selected.add(selection, &batch, &keys, &fresh);
            }
            batches.push(self.select(self.arrange(&batch)?, BooleanArray::from(fresh.clone()))?);
            Ok::<_, DataFusionError>(Taken { fresh, spent: None })
        };
        let mut decoder =
            ParcelDecoder::new(&columns, self.wanted.trail.max_json, self.stop.clone());
        let decoded = decoder.decode(fetched, &mut take)?;
        let observer = &self.wanted.trail.observer;
        for row in &decoded.log_files {
            observer.events(row.events, row.stored, row.duplicates, row.rejected);
            observer.log_file(row.size_bytes, Outcome::from(row.outcome));
        }
        let mut reading = locked(&self.reading);
        reading.rows.extend(decoded.log_files);
        reading.rejects.extend(decoded.rejects);
        reading.selected.merge(&selected);
        Ok(batches)
    }

    /// Which of the events are new to this reading.
    fn claim(&self, keys: &[EventKey]) -> Vec<bool> {
        let mut seen = locked(&self.seen);
        keys.iter().map(|key| seen.insert(*key)).collect()
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
