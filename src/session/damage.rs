//! What an error of the engine says about the lake's files.
//!
//! In: an error of a query. Out: what is wrong with a data file, if that is the reason. Promise: in words that do not need the
//! engine's; the engine's own text is not lost, but goes to the program's trace.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use parquet::errors::ParquetError;
use std::error::Error;

/// What is wrong with a data file, if that is the reason.
pub(super) fn of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(object_store::Error::NotFound { path, .. }) = error.downcast_ref() {
        return Some(format!("{path} is missing"));
    }
    if let Some(DataFusionError::ObjectStore(inner)) = error.downcast_ref() {
        return of(inner.as_ref());
    }
    if let Some(error) = error.downcast_ref::<ParquetError>() {
        return match error {
            ParquetError::External(inner) => of(inner.as_ref()),
            error => Some(said(&error.to_string())),
        };
    }
    match error.downcast_ref() {
        Some(DataFusionError::ParquetError(inner)) => return of(inner.as_ref()),
        Some(DataFusionError::ArrowError(inner, _)) => return of(inner.as_ref()),
        Some(DataFusionError::External(inner)) => return of(inner.as_ref()),
        Some(DataFusionError::Context(_, inner)) => return of(inner.as_ref()),
        Some(DataFusionError::Shared(inner)) => return of(inner.as_ref()),
        _ => {}
    }
    match error.downcast_ref::<ArrowError>()? {
        ArrowError::ParquetError(text) => Some(said(text)),
        ArrowError::ExternalError(inner) => of(inner.as_ref()),
        _ => None,
    }
}

/// What a decoder said, in a few words.
fn said(text: &str) -> String {
    let missing = text
        .split_once("Object at location ")
        .and_then(|(_, rest)| rest.split_once(" not found"));
    if let Some((path, _)) = missing {
        return format!("{path} is missing");
    }
    match text.contains("CRC") {
        true => "the checksum of a page is wrong".to_owned(),
        false => "it is cut, or its bytes have changed".to_owned(),
    }
}
