//! Tables that are made in Rust.
//!
//! In: structs, and the columns they fill. Out: sections of a report. Promise: the columns are there also when no row is;
//! a struct that does not fit its columns is an error, not a missing value.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::json::ReaderBuilder;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::AnalysisError;
use crate::report::{FIT, JSON_TEXT, Section};
use crate::session::{Params, Session};

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
    /// A day, as text: `2025-03-01`.
    Day,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
}

/// A column: its name, what it holds, and how it fits into a table (see [`FIT`]).
pub(super) type Column = (&'static str, Kind, Option<&'static str>);

/// Asks, and takes the rows one by one; what was taken is not held any more.
pub(super) async fn each<T: DeserializeOwned>(
    session: &Session,
    (sql, params): (&str, &Params),
    mut take: impl FnMut(T),
) -> Result<(), AnalysisError> {
    let mut rows = session.rows(sql, params).await?;
    while let Some(batch) = rows.next().await? {
        read(&[batch])?.into_iter().for_each(&mut take);
    }
    Ok(())
}

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

/// A time in a row: microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Micros(pub(super) DateTime<Utc>);

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        let time = DateTime::from_timestamp_micros(micros);
        time.map(Self)
            .ok_or_else(|| D::Error::custom("a time that no calendar has"))
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.timestamp_micros())
    }
}

/// The rows of a query; the fields of a row have the names of the columns.
pub(super) fn read<T: DeserializeOwned>(batches: &[RecordBatch]) -> Result<Vec<T>, AnalysisError> {
    let mut rows = Vec::new();
    for batch in batches {
        let of_batch: Vec<T> = serde_arrow::from_record_batch(batch)?;
        rows.extend(of_batch);
    }
    Ok(rows)
}
