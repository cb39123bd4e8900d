//! Tables that are made in Rust.
//!
//! In: structs, and the columns they fill. Out: sections of a report. Promise: the columns are there also when no row is;
//! a struct that does not fit its columns is an error, not a missing value.

use super::{FIT, JSON_TEXT, Section};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `String` or `&str`.
    Text,
    /// A text that is JSON.
    Json,
    /// Texts.
    Texts,
    /// Microseconds since 1970, or text: `2025-03-01T02:17:31Z`.
    Time,
    /// A day, as text: `2025-03-01`.
    Day,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
}

/// A column: its name, what it holds, and how it fits into a table (see [`FIT`]).
pub type Column = (&'static str, Kind, Option<&'static str>);

/// A section of these rows; the fields of a row have the names of the columns, and there are no others.
///
/// # Errors
///
/// A row does not fit its columns.
pub fn section<T: Serialize>(
    names: (&str, &str),
    columns: &[Column],
    rows: &[T],
) -> Result<Section, ArrowError> {
    made(names, columns, (rows, true))
}

/// A section of some columns of these rows, whatever other fields they have.
///
/// # Errors
///
/// A row does not fit its columns.
pub fn shown<T: Serialize>(
    names: (&str, &str),
    columns: &[Column],
    rows: &[T],
) -> Result<Section, ArrowError> {
    made(names, columns, (rows, false))
}

fn made<T: Serialize>(
    (name, title): (&str, &str),
    columns: &[Column],
    (rows, is_strict): (&[T], bool),
) -> Result<Section, ArrowError> {
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
        .with_strict_mode(is_strict)
        .with_batch_size(rows.len().max(1))
        .build_decoder()?;
    decoder.serialize(rows)?;
    Ok(Section {
        name: name.to_owned(),
        title: title.to_owned(),
        schema,
        batches: decoder.flush()?.into_iter().collect(),
    })
}

fn field((name, kind, fit): &Column) -> Field {
    let data_type = match kind {
        Kind::Text | Kind::Json => DataType::Utf8,
        Kind::Texts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Day => DataType::Date32,
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
