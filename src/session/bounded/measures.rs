//! How large the arguments of a call are.
//!
//! In: arguments. Out: a number for each row: its value, its length, the ends of a range. Promise: nothing is copied that is not small.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;
use std::sync::Arc;

/// A number for each row, or one for all.
pub(super) struct Numbers(Option<Int64Array>, i128);

impl Numbers {
    pub(super) fn signed(&self, row: usize) -> i128 {
        match &self.0 {
            Some(numbers) if numbers.len() == 1 && numbers.is_valid(0) => {
                i128::from(numbers.value(0))
            }
            Some(numbers) if row < numbers.len() && numbers.is_valid(row) => {
                i128::from(numbers.value(row))
            }
            Some(_) => 0,
            None => self.1,
        }
    }

    /// None below zero: functions take that for zero.
    pub(super) fn at(&self, row: usize) -> u128 {
        u128::try_from(self.signed(row)).unwrap_or(0)
    }
}

fn array(argument: &ColumnarValue) -> Result<ArrayRef> {
    match argument {
        ColumnarValue::Array(array) => Ok(Arc::clone(array)),
        ColumnarValue::Scalar(one) => one.to_array(),
    }
}

fn as_numbers(array: &ArrayRef) -> Result<Numbers> {
    let numbers = cast(array, &DataType::Int64)?;
    Ok(Numbers(
        Some(numbers.as_primitive::<Int64Type>().clone()),
        0,
    ))
}

/// An argument that is a number; zero if there is none.
pub(super) fn numbers(args: &[ColumnarValue], at: usize) -> Result<Numbers> {
    match args.get(at) {
        Some(argument) => as_numbers(&array(argument)?),
        None => Ok(Numbers(None, 0)),
    }
}

/// The length of an argument, in bytes.
pub(super) fn lengths(args: &[ColumnarValue], at: usize) -> Result<Numbers> {
    let Some(argument) = args.get(at) else {
        return Ok(Numbers(None, 0));
    };
    let array = array(argument)?;
    let kind = array.data_type();
    if kind.is_string() || kind.is_binary() {
        return as_numbers(&length(array.as_ref())?);
    }
    if let Some(width) = kind.primitive_width() {
        return Ok(Numbers(None, width as i128));
    }
    let taken = (0..array.len()).map(|row| {
        // A list of one row still has the elements of all; the elements of a row do not.
        let row = match array.as_list_opt::<i32>() {
            Some(lists) => lists.value(row),
            None => array.slice(row, 1),
        };
        let taken = row.to_data().get_slice_memory_size()?;
        Ok(i64::try_from(taken).unwrap_or(i64::MAX))
    });
    let taken = taken.collect::<Result<Vec<_>>>()?;
    Ok(Numbers(Some(Int64Array::from(taken)), 0))
}

/// How many elements the list in an argument has.
pub(super) fn elements(args: &[ColumnarValue], at: usize) -> Result<Numbers> {
    let array = args.get(at).map(array).transpose()?;
    match array.and_then(|array| length(array.as_ref()).ok()) {
        Some(elements) => as_numbers(&elements),
        // Not a list: the function says so.
        None => Ok(Numbers(None, 0)),
    }
}

/// First, last and step of a range, as numbers of one unit.
pub(super) fn range(args: &[ColumnarValue]) -> Result<(Numbers, Numbers, Numbers)> {
    let arrays = args.iter().map(array).collect::<Result<Vec<_>>>()?;
    Ok(match arrays.as_slice() {
        [last] => (Numbers(None, 0), as_numbers(last)?, Numbers(None, 1)),
        [first, last] => (moment(first)?, moment(last)?, Numbers(None, 1)),
        [first, last, step] => (moment(first)?, moment(last)?, interval(step)?),
        _ => return exec_err!("a range has one to three arguments"),
    })
}

/// A number, or a day or time in microseconds.
fn moment(array: &ArrayRef) -> Result<Numbers> {
    match array.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            as_numbers(&times)
        }
        _ => as_numbers(array),
    }
}

/// A number, or an interval in microseconds; months are as short as February.
fn interval(array: &ArrayRef) -> Result<Numbers> {
    const DAY: i64 = 86_400_000_000;
    let DataType::Interval(_) = array.data_type() else {
        return as_numbers(array);
    };
    let intervals = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
    let micros: Int64Array = intervals.unary(|interval| {
        let days = i64::from(interval.months) * 28 + i64::from(interval.days);
        days * DAY + interval.nanoseconds / 1_000
    });
    Ok(Numbers(Some(micros), 0))
}
