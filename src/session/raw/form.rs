//! What a scan of log files gives.
//!
//! In: names of columns, and a condition. Out: rows of decoded events as the scan wants them. Promise: the rows are the same wherever
//! log files are decoded.

use super::selected;
use crate::event::time::day;
use crate::event::{EVENT_DATE, Field};
use crate::lake::TableName;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, RecordBatchOptions,
};
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::common::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A form without its condition, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Columns of `events` that are decoded: those that the query gets and, after them, those that the condition needs.
    pub(super) columns: Vec<String>,
    /// How many the query gets.
    pub(super) visible: usize,
    /// Whether only a part of the log is asked for, so that of each event is wanted where it happened.
    pub(super) selecting: bool,
    /// The most JSON a log file may have.
    pub(super) max_json: u64,
}

/// What a scan gives.
#[derive(Debug, Clone)]
pub struct Form {
    shape: Shape,
    /// What the query gets.
    pub(super) schema: SchemaRef,
    decoded: SchemaRef,
    filter: Option<Arc<dyn PhysicalExpr>>,
}

impl Shape {
    /// The most JSON a log file may have.
    pub fn max_json(&self) -> u64 {
        self.max_json
    }
}

impl Form {
    /// Rows of this shape.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn new(shape: Shape) -> Result<Self, DataFusionError> {
        let all = TableName::Events.schema();
        let places = shape.columns.iter().map(|name| all.index_of(name));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let visible = places.get(..shape.visible).unwrap_or(&places);
        Ok(Self {
            schema: Arc::new(all.project(visible)?),
            decoded: Arc::new(all.project(&places)?),
            filter: None,
            shape,
        })
    }

    /// The same; of the events, those for which the condition holds. Its columns are those of [`Form::decoded`].
    #[must_use]
    pub fn filtered(self, filter: Option<Arc<dyn PhysicalExpr>>) -> Self {
        Self { filter, ..self }
    }

    /// How it is written down.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The columns that are decoded.
    pub fn decoded(&self) -> &SchemaRef {
        &self.decoded
    }

    /// The condition.
    pub fn filter(&self) -> Option<&Arc<dyn PhysicalExpr>> {
        self.filter.as_ref()
    }

    /// The fields that have to be read of a record.
    pub(super) fn fields(&self) -> Vec<Field> {
        let names = self.shape.columns.iter();
        let mut fields: Vec<Field> = names.filter_map(|name| Field::named(name)).collect();
        let mut add = |field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        if self.decoded.index_of(EVENT_DATE).is_ok() {
            add(Field::EventTime);
        }
        if self.shape.selecting {
            selected::COLUMNS.into_iter().for_each(add);
        }
        fields
    }

    /// The columns that are decoded, in their order.
    pub(super) fn arrange(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.decoded.fields().len());
        for field in self.decoded.fields() {
            if field.name() == EVENT_DATE {
                let index = batch.schema().index_of("event_time")?;
                let times = batch
                    .column(index)
                    .as_primitive::<TimestampMicrosecondType>();
                let days: Date32Array = times.unary(day);
                columns.push(Arc::new(days));
            } else {
                columns.push(Arc::clone(
                    batch.column(batch.schema().index_of(field.name())?),
                ));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            SchemaRef::clone(&self.decoded),
            columns,
            &options,
        )?)
    }

    /// For which rows of an arranged batch the condition holds, if there is one.
    pub(super) fn passes(
        &self,
        batch: &RecordBatch,
    ) -> Result<Option<BooleanArray>, DataFusionError> {
        let Some(filter) = &self.filter else {
            return Ok(None);
        };
        let passes = filter.evaluate(batch)?.into_array(batch.num_rows())?;
        // An unknown answer is a no.
        Ok(Some(match passes.as_boolean() {
            passes if passes.null_count() > 0 => prep_null_mask_filter(passes),
            passes => passes.clone(),
        }))
    }

    /// Of an arranged batch, the columns that the query gets.
    pub(super) fn visible(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let visible: Vec<usize> = (0..self.schema.fields().len()).collect();
        Ok(batch.project(&visible)?)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.schema.fields().iter();
        let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
        write!(f, "columns=[{}]", names.join(", "))?;
        match &self.filter {
            Some(filter) => write!(f, ", filter={filter}"),
            None => Ok(()),
        }
    }
}
