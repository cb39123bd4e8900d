//! JSON text, as Athena reads it.
//!
//! In: JSON text and paths like `$.a.b[0]['c-d']`. Out: parts of it. Promise: text that is not JSON, and a path that leads
//! nowhere, give null; what is not a path, or one to several values, is an error; nothing is built on the way, values are
//! found by scanning.

use super::function::{ArgumentKind, Arguments, Function, of_texts, text};
use crate::json::path::{leads_to_one, text_at};
use crate::json::scan::{self as json, Elements, Members, member, sound};
use arrow::array::{Array, BooleanArray, Int64Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use rustc_hash::FxHashSet;
use std::borrow::Cow;
use std::sync::Arc;

const JSON_PATH: Arguments =
    Arguments::all(&[("json", ArgumentKind::Text), ("path", ArgumentKind::Text)]);
const JSON: Arguments = Arguments::all(&[("json", ArgumentKind::Text)]);

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        at_path::<String, StringArray>(EXTRACT, texts, |value| Some(value.to_owned())),
        at_path::<String, StringArray>("json_extract_scalar", texts, scalar_text),
        at_path::<i64, Int64Array>("json_size", ints, |value| Some(size(value))),
        of_texts::<i64, Int64Array>("json_array_length", JSON, ints, |row| {
            Some(Elements::of(sound(row[0])?)?.count() as i64)
        }),
        of_texts::<String, StringArray>(
            "json_array_get",
            Arguments::all(&[("json", ArgumentKind::Text), ("index", ArgumentKind::Int)]),
            texts,
            |row| Some(element(row[0], row[1].parse().ok()?)?.to_owned()),
        ),
        of_texts::<bool, BooleanArray>(
            "json_array_contains",
            Arguments::all(&[("json", ArgumentKind::Text), ("value", ArgumentKind::Text)]),
            |_| Ok(DataType::Boolean),
            |row| {
                let mut elements = Elements::of(sound(row[0])?)?;
                Some(elements.any(|element| scalar(element).is_some_and(|text| text == row[1])))
            },
        ),
        // What `CAST(… AS ARRAY(VARCHAR))` becomes: see `dialect::calls`.
        Function::udf(
            ELEMENTS,
            JSON,
            |_| Ok(list_of_texts()),
            |arrays, _| {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for array in &text(&arrays[0])? {
                    let elements = array.and_then(elements);
                    lists.append_option(elements.map(|elements| {
                        elements
                            .into_iter()
                            .map(|element| (element != "null").then(|| shown(element)))
                    }));
                }
                Ok(Arc::new(lists.finish()))
            },
        ),
        of_texts::<String, StringArray>("json_parse", JSON, texts, |row| {
            sound(row[0]).map(str::to_owned)
        }),
        of_texts::<String, StringArray>("json_format", JSON, texts, |row| {
            sound(row[0]).map(str::to_owned)
        }),
        // What `requestparameters.bucketName` becomes: see `dialect::planner`.
        of_texts::<String, StringArray>(
            MEMBER,
            Arguments::all(&[("json", ArgumentKind::Text), ("name", ArgumentKind::Text)]),
            texts,
            |row| dotted(member_of_any_case(row[0], row[1])?),
        ),
    ]
}

/// A function of the value at a path.
fn at_path<T: 'static, A>(
    name: &'static str,
    returns: fn(&[DataType]) -> Result<DataType>,
    function: fn(&str) -> Option<T>,
) -> ScalarUDF
where
    A: Array + FromIterator<Option<T>> + 'static,
{
    Function::udf(name, JSON_PATH, returns, move |arrays, _| {
        let (documents, paths) = (text(&arrays[0])?, text(&arrays[1])?);
        let mut looked_at: Option<&str> = None;
        let rows = documents.iter().zip(&paths).map(|row| {
            let (Some(document), Some(path)) = row else {
                return Ok(None);
            };
            if looked_at != Some(path) && !leads_to_one(path) {
                return exec_err!(
                    "{path:?} is not a path to one value, like $.a.b[0]; for each element write CROSS JOIN UNNEST(CAST({EXTRACT}(json, '$.a') AS ARRAY(VARCHAR))) AS t(element)"
                );
            }
            looked_at = Some(path);
            Ok(text_at(document, path).and_then(function))
        });
        Ok(Arc::new(rows.collect::<Result<A>>()?))
    })
}

/// The text in JSON that is a text; other JSON as it is. It is one of `datafusion-functions-json`.
pub(crate) const AS_TEXT: &str = "json_as_text";

