//! Access keys, and texts by number.
//!
//! In: columns of text. Out: columns. Promise: what an access key's id itself tells, without a look at any event.

mod iam_needs;

use crate::cloudtrail::{access_key_kind, decode_account};
use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        text_function("key_type", |id| {
            Some(access_key_kind(id).as_str().to_owned())
        }),
        text_function("decoded_account_id", |id| {
            decode_account(id).map(|account| account.to_string())
        }),
        iam_needs::function(),
    ]
}

/// A function from text to text; null for null.
fn text_function(name: &str, function: fn(&str) -> Option<String>) -> ScalarUDF {
    let implementation = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let scalar = matches!(arguments.first(), Some(ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = arrow::compute::cast(&arrays[0], &DataType::Utf8)?;
        let results: StringArray = as_string_array(&texts)?
            .iter()
            .map(|text| text.and_then(function))
            .collect();
        let results: ArrayRef = Arc::new(results);
        Ok(match scalar && results.len() == 1 {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?),
            false => ColumnarValue::Array(results),
        })
    };
    create_udf(
        name,
        vec![DataType::Utf8],
        DataType::Utf8,
        Volatility::Immutable,
        Arc::new(implementation),
    )
}
