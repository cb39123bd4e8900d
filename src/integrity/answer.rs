//! What became of a trail's digests and log files, as an answer.
//!
//! In: a [`Validation`]. Out: a [`Report`]. Promise: every failure is in it, whatever the detail that was asked for.

use std::collections::BTreeMap;

use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{DigestState, LogFileState, Validation};
use crate::report::table::{Column, Kind, section};
use crate::report::{Report, Section};

/// How much an answer lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// Chains and findings.
    #[default]
    Findings,
    /// Also each digest and each log file.
    Files,
}

/// The answer.
///
/// # Errors
///
/// Columns that cannot be put together.
pub fn report(validation: &Validation, detail: Detail) -> Result<Report, ArrowError> {
    let mut sections = vec![chains(validation)?, findings(validation)?];
    if !validation.logging.is_empty() {
        sections.push(logging(validation)?);
    }
    if detail == Detail::Files {
        sections.extend([digests(validation)?, log_files(validation)?]);
    }
    Ok(Report {
        name: "validate".to_owned(),
        title: format!("Log file integrity of {}", validation.source),
        sections,
        notes: notes(validation),
        coverage: None,
    })
}

impl Validation {
    /// How many digests are valid, not verified, invalid.
    fn digest_counts(&self) -> [usize; 3] {
        let count = |is: fn(DigestState) -> bool| {
            let states = self.digests.iter().map(|digest| digest.state);
            states.filter(|state| is(*state)).count()
        };
        [
            count(|state| state == DigestState::Valid),
            count(|state| matches!(state, DigestState::Unverified(_))),
            count(|state| state == DigestState::Invalid),
        ]
    }

    fn log_file_count(&self, is: fn(LogFileState) -> bool) -> usize {
        let states = self.log_files.iter().map(|file| file.state);
        states.filter(|state| is(*state)).count()
    }

    /// One line: what can be relied on.
    pub fn in_words(&self) -> String {
        let [valid, unverified, _] = self.digest_counts();
        let all = self.digests.len();
        let files = self.log_files.len();
        let valid_files = self.log_file_count(|state| state == LogFileState::Valid);
        let verdict = match (self.failures().count(), self.digests.is_empty()) {
            (0, true) => "not validated: no digest file was found".to_owned(),
            (0, false) => "intact".to_owned(),
            (1, _) => "failed: 1 finding".to_owned(),
            (failures, _) => format!("failed: {failures} findings"),
        };
        let mut line = format!(
            "{verdict}; valid: {valid} of {all} digests, {valid_files} of {files} log files"
        );
        let unverified_files = self.log_file_count(|state| state == LogFileState::Unverified);
        if unverified > 0 {
            line +=
                &format!("; not verified: {unverified} digests with {unverified_files} log files");
        }
        let pending = self.log_file_count(|state| state == LogFileState::Pending);
        if pending > 0 {
            line += &format!("; {pending} log files are too new to have a digest");
        }
        line
    }
}

fn notes(validation: &Validation) -> Vec<String> {
    let mut notes = vec![validation.in_words()];
    let newest = DigestState::Unverified("newest digest");
    if validation
        .digests
        .iter()
        .any(|digest| digest.state == newest)
    {
        notes.push(
            "not verified: newest digest. Its signature is in the metadata of the S3 object, which a copy does not \
             have; the other digests were checked with the signature stored in the next digest."
                .to_owned(),
        );
    }
    notes
}

/// File names are what people act on: they are never cut.
const WRAP: Option<&str> = Some("wrap");

const CHAINS: &[Column] = &[
    ("account_id", Kind::Text, None),
    ("region", Kind::Text, None),
    ("trail", Kind::Text, None),
    ("kind", Kind::Text, None),
    ("first_time", Kind::Time, None),
    ("last_time", Kind::Time, None),
    ("digests", Kind::Count, None),
    ("digests_valid", Kind::Count, None),
    ("digests_not_verified", Kind::Count, None),
    ("digests_invalid", Kind::Count, None),
    ("log_files", Kind::Count, None),
    ("log_files_valid", Kind::Count, None),
    ("log_files_not_verified", Kind::Count, None),
    ("log_files_failed", Kind::Count, None),
];

#[derive(Serialize)]
struct ChainRow<'a> {
    account_id: &'a str,
    region: &'a str,
    trail: &'a str,
    kind: &'static str,
    first_time: Option<DateTime<Utc>>,
    last_time: Option<DateTime<Utc>>,
    digests: i64,
    digests_valid: i64,
    digests_not_verified: i64,
    digests_invalid: i64,
    log_files: i64,
    log_files_valid: i64,
    log_files_not_verified: i64,
    log_files_failed: i64,
}

