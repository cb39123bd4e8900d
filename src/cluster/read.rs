//! How an executor decodes a parcel for a question.
//!
//! In: a parcel, and the form of rows. Out: decoded events, with what became of each log file. Promise: nothing is left behind.

use super::parcel::{Parcel, fault};
use crate::ingest::IngestError;
use crate::read::{FetchLimits, Planned, Stop, fetch};
use crate::session::{Form, decode_there};
use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;

/// Log files of a parcel that are fetched at once.
const FETCHES: usize = 16;

/// Decodes a parcel.
pub(super) async fn rows(
    parcel: Parcel,
    form: &Form,
    stop: &Stop,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let log_files = parcel.log_files.into_iter();
    let planned = log_files.map(|(source, log_file)| Planned { source, log_file });
    let limits = FetchLimits {
        at_once: FETCHES,
        max_json: form.shape().max_json(),
    };
    let log_files = crate::read::Parcel {
        log_files: planned.collect(),
    };
    let fetched = fetch(parcel.sources.into(), log_files, limits).await;
    let fetched = fetched.map_err(|error| fault(IngestError::from(error)))?;
    let (form, stop) = (form.clone(), stop.clone());
    let decoded = tokio::task::spawn_blocking(move || decode_there(fetched, &form, &stop)).await;
    decoded.map_err(|_| fault(IngestError::Lost("a parcel")))?
}
