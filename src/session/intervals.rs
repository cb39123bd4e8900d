//! How long lengths of time are.
//!
//! In: intervals and differences of times. Out: microseconds. Promise: `max(t) - min(t) > INTERVAL '1' DAY` compares how long both
//! are; the engine would compare months, then days, then the rest, and have 36 hours shorter than a day. A day has 24 hours, a
//! month 30 days.

use super::functions::columnar;
use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;

/// A length of time as a number.
pub(super) fn micros(length: Expr) -> Expr {
    function().call(vec![length])
}

/// The function that is written into plans.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Micros {
        signature: Signature::any(1, Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Micros {
    signature: Signature,
}

impl ScalarUDFImpl for Micros {
    fn name(&self) -> &str {
        "micros_of_length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| micros_of(&arrays[0]))
    }
}

fn micros_of(lengths: &ArrayRef) -> Result<ArrayRef> {
    if let DataType::Duration(_) = lengths.data_type() {
        let micros = cast(lengths, &DataType::Duration(TimeUnit::Microsecond))?;
        return Ok(cast(&micros, &DataType::Int64)?);
    }
    let intervals = cast(lengths, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
    let micros: Int64Array = intervals.try_unary(|interval| {
        let days = i64::from(interval.months) * 30 + i64::from(interval.days);
        days.checked_mul(DAY)
            .and_then(|days| days.checked_add(interval.nanoseconds / 1_000))
            .ok_or_else(|| exec_datafusion_err!("an interval is too long to be compared"))
    })?;
    Ok(Arc::new(micros))
}
