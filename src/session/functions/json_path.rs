//! SQL/JSON: `json_value`, `json_query`, `json_exists`.
//!
//! In: JSON text and paths like `lax $.items.name` and `strict $.a[0]`. Out: what stands there. Promise: lax and strict as
//! Athena has them; a value that is not there gives null; a path that is not one, or has a filter, is an error, not null.

use super::function::{ArgumentKind, Arguments, Function, text};
use super::json::scalar_text;
use crate::json::path::{Mode, texts_at};
use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

const JSON_PATH: Arguments =
    Arguments::all(&[("json", ArgumentKind::Text), ("path", ArgumentKind::Text)]);

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Function::udf(
            "json_value",
            JSON_PATH,
            |_| Ok(DataType::Utf8),
            |arrays, _| {
                texts(arrays, |found| match found {
                    [one] => scalar_text(one),
                    _ => None,
                })
            },
        ),
        Function::udf(
            "json_query",
            JSON_PATH,
            |_| Ok(DataType::Utf8),
            |arrays, _| {
                texts(arrays, |found| match found {
                    [one] => Some((*one).to_owned()),
                    _ => None,
                })
            },
        ),
        Function::udf(
            "json_exists",
            JSON_PATH,
            |_| Ok(DataType::Boolean),
            |arrays, _| {
                let found = each(arrays, |found| Some(!found.is_empty()))?;
                let found = found
                    .into_iter()
                    .map(|row| row.map(|row| row == Some(true)));
                Ok(Arc::new(found.collect::<BooleanArray>()))
            },
        ),
    ]
}

fn texts(arrays: &[ArrayRef], of: impl Fn(&[&str]) -> Option<String>) -> Result<ArrayRef> {
    let found = each(arrays, of)?.into_iter().map(Option::flatten);
    Ok(Arc::new(found.collect::<StringArray>()))
}

/// Null where the text is null; none inside where there is nothing at the path.
fn each<T>(
    arrays: &[ArrayRef],
    of: impl Fn(&[&str]) -> Option<T>,
) -> Result<Vec<Option<Option<T>>>> {
    let (documents, paths) = (text(&arrays[0])?, text(&arrays[1])?);
    let rows = (0..documents.len()).map(|row| {
        if documents.is_null(row) || paths.is_null(row) {
            return Ok(None);
        }
        let (mode, path) = moded(paths.value(row));
        match texts_at(documents.value(row), path, mode) {
            Some(found) => Ok(Some(of(&found))),
            None => exec_err!(
                "{:?} is not a path that keytrail follows: names, indexes and [*] after lax $ or strict $",
                paths.value(row)
            ),
        }
    });
    rows.collect()
}

/// How a path is followed, and the path; lax unless it says otherwise.
fn moded(path: &str) -> (Mode, &str) {
    let path = path.trim();
    let after = |word: &str| {
        let (first, rest) = path.split_once(char::is_whitespace)?;
        first.eq_ignore_ascii_case(word).then_some(rest)
    };
    match (after("strict"), after("lax")) {
        (Some(rest), _) => (Mode::Strict, rest),
        (_, Some(rest)) => (Mode::Lax, rest),
        _ => (Mode::Lax, path),
    }
}
