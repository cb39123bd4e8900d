//! What can be wrong with digests and log files.
//!
//! In: what the checks see. Out: a [`Finding`] for each thing, and the state of each file. Promise: each kind of forgery has a
//! name of its own, and a finding names the file.

/// What a digest turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestState {
    /// Signed by CloudTrail, and where it belongs.
    Valid,
    /// Nothing speaks against it, but its signature could not be checked, for this reason.
    Unverified(&'static str),
    /// Not the digest that CloudTrail delivered.
    Invalid,
}

impl DigestState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unverified(_) => "not verified",
            Self::Invalid => "invalid",
        }
    }
}

/// What a log file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFileState {
    /// Its hash is that of a valid digest.
    Valid,
    /// Its hash is that of a digest, but the digest is not valid or could not be verified.
    Unverified,
    /// It was delivered so recently that its digest is still to come.
    Pending,
    /// It failed, in this way.
    Failed(Problem),
}

impl LogFileState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unverified => "not verified",
            Self::Pending => "no digest yet",
            Self::Failed(problem) => problem.as_str(),
        }
    }
}

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// A digest whose content is not what was signed.
    DigestAltered,
    /// A digest that another one names, and that is not there.
    DigestMissing,
    /// A time that no digest covers, and nobody stopped logging.
    DigestGap,
    /// A chain that ends before the others of its trail, or before the range.
    ChainEndsEarly,
    /// A digest that no later digest names.
    DigestUnlinked,
    /// A digest in another place than the one it was written for.
    DigestMoved,
    /// A digest whose signature is not its own.
    DigestSignature,
    /// A digest of other algorithms than CloudTrail's.
    DigestAlgorithm,
    /// A digest that cannot be read.
    DigestDamaged,
    /// A digest with bytes behind its end.
    DigestPadded,
    /// A digest that could not be fetched.
    DigestUnread,
    /// A digest of a public key that was not given.
    KeyUnknown,
    /// A digest that is signed with the key of another region.
    KeyOfOtherRegion,
    /// A digest of a time in which its public key was not valid.
    KeyExpired,
    /// A log file whose content is not what a digest has the hash of.
    LogFileAltered,
    /// A log file that a digest lists, and that is not there.
    LogFileMissing,
    /// A log file that no digest lists.
    LogFileUnlisted,
    /// A log file that is cut off.
    LogFileTruncated,
    /// A log file with bytes behind its end.
    LogFilePadded,
    /// A log file that cannot be decompressed.
    LogFileDamaged,
    /// A log file that could not be fetched.
    LogFileUnread,
    /// The time between two digests that name each other; no failure.
    LoggingPaused,
    /// The beginning of a chain; no failure.
    ChainBegins,
    /// A digest whose signature could not be checked; no failure.
    NotVerified,
    /// The chain goes on in a bucket that was not read; no failure.
    OtherBucket,
}

impl Problem {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DigestAltered => "digest altered",
            Self::DigestMissing => "digest missing",
            Self::DigestGap => "time without digests",
            Self::ChainEndsEarly => "chain ends early",
            Self::DigestUnlinked => "digest not in the chain",
            Self::DigestMoved => "digest in another place",
            Self::DigestSignature => "signature of another digest",
            Self::DigestAlgorithm => "digest of other algorithms",
            Self::DigestDamaged => "digest damaged",
            Self::DigestPadded => "digest with bytes after its end",
            Self::DigestUnread => "digest not read",
            Self::KeyUnknown => "public key unknown",
            Self::KeyOfOtherRegion => "public key of another region",
            Self::KeyExpired => "public key not valid at the time",
            Self::LogFileAltered => "log file altered",
            Self::LogFileMissing => "log file missing",
            Self::LogFileUnlisted => "log file in no digest",
            Self::LogFileTruncated => "log file truncated",
            Self::LogFilePadded => "log file with bytes after its end",
            Self::LogFileDamaged => "log file damaged",
            Self::LogFileUnread => "log file not read",
            Self::LoggingPaused => "logging paused",
            Self::ChainBegins => "chain begins",
            Self::NotVerified => "digest not verified",
            Self::OtherBucket => "chain goes on in another bucket",
        }
    }

    /// Whether it speaks against the trail.
    pub fn is_failure(self) -> bool {
        !matches!(
            self,
            Self::LoggingPaused | Self::ChainBegins | Self::NotVerified | Self::OtherBucket
        )
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub problem: Problem,
    /// The file or object it is about.
    pub file: String,
    /// What was seen.
    pub detail: String,
}

impl Finding {
    pub(super) fn new(
        problem: Problem,
        file: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            problem,
            file: file.into(),
            detail: detail.into(),
        }
    }
}

/// Failures first, each kind together, in the order of files.
pub(super) fn sorted(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = findings.collect();
    findings.sort_by(|a, b| {
        let key = |it: &Finding| (!it.problem.is_failure(), it.problem);
        key(a).cmp(&key(b)).then_with(|| a.file.cmp(&b.file))
    });
    findings.dedup();
    findings
}
