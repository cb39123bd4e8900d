//! What an error of the engine says about the lake's files.
//!
//! In: an error of a query. Out: what is wrong with the lake or its storage, if that is the reason. Promise: in words that do not need
//! the engine's; the engine's own text is not lost, but goes to the program's trace.

use crate::lake::{Damage, Lake, LakeError, causes};
use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use parquet::errors::ParquetError;
use std::error::Error;

/// What is wrong with a lake, if that is why a query failed. Errors that go through decoders may keep their words only.
pub(super) fn of(error: &DataFusionError) -> Option<LakeError> {
    if let Some(damage) = Damage::among(error) {
        return Some(damage.into());
    }
    let is_of_store = causes(error).any(|cause| cause.is::<object_store::Error>());
    if !is_of_store && !is_of_decoder(error) {
        return None;
    }
    if let Some(refused) = LakeError::refused(error) {
        return Some(refused);
    }
    if let Some(failed) = LakeError::of_storage(error) {
        return Some(failed);
    }
    tracing::debug!(%error, "a data file cannot be read");
    // Which lake it is, whoever asks knows.
    let lake = String::new();
    Some(LakeError::DamagedFile { lake })
}

/// Whether a decoder of data files gave up; there are none but those of a lake.
fn is_of_decoder(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        let arrow = cause.downcast_ref::<ArrowError>();
        cause.is::<ParquetError>()
            || arrow.is_some_and(|error| matches!(error, ArrowError::ParquetError(_)))
            || matches!(cause.downcast_ref(), Some(DataFusionError::ParquetError(_)))
            || matches!(
                cause.downcast_ref(),
                Some(DataFusionError::ArrowError(inner, _)) if matches!(**inner, ArrowError::ParquetError(_))
            )
    })
}

/// The same error; if it is about a file that the engine does not name, with the name.
pub(super) async fn named(error: LakeError, lake: Option<&Lake>) -> LakeError {
    match (error, lake) {
        (LakeError::DamagedFile { .. }, Some(lake)) => lake.blame().await,
        (error, _) => error,
    }
}
