//! The columns of a table, and what may happen to each.
//!
//! In: a schema and texts. Out: [`Column`]s. Promise: identifiers, times and numbers stay whole; what a field says of itself
//! decides before what its values suggest.

use arrow::datatypes::{DataType, Field, Schema};
use unicode_width::UnicodeWidthStr;

use super::escape::terminal as escaped;
use super::grid::{Column, Fit, NARROWEST};
use crate::report::FIT;

/// Whether a column has times.
pub(super) fn has_times(schema: &Schema) -> bool {
    let mut fields = schema.fields().iter();
    fields.any(|field| matches!(field.data_type(), DataType::Timestamp(_, _)))
}

/// The columns of a table with these rows.
pub(super) fn columns(schema: &Schema, shown: &[usize], rows: &[Vec<String>]) -> Vec<Column> {
    let fields = shown.iter().map(|&column| schema.field(column));
    fields
        .enumerate()
        .map(|(index, field)| Column {
            name: escaped(field.name()).into_owned(),
            heading: escaped(field.name()).into_owned(),
            right: field.data_type().is_numeric(),
            fit: fit(field, rows.iter().map(|row| row[index].as_str())),
        })
        .collect()
}

/// The columns that are for people, by index.
pub(super) fn shown(schema: &Schema) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    let data = |field: &Field| field.metadata().get(FIT).is_some_and(|fit| fit == "data");
    fields
        .filter(|(_, field)| !data(field))
        .map(|(column, _)| column)
        .collect()
}

/// What may happen to a column: what its field says, or what its values suggest.
fn fit<'a>(field: &Field, mut texts: impl Iterator<Item = &'a str>) -> Fit {
    match field.metadata().get(FIT).map(String::as_str) {
        Some("whole") => return Fit::Whole,
        Some("cut") => return Fit::Cut,
        Some("wrap") => return Fit::Wrap,
        Some("below") => return Fit::Below,
        Some("detail") => return Fit::Detail,
        _ => {}
    }
    let name = field.name();
    let identifier = name.ends_with("access_key_id") || name.ends_with("ip_address");
    let exact = field.data_type().is_numeric() || field.data_type().is_temporal();
    if !identifier && !exact && texts.any(|text| text.width() > NARROWEST) {
        Fit::Cut
    } else {
        Fit::Whole
    }
}
