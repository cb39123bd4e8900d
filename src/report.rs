//! The one shape of every answer.
//!
//! In: the batches of an analysis and the [`Coverage`] of what it was computed on. Out: a [`Report`] that every format
//! in `render` can show. Promise: no answer leaves without its coverage, since a responder must know what was *not*
//! seen.

pub mod note;
pub mod plan;
pub mod table;
pub mod trace;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Display;

/// A column whose field has this metadata set to `true` holds JSON text; formats that can embed it do so.
pub const JSON_TEXT: &str = "keytrail.json";

/// Metadata of a field that says what may happen to its column in a table that does not fit: `whole`, `cut`, `wrap`, `below` (written
/// below its row), or `detail` (left out, and named below the table). A column of JSON that is a `block` is written out below the other
/// columns of its row, instead of into a table. `data` is for programs, never in a table; in a section's own metadata, the whole
/// section is. Without it, long texts that are no identifiers are cut.
pub const FIT: &str = "keytrail.fit";

/// Metadata of a section's schema: the name of the question in the library that it answers.
pub const QUERY: &str = "keytrail.query";

/// Metadata of a section's schema: how many rows were left out at its end.
pub const MORE: &str = "keytrail.more";

/// The first of some names, and how many more there are.
pub(crate) fn some_of(names: &BTreeSet<&str>) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).copied().collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A number with its noun, e.g. `1 day`, `2 days`.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// An answer: named sections of rows, remarks, and what it rests on.
#[derive(Debug, Clone)]
pub struct Report {
    /// The name in the JSON field `report`, e.g. `keys`.
    pub name: String,
    /// One line for people, e.g. `Access keys`.
    pub title: String,
    /// The tables of the answer, in reading order.
    pub sections: Vec<Section>,
    /// Remarks a reader must not miss, one sentence each.
    pub notes: Vec<String>,
    /// What the answer rests on; `None` only for answers that rest on no trail, such as `describe`.
    pub coverage: Option<Coverage>,
}

impl Report {
    /// A report that rests on no trail.
    pub fn of(name: &str, title: &str, sections: Vec<Section>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            sections,
            notes: Vec::new(),
            coverage: None,
        }
    }
}

/// One table of a report.
#[derive(Debug, Clone)]
pub struct Section {
    /// The field name in JSON, e.g. `source_ip_addresses`.
    pub name: String,
    /// One line for people, e.g. `Source IP addresses`.
    pub title: String,
    /// The columns, also when there is no row.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl Section {
    /// How many rows the section has.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// What an answer rests on: how much of the trail was there to be read, and what was missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Where the events came from: a lake's location or the source that was read.
    pub source: String,
    /// Events the answer could see (each once).
    pub events: u64,
    /// Time of the first event, RFC 3339 in UTC.
    pub first_event: Option<String>,
    /// Time of the last event, RFC 3339 in UTC.
    pub last_event: Option<String>,
    /// Accounts with events.
    pub accounts: Vec<String>,
    /// Regions with events.
    pub regions: Vec<String>,
    /// Days (UTC) on which there is at least one event.
    pub days_with_events: u64,
    /// Days (UTC) between the first and the last event without any event.
    pub days_missing: Vec<String>,
    /// Log files whose events were read.
    pub log_files: u64,
    /// Log files that could not be read.
    pub log_files_rejected: u64,
    /// Records in readable log files that could not be decoded.
    pub records_rejected: u64,
    /// Event categories that are present at all, e.g. `Management`, `Data`.
    pub event_categories: Vec<String>,
    /// Services with data events, e.g. `s3.amazonaws.com`; empty means reads and writes of objects are invisible.
    pub data_event_services: Vec<String>,
    /// Whether the log files are those that AWS delivered, as far as that was checked.
    pub integrity: Integrity,
    /// What was there but was not read, by kind.
    pub not_read: Vec<NotRead>,
    /// Why the answer may be empty or partial although everything was read, one sentence each: an account or region that
    /// was asked for but is not in the log, a range of time in which the log has nothing.
    pub warnings: Vec<String>,
}

