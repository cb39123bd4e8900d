//! Parts of texts, as Athena counts them.
//!
//! In: texts, where a part begins and how long it is. Out: the parts. Promise: characters are counted from 1, from the end when
//! negative; there is nothing at 0 and beyond either end. (DataFusion, like Postgres, begins before the text instead, so that
//! `substr(arn, -12)` would be all of it.)
//!
//! <https://trino.io/docs/current/functions/string.html#substr>

use super::function::{ArgumentKind, Arguments, Function, text};
use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

/// The function's name, also that of `substring(text FROM 2 FOR 3)`: see `dialect::calls`.
pub(crate) const SUBSTR: &str = "substr";

const ARGUMENTS: Arguments = Arguments {
    kinds: &[
        ("text", ArgumentKind::Text),
        ("start", ArgumentKind::Int),
        ("length", ArgumentKind::Int),
    ],
    required: 2,
};

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![Function::udf(
        SUBSTR,
        ARGUMENTS,
        |_| Ok(DataType::Utf8),
        |arrays, _| {
            let texts = text(&arrays[0])?;
            let number = |at: usize| {
                arrays
                    .get(at)
                    .map(|array| array.as_primitive::<Int64Type>())
            };
            let (starts, lengths) = (number(1), number(2));
            let at = |numbers: Option<&Int64Array>, row: usize| match numbers {
                Some(numbers) if numbers.is_null(row) => None,
                numbers => Some(numbers.map(|numbers| numbers.value(row))),
            };
            let parts = texts.iter().enumerate().map(|(row, text)| {
                let (start, length) = (at(starts, row)??, at(lengths, row)?);
                Some(part(text?, start, length))
            });
            Ok(Arc::new(parts.collect::<StringArray>()))
        },
    )]
}

/// The characters from one on, so many of them or all that are left.
fn part(text: &str, start: i64, length: Option<i64>) -> &str {
    let before = match start {
        1.. => usize::try_from(start - 1).ok(),
        0 => None,
        _ => {
            let from_end = usize::try_from(start.unsigned_abs()).ok();
            from_end.and_then(|from_end| text.chars().count().checked_sub(from_end))
        }
    };
    let length = length.map_or(Some(usize::MAX), |length| usize::try_from(length).ok());
    let (Some(before), Some(length)) = (before, length) else {
        return "";
    };
    let after = |text: &str, characters: usize| match text.is_ascii() {
        true => characters.min(text.len()),
        false => text
            .char_indices()
            .nth(characters)
            .map_or(text.len(), |(at, _)| at),
    };
    let rest = text.get(after(text, before)..).unwrap_or_default();
    rest.get(..after(rest, length)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_from_either_end() {
        for (text, start, length, expected) in [
            ("Quadratically", 5, Some(6), "ratica"),
            ("Quadratically", -5, None, "cally"),
            ("Quadratically", -5, Some(2), "ca"),
            ("abc", 0, Some(2), ""),
            ("abc", -4, None, ""),
            ("abc", -3, None, "abc"),
            ("abc", 4, None, ""),
            ("abc", 1, Some(0), ""),
            ("abc", 1, Some(-1), ""),
            ("abc", 2, Some(i64::MAX), "bc"),
            ("abc", i64::MAX, Some(i64::MAX), ""),
            ("abc", i64::MIN, None, ""),
            ("äöü", 2, Some(1), "ö"),
            ("äöü", -2, None, "öü"),
        ] {
            assert_eq!(
                part(text, start, length),
                expected,
                "{text} {start} {length:?}"
            );
        }
    }
}
