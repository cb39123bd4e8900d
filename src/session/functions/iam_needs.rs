//! `iam_needs(event_source, operation, aws_region, account_id, user_identity_arn, via_service, resources,
//! request_parameters, response_elements, additional_event_data, refusal)`: the permissions that a call needs.
//!
//! In: columns of `events`; `refusal` is the error message of a denied call. Out: a list of
//! `{action, resource, leaf, condition, open, first}`, see `knowledge::iam`. Promise: never fails, whatever a column holds.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, ListBuilder, StringArray, StringBuilder, StructBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::common::cast::as_string_array;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use crate::knowledge::iam::{Call, Need, Open, needs};

/// The arguments of the function.
const ARGUMENTS: usize = 11;

/// The texts of a need; a boolean follows.
const TEXTS: [&str; 5] = ["action", "resource", "leaf", "condition", "open"];

fn fields() -> Fields {
    let texts = TEXTS.map(|name| Field::new(name, DataType::Utf8, true));
    let first = Field::new("first", DataType::Boolean, true);
    texts.into_iter().chain([first]).collect()
}

pub(super) fn function() -> ScalarUDF {
    let item = Field::new_list_field(DataType::Struct(fields()), true);
    create_udf(
        "iam_needs",
        vec![DataType::Utf8; ARGUMENTS],
        DataType::List(Arc::new(item)),
        Volatility::Immutable,
        Arc::new(evaluate),
    )
}

fn evaluate(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let texts = arrays
        .iter()
        .map(|array| Ok(cast(array, &DataType::Utf8)?))
        .collect::<Result<Vec<_>>>()?;
    let columns = texts
        .iter()
        .map(|array| as_string_array(array))
        .collect::<Result<Vec<_>>>()?;
    let rows = columns.first().map_or(0, |column| column.len());
    let mut list = ListBuilder::new(StructBuilder::from_fields(fields(), rows));
    for row in 0..rows {
        for need in needs(&call(&columns, row)) {
            append(list.values(), &need);
        }
        list.append(true);
    }
    let list: ArrayRef = Arc::new(list.finish());
    Ok(ColumnarValue::Array(list))
}

fn call<'a>(columns: &[&'a StringArray], row: usize) -> Call<'a> {
    let text = |index: usize| {
        columns
            .get(index)
            .filter(|column| column.is_valid(row))
            .map(|column| column.value(row))
    };
    let known = |index| text(index).unwrap_or_default();
    Call {
        event_source: known(0),
        operation: known(1),
        region: known(2),
        account: known(3),
        caller: known(4),
        via_service: text(5),
        resources: text(6),
        request_parameters: text(7),
        response_elements: text(8),
        additional_event_data: text(9),
        refusal: text(10),
    }
}

fn append(builder: &mut StructBuilder, need: &Need) {
    let values = [
        Some(need.action.as_str()),
        Some(need.resource.as_str()),
        need.leaf.as_deref(),
        need.condition.as_deref(),
        need.open.map(Open::as_str),
    ];
    for (index, value) in values.into_iter().enumerate() {
        if let Some(field) = builder.field_builder::<StringBuilder>(index) {
            field.append_option(value);
        }
    }
    if let Some(field) = builder.field_builder::<BooleanBuilder>(TEXTS.len()) {
        field.append_value(need.first);
    }
    builder.append(true);
}
