//! How many events there are of each log file: in the table of events, and by the account of the ledger.
//!
//! In: a table, and the log files asked for. Out: a [`Count`] each. Promise: a file is read once, however often it is asked
//! about, and only if its events can be those of the log files.

use super::LakeError;
use super::change::StoredFile;
use super::ledger::identity;
use super::reader::{Folder, read_columns};
use super::table::Table;
use super::tables::TableName;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::collections::HashMap;

/// Log files by the identity of their names, with the earliest and latest time that their events can have.
pub(super) type Wanted = HashMap<u128, (i64, i64)>;

/// All times.
pub(super) const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

/// What a table has of a log file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    /// Its rows.
    pub(super) rows: u64,
    /// The events that these stand for.
    pub(super) events: u64,
}

type Counts = HashMap<u128, Count>;

/// The counts of the files that were read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    by_file: HashMap<String, Counts>,
}

impl Tally {
    /// What the table, as it was last looked at, has of these log files.
    pub(super) async fn of(&mut self, table: &Table, wanted: &Wanted) -> Result<Counts, LakeError> {
        let folder = table.folder();
        let mut sums = Counts::new();
        let mut used = HashMap::new();
        for file in table.files()? {
            let overlaps =
                |(first, last): &(i64, i64)| file.times.0 <= *last && *first <= file.times.1;
            if !wanted.values().any(overlaps) {
                continue;
            }
            let counts = match self.by_file.remove(&file.path) {
                Some(counts) => counts,
                None => read(&folder, &file).await?,
            };
            for name in wanted.keys() {
                if let Some(count) = counts.get(name) {
                    let sum = sums.entry(*name).or_default();
                    sum.rows += count.rows;
                    sum.events += count.events;
                }
            }
            used.insert(file.path, counts);
        }
        // What was of no use now is of days that are done.
        self.by_file = used;
        Ok(sums)
    }

    /// Whether one of these log files is in a file that was looked at.
    pub(super) fn has(&self, path: &str, mut names: impl Iterator<Item = u128>) -> bool {
        let counts = self.by_file.get(path);
        counts.is_some_and(|counts| names.any(|name| counts.contains_key(&name)))
    }
}

async fn read(folder: &Folder, file: &StoredFile) -> Result<Counts, LakeError> {
    let columns: &[&str] = match folder.table {
        TableName::LogFiles => &["log_file", "stored"],
        _ => &["log_file"],
    };
    let mut counts = Counts::new();
    for batch in read_columns(folder, file, columns).await? {
        let stored = batch.column_by_name("stored");
        let stored = stored.map(|stored| stored.as_primitive::<Int64Type>().values());
        let names = batch.column(0).as_string::<i32>().iter();
        let mut by_name = HashMap::<&str, Count>::new();
        for (row, name) in names.enumerate() {
            let count = by_name.entry(name.unwrap_or_default()).or_default();
            count.rows += 1;
            count.events += stored.map_or(1, |stored| stored[row] as u64);
        }
        for (name, count) in by_name {
            let sum = counts.entry(identity(&[name], 0)).or_default();
            sum.rows += count.rows;
            sum.events += count.events;
        }
    }
    Ok(counts)
}
