//! What became of each log file.
//!
//! In: a log file as listed, and how reading it went. Out: a [`LogFileRow`], and a [`RejectRow`] for each record that could
//! not be decoded. Promise: the row is the same whether it goes into a lake's ledger or is asked without a lake.

use super::Stop;
use crate::cloudtrail::{LogFileKey, sha256_unless};
use crate::event::{Decoded, Outcome, Reject, RejectKind, Summary};
use crate::report::NotReadKind;
use crate::source::{LogFile, SkipReason, Skipped, SourceError, key_of};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What became of a log file in one attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogFileOutcome {
    /// Its events were read.
    #[default]
    Stored,
    /// It holds something else than events.
    Skipped,
    /// Its content cannot be read.
    Rejected,
    /// It could not be fetched; the next run tries again.
    Unfetched,
    /// It is in an archive storage class and was not restored.
    Archived,
    /// A file or folder that cannot be opened, or whose path cannot be written down.
    Unreadable,
    /// It lies beside the trail that was asked for, and may hold events.
    Beside,
    /// What kept it from being read is gone: it can be listed now.
    Listed,
}

impl LogFileOutcome {
    /// The value of the column `outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            LogFileOutcome::Stored => "stored",
            LogFileOutcome::Skipped => "skipped",
            LogFileOutcome::Rejected => "rejected",
            LogFileOutcome::Unfetched => "unfetched",
            LogFileOutcome::Archived => "archived",
            LogFileOutcome::Unreadable => "unreadable",
            LogFileOutcome::Beside => "beside",
            LogFileOutcome::Listed => "listed",
        }
    }

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        const ALL: [LogFileOutcome; 8] = [
            LogFileOutcome::Stored,
            LogFileOutcome::Skipped,
            LogFileOutcome::Rejected,
            LogFileOutcome::Unfetched,
            LogFileOutcome::Archived,
            LogFileOutcome::Unreadable,
            LogFileOutcome::Beside,
            LogFileOutcome::Listed,
        ];
        ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Why it was not read, if it was not.
    pub fn not_read(self) -> Option<NotReadKind> {
        match self {
            LogFileOutcome::Stored | LogFileOutcome::Listed => None,
            LogFileOutcome::Skipped => Some(NotReadKind::Skipped),
            LogFileOutcome::Rejected => Some(NotReadKind::Rejected),
            LogFileOutcome::Unfetched => Some(NotReadKind::Unfetched),
            LogFileOutcome::Archived => Some(NotReadKind::Archived),
            LogFileOutcome::Unreadable => Some(NotReadKind::Unreadable),
            LogFileOutcome::Beside => Some(NotReadKind::Beside),
        }
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LogFileRow {
    /// URI or path.
    pub log_file: String,
    /// As listed.
    pub etag: String,
    /// Bytes as stored in the source.
    pub size_bytes: u64,
    /// SHA-256 of those bytes, in hexadecimal; none when they could not be fetched.
    pub sha256: Option<String>,
    /// What became of it.
    pub outcome: LogFileOutcome,
    /// Why it was not stored, or what is odd about it.
    pub reason: Option<String>,
    /// What to count it as, if it was rejected. Not kept in a lake.
    pub rejected_as: Option<RejectKind>,
    /// Bytes of JSON.
    pub json_bytes: u64,
    /// Records read.
    pub events: u64,
    /// Records that were new.
    pub stored: u64,
    /// Records whose event was known already.
    pub duplicates: u64,
    /// Records that could not be decoded.
    pub rejected: u64,
    /// The account in its path.
    pub account_id: Option<String>,
    /// The region in its path.
    pub region: Option<String>,
    /// The day in its path.
    pub log_date: Option<NaiveDate>,
    /// What digest files say of it, if it was compared.
    pub integrity: Option<String>,
    /// What its events are about.
    pub summary: Summary,
}

impl LogFileRow {
    /// The row of a log file as it was listed: name, ETag, size, and what its path says.
    pub fn listed(log_file: &LogFile) -> Self {
        Self {
            log_file: log_file.uri.clone(),
            etag: log_file.etag.clone(),
            size_bytes: log_file.size,
            ..Self::of(log_file.key())
        }
    }

    /// What a path says.
    fn of(key: Option<LogFileKey>) -> Self {
        Self {
            account_id: key.as_ref().map(|key| key.account.to_string()),
            log_date: key.as_ref().map(|key| key.date),
            region: key.map(|key| key.region),
            ..Self::default()
        }
    }

    /// The row of what a listing left out.
    pub fn skipped(skipped: &Skipped) -> Self {
        let is_unread = skipped.reason.is_unread();
        // Whose calls are missing, and of which day.
        let key = is_unread.then(|| key_of(&skipped.uri)).flatten();
        Self {
            log_file: skipped.uri.clone(),
            outcome: match skipped.reason {
                SkipReason::Archived(_) => LogFileOutcome::Archived,
                SkipReason::BesideTrail => LogFileOutcome::Beside,
                _ if is_unread => LogFileOutcome::Unreadable,
                _ => LogFileOutcome::Skipped,
            },
            reason: Some(skipped.reason.to_string()),
            ..Self::of(key)
        }
    }

    /// The row of something that was left out before and is listed now.
    pub fn listed_again(name: String) -> Self {
        Self {
            log_file: name,
            outcome: LogFileOutcome::Listed,
            ..Self::default()
        }
    }

    /// Its bytes are here; whether there was time to hash them.
    pub fn fetched(&mut self, bytes: &[u8], stop: &Stop) -> bool {
        self.sha256 = sha256_unless(bytes, &|| stop.requested());
        self.sha256.is_some()
    }

    /// It could not be fetched.
    pub fn unfetched(&mut self, error: &SourceError) {
        self.outcome = match error {
            SourceError::Archived { .. } => LogFileOutcome::Archived,
            SourceError::TooLarge { .. } => LogFileOutcome::Rejected,
            _ => LogFileOutcome::Unfetched,
        };
        self.reason = Some(error.to_string());
    }

    /// It was decoded; gives what could not be. Which of its events are new is for others to say.
    pub fn decoded(&mut self, decoded: Decoded) -> Vec<Reject> {
        (self.outcome, self.reason) = match decoded.outcome {
            Outcome::Read => (LogFileOutcome::Stored, decoded.remark),
            Outcome::Skipped(what) => (LogFileOutcome::Skipped, Some(what)),
            Outcome::Rejected(why) => {
                self.rejected_as = Some(why.kind());
                (LogFileOutcome::Rejected, Some(why.to_string()))
            }
        };
        self.json_bytes = decoded.json_bytes;
        self.events = decoded.records;
        self.rejected = decoded.rejected;
        self.summary = decoded.summary;
        decoded.rejects
    }
}

/// A record that could not be decoded, and where it stood.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RejectRow {
    /// URI or path of the log file.
    pub log_file: String,
    /// The record.
    pub reject: Reject,
}
