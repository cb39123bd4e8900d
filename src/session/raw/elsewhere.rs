//! Log files that other machines decode.
//!
//! In: parcels, and the rows that come back. Out: the events that the scan wants. Promise: an event that two parcels have is given
//! once, and counted as a duplicate for the log file that came later; every log file that was sent is accounted for, or the
//! query fails.

use super::decoders::{Decoders, Parcels, SentRows};
use super::scan::Round;
use super::selected::{self, Selected};
use super::sent::{ACCOUNT, ID, LOG_FILE, OF_SCAN, PASSES, PLACE, TIME};
use super::work::parcel;
use crate::event::EventKey;
use crate::read::{DecodedParcel, LogFileRow, Spread};
use crate::session::ElsewhereFault;
use crate::source::LogFile;
use arrow::array::{
    Array, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, RecordBatch,
    RecordBatchOptions, StringArray,
};
use arrow::compute::{and, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt32Type};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, exec_datafusion_err, exec_err};
use datafusion::execution::SendableRecordBatchStream;
use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;

/// Parcels of a job: some 128 MiB of log files as stored. What is done again after a failure, and what there has to be room for.
const PARCELS: usize = 32;

/// The events of the log files of a list, which other machines decode.
pub(super) fn decoded(
    listed: SendableRecordBatchStream,
    round: Arc<Round>,
    (decoders, order): (Arc<dyn Decoders>, Arc<[u8]>),
) -> SentRows {
    let at_once = decoders.at_once().max(1);
    let tasks = round.wanted.work.len();
    let begun = Spread::begun(tasks.div_ceil(PARCELS), tasks);
    round.wanted.trail.observer.spread(begun);
    let rows = listed
        .chunks(PARCELS)
        .map(move |parcels| {
            let (decoders, order) = (Arc::clone(&decoders), Arc::clone(&order));
            let round = Arc::clone(&round);
            // A task of its own, so that jobs go on while the query works on what is there already.
            SpawnedTask::spawn(async move {
                let parcels: Parcels = parcels
                    .into_iter()
                    .map(|listed| Ok(named(&round, &listed?)))
                    .collect::<Result<_, DataFusionError>>()?;
                let tasks = parcels.len();
                let left = parcels.iter().map(Vec::len).sum();
                let rows = decoders.decode(order, parcels).await;
                let rows = rows.map_err(|fault| DataFusionError::from(ElsewhereFault(fault)))?;
                round.wanted.trail.observer.spread(Spread::done(tasks));
                Ok::<_, DataFusionError>((rows, Arriving::new(round, left)))
            })
        })
        .buffered(at_once)
        .map(|done| done.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?);
    rows.map_ok(|arriving| stream::try_unfold(arriving, next))
        .try_flatten()
        .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// A parcel, with the names of the sources.
fn named(round: &Round, listed: &RecordBatch) -> Vec<(Arc<str>, LogFile)> {
    let sources = &round.wanted.trail.sources;
    let files = parcel(listed).log_files.into_iter();
    files
        .map(|planned| (sources[planned.source].uri().into(), planned.log_file))
        .collect()
}

type Arrived = (Vec<RecordBatch>, (SentRows, Arriving));

async fn next(
    (mut rows, mut arriving): (SentRows, Arriving),
) -> Result<Option<Arrived>, DataFusionError> {
    let Some(batch) = rows.try_next().await? else {
        return match arriving.left {
            0 => Ok(None),
            left => exec_err!("{left} log files are not accounted for"),
        };
    };
    let took = SpawnedTask::spawn_blocking(move || {
        let batches = arriving.take(&batch)?;
        Ok::<_, DataFusionError>((batches, arriving))
    });
    let took = took.await;
    let (batches, arriving) =
        took.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??;
    Ok(Some((batches, (rows, arriving))))
}

/// A job whose rows arrive.
struct Arriving {
    round: Arc<Round>,
    /// Copies of events, by the place of their log file in the parcel that arrives.
    duplicates: HashMap<u32, u64>,
    /// Log files that are not accounted for yet.
    left: usize,
}

impl Arriving {
    fn new(round: Arc<Round>, left: usize) -> Self {
        Self {
            round,
            duplicates: HashMap::new(),
            left,
        }
    }

    /// Takes rows: events, accounts, or some of both.
    fn take(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, DataFusionError> {
        let accounts = texts(batch, ACCOUNT)?;
        let (mut batches, mut first) = (Vec::new(), 0);
        while first < batch.num_rows() {
            let is_account = accounts.is_valid(first);
            let mut rest = first..batch.num_rows();
            let end = rest.find(|row| accounts.is_valid(*row) != is_account);
            let end = end.unwrap_or(batch.num_rows());
            let rows = batch.slice(first, end - first);
            match is_account {
                true => self.accounts(&rows)?,
                false => batches.push(self.events(&rows)?),
            }
            first = end;
        }
        Ok(batches)
    }

    /// The events that no other parcel had, and that the scan wants.
    fn events(&mut self, rows: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let keys = keys(rows)?;
        let fresh = self.round.claim(&keys);
        let places = numbers::<UInt32Type>(rows, LOG_FILE)?;
        for row in (0..keys.len()).filter(|row| !fresh[*row]) {
            *self.duplicates.entry(places.value(row)).or_default() += 1;
        }
        let selection = &self.round.wanted.trail.selection;
        if !selection.is_everything() {
            let mut selected = Selected::default();
            selected.add(selection, &place(rows)?, &keys, &fresh);
            self.round.account(DecodedParcel::default(), &selected);
        }
        let passes = rows.column(PASSES).as_boolean_opt();
        let wanted = and(&BooleanArray::from(fresh), passes.ok_or_else(foreign)?)?;
        let schema = &self.round.wanted.form.schema;
        let columns: Vec<usize> = (OF_SCAN..rows.num_columns()).collect();
        let rows = filter_record_batch(&rows.project(&columns)?, &wanted)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            SchemaRef::clone(schema),
            rows.columns().to_vec(),
            &options,
        )?)
    }

    fn accounts(&mut self, rows: &RecordBatch) -> Result<(), DataFusionError> {
        let (texts, places) = (
            texts(rows, ACCOUNT)?,
            numbers::<UInt32Type>(rows, LOG_FILE)?,
        );
        let mut decoded = DecodedParcel::default();
        for row in 0..rows.num_rows() {
            let text = texts.value(row);
            if places.is_null(row) {
                decoded.rejects.push(read(text)?);
                continue;
            }
            let mut log_file: LogFileRow = read(text)?;
            let duplicates = self.duplicates.remove(&places.value(row));
            let duplicates = duplicates.unwrap_or_default();
            log_file.stored = log_file.stored.saturating_sub(duplicates);
            log_file.duplicates += duplicates;
            decoded.log_files.push(log_file);
            self.left = self.left.checked_sub(1).ok_or_else(foreign)?;
        }
        self.round.account(decoded, &Selected::default());
        Ok(())
    }
}

