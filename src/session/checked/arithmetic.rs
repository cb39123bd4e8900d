//! Arithmetic that ends in an error where the result does not fit.
//!
//! In: numbers. Out: what operators make of them. Promise: the type is that of the operators; nothing wraps round.

use crate::session::functions::columnar;
use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::compute::kernels::arity::try_binary;
use arrow::compute::kernels::numeric::{add, mul, neg, sub};
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::ArrowError;
use datafusion::common::{Result, exec_datafusion_err, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// Room for the sum of 10^19 numbers of 64 bits.
pub(super) const WIDE: DataType = DataType::Decimal128(38, 0);

/// The function that takes the place of chains of operators.
pub(super) fn arithmetic() -> ScalarUDF {
    ScalarUDF::from(Arithmetic {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

/// The function that makes a wide sum a number of this type.
pub(super) fn narrow(to: &DataType) -> ScalarUDF {
    ScalarUDF::from(Narrow::to(to))
}

/// A wide number as one of the type that it has without overflow.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Narrow {
    /// With the type: other machines know it by its name.
    name: String,
    to: DataType,
    signature: Signature,
}

impl Narrow {
    fn to(to: &DataType) -> Self {
        Self {
            name: format!("checked_sum_{to}").to_lowercase(),
            to: to.clone(),
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Narrow {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| {
            let wide = arrays[0].as_primitive::<Decimal128Type>();
            // What does not fit is null after the cast.
            let fitting = cast(&arrays[0], &self.to)?;
            let lost = (0..wide.len()).find(|row| wide.is_valid(*row) && fitting.is_null(*row));
            match lost {
                None => Ok(fitting),
                Some(row) => exec_err!(
                    "the sum does not fit into {}: {}; for larger ones write sum(CAST(… AS DOUBLE))",
                    room(&self.to),
                    wide.value(row)
                ),
            }
        })
    }
}

pub(super) const ARITHMETIC: &str = "checked_arithmetic";

/// What turns the sign, among `+`, `-` and `*`.
pub(super) const NEGATES: char = '~';

/// `<<` and `>>`.
pub(super) const SHIFTS_LEFT: char = '<';
pub(super) const SHIFTS_RIGHT: char = '>';

/// `checked_arithmetic('+*', a, b, c)` is `(a + b) * c`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        ARITHMETIC
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        // They were made the same before the rule.
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [_, number, ..] => Ok(number.clone()),
            _ => internal_err!("{ARITHMETIC} of nothing"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| match arrays {
            [chain, first, rest @ ..] => computed(chain.as_string::<i32>().value(0), first, rest),
            _ => internal_err!("{ARITHMETIC} of nothing"),
        })
    }
}

fn computed(chain: &str, first: &ArrayRef, rest: &[ArrayRef]) -> Result<ArrayRef> {
    let mut result = Arc::clone(first);
    let mut rest = rest.iter();
    for does in chain.chars() {
        let kind = result.data_type().clone();
        let next = match does {
            NEGATES => neg(&result),
            _ => {
                let Some(other) = rest.next() else {
                    return internal_err!("{ARITHMETIC} has too few numbers");
                };
                match does {
                    SHIFTS_LEFT | SHIFTS_RIGHT => {
                        result = shifted(does == SHIFTS_LEFT, &result, other)?;
                        continue;
                    }
                    '+' => add(&result, other),
                    '-' => sub(&result, other),
                    _ => mul(&result, other),
                }
            }
        };
        result = next.map_err(|_| {
            let sign = if does == NEGATES { '-' } else { does };
            exec_datafusion_err!(
                "a whole number does not fit into {}: the result of {sign}; for larger ones write CAST(… AS DOUBLE)",
                room(&kind)
            )
        })?;
    }
    Ok(result)
}

/// How many bits a whole number has.
fn room(kind: &DataType) -> String {
    let bits = kind.primitive_width().map_or(0, |bytes| 8 * bytes);
    match kind.is_unsigned_integer() {
        true => format!("{bits} bits without a sign"),
        false => format!("{bits} bits"),
    }
}

/// Numbers times, or by, powers of two.
fn shifted(left: bool, numbers: &ArrayRef, by: &ArrayRef) -> Result<ArrayRef> {
    let kind = numbers.data_type();
    let bits = kind.primitive_width().map_or(0, |bytes| 8 * bytes as i128);
    let wide = cast(numbers, &WIDE)?;
    let by = cast(by, &WIDE)?;
    let (wide, by) = (
        wide.as_primitive::<Decimal128Type>(),
        by.as_primitive::<Decimal128Type>(),
    );
    let shifted = try_binary::<_, _, _, Decimal128Type>(wide, by, |number, by| {
        let by = u32::try_from(by).ok().filter(|by| i128::from(*by) < bits);
        by.map(|by| if left { number << by } else { number >> by })
            .ok_or_else(|| ArrowError::ComputeError(String::new()))
    });
    let Ok(shifted) = shifted else {
        return exec_err!("a shift is by 0 to {} bits, not more or less", bits - 1);
    };
    let shifted = shifted.with_data_type(WIDE);
    let fitting = cast(&shifted, kind)?;
    match fitting.null_count() == shifted.null_count() {
        true => Ok(fitting),
        false => exec_err!(
            "a whole number does not fit into {}: the result of <<",
            room(kind)
        ),
    }
}
