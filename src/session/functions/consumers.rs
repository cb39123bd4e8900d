//! What a call says about who made it, and what it was about.
//!
//! In: columns of text. Out: columns. Promise: a user agent is parsed as `cloudtrail::UserAgent` does; a record that names no
//! resource has none.

use super::function::{ArgumentKind, Arguments, of_texts};
use crate::cloudtrail::{UserAgent, session_name, used_resource};
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use std::sync::Arc;

const AGENT: Arguments = Arguments::all(&[("user_agent", ArgumentKind::Text)]);
const PARAMETERS: Arguments = Arguments::all(&[("request_parameters", ArgumentKind::Text)]);

pub(super) fn all() -> Vec<ScalarUDF> {
    let function = |name, function| {
        of_texts::<String, StringArray>(name, AGENT, |_| Ok(DataType::Utf8), function)
    };
    vec![
        function("user_agent_family", |row| {
            Some(UserAgent::parse(row[0]).family.to_string())
        }),
        function("user_agent_canonical", |row| {
            Some(UserAgent::parse(row[0]).canonical())
        }),
        function("user_agent_sdk", |row| UserAgent::parse(row[0]).sdk),
        function("user_agent_tool", |row| UserAgent::parse(row[0]).tool),
        function("user_agent_os", |row| UserAgent::parse(row[0]).os),
        function("user_agent_exec_env", |row| {
            UserAgent::parse(row[0]).exec_env
        }),
        function("user_agent_command", |row| UserAgent::parse(row[0]).command),
        function("user_agent_credential_source", |row| {
            let sources = UserAgent::parse(row[0]).credential_sources;
            (!sources.is_empty()).then(|| sources.join("+"))
        }),
        of_texts::<String, StringArray>(
            "session_name",
            PARAMETERS,
            |_| Ok(DataType::Utf8),
            |row| session_name(row[0]),
        ),
        used_resource_function(),
    ]
}

/// `used_resource(event_source, request_parameters, resources)`: what a call was about; either of the last two may be null.
fn used_resource_function() -> ScalarUDF {
    let implementation = |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts: Vec<ArrayRef> = arrays
            .iter()
            .map(|array| arrow::compute::cast(array, &DataType::Utf8))
            .collect::<Result<_, _>>()?;
        let columns: Vec<&StringArray> = texts
            .iter()
            .map(|text| as_string_array(text))
            .collect::<Result<_>>()?;
        let [sources, parameters, resources] = columns.as_slice() else {
            return plan_err!("used_resource takes three texts");
        };
        let rows = sources.iter().zip(parameters.iter()).zip(resources.iter());
        let used: StringArray = rows
            .map(|((source, parameters), resources)| used_resource(source?, parameters, resources))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(used)))
    };
    create_udf(
        "used_resource",
        vec![DataType::Utf8; 3],
        DataType::Utf8,
        Volatility::Immutable,
        Arc::new(implementation),
    )
}
