//! Values for the parameters of a query.
//!
//! In: texts as people type them, and what the query compares a parameter with. Out: values of that type. Promise: a value
//! is only ever a value: it never becomes part of the SQL.

use super::fault::{FaultKind, SqlFault};
use crate::cloudtrail::{Bound, parse_time};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;

/// The value of a parameter: of the type that the query wants, or of the type the text looks like.
pub(super) fn value(
    name: &str,
    text: &str,
    wanted: Option<&DataType>,
) -> Result<ScalarValue, SqlFault> {
    let unfit = |what: &str| SqlFault {
        kind: FaultKind::UnfitValue,
        ..SqlFault::new(format!("parameter ${name}: {text:?} is not a {what}"))
    };
    match wanted {
        None | Some(DataType::Null) => Ok(guessed(text)),
        Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            Ok(ScalarValue::from(text))
        }
        Some(DataType::Timestamp(unit, zone)) => {
            let time = moment(text).ok_or_else(|| unfit("time"))?;
            let scalar = ScalarValue::TimestampMicrosecond(
                Some(time.timestamp_micros()),
                Some("UTC".into()),
            );
            scalar
                .cast_to(&DataType::Timestamp(*unit, zone.clone()))
                .map_err(|_| unfit("time"))
        }
        Some(DataType::Date32) => {
            let time = moment(text).ok_or_else(|| unfit("date"))?;
            Ok(ScalarValue::Date32(Some(time.date_naive().to_epoch_days())))
        }
        Some(DataType::Boolean) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" => Ok(ScalarValue::from(true)),
            "false" | "f" | "no" => Ok(ScalarValue::from(false)),
            _ => Err(unfit("boolean: true or false")),
        },
        Some(wanted) => {
            let what = if wanted.is_integer() {
                "whole number".to_owned()
            } else if wanted.is_numeric() {
                "number".to_owned()
            } else {
                wanted.to_string()
            };
            ScalarValue::try_from_string(text.to_owned(), wanted).map_err(|_| unfit(&what))
        }
    }
}

/// A time as `--since` takes it, or as SQL writes it.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = parse_time(text, Utc::now(), Bound::Since) {
        return Some(time);
    }
    let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    match ScalarValue::try_from_string(text.to_owned(), &micros) {
        Ok(ScalarValue::TimestampMicrosecond(Some(time), _)) => {
            DateTime::from_timestamp_micros(time)
        }
        _ => None,
    }
}

/// Where the query does not say: whole numbers and booleans are such, all else is text. Digits with a zero before them are
/// an id.
fn guessed(text: &str) -> ScalarValue {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return ScalarValue::from(number);
    }
    match text {
        "true" => ScalarValue::from(true),
        "false" => ScalarValue::from(false),
        _ => ScalarValue::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_decides_the_type() {
        let of = |text, wanted: &DataType| value("x", text, Some(wanted)).unwrap();
        assert_eq!(of("012", &DataType::Utf8), ScalarValue::from("012"));
        assert_eq!(of("12", &DataType::Int64), ScalarValue::from(12_i64));
        assert_eq!(of("Yes", &DataType::Boolean), ScalarValue::from(true));
        assert_eq!(
            of("2025-03-05", &DataType::Date32),
            ScalarValue::Date32(Some(20_152))
        );
        let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let time =
            ScalarValue::TimestampMicrosecond(Some(1_741_176_000_000_000), Some("UTC".into()));
        for text in ["2025-03-05T12:00:00Z", "2025-03-05 12:00:00"] {
            assert_eq!(of(text, &micros), time, "{text}");
        }
        let error = value("since", "soon", Some(&micros)).unwrap_err();
        assert_eq!(error.message, "parameter $since: \"soon\" is not a time");
        let error = value("n", "1.5", Some(&DataType::Int64)).unwrap_err();
        assert_eq!(error.message, "parameter $n: \"1.5\" is not a whole number");
    }

    #[test]
    fn without_a_type_the_text_decides() {
        let of = |text| value("x", text, None).unwrap();
        assert_eq!(of("12"), ScalarValue::from(12_i64));
        assert_eq!(of("012345678901"), ScalarValue::from("012345678901"));
        assert_eq!(of("true"), ScalarValue::from(true));
        assert_eq!(of("1.5"), ScalarValue::from("1.5"));
        assert_eq!(of(""), ScalarValue::from(""));
    }
}
