//! What does keytrail itself know?
//!
//! In: the one table of columns, the rules about attacks, the library of saved queries. Out: a `Report` of each, which rests
//! on no trail. Promise: nothing is listed that is not in that table, those rules, or that library.

mod columns;
mod queries;
mod rules;

pub use columns::{column_names, columns};
pub use queries::{saved_queries, saved_query};
pub use rules::rules;

use crate::report::{FIT, Section};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use std::collections::HashMap;
use std::sync::Arc;

/// A column of texts: its name, and what may happen to it where a table has to fit (see [`FIT`]).
type Head = (&'static str, &'static str);

/// A table of texts.
fn section(
    (name, title): (&str, &str),
    head: &[Head],
    rows: &[Vec<Option<&str>>],
) -> Result<Section, ArrowError> {
    let fields = head.iter().map(|(name, fit)| {
        let fit = HashMap::from([(FIT.to_owned(), (*fit).to_owned())]);
        Field::new(*name, DataType::Utf8, true).with_metadata(fit)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let column = |index: usize| -> ArrayRef {
        let texts = rows.iter().map(|row| row[index]);
        Arc::new(texts.collect::<StringArray>())
    };
    let columns = (0..head.len()).map(column).collect();
    Ok(Section {
        name: name.to_owned(),
        title: title.to_owned(),
        batches: vec![RecordBatch::try_new(Arc::clone(&schema), columns)?],
        schema,
    })
}
