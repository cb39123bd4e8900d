//! Points in time as people type them.
//!
//! In: RFC 3339, a date, or a span before now. Out: an instant in UTC. Promise: "now" comes from the caller, so the
//! same text always means the same within one run; what cannot be read is an error that names the text.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Which end of a range a time is for: a date means its first instant, or the first instant after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The start of the range, included.
    Since,
    /// The end of the range, excluded.
    Until,
}

/// A time that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a time (RFC 3339 such as 2026-03-01T12:00:00Z, a date such as 2026-03-01, or a span before now such as 90d, 12h, 30m, 2w)"
)]
pub struct TimeError {
    /// The text as given.
    pub text: String,
}

/// Reads a time: RFC 3339 (`2026-03-01T12:00:00Z`), a date in UTC (`2026-03-01`), or a span before `now` (`90d`, `12h`,
/// `30m`, `2w`).
///
/// A date as [`Bound::Since`] is the start of that day. As [`Bound::Until`] it is the start of the next day, because
/// ends are excluded and "until 1 March" means with 1 March.
pub fn parse_time(
    text: &str,
    now: DateTime<Utc>,
    bound: Bound,
) -> Result<DateTime<Utc>, TimeError> {
    instant(text)
        .or_else(|| day(text, bound))
        .or_else(|| now.checked_sub_signed(parse_span(text)?))
        .ok_or_else(|| TimeError {
            text: text.to_owned(),
        })
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
}

fn day(text: &str, bound: Bound) -> Option<DateTime<Utc>> {
    let date: NaiveDate = text.parse().ok()?;
    let start = match bound {
        Bound::Since => date,
        Bound::Until => date.checked_add_days(Days::new(1))?,
    };
    Some(start.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// A time as AWS's answers write it: `Jul 10, 2023, 6:30:22 PM`, also without commas and with a narrow space, or RFC 3339.
pub fn answered_time(text: &str) -> Option<DateTime<Utc>> {
    if let Some(time) = instant(text) {
        return Some(time);
    }
    let plain = text.replace('\u{202f}', " ").replace(',', "");
    let time = NaiveDateTime::parse_from_str(&plain, "%b %d %Y %I:%M:%S %p").ok()?;
    Some(time.and_utc())
}

/// Reads a span of time: `90d`, `12h`, `30m`, `2w`.
pub fn parse_span(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    // `parse` alone would also read a sign.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = number.parse().ok()?;
    match unit {
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, bound: Bound) -> Option<String> {
        let now = instant("2026-03-31T12:00:00Z").unwrap();
        parse_time(text, now, bound)
            .ok()
            .map(|time| time.to_rfc3339())
    }

    #[test]
    fn the_three_forms() {
        let since = |text| read(text, Bound::Since).unwrap();
        assert_eq!(
            since("2026-03-01T12:00:00+02:00"),
            "2026-03-01T10:00:00+00:00"
        );
        assert_eq!(since("2026-03-01"), "2026-03-01T00:00:00+00:00");
        assert_eq!(since("30d"), "2026-03-01T12:00:00+00:00");
        assert_eq!(since("12h"), "2026-03-31T00:00:00+00:00");
        assert_eq!(since("30m"), "2026-03-31T11:30:00+00:00");
        assert_eq!(since("2w"), "2026-03-17T12:00:00+00:00");
    }

    #[test]
    fn until_a_date_means_with_that_day() {
        let until = |text| read(text, Bound::Until).unwrap();
        assert_eq!(until("2026-02-28"), "2026-03-01T00:00:00+00:00");
        assert_eq!(until("2026-03-01T12:00:00Z"), "2026-03-01T12:00:00+00:00");
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            "d",
            "-1d",
            "+1d",
            "1y",
            "1 d",
            "90",
            "2026-02-30",
            "yesterday",
            "9999999999999999d",
            "1é",
        ] {
            assert_eq!(read(text, Bound::Since), None, "{text}");
        }
    }

    #[test]
    fn times_in_answers_are_read_in_all_their_forms() {
        let expected = instant("2023-07-10T18:30:22Z");
        for text in [
            "Jul 10, 2023, 6:30:22 PM",
            "Jul 10, 2023 6:30:22 PM",
            "Jul 10, 2023, 6:30:22\u{202f}PM",
            "2023-07-10T18:30:22Z",
        ] {
            assert_eq!(answered_time(text), expected, "{text}");
        }
        assert_eq!(answered_time("tomorrow"), None);
    }
}
