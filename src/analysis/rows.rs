//! Tables that are made in Rust.
//!
//! In: structs, and the columns they fill. Out: sections of a report. Promise: the columns are there also when no row is;
//! a struct that does not fit its columns is an error, not a missing value.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::json::ReaderBuilder;
use serde::Serialize;

use super::AnalysisError;
use crate::report::{FIT, JSON_TEXT, Section};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `String` or `&str`.
    Text,
    /// A text that is JSON.
    Json,
    /// Texts.
    Texts,
    /// Microseconds since 1970.
    Time,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
}

/// A column: its name, what it holds, and how it fits into a table (see [`FIT`]).
pub(super) type Column = (&'static str, Kind, Option<&'static str>);

/// A section of these rows; the fields of a row have the names of the columns.
pub(super) fn section<T: Serialize>(
    (name, title): (&str, &str),
    columns: &[Column],
    rows: &[T],
) -> Result<Section, AnalysisError> {
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let reader = ReaderBuilder::new(Arc::clone(&schema)).with_strict_mode(true);
    let mut decoder = reader.build_decoder()?;
    decoder.serialize(rows)?;
    let batches: Vec<RecordBatch> = decoder.flush()?.into_iter().collect();
    Ok(Section {
        name: name.to_owned(),
        title: title.to_owned(),
        schema,
        batches,
    })
}

fn field((name, kind, fit): &Column) -> Field {
    let data_type = match kind {
        Kind::Text | Kind::Json => DataType::Utf8,
        Kind::Texts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Count => DataType::Int64,
        Kind::Flag => DataType::Boolean,
    };
    let mut metadata = HashMap::new();
    if let Some(fit) = fit {
        metadata.insert(FIT.to_owned(), (*fit).to_owned());
    }
    if *kind == Kind::Json {
        metadata.insert(JSON_TEXT.to_owned(), "true".to_owned());
    }
    Field::new(*name, data_type, true).with_metadata(metadata)
}
