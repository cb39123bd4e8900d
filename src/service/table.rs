//! Rows of a table: which, and in which order.
//!
//! In: a section of a report. Out: the rows that are wanted. Promise: rows that compare equal stay in the order they were in, so
//! that pages do not overlap.

use super::ServiceError;
use super::facets::chosen;
use crate::report::Section;
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{
    SortColumn, SortOptions, cast, concat_batches, filter_record_batch, lexsort_to_indices,
    take_record_batch,
};
use arrow::datatypes::DataType;
use std::sync::Arc;

/// Which rows of a table are looked at, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Only rows with a text or number that contains this, whatever the case.
    pub filter: Option<String>,
    /// Only rows that have these values: of columns, as facets name them.
    pub only: Vec<(String, String)>,
    /// The column to sort by; the answer's own order if none.
    pub sort: Option<String>,
    /// From the highest on.
    pub descending: bool,
}

/// Which rows of an answer are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The section; the others are left out. All if none.
    pub section: Option<String>,
    /// The first row.
    pub offset: usize,
    /// How many of each section.
    pub rows: usize,
}

/// The rows of a section with a text.
pub(super) fn with_text(section: &Section, view: &View) -> Result<RecordBatch, ServiceError> {
    let batch = match section.batches.as_slice() {
        [one] => one.clone(),
        several => concat_batches(&section.schema, several)?,
    };
    match view.filter.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Ok(filter_record_batch(&batch, &containing(&batch, text)?)?),
        None => Ok(batch),
    }
}

/// The rows of a section that are wanted.
pub(super) fn rows(section: &Section, view: &View) -> Result<RecordBatch, ServiceError> {
    let mut batch = with_text(section, view)?;
    let mut columns = view.only.iter().map(|(column, _)| column);
    if let Some(column) = columns.find(|column| batch.column_by_name(column).is_none()) {
        return Err(ServiceError::NoColumn(column.clone()));
    }
    if let Some(mask) = chosen(&batch, &view.only)? {
        batch = filter_record_batch(&batch, &mask)?;
    }
    match &view.sort {
        Some(column) => sorted(&batch, column, view.descending),
        None => Ok(batch),
    }
}

fn containing(batch: &RecordBatch, text: &str) -> Result<BooleanArray, ServiceError> {
    let wanted = text.to_lowercase();
    let mut found = vec![false; batch.num_rows()];
    for column in batch.columns() {
        // What has no text (lists, objects) is not looked into.
        let Ok(texts) = cast(column, &DataType::Utf8) else {
            continue;
        };
        for (row, text) in texts.as_string::<i32>().iter().enumerate() {
            found[row] |= text.is_some_and(|text| text.to_lowercase().contains(&wanted));
        }
    }
    Ok(found.into())
}

fn sorted(
    batch: &RecordBatch,
    column: &str,
    descending: bool,
) -> Result<RecordBatch, ServiceError> {
    let missing = || ServiceError::NoColumn(column.to_owned());
    let values = batch.column_by_name(column).ok_or_else(missing)?;
    if values.data_type().is_nested() {
        return Err(missing());
    }
    let by = SortColumn {
        values: Arc::clone(values),
        options: Some(SortOptions {
            descending,
            nulls_first: false,
        }),
    };
    let places = u32::try_from(batch.num_rows()).map_err(|_| missing())?;
    let then = SortColumn {
        values: Arc::new(UInt32Array::from_iter_values(0..places)),
        options: None,
    };
    let order = lexsort_to_indices(&[by, then], None)?;
    Ok(take_record_batch(batch, &order)?)
}