/// Of whom and where events are.
fn place(rows: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
    let fields = selected::COLUMNS.map(|it| Field::new(it.column().name, DataType::Utf8, true));
    let columns = rows.columns()[PLACE..OF_SCAN].to_vec();
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields.to_vec())),
        columns,
    )?)
}

fn keys(rows: &RecordBatch) -> Result<Vec<EventKey>, DataFusionError> {
    let times = numbers::<Int64Type>(rows, TIME)?;
    let ids = rows.column(ID).as_fixed_size_binary_opt();
    let ids = ids.ok_or_else(foreign)?;
    let keys = times.values().iter().zip(ids.iter());
    let key = |(time, id): (&i64, Option<&[u8]>)| -> Result<EventKey, DataFusionError> {
        let id = id.and_then(|id| id.try_into().ok()).ok_or_else(foreign)?;
        Ok(EventKey {
            time: *time,
            id: u128::from_le_bytes(id),
        })
    };
    keys.map(key).collect()
}

fn texts(rows: &RecordBatch, column: usize) -> Result<&StringArray, DataFusionError> {
    let column = rows.columns().get(column);
    column
        .and_then(|it| it.as_string_opt::<i32>())
        .ok_or_else(foreign)
}

fn numbers<T: ArrowPrimitiveType>(
    rows: &RecordBatch,
    column: usize,
) -> Result<&PrimitiveArray<T>, DataFusionError> {
    let column = rows.columns().get(column);
    column
        .and_then(|it| it.as_primitive_opt::<T>())
        .ok_or_else(foreign)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, DataFusionError> {
    serde_json::from_str(text).map_err(|error| DataFusionError::External(Box::new(error)))
}

fn foreign() -> DataFusionError {
    exec_datafusion_err!("what became of log files is not what was sent")
}