/// The name of the function that gives the value at a path.
pub(crate) const EXTRACT: &str = "json_extract";

/// The name of the function that looks a member up whatever its case.
pub(crate) const MEMBER: &str = "json_member";

/// The name of the function that makes a list of a JSON array.
pub(crate) const ELEMENTS: &str = "json_elements";

fn list_of_texts() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

fn texts(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Utf8)
}

fn ints(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Int64)
}

/// The member of that name; where there is none, the first whose name differs in case only.
pub(super) fn member_of_any_case<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    member(object, name).or_else(|| {
        let mut members = Members::of(object)?;
        while let Ok(Some((key, value))) = members.next() {
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
        None
    })
}

/// The element at an index, from the end when negative.
fn element(array: &str, index: i64) -> Option<&str> {
    let array = sound(array)?;
    let index = match index {
        0.. => index as usize,
        _ => Elements::of(array)?
            .count()
            .checked_sub(index.unsigned_abs() as usize)?,
    };
    Elements::of(array)?.nth(index)
}

/// A string, number or truth value as text; null for objects, arrays and null.
fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => json::string(value),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

/// A value as text: strings without their quotes, objects and arrays as JSON.
fn shown(value: &str) -> String {
    json::string(value).map_or_else(|| value.to_owned(), Cow::into_owned)
}

/// A value as the dot gives it: whole numbers are written as such, so that `CAST(… AS BIGINT)` takes the `11175.0` that
/// CloudTrail writes for bytes; null is null, not the word.
fn dotted(value: &str) -> Option<String> {
    let whole = value.strip_suffix(".0").filter(|whole| {
        whole
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    });
    match value {
        "null" => None,
        _ => Some(whole.map_or_else(|| shown(value), str::to_owned)),
    }
}

/// A scalar as text that stays.
pub(super) fn scalar_text(value: &str) -> Option<String> {
    scalar(value).map(Cow::into_owned)
}

/// The elements of an array, as written.
pub(super) fn elements(array: &str) -> Option<Vec<&str>> {
    Some(Elements::of(sound(array)?)?.collect())
}

/// How many members or elements a text has, if it is JSON.
pub(super) fn size_of(text: &str) -> Option<i64> {
    sound(text).map(size)
}

/// How many members or elements; 0 for what has none.
fn size(value: &str) -> i64 {
    if let Some(elements) = Elements::of(value) {
        return elements.count() as i64;
    }
    members(value).map_or(0, |members| members.len() as i64)
}

/// The members of an object, in order, the first of each name; null members have no value.
pub(super) fn members(object: &str) -> Option<Vec<(Cow<'_, str>, Option<String>)>> {
    let mut members = Members::of(sound(object)?)?;
    let (mut found, mut seen) = (Vec::new(), FxHashSet::default());
    while let Ok(Some((key, value))) = members.next() {
        let key = match key.contains('\\') {
            true => Cow::Owned(json::unescape(key)),
            false => Cow::Borrowed(key),
        };
        if seen.insert(key.clone()) {
            found.push((key, (value != "null").then(|| shown(value))));
        }
    }
    Some(found)
}

/// The member of an object as `element_at` gives it.
pub(super) fn member_text(object: &str, name: &str) -> Option<String> {
    member(object, name)
        .filter(|value| *value != "null")
        .map(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#" {"a":{"b":[1,{"c-d":"é\n"}, null]},"x.y":"z","B":true,"n":null,"q\"":1} "#;

    #[test]
    fn scalars_and_members() {
        assert_eq!(scalar(r#""é\n""#).as_deref(), Some("é\n"));
        assert_eq!(scalar("[1]"), None);
        assert_eq!(member_of_any_case(TEXT, "b"), Some("true"));
        assert_eq!(member_of_any_case(TEXT, "A").map(str::len), Some(30));
        assert_eq!(member_text(TEXT, "n"), None);
        assert_eq!(dotted("11175.0").as_deref(), Some("11175"));
        assert_eq!(dotted("1.50").as_deref(), Some("1.50"));
        assert_eq!(dotted("\"1.0\"").as_deref(), Some("1.0"));
        assert_eq!(dotted("null"), None);
        assert_eq!(member(TEXT, "q\""), Some("1"));
        assert_eq!(size("[1,[2,3]]"), 2);
        assert_eq!(size("{}"), 0);
        assert_eq!(element("[1,2]", -1), Some("2"));
        assert_eq!(element("[1,2]", -3), None);
        assert_eq!(members("[]"), None);
    }
}
