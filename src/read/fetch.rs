//! The bytes of a parcel.
//!
//! In: a [`Parcel`]. Out: a [`FetchedParcel`]. Promise: many log files at a time, in the parcel's order; one that cannot be
//! fetched is a result; an error that would meet every log file ends the run.

use super::{Parcel, Planned, ReadError};
use crate::source::{LogFile, Source, SourceError};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// A parcel's log files with their bytes.
#[derive(Debug)]
pub struct FetchedParcel {
    /// In order of delivery.
    pub log_files: Vec<FetchedFile>,
}

/// A log file with its bytes, or the reason why there are none.
#[derive(Debug)]
pub struct FetchedFile {
    /// As listed.
    pub log_file: LogFile,
    /// As stored.
    pub bytes: Result<Bytes, SourceError>,
}

/// How a parcel is fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// Log files at a time.
    pub at_once: usize,
    /// The most JSON a log file may have: one that is larger than that as it is stored is not fetched.
    pub max_json: u64,
}

/// Fetches a parcel's log files.
///
/// In a task of its own: a bare future inside `buffer_unordered` stands still while its owner waits for something else,
/// and connections to S3 would time out.
pub async fn fetch(
    sources: Arc<[Arc<dyn Source>]>,
    parcel: Parcel,
    limits: FetchLimits,
) -> Result<FetchedParcel, ReadError> {
    let task = tokio::spawn(async move {
        let sources = &sources;
        let files = stream::iter(parcel.log_files).map(|planned| async move {
            let Planned { source, log_file } = planned;
            let (size, limit) = (log_file.size, limits.max_json);
            if size > limit {
                let bytes = Err(SourceError::TooLarge { size, limit });
                return Ok(FetchedFile { log_file, bytes });
            }
            match sources[source].fetch(&log_file).await {
                Err(error) if error.is_fatal() => Err(ReadError::from(error)),
                bytes => Ok(FetchedFile { log_file, bytes }),
            }
        });
        files.buffered(limits.at_once.max(1)).try_collect().await
    });
    let log_files = task.await.map_err(|_| ReadError::Lost("a fetch"))??;
    Ok(FetchedParcel { log_files })
}