impl Coverage {
    /// Whether events may be missing because something could not be read.
    pub fn is_partial(&self) -> bool {
        self.records_rejected > 0 || self.not_read.iter().any(|part| part.kind.is_loss())
    }

    /// Whether there is nothing that an answer could rest on: no log file was found, or none could be read.
    pub fn is_void(&self) -> bool {
        self.log_files == 0 && self.events == 0
    }

    /// What was there but could not be read, in words, files before records; empty where nothing was lost.
    pub fn losses(&self) -> Vec<String> {
        let lost = self.not_read.iter().filter(|part| part.kind.is_loss());
        let records = match self.records_rejected {
            0 => None,
            1 => Some("1 record rejected".to_owned()),
            count => Some(format!("{count} records rejected")),
        };
        lost.map(NotRead::counted).chain(records).collect()
    }
}

/// What digest files say of the log files that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Integrity {
    /// Log files that were compared or not.
    pub log_files: u64,
    /// Whose hash is in a digest file that CloudTrail signed.
    pub valid: u64,
    /// Whose digest file could not be verified, or was still to come.
    pub not_verified: u64,
    /// That failed.
    pub failed: u64,
    /// That were read without a check.
    pub not_checked: u64,
    /// The first of those that failed, and how.
    pub examples: Vec<NotReadExample>,
}

impl Integrity {
    /// The word for a log file whose hash is in a digest file that CloudTrail signed.
    pub const VALID: &'static str = "valid";
    /// The word for one whose digest file could not be verified.
    pub const NOT_VERIFIED: &'static str = "not verified";
    /// The word for one whose digest file was still to come.
    pub const PENDING: &'static str = "no digest yet";

    /// Takes a log file into account, by the state that the ledger has of it. Any other word says how it failed.
    pub fn add(&mut self, log_file: &str, state: Option<&str>) {
        self.log_files += 1;
        match state {
            None => self.not_checked += 1,
            Some(Self::VALID) => self.valid += 1,
            Some(Self::NOT_VERIFIED | Self::PENDING) => self.not_verified += 1,
            Some(problem) => {
                self.failed += 1;
                self.examples.push(NotReadExample {
                    log_file: log_file.to_owned(),
                    reason: problem.to_owned(),
                });
                self.examples.sort_by(|a, b| a.log_file.cmp(&b.log_file));
                self.examples.truncate(3);
            }
        }
    }

    /// Whether a log file was compared with what its digest file says.
    pub fn is_checked(&self) -> bool {
        self.not_checked < self.log_files
    }
}

/// What was there but was not read, of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRead {
    /// Why it was not read.
    pub kind: NotReadKind,
    /// How many log files, objects or folders.
    pub count: u64,
    /// The first of them by name; the table `log_files` has all.
    pub examples: Vec<NotReadExample>,
}

impl NotRead {
    /// How many there are, in words.
    pub fn counted(&self) -> String {
        let (one, many) = match self.kind {
            NotReadKind::Rejected => ("log file rejected", "log files rejected"),
            NotReadKind::Unfetched => ("log file not fetched", "log files not fetched"),
            NotReadKind::Archived => ("archived object", "archived objects"),
            NotReadKind::Unreadable => {
                ("unreadable file or folder", "unreadable files and folders")
            }
            NotReadKind::Beside => (
                "file or folder beside the trail",
                "files and folders beside the trail",
            ),
            NotReadKind::Skipped => (
                "file or folder without events",
                "files and folders without events",
            ),
        };
        let count = self.count;
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// A file, an object or a folder that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotReadExample {
    /// URI or path.
    pub log_file: String,
    /// Why.
    pub reason: String,
}

/// Why something was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotReadKind {
    /// The content of a log file cannot be read.
    Rejected,
    /// A log file could not be fetched.
    Unfetched,
    /// An object is in an archive storage class and was not restored.
    Archived,
    /// A file or folder cannot be opened, or its path cannot be written down.
    Unreadable,
    /// It lies beside the trail that was asked for, and may hold events.
    Beside,
    /// It holds something else than events of CloudTrail.
    Skipped,
}

impl NotReadKind {
    /// Whether events may be missing because of it.
    pub fn is_loss(self) -> bool {
        self != Self::Skipped
    }
}
