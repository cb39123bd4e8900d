//! Log files, read and decoded while a query asks for them.
//!
//! In: parcels. Out: batches of their events. Promise: decoded on threads that do nothing else; each event once in each
//! reading, whoever decodes it; rows that the query's filter leaves out go no further.

use super::decoders::Decoders;
use super::form::Form;
use super::selected::Selected;
use super::{Reading, Trail, locked, work};
use crate::event::EventKey;
use crate::read::{
    DecodedParcel, EventRows, FetchLimits, FetchedParcel, Outcome, Parcel, ParcelDecoder, Phase,
    Stop, Taken, fetch,
};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch};
use datafusion::common::hash_utils::RandomState;
use datafusion::common::{DataFusionError, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Log files of a parcel that are fetched at once; local reads gain nothing from more, S3 does.
const FETCHES: usize = 16;

/// Other machines that decode, and what they are told.
pub(super) type Sent = (Arc<dyn Decoders>, Arc<[u8]>);

/// What a scan is to read, and what it is to give.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) trail: Arc<Trail>,
    pub(super) form: Form,
    /// The log files it is going to read.
    pub(super) work: Vec<RecordBatch>,
    /// What other machines are told, if they decode.
    pub(super) order: Option<Arc<[u8]>>,
}

impl Wanted {
    /// The other machines that decode, if any do.
    pub(super) fn elsewhere(&self) -> Option<Sent> {
        let decoders = self.trail.decoders.as_ref()?;
        Some((Arc::clone(decoders), Arc::clone(self.order.as_ref()?)))
    }
}

/// All log files of a list, once.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) wanted: Arc<Wanted>,
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
        let (trail, form) = (&self.wanted.trail, &self.wanted.form);
        let selection = &trail.selection;
        let mut selected = Selected::default();
        let mut batches = Vec::new();
        let mut take = |EventRows { batch, keys, .. }: EventRows| {
            let fresh = self.claim(&keys);
            if !selection.is_everything() {
                selected.add(selection, &batch, &keys, &fresh);
            }
            batches.push(self.select(&form.arrange(&batch)?, BooleanArray::from(fresh.clone()))?);
            Ok::<_, DataFusionError>(Taken { fresh, spent: None })
        };
        let mut decoder = ParcelDecoder::new(&form.fields(), trail.max_json, self.stop.clone());
        let decoded = decoder.decode(fetched, &mut take)?;
        self.account(decoded, &selected);
        Ok(batches)
    }

    /// Takes down what became of log files and records, and the events that are wanted.
    pub(super) fn account(&self, decoded: DecodedParcel, selected: &Selected) {
        let observer = &self.wanted.trail.observer;
        for row in &decoded.log_files {
            observer.events(row.events, row.stored, row.duplicates, row.rejected);
            observer.log_file(row.size_bytes, Outcome::from(row.outcome));
        }
        let mut reading = locked(&self.reading);
        reading.rows.extend(decoded.log_files);
        reading.rejects.extend(decoded.rejects);
        reading.selected.merge(selected);
    }

    /// Which of the events are new to this reading.
    pub(super) fn claim(&self, keys: &[EventKey]) -> Vec<bool> {
        let mut seen = locked(&self.seen);
        keys.iter().map(|key| seen.insert(*key)).collect()
    }

    /// The rows that are wanted, and of them the columns that the query gets.
    fn select(
        &self,
        batch: &RecordBatch,
        mut wanted: BooleanArray,
    ) -> Result<RecordBatch, DataFusionError> {
        let form = &self.wanted.form;
        if let Some(passes) = form.passes(batch)? {
            wanted = and(&wanted, &passes)?;
        }
        let batch = form.visible(batch)?;
        Ok(match wanted.has_false() {
            true => filter_record_batch(&batch, &wanted)?,
            false => batch,
        })
    }
}
