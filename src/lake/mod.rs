//! How are events kept?
//!
//! In: packed parcels. Out: three Delta tables that any engine reads: `events` (every event once, by day), `log_files` (the
//! ledger), `rejects`. Promise: an event is stored once, whatever is ingested how often and by how many at once; a killed
//! run leaves nothing half-done.
//!
//! ```text
//! Packed ──commit──▶ events ─▶ rejects ─▶ log_files      each a Delta commit on top of the version last looked at
//!    ▲                 │
//!   seen ◀─────────────┘  which events the lake has: asked before packing, told after each commit
//! ```

mod brought;
mod change;
mod check;
mod checksum;
mod commit;
mod compact;
mod coverage;
mod damage;
mod distinct;
mod durable;
mod error;
mod faults;
mod files;
mod findings;
mod forget;
mod key_uses;
mod last_commit;
mod ledger;
mod ledger_commit;
mod ledger_rewrite;
mod location;
mod look;
mod mend;
mod mend_row;
mod merge;
mod names;
mod patient;
mod reader;
mod recover;
mod rejects;
mod scan;
mod sealed;
mod seen;
mod stats;
mod table;
mod tables;
mod tally;
mod uses;
mod vacuum;
mod watch;
mod writer;
mod written;

pub use brought::write_events;
pub use check::{Checked, check};
pub use commit::Packed;
pub use compact::Compacted;
pub use damage::Damage;
pub(crate) use damage::causes;
pub(crate) use durable::write as write_durably;
pub use error::LakeError;
pub use findings::{CheckedTable, Fault};
pub use forget::Forgotten;
pub use ledger::Known;
pub use location::Location;
pub use mend::{Mended, mend};
pub use names::ParcelId;
pub use scan::{Scannable, ScannableFile};
pub use seen::{Pins, Seen};
pub use stats::{Stats, TableStats};
pub use tables::TableName;
pub use uses::key_uses_schema;
pub use vacuum::Orphans;
pub use writer::DataFile;
pub use written::Written;

use crate::read::{LogFileRow, RejectRow};
use arrow::array::RecordBatch;
use damage::MISSING;
use deltalake_core::DeltaTable;
use ledger_commit::Entries;
use std::collections::HashSet;
use table::Table;
use tally::Tally;

/// A lake, at the version that was last looked at.
#[derive(Debug)]
pub struct Lake {
    location: Location,
    events: Table,
    rejects: Table,
    log_files: Table,
    /// The records in `rejects`, once there was a need to know.
    rejected: Option<HashSet<u128>>,
    /// Rows of the ledger that matter to those that follow.
    entries: Entries,
    /// Events by log file: those that are there, and those that the ledger counts.
    in_events: Tally,
    in_ledger: Tally,
}

/// The numbers by which the ledger is bound to the other tables: how many rows they had when it was last written to. A table
/// that has fewer has lost some.
const COUNTED: [(TableName, &str); 2] = [
    (TableName::Events, "keytrail.events"),
    (TableName::Rejects, "keytrail.rejects"),
];

/// The number of rows that a table no longer has because its owner asked for it.
pub(crate) const FORGOTTEN: &str = "keytrail.forgotten";

impl Lake {
    /// Opens the lake at a location.
    ///
    /// # Errors
    ///
    /// There is no lake, a table is missing, cannot be read, or has fewer rows than the ledger has counted.
    pub async fn open(location: &Location) -> Result<Self, LakeError> {
        let last = Table::last_commit(location).await?;
        // The ledger first: what it has counted was in the other tables before.
        let log_files = Table::open(location, TableName::LogFiles).await?;
        let rejects = Table::open(location, TableName::Rejects).await?;
        let events = Table::open(location, TableName::Events).await?;
        let (Some(events), Some(rejects), Some(log_files)) = (&events, &rejects, &log_files) else {
            return Err(missing(location, [&events, &rejects, &log_files])?);
        };
        if let Some(file) = log_files.lost_commit(last) {
            return Err(LakeError::Unreadable {
                lake: location.name(),
                table: log_files.name.as_str(),
                fault: Some((file, MISSING.to_owned())),
            });
        }
        let mut lake = Self::of(location, [events, rejects, log_files].map(Table::clone));
        lake.compare().await?;
        Ok(lake)
    }

