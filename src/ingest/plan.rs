//! What an ingest is going to read.
//!
//! In: sources, a selection and the ledger. Out: a [`Plan`]. Promise: log files that the lake has are counted, not read.

use super::{IngestError, Refused};
use crate::cloudtrail::Selection;
use crate::lake::Known;
use crate::read::{LogFileOutcome, LogFileRow, Observer, Planned, WorkList, list};
use crate::source::{Skipped, Source};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What the lake could not read when it was last tried: by name, the outcome and the reason.
pub type NotReadBefore = HashMap<String, (LogFileOutcome, String)>;

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
    /// Those of them that an earlier ingest rejected; they are not read again.
    pub rejected_before: Vec<Refused>,
    /// What was left out because of its path.
    pub skipped: Vec<Skipped>,
    /// Rows that bring the ledger up to date with what was left out: what is new, and what is listed again.
    pub ledger_rows: Vec<LogFileRow>,
    /// Requests that listing took.
    pub requests: u64,
}

/// Lists the sources and leaves out what is known.
pub async fn plan(
    sources: &[Arc<dyn Source>],
    selection: &Selection,
    known: &Known,
    not_read: &NotReadBefore,
    observer: &dyn Observer,
) -> Result<Plan, IngestError> {
    let WorkList {
        mut log_files,
        skipped,
        requests,
    } = list(sources, selection, observer).await?;
    let listed = log_files.len() as u64;
    let whole = *selection == Selection::default();
    let scope = if whole { sources } else { Default::default() };
    let ledger_rows = unread_rows(&log_files, &skipped, scope, not_read);
    let mut rejected_before = Vec::new();
    log_files.retain(|planned| {
        let file = &planned.log_file;
        if !known.contains(&file.uri, &file.etag, file.size) {
            return true;
        }
        if let Some((LogFileOutcome::Rejected, reason)) = not_read.get(&file.uri) {
            rejected_before.push(Refused {
                log_file: file.uri.clone(),
                reason: reason.clone(),
            });
        }
        false
    });
    let bytes = log_files.iter().map(|planned| planned.log_file.size).sum();
    observer.total(log_files.len() as u64, bytes);
    Ok(Plan {
        bytes,
        listed,
        already_stored: listed - (log_files.len() + rejected_before.len()) as u64,
        rejected_before,
        log_files,
        skipped,
        ledger_rows,
        requests,
    })
}

/// The rows for the ledger of what this listing left out, where it differs from what was left out `before`. Of the sources in
/// `whole`, everything was listed.
fn unread_rows(
    log_files: &[Planned],
    skipped: &[Skipped],
    whole: &[Arc<dyn Source>],
    before: &NotReadBefore,
) -> Vec<LogFileRow> {
    let now: HashMap<&str, LogFileRow> = skipped
        .iter()
        .map(|skipped| (skipped.uri.as_str(), LogFileRow::skipped(skipped)))
        .collect();
    let is_new = |row: &&LogFileRow| {
        let known = before.get(&row.log_file);
        known.is_none_or(|(outcome, reason)| {
            *outcome != row.outcome || row.reason.as_ref() != Some(reason)
        })
    };
    let mut rows: Vec<LogFileRow> = now.values().filter(is_new).cloned().collect();
    rows.sort_unstable_by(|a, b| a.log_file.cmp(&b.log_file));
    let of_listing = |outcome: &LogFileOutcome| {
        matches!(
            outcome,
            LogFileOutcome::Archived | LogFileOutcome::Unreadable | LogFileOutcome::Beside
        )
    };
    let open: Vec<&String> = before
        .iter()
        .filter(|(name, (outcome, _))| of_listing(outcome) && !now.contains_key(name.as_str()))
        .map(|(name, _)| name)
        .collect();
    if open.is_empty() {
        return rows;
    }
    let names = log_files
        .iter()
        .map(|planned| planned.log_file.uri.as_str());
    let listed: BTreeSet<&str> = names.collect();
    // What is listed itself is going to be read, and has a row then.
    for name in open
        .into_iter()
        .filter(|name| !listed.contains(name.as_str()))
    {
        let folder = format!("{}/", name.trim_end_matches('/'));
        let below = listed.range(folder.as_str()..).next();
        let entered = below.is_some_and(|file| file.starts_with(&folder))
            || whole.iter().any(|source| name.starts_with(source.uri()));
        if entered {
            rows.push(LogFileRow::listed_again(name.clone()));
        }
    }
    rows
}
