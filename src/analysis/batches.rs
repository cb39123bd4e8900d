//! Rows as the engine hands them out.
//!
//! In: a batch of a query. Out: its columns by name, texts as plain strings, times as times. Promise: a column that is not there is an
//! error that names it.

use super::AnalysisError;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use chrono::{DateTime, Utc};

/// The columns of a batch, by name.
pub(super) struct Columns<'a>(pub(super) &'a RecordBatch);

impl Columns<'_> {
    /// A column as it is.
    pub(super) fn named(&self, name: &str) -> Result<&dyn Array, AnalysisError> {
        let column = self.0.column_by_name(name);
        let column = column.ok_or_else(|| AnalysisError::NoColumn(name.to_owned()))?;
        Ok(column.as_ref())
    }

    /// A column of texts.
    pub(super) fn text(&self, name: &str) -> Result<ArrayRef, AnalysisError> {
        Ok(cast(self.named(name)?, &DataType::Utf8)?)
    }

    /// The time in a row.
    pub(super) fn time(
        &self,
        name: &str,
        row: usize,
    ) -> Result<Option<DateTime<Utc>>, AnalysisError> {
        let times = self.named(name)?.as_primitive::<TimestampMicrosecondType>();
        let micros = times.is_valid(row).then(|| times.value(row));
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }
}

/// The text in a row of a column of texts.
pub(super) fn value(column: &dyn Array, row: usize) -> Option<&str> {
    let column = column.as_string::<i32>();
    column.is_valid(row).then(|| column.value(row))
}
