//! Columns that hold JSON text.
//!
//! In: the rows of a query. Out: the same, with a mark on the columns whose text is JSON. Promise: nothing else of the rows
//! changes.

use super::{SessionError, dialect};
use crate::report::JSON_TEXT;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use std::sync::Arc;

/// The schema with the columns marked that hold JSON text: those that are called like the events' and the views' are.
pub(super) fn json_marked(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let mut field = field.as_ref().clone();
        if is_json(&field) {
            field
                .metadata_mut()
                .insert(JSON_TEXT.to_owned(), "true".to_owned());
        }
        field
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Whether a column holds JSON text.
pub(super) fn is_json(field: &Field) -> bool {
    field.data_type().is_string() && dialect::is_json(field.name())
}

/// A batch with the marks of a schema. Its own schema may differ from the plan's in what may be null, so that it is kept.
pub(super) fn marked(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch, SessionError> {
    let own = batch.schema();
    let fields = own.fields().iter().zip(schema.fields());
    let fields: Vec<Field> = fields
        .map(|(own, marks)| {
            let field = own.as_ref().clone();
            field.with_metadata(marks.metadata().clone())
        })
        .collect();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), batch.columns().to_vec(), &rows)
        .map_err(|error| DataFusionError::from(error).into())
}
