//! What there is to read.
//!
//! In: sources, a selection and the ledger. Out: a [`Plan`]. Promise: listing costs what it must and says what it cost; a
//! log file that two sources list is read once.

use super::IngestError;
use super::observer::{Observer, Phase};
use super::parcel::Planned;
use crate::cloudtrail::Selection;
use crate::lake::Known;
use crate::source::{Skipped, Source};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    observer.phase(Phase::Listing);
    let mut plan = Plan::default();
    let mut listed = HashSet::new();
    for (source, place) in sources.iter().zip(0..) {
        let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        // Sources tell totals, observers are told increments.
        let seen = |found: u64, size: u64| {
            let (f, b) = (
                files.swap(found, Ordering::Relaxed),
                bytes.swap(size, Ordering::Relaxed),
            );
            observer.listed(found.saturating_sub(f), size.saturating_sub(b));
        };
        let listing = source.list(selection, &seen).await?;
        plan.requests += listing.stats.requests;
        plan.skipped.extend(listing.skipped);
        for log_file in listing.files {
            if !listed.insert((log_file.uri.clone(), log_file.etag.clone())) {
                continue;
            }
            plan.listed += 1;
            if known.contains(&log_file.uri, &log_file.etag, log_file.size) {
                plan.already_stored += 1;
            } else {
                plan.bytes += log_file.size;
                plan.log_files.push(Planned {
                    source: place,
                    log_file,
                });
            }
        }
    }
    if sources.len() > 1 {
        plan.log_files.sort_by_cached_key(|planned| {
            let file = &planned.log_file;
            (file.log_date(), file.delivered(), file.uri.clone())
        });
    }
    observer.total(plan.log_files.len() as u64, plan.bytes);
    Ok(plan)
}
