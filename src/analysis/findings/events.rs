//! Events as conditions see them.
//!
//! In: a batch of `events`, with all columns or some. Out: rows whose values are asked for by column, JSON parsed when
//! first asked for. Promise: a column that is not there reads as null, and so does broken JSON.

use crate::event::{ColumnKind, Field};
use crate::json::Value;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// The columns of one batch, by field.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<Option<Column>>,
    rows: usize,
}

#[derive(Debug)]
enum Column {
    Text(StringArray),
    Bool(BooleanArray),
    Time(TimestampMicrosecondArray),
}

impl Columns {
    pub(super) fn of(batch: &RecordBatch) -> Self {
        let column = |field: &Field| {
            let column = batch.column_by_name(field.column().name)?;
            Column::new(column, field.column().kind)
        };
        Self {
            columns: Field::all().iter().map(column).collect(),
            rows: batch.num_rows(),
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows).map(|row| self.row(row))
    }

    pub(super) fn row(&self, row: usize) -> Row<'_> {
        Row {
            columns: self,
            row,
            parsed: RefCell::new(Vec::new()),
        }
    }
}

impl Column {
    /// The column in the one type its kind has here; engines hand out text in several.
    fn new(array: &ArrayRef, kind: ColumnKind) -> Option<Self> {
        let into = |to: DataType| match *array.data_type() == to {
            true => Some(ArrayRef::clone(array)),
            false => cast(array, &to).ok(),
        };
        match kind {
            ColumnKind::Text | ColumnKind::Json => {
                into(DataType::Utf8).map(|array| Column::Text(array.as_string::<i32>().clone()))
            }
            ColumnKind::Bool => {
                into(DataType::Boolean).map(|array| Column::Bool(array.as_boolean().clone()))
            }
            ColumnKind::Time => {
                let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                into(utc).map(|array| {
                    Column::Time(array.as_primitive::<TimestampMicrosecondType>().clone())
                })
            }
            // No condition asks for them.
            ColumnKind::Int | ColumnKind::Address => None,
        }
    }
}

/// One event.
#[derive(Debug)]
pub(super) struct Row<'c> {
    columns: &'c Columns,
    row: usize,
    parsed: RefCell<Vec<(Field, Rc<Value>)>>,
}

impl<'c> Row<'c> {
    /// The text of a column of text.
    pub(super) fn text(&self, field: Field) -> Option<&'c str> {
        match self.columns.columns[field as usize].as_ref()? {
            Column::Text(array) => array.is_valid(self.row).then(|| array.value(self.row)),
            Column::Bool(_) | Column::Time(_) => None,
        }
    }

    /// A column as conditions compare it. A user agent in brackets is meant without them.
    pub(super) fn value(&self, field: Field) -> Option<Cow<'c, str>> {
        match self.columns.columns[field as usize].as_ref()? {
            Column::Text(_) => {
                let text = self.text(field)?;
                let inner = text
                    .strip_prefix('[')
                    .and_then(|text| text.strip_suffix(']'));
                let inner = inner.filter(|_| field == Field::UserAgent);
                Some(Cow::Borrowed(inner.unwrap_or(text)))
            }
            Column::Bool(array) => array.is_valid(self.row).then(|| {
                Cow::Borrowed(if array.value(self.row) {
                    "true"
                } else {
                    "false"
                })
            }),
            Column::Time(array) => {
                let time = array
                    .is_valid(self.row)
                    .then(|| array.value_as_datetime(self.row))??;
                Some(Cow::Owned(format!("{}", time.format("%Y-%m-%dT%H:%M:%SZ"))))
            }
        }
    }

    /// `event_time` in microseconds.
    pub(super) fn time(&self) -> i64 {
        match self.columns.columns[Field::EventTime as usize].as_ref() {
            Some(Column::Time(array)) if array.is_valid(self.row) => array.value(self.row),
            _ => 0,
        }
    }

    /// The JSON of a column, or null.
    pub(super) fn json(&self, field: Field) -> Rc<Value> {
        let mut parsed = self.parsed.borrow_mut();
        if let Some((_, value)) = parsed.iter().find(|(known, _)| *known == field) {
            return Rc::clone(value);
        }
        let text = self.text(field);
        let value = text.and_then(Value::parse);
        let value = Rc::new(value.unwrap_or_default());
        parsed.push((field, Rc::clone(&value)));
        value
    }

    /// Whether the call failed. A failed console sign-in has no error code.
    pub(super) fn failed(&self) -> bool {
        self.text(Field::ErrorCode).is_some()
            || (self.text(Field::ErrorMessage).is_some()
                && self.text(Field::EventName) == Some("ConsoleLogin"))
    }

    /// Who calls, in the sense of "the same caller as before": a long-term key; for temporary keys, which change by the
    /// hour, the role or user that they were issued for.
    pub(super) fn caller(&self) -> Option<&'c str> {
        let key = self.text(Field::AccessKeyId);
        match key {
            Some(key) if key.starts_with("AKIA") => Some(key),
            _ => self
                .text(Field::SessionIssuerArn)
                .or_else(|| self.text(Field::UserIdentityArn))
                .or(key),
        }
    }

    /// Who calls, in the sense of "one run of calls": a long-term key, or a session. A console's session has many keys.
    pub(super) fn session(&self) -> Option<&'c str> {
        let key = self.text(Field::AccessKeyId);
        match key {
            Some(key) if key.starts_with("AKIA") => Some(key),
            _ => self.text(Field::UserIdentityArn).or(key),
        }
    }
}
