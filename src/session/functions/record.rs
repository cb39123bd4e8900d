//! A record put together again.
//!
//! In: a struct whose fields are named by their paths in the record (`userIdentity.arn`). Out: JSON text, nested. Promise:
//! what the columns hold, in their order, and what had no column; a text that the columns hold is a string again, even
//! where the record had something else.

use super::function::{ArgumentKind, Arguments, Function, text};
use crate::event::{COLUMNS, ColumnKind, is_failure, is_update};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ScalarUDF;
use serde_json::{Map, Value};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Function::udf(
            "is_update",
            Arguments::all(&[("addendum", ArgumentKind::Text)]),
            |_| Ok(DataType::Boolean),
            |arrays, _| {
                let addenda = text(&arrays[0])?;
                let updates = addenda
                    .iter()
                    .map(|addendum| Some(addendum.is_some_and(is_update)));
                Ok(Arc::new(updates.collect::<BooleanArray>()))
            },
        ),
        Function::udf(
            "failed",
            Arguments::all(&[("error_code", ArgumentKind::Text)]),
            |_| Ok(DataType::Boolean),
            |arrays, _| {
                let codes = text(&arrays[0])?;
                let failed = codes.iter().map(|code| Some(code.is_some_and(is_failure)));
                Ok(Arc::new(failed.collect::<BooleanArray>()))
            },
        ),
        Function::udf(
            "event_json",
            Arguments::all(&[("fields", ArgumentKind::Any)]),
            |given| match &given[0] {
                DataType::Struct(_) => Ok(DataType::Utf8),
                other => plan_err!("event_json takes a struct, not {other}"),
            },
            |arrays, _| event_json(&arrays[0]),
        ),
    ]
}

/// What a field of the struct holds.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Text,
    Bool,
    Json,
    /// An object of values by path.
    Paths,
}

/// The field whose members are paths themselves.
const OTHER: &str = "other_fields";

fn event_json(fields: &ArrayRef) -> Result<ArrayRef> {
    let fields = fields.as_struct();
    let mut columns = Vec::new();
    for (field, array) in fields.fields().iter().zip(fields.columns()) {
        let path = field.name().as_str();
        let json = COLUMNS
            .iter()
            .any(|column| column.path == path && column.kind == ColumnKind::Json);
        let holds = match field.data_type() {
            _ if path == OTHER => Holds::Paths,
            _ if json => Holds::Json,
            DataType::Boolean => Holds::Bool,
            _ => Holds::Text,
        };
        columns.push((path, holds, text(array)?));
    }
    let records: StringArray = (0..fields.len())
        .map(|row| Some(record(&columns, row)))
        .collect();
    Ok(Arc::new(records))
}

fn record(columns: &[(&str, Holds, StringArray)], row: usize) -> String {
    let mut record = Map::new();
    for (path, holds, values) in columns {
        if values.is_null(row) {
            continue;
        }
        let text = values.value(row);
        match holds {
            Holds::Text => insert(&mut record, path, Value::from(text)),
            Holds::Bool => insert(&mut record, path, Value::from(text == "true")),
            Holds::Json => insert(&mut record, path, parsed(text)),
            Holds::Paths => {
                if let Value::Object(others) = parsed(text) {
                    for (path, value) in others {
                        insert(&mut record, &path, value);
                    }
                }
            }
        }
    }
    Value::Object(record).to_string()
}

fn parsed(text: &str) -> Value {
    let parsed = crate::json::Value::parse(text);
    parsed
        .and_then(|value| serde_json::to_value(value).ok())
        .unwrap_or_else(|| Value::from(text))
}

/// Puts a value at a dotted path. Where something else stands in the way, the whole path is the name. What is there already
/// stays: of two values for one path the first counts.
fn insert(record: &mut Map<String, Value>, path: &str, value: Value) {
    insert_at(record, path, (0, value));
}

/// Names may have dots of their own, as many as whoever wrote them liked.
const DEEPEST: usize = 8;

fn insert_at(object: &mut Map<String, Value>, path: &str, (depth, value): (usize, Value)) {
    if depth < DEEPEST
        && let Some((name, deeper)) = path.split_once('.')
        && let Value::Object(next) = object
            .entry(name)
            .or_insert_with(|| Value::Object(Map::new()))
    {
        return insert_at(next, deeper, (depth + 1, value));
    }
    object.entry(path).or_insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, StructArray};
    use arrow::datatypes::Field;

    #[test]
    fn paths_are_nested_again() -> Result<()> {
        let texts = |name, text: Option<&str>| {
            let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
            (Arc::new(Field::new(name, DataType::Utf8, true)), array)
        };
        let fields = StructArray::from(vec![
            texts("userIdentity.type", Some("IAMUser")),
            texts("userIdentity.arn", None),
            texts("requestParameters", Some(r#"{"a":[1,"x\n"]}"#)),
            texts("eventName", Some("a\"b")),
            (
                Arc::new(Field::new("readOnly", DataType::Boolean, true)),
                Arc::new(BooleanArray::from(vec![true])) as ArrayRef,
            ),
            texts(OTHER, Some(r#"{"userIdentity.new":1,"eventName.x":2}"#)),
        ]);
        let records = event_json(&(Arc::new(fields) as ArrayRef))?;
        assert_eq!(
            records.as_string::<i32>().value(0),
            r#"{"userIdentity":{"type":"IAMUser","new":1},"requestParameters":{"a":[1,"x\n"]},"eventName":"a\"b","readOnly":true,"eventName.x":2}"#
        );
        Ok(())
    }
}
