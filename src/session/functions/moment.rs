//! Moments of texts.
//!
//! In: a text in ISO 8601. Out: microseconds since 1970, and columns of them. Promise: a text that is not a time has no moment.

use crate::event::time::micros;
use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use datafusion::common::Result;
use std::sync::Arc;

/// The moment that a text in ISO 8601 is; a day is its beginning.
pub(in crate::session) fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    micros(text).or_else(|| short(text)).or_else(|| {
        let midnight = text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?;
        Some(midnight.and_utc().timestamp_micros())
    })
}

/// Without seconds, or with an offset without a colon: CloudTrail does not write times like that, people do.
fn short(text: &str) -> Option<i64> {
    let offset = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let mut offset = offset.iter();
    let time = offset.find_map(|format| DateTime::parse_from_str(text, format).ok());
    let time = time.map(|time| time.timestamp_micros());
    time.or_else(|| {
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()?;
        Some(time.and_utc().timestamp_micros())
    })
}

/// A column of moments, in UTC.
pub(super) fn moments(moments: impl Iterator<Item = Result<Option<i64>>>) -> Result<ArrayRef> {
    let moments: TimestampMicrosecondArray = moments.collect::<Result<_>>()?;
    Ok(Arc::new(moments.with_timezone("UTC")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_moment() {
        for text in [
            "2025-03-05T02:17Z",
            "2025-03-05T02:17",
            "2025-03-05T11:17+09:00",
            "2025-03-05T11:17:00+0900",
            "2025-03-05T11:17:00.000+09",
            " 2025-03-05T02:17:00Z ",
        ] {
            assert_eq!(moment(text), Some(1_741_141_020_000_000), "{text}");
        }
        assert_eq!(moment("2025-03-05"), Some(1_741_132_800_000_000));
        for text in ["", "yesterday", "2025-03", "02:17", "2025-02-30T10:00Z"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
