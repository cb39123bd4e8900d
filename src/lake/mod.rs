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

mod commit;
mod coverage;
mod durable;
mod error;
mod ledger;
mod location;
mod reader;
mod rejects;
mod scan;
mod seen;
mod table;
mod tables;
mod writer;

pub use commit::Packed;
pub use error::LakeError;
pub use ledger::Known;
pub use location::Location;
pub use scan::{Scannable, ScannableFile};
pub use seen::{Pins, Seen};
pub use tables::TableName;
pub use writer::DataFile;

use crate::read::{LogFileRow, RejectRow};
use arrow::array::RecordBatch;
use deltalake_core::DeltaTable;
use std::collections::HashSet;
use table::Table;

/// A lake, at the version that was last looked at.
#[derive(Debug)]
pub struct Lake {
    location: Location,
    events: Table,
    rejects: Table,
    log_files: Table,
    /// The records in `rejects`, once there was a need to know.
    rejected: Option<HashSet<u128>>,
}

impl Lake {
    /// Opens the lake at a location.
    pub async fn open(location: &Location) -> Result<Self, LakeError> {
        let missing = || LakeError::Missing {
            lake: location.name(),
        };
        let open = |name| Table::open(location, name);
        Ok(Self {
            location: location.clone(),
            events: open(TableName::Events).await?.ok_or_else(missing)?,
            rejects: open(TableName::Rejects).await?.ok_or_else(missing)?,
            log_files: open(TableName::LogFiles).await?.ok_or_else(missing)?,
            rejected: None,
        })
    }

    /// Opens the lake at a location, and makes it where there is none.
    pub async fn open_or_create(location: &Location) -> Result<Self, LakeError> {
        let open = |name| Table::open_or_create(location, name);
        Ok(Self {
            location: location.clone(),
            events: open(TableName::Events).await?,
            rejects: open(TableName::Rejects).await?,
            log_files: open(TableName::LogFiles).await?,
            rejected: None,
        })
    }

    /// The lake's place, as a person would write it.
    pub fn name(&self) -> String {
        self.location.name()
    }

    /// A table, for an engine to read.
    pub fn delta(&self, name: TableName) -> &DeltaTable {
        let table = match name {
            TableName::Events => &self.events,
            TableName::LogFiles => &self.log_files,
            TableName::Rejects => &self.rejects,
        };
        table.delta()
    }

    /// The log files that need not be read again.
    pub async fn known_log_files(&self, retry_rejected: bool) -> Result<Known, LakeError> {
        Known::read(&self.log_files, retry_rejected).await
    }

    /// Which events the lake has.
    pub fn seen(&self) -> Result<Seen, LakeError> {
        Ok(Seen::new(
            self.events.delta().object_store(),
            self.events.files()?,
        ))
    }
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