fn chains(validation: &Validation) -> Result<Section, ArrowError> {
    #[derive(Default)]
    struct Sum {
        first: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
        digests: [i64; 4],
        log_files: [i64; 4],
    }
    let mut sums: BTreeMap<usize, Sum> = BTreeMap::new();
    for digest in &validation.digests {
        let Some(chain) = digest.chain else { continue };
        let sum = sums.entry(chain).or_default();
        if let Some((start, end)) = digest.span {
            sum.first = Some(sum.first.map_or(start, |first| first.min(start)));
            sum.last = sum.last.max(Some(end));
        }
        sum.digests[0] += 1;
        sum.digests[match digest.state {
            DigestState::Valid => 1,
            DigestState::Unverified(_) => 2,
            DigestState::Invalid => 3,
        }] += 1;
    }
    for file in &validation.log_files {
        let sum = file.chain.and_then(|chain| sums.get_mut(&chain));
        if let Some(sum) = sum {
            sum.log_files[0] += 1;
            sum.log_files[match file.state {
                LogFileState::Valid => 1,
                LogFileState::Unverified | LogFileState::Pending => 2,
                LogFileState::Failed(_) => 3,
            }] += 1;
        }
    }
    let rows = sums.iter().map(|(chain, sum)| {
        let of = &validation.chains[*chain].digests;
        ChainRow {
            account_id: &of.account,
            region: &of.region,
            trail: &of.trail,
            kind: if of.backfill { "backfill" } else { "hourly" },
            first_time: sum.first,
            last_time: sum.last,
            digests: sum.digests[0],
            digests_valid: sum.digests[1],
            digests_not_verified: sum.digests[2],
            digests_invalid: sum.digests[3],
            log_files: sum.log_files[0],
            log_files_valid: sum.log_files[1],
            log_files_not_verified: sum.log_files[2],
            log_files_failed: sum.log_files[3],
        }
    });
    let rows: Vec<_> = rows.collect();
    section(("chains", "Digest chains"), CHAINS, &rows)
}

const FINDINGS: &[Column] = &[
    ("result", Kind::Text, None),
    ("problem", Kind::Text, None),
    ("file", Kind::Text, WRAP),
    ("detail", Kind::Text, WRAP),
];

#[derive(Serialize)]
struct FindingRow<'a> {
    result: &'static str,
    problem: &'static str,
    file: &'a str,
    detail: &'a str,
}

fn findings(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = validation.findings.iter().map(|of| FindingRow {
        result: match of.problem.is_failure() {
            true => "failed",
            false => "note",
        },
        problem: of.problem.as_str(),
        file: &of.file,
        detail: &of.detail,
    });
    let rows: Vec<_> = rows.collect();
    section(("findings", "Findings"), FINDINGS, &rows)
}

const LOGGING: &[Column] = &[
    ("event_time", Kind::Time, None),
    ("event_name", Kind::Text, None),
    ("trail", Kind::Text, None),
    ("region", Kind::Text, None),
    ("identity", Kind::Text, None),
    ("event_id", Kind::Text, None),
];

#[derive(Serialize)]
struct LoggingRow<'a> {
    event_time: DateTime<Utc>,
    event_name: &'a str,
    trail: &'a str,
    region: &'a str,
    identity: &'a str,
    event_id: &'a str,
}

fn logging(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = validation.logging.iter().map(|change| LoggingRow {
        event_time: change.time,
        event_name: &change.event_name,
        trail: &change.trail,
        region: &change.region,
        identity: &change.by,
        event_id: &change.event_id,
    });
    let rows: Vec<_> = rows.collect();
    section(("logging", "Calls that changed logging"), LOGGING, &rows)
}

const DIGESTS: &[Column] = &[
    ("state", Kind::Text, None),
    ("start_time", Kind::Time, None),
    ("end_time", Kind::Time, None),
    ("log_files", Kind::Count, None),
    ("file", Kind::Text, WRAP),
];

#[derive(Serialize)]
struct DigestRow<'a> {
    state: &'static str,
    start_time: Option<DateTime<Utc>>,
    end_time: Option<DateTime<Utc>>,
    log_files: u64,
    file: &'a str,
}

fn digests(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = validation.digests.iter().map(|digest| DigestRow {
        state: digest.state.as_str(),
        start_time: digest.span.map(|span| span.0),
        end_time: digest.span.map(|span| span.1),
        log_files: digest.log_files,
        file: &digest.file,
    });
    let rows: Vec<_> = rows.collect();
    section(("digests", "Digest files"), DIGESTS, &rows)
}

const LOG_FILES: &[Column] = &[("state", Kind::Text, None), ("file", Kind::Text, WRAP)];

#[derive(Serialize)]
struct LogFileRow<'a> {
    state: &'static str,
    file: &'a str,
}

fn log_files(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = validation.log_files.iter().map(|file| LogFileRow {
        state: file.state.as_str(),
        file: &file.file,
    });
    let rows: Vec<_> = rows.collect();
    section(("log_files", "Log files"), LOG_FILES, &rows)
}
