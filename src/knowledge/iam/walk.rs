//! Ways through JSON.
//!
//! In: a value. Out: each text or member of it, with the names around it. Promise: in the order of the document.

use crate::json::Value;

/// The texts of a JSON value, with the name under which each stands.
pub(super) fn texts<'a>(name: &'a str, value: &'a Value, visit: &mut dyn FnMut(&'a str, &'a str)) {
    match value {
        Value::String(text) => visit(name, text),
        Value::Array(items) => items.iter().for_each(|item| texts(name, item, visit)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| texts(name, value, visit)),
        _ => {}
    }
}

/// The members of a JSON value, however deep.
pub(super) fn below<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a str, &'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| below(item, visit)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            visit(name, value);
            below(value, visit);
        }),
        _ => {}
    }
}

/// The texts of a JSON value, with the names of all members around each.
pub(super) fn nested<'a>(value: &'a Value, visit: &mut dyn FnMut(&[&'a str], &'a str)) {
    fn walk<'a>(
        path: &mut Vec<&'a str>,
        value: &'a Value,
        visit: &mut dyn FnMut(&[&'a str], &'a str),
    ) {
        match value {
            Value::String(text) => visit(path, text),
            Value::Array(items) => items.iter().for_each(|item| walk(path, item, visit)),
            Value::Object(fields) => {
                for (name, value) in fields.iter() {
                    path.push(name);
                    walk(path, value, visit);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    walk(&mut Vec::new(), value, visit);
}
