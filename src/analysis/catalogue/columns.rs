//! The columns of an event.
//!
//! In: names of columns, or none for all. Out: name, type, meaning and place in the record of each. Promise: the partition
//! column is among them.

use crate::event::{COLUMNS, ColumnKind, EVENT_DATE};
use crate::report::Report;
use crate::report::table::{Column, Kind, section};
use arrow::error::ArrowError;
use serde::Serialize;

const HEAD: &[Column] = &[
    ("column", Kind::Text, Some("whole")),
    ("type", Kind::Text, Some("whole")),
    ("description", Kind::Text, Some("wrap")),
    ("record_field", Kind::Text, Some("detail")),
];

#[derive(Serialize)]
struct Row {
    column: &'static str,
    r#type: &'static str,
    description: &'static str,
    record_field: Option<&'static str>,
}

/// The names of all columns.
pub fn column_names() -> impl Iterator<Item = &'static str> {
    let names = COLUMNS.iter().map(|column| column.name);
    names.chain([EVENT_DATE])
}

/// The column of a name, of a field of the record (`sourceIPAddress`, `userIdentity.arn`), or of either in other case.
pub fn column_named(name: &str) -> Option<&'static str> {
    let mut columns = COLUMNS.iter();
    let is_named = |field: &str| !field.is_empty() && field.eq_ignore_ascii_case(name);
    let found = columns.find(|column| is_named(column.name) || is_named(column.path));
    found
        .map(|column| column.name)
        .or_else(|| is_named(EVENT_DATE).then_some(EVENT_DATE))
}

/// The columns of these names, or all.
///
/// # Errors
///
/// Those of Arrow.
pub fn columns(only: &[String]) -> Result<Report, ArrowError> {
    let partition = Row {
        column: EVENT_DATE,
        r#type: "date",
        description: "The day of `event_time` in UTC, by which the lake is partitioned.",
        record_field: None,
    };
    let columns = COLUMNS.iter().map(|column| Row {
        column: column.name,
        r#type: type_name(column.kind),
        description: column.description,
        record_field: Some(column.path).filter(|path| !path.is_empty()),
    });
    let rows: Vec<Row> = columns
        .chain([partition])
        .filter(|row| only.is_empty() || only.iter().any(|name| row.column == name))
        .collect();
    let title = "Columns of events";
    let sections = vec![section(("columns", title), HEAD, &rows)?];
    Ok(Report::of("describe", title, sections))
}

/// The type as people say it.
fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "text",
        ColumnKind::Json => "JSON text",
        ColumnKind::Bool => "boolean",
        ColumnKind::Time => "timestamp",
        ColumnKind::Int => "integer",
        ColumnKind::Address => "16 bytes",
    }
}
