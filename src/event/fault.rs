//! Why a log file cannot be read.
//!
//! In: what went wrong between its bytes and its records. Out: a [`FileFault`] in words, and a [`RejectKind`] to count by.
//! Promise: every rejected log file and record has exactly one kind.

use super::gzip::TextFault;
use super::record::RecordFault;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A single JSON value in a long text must not be larger than this.
pub(super) const LONGEST_VALUE: usize = 64 << 20;

/// Why a log file is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It is in another format, which is known.
    #[error("{0}, not gzip or JSON")]
    Format(&'static str),
    /// It is text of a kind that is known and cannot be read.
    #[error("{what}: {instead}")]
    Refused {
        /// What it is.
        what: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// The compressed data is damaged.
    #[error("broken {format} data: {why}")]
    Damaged {
        /// What it was compressed with.
        format: &'static str,
        /// What is wrong, and what is missing.
        why: String,
        /// How much text is sound before the damage.
        sound: u64,
    },
    /// The compressed data ends too early.
    #[error("the compressed data ends too early, after {byte} bytes of text: the rest is missing")]
    CutGzip {
        /// How much text there is.
        byte: u64,
    },
    /// An archive that cannot be read to its end.
    #[error("a broken archive: {0}")]
    Archive(String),
    /// Its text is larger than allowed.
    #[error("more than {limit} bytes of JSON when decompressed")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It is text, but not JSON.
    #[error("neither gzip nor JSON")]
    NotJson,
    /// There is nothing but white space.
    #[error("no JSON in it")]
    NoJson,
    /// The JSON is broken.
    #[error("broken JSON at byte {byte}, in record {record}: what follows was not read")]
    BrokenJson {
        /// Where, from the start of the text.
        byte: u64,
        /// In which record, from 0.
        record: u64,
    },
    /// What follows the records is broken.
    #[error("broken JSON after the list of records")]
    AfterRecords,
    /// The text ends within a record or list.
    #[error(
        "the JSON text ends too early, at byte {byte}, in record {record}: the rest is missing"
    )]
    CutOff {
        /// Where the text ends.
        byte: u64,
        /// In which record, from 0.
        record: u64,
    },
    /// A value is too large to be held.
    #[error("a JSON value of more than {LONGEST_VALUE} bytes")]
    LongValue,
    /// It is sound JSON, but about something else.
    #[error("no CloudTrail event in it: objects with the fields {fields}")]
    NoEvents {
        /// The first fields of its first object.
        fields: String,
    },
    /// None of its records can be read.
    #[error("{}: {reason}", none_of(*records))]
    NoRecord {
        /// How many there are.
        records: u64,
        /// What is wrong with the first.
        reason: String,
    },
    /// Among very many records, none is an event.
    #[error("no event among its first {records} records")]
    OnlyRejects {
        /// How many records were looked at.
        records: u64,
    },
    /// Reading was to end: it says nothing about the file.
    #[error("not read to its end: stopped")]
    Stopped,
    /// A long file was sound once, but not when it was read again.
    #[error("the file could not be read a second time")]
    NotTwice,
}

impl FileFault {
    /// Whether the events before the fault are good. A wrong checksum says that some byte is wrong, but not which.
    pub(crate) fn keeps_events(&self) -> bool {
        match self {
            Self::BrokenJson { .. }
            | Self::AfterRecords
            | Self::CutOff { .. }
            | Self::CutGzip { .. }
            | Self::Archive(_)
            | Self::Damaged { .. }
            | Self::NotJson
            | Self::LongValue => true,
            Self::Empty
            | Self::Format(_)
            | Self::Refused { .. }
            | Self::NoRecord { .. }
            | Self::TooLarge { .. }
            | Self::NoJson
            | Self::NoEvents { .. }
            | Self::OnlyRejects { .. }
            | Self::Stopped
            | Self::NotTwice => false,
        }
    }

    /// Whether nothing more is to be read, also not in another part of the file.
    pub(crate) fn ends_reading(&self) -> bool {
        matches!(self, Self::OnlyRejects { .. } | Self::Stopped)
    }

    /// What to count it as.
    pub fn kind(&self) -> RejectKind {
        match self {
            Self::Empty | Self::NoJson => RejectKind::Empty,
            Self::Format(_) | Self::Refused { .. } => RejectKind::Format,
            Self::Damaged { .. } | Self::NotTwice | Self::Archive(_) => RejectKind::Damaged,
            Self::TooLarge { .. } | Self::LongValue => RejectKind::TooLarge,
            Self::NotJson => RejectKind::NotJson,
            Self::BrokenJson { .. } | Self::AfterRecords => RejectKind::BrokenJson,
            Self::CutOff { .. } | Self::CutGzip { .. } | Self::Stopped => RejectKind::CutOff,
            Self::NoEvents { .. } | Self::OnlyRejects { .. } | Self::NoRecord { .. } => {
                RejectKind::NoEvents
            }
        }
    }
}

fn none_of(records: u64) -> String {
    match records {
        1 => "its only record cannot be read".to_owned(),
        records => format!("none of its {records} records can be read; the first"),
    }
}

impl From<TextFault> for FileFault {
    fn from(fault: TextFault) -> Self {
        match fault {
            TextFault::Empty => Self::Empty,
            TextFault::Damaged { format, why, sound } => Self::Damaged { format, why, sound },
            TextFault::Cut => Self::CutGzip { byte: 0 },
            TextFault::TooLarge { limit } => Self::TooLarge { limit },
            TextFault::Format(format) => Self::Format(format),
        }
    }
}

impl RecordFault {
    /// What to count it as.
    pub(crate) fn kind(&self) -> RejectKind {
        match self {
            Self::Json(_) => RejectKind::BrokenJson,
            Self::Encoding => RejectKind::Encoding,
            Self::NoTime | Self::BadTime(_) | Self::OddTime(_) => RejectKind::Time,
            Self::NotAnEvent | Self::Refused(_) => RejectKind::NoEvents,
        }
    }
}

/// The kinds of faults that log files and records are rejected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RejectKind {
    /// Nothing in it.
    Empty,
    /// Another file format.
    Format,
    /// Damaged compressed data, or a damaged archive.
    Damaged,
    /// Larger than allowed.
    TooLarge,
    /// Text that is not JSON.
    NotJson,
    /// JSON with a syntax error.
    BrokenJson,
    /// JSON that ends too early.
    CutOff,
    /// Text that is not UTF-8.
    Encoding,
    /// An event without a time that can be read.
    Time,
    /// Something else than CloudTrail events.
    NoEvents,
}

impl fmt::Display for RejectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Format => "another file format",
            Self::Damaged => "damaged data",
            Self::TooLarge => "too large",
            Self::NotJson => "not JSON",
            Self::BrokenJson => "broken JSON",
            Self::CutOff => "cut off",
            Self::Encoding => "not UTF-8",
            Self::Time => "no event time",
            Self::NoEvents => "no CloudTrail events",
        })
    }
}
