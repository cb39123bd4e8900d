//! What an ingest is going to read.
//!
//! In: sources, a selection and the ledger. Out: a [`Plan`]. Promise: log files that the lake has are counted, not read.

use super::IngestError;
use crate::cloudtrail::Selection;
use crate::lake::Known;
use crate::read::{Observer, Planned, WorkList, list};
use crate::source::{Skipped, Source};
use std::sync::Arc;

/// The log files of an ingest.
#[derive(Debug, Default)]
pub struct Plan {
    /// To be read, in order of delivery.
    pub log_files: Vec<Planned>,
    /// Bytes of those, as stored in the sources.
    pub bytes: u64,
    /// Log files that the sources list for the selection.
    pub listed: u64,
    /// Of these, how many the lake has already.
    pub already_stored: u64,
    /// What was left out because of its path.
    pub skipped: Vec<Skipped>,
    /// Requests that listing took.
    pub requests: u64,
}

/// Lists the sources and leaves out what is known.
pub async fn plan(
    sources: &[Arc<dyn Source>],
    selection: &Selection,
    known: &Known,
    observer: &dyn Observer,
) -> Result<Plan, IngestError> {
    let WorkList {
        mut log_files,
        skipped,
        requests,
    } = list(sources, selection, observer).await?;
    let listed = log_files.len() as u64;
    log_files.retain(|planned| {
        let file = &planned.log_file;
        !known.contains(&file.uri, &file.etag, file.size)
    });
    let bytes = log_files.iter().map(|planned| planned.log_file.size).sum();
    observer.total(log_files.len() as u64, bytes);
    Ok(Plan {
        bytes,
        listed,
        already_stored: listed - log_files.len() as u64,
        log_files,
        skipped,
        requests,
    })
}
