//! Values for people.
//!
//! In: a value. Out: the text that terminal and Markdown show. Promise: nothing in it acts on a terminal.

use super::escape::{json as json_in_line, shown};
use super::json;
use super::value::{Value, readable};

/// What stands for no value.
const MISSING: &str = "–";

/// A value for people: times without `T` and `Z`, lists without brackets.
pub(super) fn text(value: &Value<'_>) -> String {
    match value {
        Value::Null => MISSING.to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(digits) => digits.clone(),
        Value::Time(time) => readable(*time),
        Value::Text(text) => shown(text),
        Value::Json(text) => shown(&json_in_line(text)),
        Value::List(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(_) => shown(&json::text(value)),
    }
}
