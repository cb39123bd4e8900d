//! What became of a trail's digests and log files, as an answer.
//!
//! In: a [`Validation`]. Out: a [`Report`]. Promise: every failure is in it, whatever the detail that was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};

use super::{DigestState, LogFileState, Validation};
use crate::report::{FIT, Report, Section};

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
            line += &format!("; {pending} log files are so new that their digest is still to come");
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
            "not verified: newest digest. Its signature is in the metadata of the S3 object, which a copy has lost; the \
             others were checked with the signature that the next digest holds."
                .to_owned(),
        );
    }
    notes
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
    let names = || sums.keys().map(|chain| &validation.chains[*chain]);
    let count = |of: &dyn Fn(&Sum) -> i64| number(sums.values().map(of));
    table(
        ("chains", "Digest chains"),
        vec![
            (
                "account_id",
                text(names().map(|it| it.digests.account.as_str())),
            ),
            ("region", text(names().map(|it| it.digests.region.as_str()))),
            ("trail", text(names().map(|it| it.digests.trail.as_str()))),
            (
                "kind",
                text(names().map(|it| match it.digests.backfill {
                    true => "backfill",
                    false => "hourly",
                })),
            ),
            ("first_time", time(sums.values().map(|sum| sum.first))),
            ("last_time", time(sums.values().map(|sum| sum.last))),
            ("digests", count(&|sum| sum.digests[0])),
            ("digests_valid", count(&|sum| sum.digests[1])),
            ("digests_not_verified", count(&|sum| sum.digests[2])),
            ("digests_invalid", count(&|sum| sum.digests[3])),
            ("log_files", count(&|sum| sum.log_files[0])),
            ("log_files_valid", count(&|sum| sum.log_files[1])),
            ("log_files_not_verified", count(&|sum| sum.log_files[2])),
            ("log_files_failed", count(&|sum| sum.log_files[3])),
        ],
    )
}

fn findings(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = || validation.findings.iter();
    table(
        ("findings", "Findings"),
        vec![
            (
                "result",
                text(rows().map(|it| match it.problem.is_failure() {
                    true => "failed",
                    false => "note",
                })),
            ),
            ("problem", text(rows().map(|it| it.problem.as_str()))),
            ("file", text(rows().map(|it| it.file.as_str()))),
            ("detail", text(rows().map(|it| it.detail.as_str()))),
        ],
    )
}

fn logging(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = || validation.logging.iter();
    table(
        ("logging", "Calls that changed logging"),
        vec![
            ("event_time", time(rows().map(|it| Some(it.time)))),
            ("event_name", text(rows().map(|it| it.event_name.as_str()))),
            ("trail", text(rows().map(|it| it.trail.as_str()))),
            ("region", text(rows().map(|it| it.region.as_str()))),
            ("identity", text(rows().map(|it| it.by.as_str()))),
            ("event_id", text(rows().map(|it| it.event_id.as_str()))),
        ],
    )
}

fn digests(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = || validation.digests.iter();
    table(
        ("digests", "Digest files"),
        vec![
            ("state", text(rows().map(|it| it.state.as_str()))),
            (
                "start_time",
                time(rows().map(|it| it.span.map(|span| span.0))),
            ),
            (
                "end_time",
                time(rows().map(|it| it.span.map(|span| span.1))),
            ),
            ("log_files", number(rows().map(|it| it.log_files as i64))),
            ("file", text(rows().map(|it| it.file.as_str()))),
        ],
    )
}

fn log_files(validation: &Validation) -> Result<Section, ArrowError> {
    let rows = || validation.log_files.iter();
    table(
        ("log_files", "Log files"),
        vec![
            ("state", text(rows().map(|it| it.state.as_str()))),
            ("file", text(rows().map(|it| it.file.as_str()))),
        ],
    )
}

fn text<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn number(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn time(values: impl Iterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
    let micros = values.map(|time| time.map(|time| time.timestamp_micros()));
    let times: TimestampMicrosecondArray = micros.collect();
    Arc::new(times.with_timezone("UTC"))
}

fn table(
    (name, title): (&str, &str),
    columns: Vec<(&str, ArrayRef)>,
) -> Result<Section, ArrowError> {
    let field = |(name, array): &(&str, ArrayRef)| {
        // File names are what people act on: they are never cut.
        let fit = ["file", "detail"].contains(name);
        let metadata = fit.then(|| (FIT.to_owned(), "wrap".to_owned()));
        Field::new(*name, array.data_type().clone(), true)
            .with_metadata(metadata.into_iter().collect())
    };
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Section {
        name: name.to_owned(),
        title: title.to_owned(),
        schema,
        batches: vec![batch],
    })
}
