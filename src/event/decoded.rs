//! What became of a log file.
//!
//! In: nothing. Out: [`Decoded`], which the decoder fills in. Promise: accounts for every record of the file.

use super::fault::{FileFault, RejectKind};
use super::summary::Summary;
use serde::{Deserialize, Serialize};

/// What became of a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its records were read.
    Read,
    /// It is no log file of events, but something known.
    Skipped(String),
    /// It could not be read; none of its records was kept.
    Rejected(FileFault),
}

/// A record that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Its position in the log file, from 0.
    pub record: u64,
    /// What to count it as.
    pub kind: RejectKind,
    /// Why, in words.
    pub reason: String,
    /// Its text.
    pub text: String,
}

/// The account of one log file.
#[derive(Debug)]
pub struct Decoded {
    /// What became of it.
    pub outcome: Outcome,
    /// Records read, rejected ones included.
    pub records: u64,
    /// How many of them could not be decoded.
    pub rejected: u64,
    /// Those records, or the first of them if there are very many.
    pub rejects: Vec<Reject>,
    /// Bytes of JSON.
    pub json_bytes: u64,
    /// What is odd about a file that could be read.
    pub remark: Option<String>,
    /// What its events are about.
    pub summary: Summary,
}
