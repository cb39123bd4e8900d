//! Are these the log files that AWS delivered?
//!
//! In: a source with log files and digest files, CloudTrail's public keys. Out: a [`Validation`]: the state of each digest and
//! each log file, and every [`Finding`]. Promise: the whole algorithm, offline; each log file is read once; whatever was
//! changed, added, removed or put elsewhere is found and named, as far as what is there can show it, and what it cannot show
//! is "not verified", never "valid".
//!
//! ```text
//! gather: list, fetch digests ──▶ chain: signatures, links, gaps ──▶ log_files: hashes, files that no digest lists ──▶ answer
//! ```
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>

mod answer;
mod chain;
mod digest;
mod ends;
mod finding;
mod gather;
mod keys;
mod links;
#[cfg(feature = "live")]
pub mod live;
mod log_files;
mod logging;
mod place;
mod signatures;
mod unpack;

pub use answer::{Detail, report};
pub use chain::ChainName;
pub use digest::{DigestName, InvalidDigest};
pub use finding::{DigestState, Finding, LogFileState, Problem};
pub use gather::{Gathered, gather};
pub use keys::{KeysError, PublicKeys};
pub use log_files::{FileVerdict, ListedLogFiles};
pub use logging::LoggingChange;
pub use place::Original;
pub use signatures::{Signatures, SignaturesError};

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cloudtrail::Selection;
use crate::read::{Observer, ReadError};
use crate::source::Source;

/// Between the end of a digest's hour and the arrival of the next digest, with room to spare. Digests are made once per hour.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html>
const PATIENCE: TimeDelta = TimeDelta::hours(2);

/// What validating rests on.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// CloudTrail's public keys.
    pub keys: PublicKeys,
    /// Signatures of digest files whose own metadata is lost.
    pub signatures: Signatures,
    /// Where a copy was made from.
    pub original: Option<Original>,
    /// Only the digests of trails of this name count.
    pub trail_name: Option<String>,
}

/// How to go about it.
#[derive(Debug, Clone)]
pub struct ValidateOptions {
    /// Which part of the trail.
    pub selection: Selection,
    /// What it rests on.
    pub trust: Trust,
    /// Files to fetch at once.
    pub fetches: usize,
    /// The most JSON a log file or a digest file may have.
    pub max_json: u64,
    /// The present: what was delivered shortly before it has no digest yet.
    pub now: DateTime<Utc>,
}

/// One digest file.
#[derive(Debug, Clone)]
pub struct DigestResult {
    /// The file.
    pub file: String,
    /// Its chain, among [`Validation::chains`].
    pub chain: Option<usize>,
    /// Its time, as far as it could be read.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// What it turned out to be.
    pub state: DigestState,
    /// Log files that it lists.
    pub log_files: u64,
}

/// One log file.
#[derive(Debug, Clone)]
pub struct LogFileResult {
    /// The file, or the object that a digest names where there is none.
    pub file: String,
    /// The chain of the digest that lists it.
    pub chain: Option<usize>,
    /// What it turned out to be.
    pub state: LogFileState,
}

/// What became of a trail's digests and log files.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// The source's name.
    pub source: String,
    /// One for each account, region and trail.
    pub chains: Vec<ChainName>,
    /// Every digest in the range.
    pub digests: Vec<DigestResult>,
    /// Every log file in the range.
    pub log_files: Vec<LogFileResult>,
    /// What was found, failures first.
    pub findings: Vec<Finding>,
    /// Calls that stopped, started or changed logging.
    pub logging: Vec<LoggingChange>,
}

impl Validation {
    /// Whether nothing speaks against the digests and log files, and there are some.
    pub fn is_intact(&self) -> bool {
        !self.digests.is_empty() && self.failures().next().is_none()
    }

    /// What speaks against them.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.problem.is_failure())
    }
}

/// Follows the digests of a source and reads no log file: what they list, and what speaks against them, log files that are
/// not there included.
///
/// # Errors
///
/// Only what would meet every file.
pub async fn follow(
    source: &Arc<dyn Source>,
    options: &ValidateOptions,
    observer: &dyn Observer,
) -> Result<(ListedLogFiles, Vec<Finding>), ReadError> {
    let gathered = gather(source, options, observer).await?;
    let mut verified = chain::verify(gathered.digests, options);
    let listed = ListedLogFiles::new(&mut verified, options);
    let missing = listed.missing_among(&gathered.files);
    // Which calls stopped logging is not known before the log files are read: times without digests are for `validate`.
    let findings = gathered.findings.into_iter().chain(verified.findings);
    let findings = findings.chain(missing);
    let failures = findings.filter(|finding| finding.problem.is_failure());
    Ok((listed, finding::sorted(failures)))
}

/// Validates the digests and log files of a source.
///
/// # Errors
///
/// Only what would meet every file: the source cannot be listed, or refuses everything.
pub async fn validate(
    source: &Arc<dyn Source>,
    options: &ValidateOptions,
    observer: &dyn Observer,
) -> Result<Validation, ReadError> {
    let gathered = gather(source, options, observer).await?;
    validate_gathered(source, gathered, options, observer).await
}

/// Validates what was gathered from a source.
///
/// # Errors
///
/// Only what would meet every file.
pub async fn validate_gathered(
    source: &Arc<dyn Source>,
    gathered: Gathered,
    options: &ValidateOptions,
    observer: &dyn Observer,
) -> Result<Validation, ReadError> {
    let mut verified = chain::verify(gathered.digests, options);
    let listed = Arc::new(ListedLogFiles::new(&mut verified, options));
    let sorted = listed.sort(gathered.files);
    let checked = log_files::check(source, (&listed, sorted), (options, observer)).await?;
    ends::judge(&mut verified, &checked.logging, options);
    Ok(Validation {
        source: source.uri().to_owned(),
        findings: finding::sorted(
            gathered
                .findings
                .into_iter()
                .chain(verified.findings)
                .chain(checked.findings),
        ),
        chains: verified.chains,
        digests: verified.results,
        log_files: checked.results,
        logging: checked.logging,
    })
}
