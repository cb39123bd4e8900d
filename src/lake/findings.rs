//! What a check found, for whoever mends the lake.
//!
//! In: nothing. Out: [`Findings`]. Promise: what is wrong with which table, file and log file, without words.

use super::change::StoredFile;
use super::tables::TableName;
use std::collections::{BTreeSet, HashMap};

/// What a repair has to know.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) unreadable: Vec<TableName>,
    pub(super) missing: Vec<TableName>,
    /// Tables that have fewer rows than the ledger has counted.
    pub(super) short: Vec<TableName>,
    pub(super) bad: Vec<(TableName, StoredFile)>,
    /// Files of events whose summary of use is wrong.
    pub(super) summaries: Vec<StoredFile>,
    /// Log files whose row in the ledger counts other events than are there, by name: how many are there.
    pub(super) unequal: HashMap<String, u64>,
    /// Log files that have events but no row in the ledger.
    pub(super) unknown: BTreeSet<String>,
}
