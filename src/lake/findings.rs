//! What a check found.
//!
//! In: nothing. Out: [`Fault`]s, for people; [`Findings`], for whoever mends the lake. Promise: what is wrong with which table, file
//! and log file.

use super::change::StoredFile;
use super::tables::TableName;
use std::collections::{BTreeSet, HashMap};

/// A table that was looked at.
#[derive(Debug, Clone)]
pub struct CheckedTable {
    /// Which.
    pub table: TableName,
    /// Its files.
    pub files: u64,
    /// Those whose name tells what their bytes must be: their hash was compared.
    pub hashed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In which table.
    pub table: TableName,
    /// The file, or the log file, if it is about one.
    pub file: Option<String>,
    /// What is wrong.
    pub problem: String,
}

/// What a repair has to know.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) unreadable: Vec<TableName>,
    pub(super) missing: Vec<TableName>,
    /// Tables that have fewer rows than the ledger has counted.
    pub(super) short: Vec<TableName>,
    /// How many rows the ledger has counted in the table of rejects, if it has fewer.
    pub(super) rejects: Option<u64>,
    pub(super) bad: Vec<(TableName, StoredFile)>,
    /// Files that are whole, and of which the log says something else.
    pub(super) mislabelled: Vec<(TableName, StoredFile)>,
    /// Files of events whose summary of use is wrong.
    pub(super) summaries: Vec<StoredFile>,
    /// Log files whose row in the ledger counts other events than are there, by name: how many are there.
    pub(super) unequal: HashMap<String, u64>,
    /// Log files that have events but no row in the ledger.
    pub(super) unknown: BTreeSet<String>,
}
