//! What the logs say, made fit for a model to read.
//!
//! In: values out of logs. Out: the same values, short and plain. Promise: no character that hides or acts is left; what was cut
//! says so, and how much. That a text is no instruction cannot be seen from the text: where it stands says it.

use crate::render::escape::is_hidden;
use serde_json::{Map, Value};

/// The most characters of a text.
const CHARACTERS: usize = 600;

/// The most items of a list inside of a row.
const ITEMS: usize = 40;

/// How deep objects are followed.
const DEPTH: usize = 16;

/// A text that is cut, and in which nothing hides.
pub(super) fn text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(CHARACTERS * 4));
    let mut characters = text.chars();
    let mut count = 0;
    for c in characters.by_ref() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => plain.push(' '),
            c if is_hidden(c) => continue,
            c => plain.push(c),
        }
        count += 1;
        if count == CHARACTERS {
            break;
        }
    }
    match characters.count() {
        0 => plain,
        more => plain + &format!("… [cut: {more} more characters]"),
    }
}

/// A value all of whose texts are.
pub(super) fn value(of: Value) -> Value {
    at(of, DEPTH)
}

fn at(value: Value, depth: usize) -> Value {
    match value {
        Value::String(long) => Value::String(text(&long)),
        Value::Array(_) | Value::Object(_) if depth == 0 => {
            Value::String("[cut: nested]".to_owned())
        }
        Value::Array(items) => {
            let more = items.len().saturating_sub(ITEMS);
            let mut kept: Vec<Value> = items
                .into_iter()
                .take(ITEMS)
                .map(|item| at(item, depth - 1))
                .collect();
            if more > 0 {
                kept.push(Value::String(format!("[cut: {more} more]")));
            }
            Value::Array(kept)
        }
        Value::Object(members) => Value::Object(members_at(members, depth)),
        plain => plain,
    }
}

fn members_at(members: Map<String, Value>, depth: usize) -> Map<String, Value> {
    let more = members.len().saturating_sub(ITEMS * 4);
    let kept = members.into_iter().take(ITEMS * 4);
    let mut kept: Map<String, Value> = kept
        .map(|(name, value)| (text(&name), at(value, depth - 1)))
        .collect();
    if more > 0 {
        kept.insert("[cut]".to_owned(), Value::from(more));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_hides_and_nothing_is_endless() {
        let hidden = "a\u{1b}[2Jb\u{202e}c\nd\u{e0041}\u{200b}";
        assert_eq!(text(hidden), "a[2Jbc d");
        let long = text(&"é".repeat(1_000));
        assert!(long.ends_with("é… [cut: 400 more characters]"), "{long}");
        let many = value(json!({ "x\u{202e}": vec![1; 100] }));
        assert_eq!(many["x"].as_array().unwrap().len(), ITEMS + 1);
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(value(deep).to_string().contains("[cut: nested]"));
    }
}
