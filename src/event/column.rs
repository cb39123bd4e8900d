//! Columns that can be cut back.
//!
//! In: values, row by row. Out: Arrow arrays. Promise: `truncate` undoes the last rows, so that a log file that turns out
//! to be broken half-way leaves no trace; Arrow's own builders cannot do that.

use super::schema::ColumnKind;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::sync::Arc;

/// A value on its way into a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Text(&'a str),
    Bool(bool),
    /// Microseconds, or a plain number.
    Int(i64),
    Address([u8; 16]),
}

/// One growing column. Rows without a value cost nothing: they are filled in when the next value comes, or at the end.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    kind: ColumnKind,
    /// One bit per row filled in so far.
    valid: BooleanBufferBuilder,
    data: Data,
}

#[derive(Debug)]
enum Data {
    /// Text and addresses: the bytes of all values, and where each ends.
    Bytes {
        bytes: Vec<u8>,
        ends: Vec<i32>,
    },
    Bools(BooleanBufferBuilder),
    Ints(Vec<i64>),
}

impl ColumnBuilder {
    pub(crate) fn new(kind: ColumnKind) -> Self {
        let data = match kind {
            ColumnKind::Text | ColumnKind::Json | ColumnKind::Address => Data::Bytes {
                bytes: Vec::new(),
                ends: vec![0],
            },
            ColumnKind::Bool => Data::Bools(BooleanBufferBuilder::new(0)),
            ColumnKind::Time | ColumnKind::Int => Data::Ints(Vec::new()),
        };
        Self {
            kind,
            valid: BooleanBufferBuilder::new(0),
            data,
        }
    }

    /// Sets the value of a row, which comes after all rows set so far. A value of another kind than the column's is null.
    #[inline]
    pub(crate) fn set(&mut self, row: usize, value: Value<'_>) {
        if matches!(value, Value::Null) {
            return;
        }
        self.fill(row);
        match (&mut self.data, value) {
            (Data::Bytes { bytes, ends }, Value::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len() as i32);
            }
            (Data::Bytes { bytes, ends }, Value::Address(address)) => {
                bytes.extend_from_slice(&address);
                ends.push(bytes.len() as i32);
            }
            (Data::Bools(bools), Value::Bool(value)) => bools.append(value),
            (Data::Ints(ints), Value::Int(value)) => ints.push(value),
            _ => return,
        }
        self.valid.append(true);
    }

    /// Makes the rows up to `rows` null, as far as they have no value.
    fn fill(&mut self, rows: usize) {
        let missing = rows - self.valid.len();
        if missing == 0 {
            return;
        }
        self.valid.append_n(missing, false);
        match &mut self.data {
            Data::Bytes { bytes, ends } => ends.resize(rows + 1, bytes.len() as i32),
            Data::Bools(bools) => bools.append_n(missing, false),
            Data::Ints(ints) => ints.resize(rows, 0),
        }
    }

    /// Drops all rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if self.valid.len() <= rows {
            return;
        }
        self.valid.truncate(rows);
        match &mut self.data {
            Data::Bytes { bytes, ends } => {
                ends.truncate(rows + 1);
                bytes.truncate(ends[rows] as usize);
            }
            Data::Bools(bools) => bools.truncate(rows),
            Data::Ints(ints) => ints.truncate(rows),
        }
    }

    /// The array of `rows` rows; the builder is empty afterwards.
    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.fill(rows);
        let mut done = std::mem::replace(self, Self::new(self.kind));
        let nulls =
            Some(NullBuffer::new(done.valid.finish())).filter(|nulls| nulls.null_count() > 0);
        Ok(match done.data {
            Data::Bytes { bytes, ends } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                let values = Buffer::from_vec(bytes);
                match done.kind {
                    ColumnKind::Address => Arc::new(BinaryArray::try_new(offsets, values, nulls)?),
                    _ => Arc::new(StringArray::try_new(offsets, values, nulls)?),
                }
            }
            Data::Bools(mut bools) => Arc::new(BooleanArray::new(bools.finish(), nulls)),
            Data::Ints(ints) => {
                let values = ScalarBuffer::from(ints);
                match done.kind {
                    ColumnKind::Time => Arc::new(
                        TimestampMicrosecondArray::try_new(values, nulls)?.with_timezone("UTC"),
                    ),
                    _ => Arc::new(Int64Array::try_new(values, nulls)?),
                }
            }
        })
    }

    /// Takes the memory back of an array that came out of this builder, unless somebody else still holds it. The builder must be
    /// empty.
    pub(crate) fn reuse(&mut self, array: ArrayRef) {
        let data = array.to_data();
        drop(array);
        let (_, _, _, _, buffers, _) = data.into_parts();
        let mut buffers = buffers.into_iter();
        match &mut self.data {
            Data::Bytes { bytes, ends } => {
                let (offsets, values) = (buffers.next(), buffers.next());
                if let Some(Ok(vec)) = offsets.map(Buffer::into_vec) {
                    *ends = vec;
                    ends.clear();
                    ends.push(0);
                }
                if let Some(Ok(vec)) = values.map(Buffer::into_vec) {
                    *bytes = vec;
                    bytes.clear();
                }
            }
            Data::Ints(ints) => {
                if let Some(Ok(vec)) = buffers.next().map(Buffer::into_vec) {
                    *ints = vec;
                    ints.clear();
                }
            }
            // A bit per row is not worth it.
            Data::Bools(_) => {}
        }
    }

    /// Bytes held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        match &self.data {
            Data::Bytes { bytes, ends } => bytes.len() + 4 * ends.len(),
            Data::Bools(bools) => bools.len() / 8,
            Data::Ints(ints) => 8 * ints.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};

    #[test]
    fn truncate_leaves_no_trace() -> Result<(), ArrowError> {
        let mut column = ColumnBuilder::new(ColumnKind::Text);
        column.set(0, Value::Text("kept"));
        column.set(2, Value::Text("dropped"));
        column.truncate(2);
        column.set(2, Value::Text("é"));
        column.truncate(3);
        let array = column.finish(4)?;
        let array = array.as_string::<i32>();
        assert_eq!(
            array.iter().collect::<Vec<_>>(),
            vec![Some("kept"), None, Some("é"), None]
        );
        assert_eq!(array.null_count(), 2);
        assert_eq!(column.finish(0)?.len(), 0);
        Ok(())
    }

    #[test]
    fn memory_is_used_again_once_nobody_holds_it() -> Result<(), ArrowError> {
        let mut column = ColumnBuilder::new(ColumnKind::Text);
        column.set(0, Value::Text("first"));
        let array = column.finish(1)?;
        let held = array.as_string::<i32>().clone();
        column.reuse(array);
        column.set(1, Value::Text("second"));
        let array = column.finish(2)?;
        let place = array.as_string::<i32>().values().as_ptr();
        column.reuse(array);
        column.set(0, Value::Text("3rd"));
        let third = column.finish(1)?;
        assert_eq!(third.as_string::<i32>().values().as_ptr(), place);
        assert_eq!(third.as_string::<i32>().value(0), "3rd");
        assert_eq!(held.value(0), "first");
        Ok(())
    }

    #[test]
    fn a_value_of_another_kind_is_null() -> Result<(), ArrowError> {
        let mut column = ColumnBuilder::new(ColumnKind::Bool);
        column.set(0, Value::Bool(true));
        column.set(1, Value::Text("maybe"));
        column.set(2, Value::Bool(false));
        assert_eq!(
            column.finish(3)?.as_boolean().iter().collect::<Vec<_>>(),
            vec![Some(true), None, Some(false)]
        );
        Ok(())
    }
}