    /// Opens the lake at a location, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// Those of [`Lake::open`], and data files that are missing or cut.
    pub async fn open_or_create(location: &Location) -> Result<Self, LakeError> {
        let lake = match Self::open(location).await {
            Ok(lake) => lake,
            Err(LakeError::Missing { .. }) => Self::create(location).await?,
            Err(error) => return Err(error),
        };
        lake.compare_files().await?;
        Ok(lake)
    }

    /// Makes the tables that are missing.
    pub(crate) async fn create(location: &Location) -> Result<Self, LakeError> {
        // The ledger last: without it, there is no lake yet.
        let events = Table::open_or_create(location, TableName::Events).await?;
        let rejects = Table::open_or_create(location, TableName::Rejects).await?;
        let log_files = Table::open_or_create(location, TableName::LogFiles).await?;
        Ok(Self::of(location, [events, rejects, log_files]))
    }

    fn of(location: &Location, [events, rejects, log_files]: [Table; 3]) -> Self {
        Self {
            location: location.clone(),
            events,
            rejects,
            log_files,
            rejected: None,
            entries: Entries::default(),
            in_events: Tally::default(),
            in_ledger: Tally::default(),
        }
    }

    /// Compares the tables with what the ledger has counted.
    async fn compare(&mut self) -> Result<(), LakeError> {
        for (name, number) in COUNTED {
            let Some(counted) = self.log_files.number(number).await? else {
                continue;
            };
            let lake = self.name();
            let table = self.table_mut(name);
            let mut rows = table.rows()?;
            if rows < counted {
                rows += table.number(FORGOTTEN).await?.unwrap_or_default();
            }
            if rows < counted {
                return Err(LakeError::Lost {
                    lake,
                    table: name.as_str(),
                    counted,
                    rows,
                });
            }
        }
        Ok(())
    }

    /// What the ledger is to count.
    async fn counted(&mut self) -> Result<Vec<(&'static str, u64)>, LakeError> {
        let mut numbers = Vec::new();
        for (name, number) in COUNTED {
            let table = self.table_mut(name);
            let rows = table.rows()? + table.number(FORGOTTEN).await?.unwrap_or_default();
            numbers.push((number, rows));
        }
        Ok(numbers)
    }

    fn table(&self, name: TableName) -> &Table {
        match name {
            TableName::Events => &self.events,
            TableName::LogFiles => &self.log_files,
            TableName::Rejects => &self.rejects,
        }
    }

    fn table_mut(&mut self, name: TableName) -> &mut Table {
        match name {
            TableName::Events => &mut self.events,
            TableName::LogFiles => &mut self.log_files,
            TableName::Rejects => &mut self.rejects,
        }
    }

    /// The lake's place, as a person would write it.
    pub fn name(&self) -> String {
        self.location.name()
    }

    /// A table, for an engine to read.
    pub fn delta(&self, name: TableName) -> &DeltaTable {
        self.table(name).delta()
    }

    /// Which events the lake has.
    pub async fn seen(&self) -> Result<Seen, LakeError> {
        let files = self.events.files()?;
        let ledger = self.log_files.files()?;
        let settled = ledger.iter().filter_map(|file| names::parcel(&file.path));
        Seen::new(self.events.folder(), files, settled.collect()).await
    }
}

/// What it means that one of a lake's tables is not there.
fn missing(location: &Location, tables: [&Option<Table>; 3]) -> Result<LakeError, LakeError> {
    let lake = location.name();
    // A lake that was being made when its maker was killed has tables, but nothing in them.
    let mut rows = 0;
    for table in tables.into_iter().flatten() {
        rows += table.rows()?;
    }
    let gone = TableName::ALL.into_iter().zip(tables);
    let mut gone = gone
        .filter(|(_, table)| table.is_none())
        .map(|(name, _)| name);
    Ok(match gone.next_back() {
        Some(name) if rows > 0 => LakeError::MissingTable {
            lake,
            table: name.as_str(),
        },
        _ => LakeError::Missing { lake },
    })
}

/// Ledger rows as the rows of a table, for log files that are asked without a lake.
pub fn ledger_batch(rows: &[LogFileRow]) -> Result<RecordBatch, LakeError> {
    Ok(ledger::log_files_batch(
        rows,
        chrono::Utc::now().timestamp_micros(),
    )?)
}

/// Rejected records as the rows of a table, for log files that are asked without a lake.
pub fn rejects_batch(rows: &[RejectRow]) -> Result<RecordBatch, LakeError> {
    let rows: Vec<&RejectRow> = rows.iter().collect();
    Ok(rejects::batch(
        &rows,
        chrono::Utc::now().timestamp_micros(),
    )?)
}
