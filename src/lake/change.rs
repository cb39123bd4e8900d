//! What a commit changes, and what others changed.
//!
//! In: files and numbers. Out: what [`Table::commit`](super::table::Table::commit) takes and gives. Promise: nothing here reads or
//! writes.

use super::writer::DataFile;
use chrono::NaiveDate;
use deltalake_core::kernel::{Add, Remove};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use std::collections::{HashMap, HashSet};

/// A file of a table, as the Delta log has it.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    /// Relative to the table.
    pub(crate) path: String,
    pub(crate) size: u64,
    /// The partition of a file of events.
    pub(crate) date: Option<NaiveDate>,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Earliest and latest `event_time`; everything where the log does not say.
    pub(crate) times: (i64, i64),
}

impl StoredFile {
    /// A file as the log will have it once it is committed.
    pub(crate) fn new(add: &Add, file: &DataFile) -> Self {
        Self {
            path: add.path.clone(),
            size: file.bytes.len() as u64,
            date: file.date,
            rows: file.rows,
            times: file.times.unwrap_or((i64::MIN, i64::MAX)),
        }
    }
}

/// What a commit is to change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// Files that become part of the table.
    pub(crate) adds: Vec<Add>,
    /// Files that are no longer part of it.
    pub(crate) removes: Vec<Remove>,
    /// Numbers that the table keeps, by name, e.g. how many events the ledger has seen stored.
    pub(crate) numbers: Vec<(&'static str, u64)>,
    /// Whether rows come or go; if not, the same rows are only kept in other files.
    pub(crate) rearranges: bool,
}

impl Change {
    /// Files become part of the table.
    pub(crate) fn add(adds: Vec<Add>) -> Self {
        Self {
            adds,
            ..Self::default()
        }
    }

    pub(super) fn operation(&self) -> DeltaOperation {
        match (self.rearranges, self.adds.is_empty()) {
            (true, _) => DeltaOperation::Optimize {
                predicate: None,
                target_size: 0,
            },
            (false, true) if !self.removes.is_empty() => DeltaOperation::Delete { predicate: None },
            (false, _) => DeltaOperation::Write {
                mode: SaveMode::Append,
                partition_by: None,
                predicate: None,
            },
        }
    }
}

/// What came of a commit.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// Whether our change is made. If not, somebody else was faster, and nothing of ours is.
    pub(crate) done: bool,
    /// What others did, before us or right after, that was not looked at yet.
    pub(crate) others: Others,
}

/// What other writers did since the last look.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// Files they added, in order; some may be among those they removed later.
    pub(crate) added: Vec<StoredFile>,
    /// The paths of files they removed.
    pub(crate) removed: HashSet<String>,
}

/// A file as an action or the snapshot describes it.
pub(super) fn stored(
    path: &str,
    (size, partitions): (i64, &HashMap<String, Option<String>>),
    stats: Option<&str>,
) -> StoredFile {
    let stats: serde_json::Value = stats
        .and_then(|stats| serde_json::from_str(stats).ok())
        .unwrap_or(serde_json::Value::Null);
    let time = |bound: &str| {
        let text = stats.get(bound)?.get("event_time")?.as_str()?;
        Some(
            chrono::DateTime::parse_from_rfc3339(text)
                .ok()?
                .timestamp_micros(),
        )
    };
    StoredFile {
        path: path.to_owned(),
        size: size.max(0) as u64,
        date: partitions
            .values()
            .flatten()
            .find_map(|value| value.parse().ok()),
        rows: stats
            .get("numRecords")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default(),
        times: (
            time("minValues").unwrap_or(i64::MIN),
            time("maxValues").unwrap_or(i64::MAX),
        ),
    }
}
