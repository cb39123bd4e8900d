//! The columns of an event.
//!
//! In: names of columns, or none for all. Out: name, type, meaning and place in the record of each. Promise: the partition
//! column is among them.

use super::{Head, section};
use crate::event::{COLUMNS, EVENT_DATE, Kind};
use crate::report::Report;
use arrow::error::ArrowError;

const HEAD: [Head; 4] = [
    ("column", "whole"),
    ("type", "whole"),
    ("description", "wrap"),
    ("record_field", "detail"),
];

/// The names of all columns.
pub fn column_names() -> impl Iterator<Item = &'static str> {
    let names = COLUMNS.iter().map(|column| column.name);
    names.chain([EVENT_DATE])
}

/// The columns of these names, or all.
///
/// # Errors
///
/// Those of Arrow.
pub fn columns(only: &[String]) -> Result<Report, ArrowError> {
    let partition = vec![
        Some(EVENT_DATE),
        Some("date"),
        Some("The day of `event_time` in UTC, by which the lake is partitioned."),
        None,
    ];
    let columns = COLUMNS.iter().map(|column| {
        vec![
            Some(column.name),
            Some(type_name(column.kind)),
            Some(column.description),
            Some(column.path).filter(|path| !path.is_empty()),
        ]
    });
    let rows: Vec<_> = columns
        .chain([partition])
        .filter(|row| only.is_empty() || only.iter().any(|name| row[0] == Some(name)))
        .collect();
    let title = "Columns of events";
    let sections = vec![section(("columns", title), &HEAD, &rows)?];
    Ok(Report::of("describe", title, sections))
}

/// The type as people say it.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Json => "JSON text",
        Kind::Bool => "boolean",
        Kind::Time => "timestamp",
        Kind::Int => "integer",
        Kind::Address => "16 bytes",
    }
}
