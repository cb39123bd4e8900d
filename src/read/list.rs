//! What there is to read.
//!
//! In: sources and a selection. Out: a [`WorkList`]. Promise: listing costs what it must and tells what it cost; a log file
//! that two sources list is read once; what was left out is in the list, too.

use super::{Observer, Phase, Planned};
use crate::cloudtrail::Selection;
use crate::source::{Skipped, Source, SourceError};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The log files of some sources that a selection can need.
#[derive(Debug, Default)]
pub struct WorkList {
    /// In order of delivery.
    pub log_files: Vec<Planned>,
    /// What was left out because of its path.
    pub skipped: Vec<Skipped>,
    /// Requests that listing took.
    pub requests: u64,
}

/// Lists the sources.
pub async fn list(
    sources: &[Arc<dyn Source>],
    selection: &Selection,
    observer: &dyn Observer,
) -> Result<WorkList, SourceError> {
    observer.phase(Phase::Listing);
    let mut work = WorkList::default();
    let mut listed = HashSet::new();
    for (place, source) in sources.iter().enumerate() {
        let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        // Sources report totals, observers are given increments.
        let seen = |found: u64, size: u64| {
            let files = files.swap(found, Ordering::Relaxed);
            let bytes = bytes.swap(size, Ordering::Relaxed);
            observer.listed(found.saturating_sub(files), size.saturating_sub(bytes));
        };
        let listing = source.list(selection, &seen).await?;
        work.requests += listing.stats.requests;
        work.skipped.extend(listing.skipped);
        let files = listing.files.into_iter();
        let new = files.filter(|file| listed.insert((file.uri.clone(), file.etag.clone())));
        work.log_files.extend(new.map(|log_file| Planned {
            source: place,
            log_file,
        }));
    }
    if sources.len() > 1 {
        work.log_files.sort_by_cached_key(|planned| {
            let file = &planned.log_file;
            (file.log_date(), file.delivered(), file.uri.clone())
        });
    }
    Ok(work)
}
