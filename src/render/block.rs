//! JSON that people read: documents.
//!
//! In: a table one of whose columns is a block (see [`FIT`]). Out: for each row a line of the other columns, and the lines
//! of the document. Promise: a document that is no JSON is one line as it is.

use arrow::datatypes::Schema;

use super::readable;
use super::value::Value;
use crate::report::FIT;

/// The column that is a block.
pub(super) fn column(schema: &Schema) -> Option<usize> {
    let fields = schema.fields().iter();
    fields
        .enumerate()
        .find(|(_, field)| field.metadata().get(FIT).is_some_and(|fit| fit == "block"))
        .map(|(index, _)| index)
}

/// The other columns in one line: texts as they are, others with their names.
pub(super) fn heading(schema: &Schema, row: &[Value<'_>], block: usize) -> String {
    let mut heading = String::new();
    let others = row.iter().enumerate().filter(|(index, _)| *index != block);
    for (index, value) in others {
        let text = readable::text(value);
        let part = match value {
            Value::Text(_) => text,
            _ => format!("{text} {}", schema.field(index).name()),
        };
        let between = match heading.len() {
            0 => "",
            _ if heading.contains(": ") => "; ",
            _ => ": ",
        };
        heading.push_str(between);
        heading.push_str(&part);
    }
    heading
}

/// The lines of a document.
pub(super) fn lines(value: &Value<'_>) -> Vec<String> {
    let Value::Json(text) = value else {
        return vec![readable::text(value)];
    };
    let parsed = serde_json::from_str::<serde_json::Value>(text);
    let pretty = parsed.map_or_else(|_| (*text).to_owned(), |json| format!("{json:#}"));
    pretty.lines().map(str::to_owned).collect()
}
