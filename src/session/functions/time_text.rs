//! Times as texts, without losing what times are good for.
//!
//! In: a time or a day, and a format. Out: text. Promise: a comparison of that text with a constant becomes a comparison of
//! the time itself, so that `eventtime > '2025-03-01'` and `"timestamp" = '2025/03/01'` skip files like a comparison of
//! `event_time` does.

use super::function::{ArgumentKind, Arguments, columnar, documentation, text, time};
use super::moment::{moment, moments};
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use chrono::DateTime;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use std::fmt::Write as _;
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    let signature = || Signature::user_defined(Volatility::Immutable);
    vec![
        ScalarUDF::from(UtcText {
            signature: signature(),
            documentation: documentation("utc_text", &ARGUMENTS),
        }),
        ScalarUDF::from(FromText {
            signature: signature(),
            documentation: documentation("from_iso8601_timestamp", &TEXT),
        }),
    ]
}

/// As CloudTrail writes times.
pub(super) const ISO: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Formats whose texts sort like the times they stand for.
const SORTED: [&str; 3] = [ISO, "%Y/%m/%d", "%Y"];

/// The first and the last second of the years with four digits: within them texts sort.
const SECONDS: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// `utc_text(time, format)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct UtcText {
    signature: Signature,
    documentation: Documentation,
}

const ARGUMENTS: Arguments = Arguments::all(&[
    ("time", ArgumentKind::TimeOrDay),
    ("format", ArgumentKind::Text),
]);

impl ScalarUDFImpl for UtcText {
    fn name(&self) -> &str {
        "utc_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        ARGUMENTS.coerce(self.name(), given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| formatted(&arrays[0], &arrays[1]))
    }

    fn preimage(
        &self,
        args: &[Expr],
        value: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        let text_of =
            |expr: &Expr| -> Option<String> { Some(expr.as_literal()?.try_as_str()??.to_owned()) };
        let (Some(format), Some(value)) = (text_of(&args[1]), text_of(value)) else {
            return Ok(PreimageResult::None);
        };
        if !SORTED.contains(&format.as_str()) {
            return Ok(PreimageResult::None);
        }
        let bounds = match info.get_data_type(&args[0])? {
            DataType::Date32 => bounds(SECONDS_OF_A_DAY, &format, &value)
                .map(|day| ScalarValue::Date32(Some(day as i32))),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                bounds(1, &format, &value).map(|second| {
                    ScalarValue::TimestampMicrosecond(Some(second * 1_000_000), zone.clone())
                })
            }
            _ => return Ok(PreimageResult::None),
        };
        let [lower, upper] = bounds;
        Ok(PreimageResult::Range {
            expr: args[0].clone(),
            interval: Box::new(Interval::try_new(lower, upper)?),
        })
    }
}

/// `from_iso8601_timestamp(text)`. Of a text that was made of a time, it is that time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FromText {
    signature: Signature,
    documentation: Documentation,
}

const TEXT: Arguments = Arguments::all(&[("text", ArgumentKind::Text)]);

impl ScalarUDFImpl for FromText {
    fn name(&self) -> &str {
        "from_iso8601_timestamp"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        TEXT.coerce(self.name(), given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(time())
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| {
            let texts = text(&arrays[0])?;
            moments(texts.iter().map(|text| Ok(text.and_then(moment))))
        })
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let [Expr::ScalarFunction(inner)] = args.as_slice()
            && inner.func.inner().is::<UtcText>()
            && let [moment, format] = inner.args.as_slice()
            && format
                .as_literal()
                .and_then(|format| format.try_as_str().flatten())
                == Some(ISO)
            && info.get_data_type(moment)? == time()
        {
            return Ok(ExprSimplifyResult::Simplified(moment.clone()));
        }
        Ok(ExprSimplifyResult::Original(args))
    }
}

/// The first unit of time (of so many seconds) whose text is not below `value`, and the first whose text is above.
fn bounds(seconds: i64, format: &str, value: &str) -> [i64; 2] {
    let first = |below: &dyn Fn(&str) -> bool| {
        let (mut low, mut high) = (SECONDS.start / seconds, SECONDS.end / seconds);
        while low < high {
            let middle = low + (high - low) / 2;
            match below(&one(middle * seconds, format)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    };
    [first(&|text| text < value), first(&|text| text <= value)]
}

/// A moment as text; nothing for moments that no calendar has.
pub(super) fn one(second: i64, format: &str) -> String {
    let mut text = String::new();
    if let Some(time) = DateTime::from_timestamp(second, 0) {
        // A format that is none leaves the text as far as it came.
        let _ = write!(text, "{}", time.format(format));
    }
    text
}

fn formatted(times: &ArrayRef, formats: &ArrayRef) -> Result<ArrayRef> {
    let formats = text(formats)?;
    let unit = match times.data_type() {
        DataType::Date32 => SECONDS_OF_A_DAY,
        _ => 1,
    };
    let numbers = match unit {
        1 => cast(&cast(times, &time())?, &DataType::Int64)?,
        _ => cast(&cast(times, &DataType::Int32)?, &DataType::Int64)?,
    };
    let numbers = numbers.as_primitive::<Int64Type>();
    // Neighbours are often of the same day or second.
    let mut last = (i64::MIN, String::new());
    let texts: StringArray = (0..numbers.len())
        .map(|row| {
            if numbers.is_null(row) || formats.is_null(row) {
                return None;
            }
            let second = match unit {
                1 => numbers.value(row).div_euclid(1_000_000),
                _ => numbers.value(row) * unit,
            };
            if row == 0 || last.0 != second || formats.value(row) != formats.value(row - 1) {
                last = (second, one(second, formats.value(row)));
            }
            Some(last.1.clone())
        })
        .collect();
    Ok(Arc::new(texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .expect("a time")
            .timestamp()
    }

    #[test]
    fn texts_have_bounds() {
        let at = "2025-03-05T02:17:31Z";
        assert_eq!(bounds(1, ISO, at), [second(at), second(at) + 1]);
        // Between two seconds' texts: no second equals it.
        let day = second("2025-03-05T00:00:00Z");
        assert_eq!(bounds(1, ISO, "2025-03-05"), [day, day]);
        assert_eq!(bounds(1, ISO, "2025-03-04T~"), [day, day]);
        assert_eq!(
            bounds(SECONDS_OF_A_DAY, "%Y/%m/%d", "2025/03/05"),
            [day / SECONDS_OF_A_DAY, day / SECONDS_OF_A_DAY + 1]
        );
        assert_eq!(
            bounds(SECONDS_OF_A_DAY, "%Y", "2025")
                .map(|day| one(day * SECONDS_OF_A_DAY, "%Y/%m/%d")),
            ["2025/01/01", "2026/01/01"]
        );
        assert_eq!(bounds(1, ISO, ""), [SECONDS.start; 2]);
        assert_eq!(bounds(1, ISO, "nonsense"), [SECONDS.end; 2]);
    }
}
