//! `a || b || c`, with a look at what it would take before it is made.
//!
//! In: columns of texts, of one type. Out: their texts one after the other. Promise: null where one of them is null, as the
//! operator has it; no more memory is taken than a query may have, however often a text is doubled.

use super::memory::Most;
use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, LargeStringBuilder, StringArray, StringBuilder,
    StringViewArray, StringViewBuilder,
};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The function's name: no query can write it.
pub(super) const NAME: &str = "||";

/// The function that takes the place of the operator between texts.
pub(super) fn function(most: Most) -> ScalarUDF {
    ScalarUDF::from(Joined {
        signature: Signature::user_defined(Volatility::Immutable),
        most,
    })
}

#[derive(Debug)]
struct Joined {
    signature: Signature,
    most: Most,
}

// There is one in a session.
impl PartialEq for Joined {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Joined {}

impl Hash for Joined {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        // They were made the same before the operator was replaced.
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given.first() {
            Some(text) => Ok(text.clone()),
            None => internal_err!("{NAME} of nothing"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let parts = args.args.iter().map(Part::of);
        let parts: Vec<Part> = parts.collect::<Result<_>>()?;
        let constant = parts.iter().all(|part| matches!(part, Part::One(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let joined = joined(&parts, rows, args.return_type(), self.most)?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?),
            false => ColumnarValue::Array(joined),
        })
    }
}

/// A text for all rows, or one for each.
enum Part {
    One(Option<String>),
    Texts(StringArray),
    LargeTexts(LargeStringArray),
    Views(StringViewArray),
}

impl Part {
    fn of(argument: &ColumnarValue) -> Result<Self> {
        let column = match argument {
            ColumnarValue::Scalar(one) => {
                let text = one.try_as_str().flatten();
                return Ok(Self::One(text.map(str::to_owned)));
            }
            ColumnarValue::Array(column) => column,
        };
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Texts(column.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeTexts(column.as_string().clone()),
            DataType::Utf8View => Self::Views(column.as_string_view().clone()),
            other => return internal_err!("{NAME} of {other}"),
        })
    }

    fn at(&self, row: usize) -> Option<&str> {
        match self {
            Self::One(text) => text.as_deref(),
            Self::Texts(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::LargeTexts(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Views(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }
}

fn joined(parts: &[Part], rows: usize, to: &DataType, most: Most) -> Result<ArrayRef> {
    // None where one of them is null.
    let length_of = |row: usize| {
        let lengths = parts.iter().map(|part| Some(part.at(row)?.len()));
        lengths.sum::<Option<usize>>()
    };
    let length: usize = (0..rows).filter_map(length_of).sum();
    most.check(NAME, length as u128)?;
    let mut text = String::new();
    macro_rules! written {
        ($builder:expr) => {{
            let mut builder = $builder;
            for row in 0..rows {
                text.clear();
                match length_of(row) {
                    Some(_) => {
                        text.extend(parts.iter().filter_map(|part| part.at(row)));
                        builder.append_value(&text);
                    }
                    None => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }};
    }
    Ok(match to {
        DataType::Utf8 => written!(StringBuilder::with_capacity(rows, length)),
        DataType::LargeUtf8 => written!(LargeStringBuilder::with_capacity(rows, length)),
        DataType::Utf8View => written!(StringViewBuilder::with_capacity(rows)),
        other => return internal_err!("{NAME} of {other}"),
    })
}
