//! The three tables of a lake.
//!
//! In: nothing. Out: names, schemas and partitioning. Promise: whoever opens the lake with another engine finds the same
//! columns.

use crate::event::{self, EVENT_DATE};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The format of the lake. A keytrail that finds a higher number refuses to touch the lake.
pub(crate) const LAKE_VERSION: u32 = 1;

/// The table property that holds [`LAKE_VERSION`].
pub(crate) const VERSION_PROPERTY: &str = "keytrail.lakeVersion";

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableName {
    /// Every event once.
    Events,
    /// The ledger: one row per log file and attempt.
    LogFiles,
    /// One row per record that could not be decoded.
    Rejects,
}

impl TableName {
    /// All tables, in the order in which an ingest commits to them.
    pub const ALL: [TableName; 3] = [TableName::Events, TableName::Rejects, TableName::LogFiles];

    /// The folder's and the table's name.
    pub fn as_str(self) -> &'static str {
        match self {
            TableName::Events => "events",
            TableName::LogFiles => "log_files",
            TableName::Rejects => "rejects",
        }
    }

    /// The columns, the partition column included.
    pub fn schema(self) -> SchemaRef {
        match self {
            TableName::Events => {
                let mut fields = event::schema().fields().to_vec();
                fields.push(Arc::new(Field::new(EVENT_DATE, DataType::Date32, true)));
                Arc::new(Schema::new(fields))
            }
            TableName::LogFiles => log_files(),
            TableName::Rejects => rejects(),
        }
    }

    pub(crate) fn partition_column(self) -> Option<&'static str> {
        match self {
            TableName::Events => Some(EVENT_DATE),
            TableName::LogFiles | TableName::Rejects => None,
        }
    }
}

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn texts() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

fn log_files() -> SchemaRef {
    let column = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        column("log_file", DataType::Utf8),
        column("etag", DataType::Utf8),
        column("size_bytes", DataType::Int64),
        column("sha256", DataType::Utf8),
        column("outcome", DataType::Utf8),
        column("reason", DataType::Utf8),
        column("json_bytes", DataType::Int64),
        column("events", DataType::Int64),
        column("stored", DataType::Int64),
        column("duplicates", DataType::Int64),
        column("rejected", DataType::Int64),
        column("first_event_time", time()),
        column("last_event_time", time()),
        column("account_id", DataType::Utf8),
        column("region", DataType::Utf8),
        column("log_date", DataType::Date32),
        column("accounts", texts()),
        column("regions", texts()),
        column("event_categories", texts()),
        column("data_event_services", texts()),
        column("ingest_time", time()),
        column("integrity", DataType::Utf8),
    ]))
}

fn rejects() -> SchemaRef {
    let column = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        column("log_file", DataType::Utf8),
        column("log_file_record", DataType::Int64),
        column("reason", DataType::Utf8),
        column("record", DataType::Utf8),
        column("ingest_time", time()),
    ]))
}
