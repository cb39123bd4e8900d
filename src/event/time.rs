//! Times as CloudTrail writes them.
//!
//! In: text. Out: microseconds since 1970 in UTC. Promise: `2025-03-05T02:17:31Z` is read without a general parser, since
//! it is read once or twice per event; offsets, fractions and the basic form `20131102T010628Z` are read too.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use std::ops::Range;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// The day of a time in microseconds, in days since 1970 (UTC).
pub(crate) fn day(micros: i64) -> i32 {
    micros.div_euclid(DAY) as i32
}

/// Microseconds since 1970, or `None` when `text` is no time.
pub(crate) fn micros(text: &str) -> Option<i64> {
    usual(text.as_bytes()).or_else(|| unusual(text))
}

/// When there can be events, the years 2013 to 2099: CloudTrail began in 2013
/// (<https://aws.amazon.com/blogs/aws/aws-cloudtrail-capture-aws-api-activity/>). Days without events are counted and listed between
/// the first event and the last: one record of the year 1 or 9999 would make millions of them.
pub(crate) const TIMES: Range<i64> = 1_356_998_400_000_000..4_102_444_800_000_000;

/// `YYYY-MM-DDTHH:MM:SSZ`.
fn usual(text: &[u8]) -> Option<i64> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
    ] = text
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0i64, |n, digit| {
            digit
                .is_ascii_digit()
                .then(|| n * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4])?,
        number(&[m1, m2])?,
        number(&[d1, d2])?,
    );
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    let date = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)?;
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = i64::from(date.to_epoch_days());
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000)
}

fn unusual(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    [
        "%Y%m%dT%H%M%SZ",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    .map(|time| time.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_the_same_moment() {
        for text in [
            "2025-03-05T02:17:31Z",
            "2025-03-05T02:17:31.000Z",
            "2025-03-05T03:17:31+01:00",
            "20250305T021731Z",
            "2025-03-05 02:17:31",
            "2025-03-05 02:17:31+00:00",
        ] {
            assert_eq!(micros(text), Some(1_741_141_051_000_000), "{text}");
        }
        assert_eq!(
            micros("2025-03-05T02:17:31.5Z"),
            Some(1_741_141_051_500_000)
        );
    }

    #[test]
    fn cloudtrail_has_no_events_of_other_centuries() {
        let of = |text: &str| TIMES.contains(&micros(text).unwrap());
        assert!(of("2013-01-01T00:00:00Z") && of("2099-12-31T23:59:59Z"));
        for text in [
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "2012-12-31T23:59:59Z",
            "2100-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert!(!of(text), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in [
            "",
            "now",
            "2025-13-05T02:17:31Z",
            "2025-03-05T25:17:31Z",
            "2025-02-30T00:00:00Z",
            "9999999999",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
