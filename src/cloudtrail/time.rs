//! Points in time as people type them.
//!
//! In: RFC 3339, a date or time in UTC, a span before now, or seconds since 1970. Out: an instant in UTC. Promise: "now" comes from the caller, so the
//! same text always means the same within one run; what cannot be read is an error that names the text.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Utc};

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
    "{text:?} is not a time; examples: 2026-03-01, 2026-03, 2026-03-01 12:00, 2026-03-01T12:00:00Z, yesterday, 7d, 1h30m, 3 days ago, 1772366400"
)]
pub struct TimeError {
    /// The text as given.
    pub text: String,
}

/// Reads a time: RFC 3339 (`2026-03-01T12:00:00Z`), the same in UTC without zone, seconds or `T` (`2026-03-01 12:00`), a date in UTC
/// (`2026-03-01`, `today`, `yesterday`), a month (`2026-03`), `now`, a span before `now` (`90d`, `12h`, `1h30m`, `7days`, `3 days ago`),
/// or seconds or milliseconds since 1970.
///
/// A date as [`Bound::Since`] is the start of that day. As [`Bound::Until`] it is the start of the next day, because
/// ends are excluded and "until 1 March" means with 1 March. The same holds for a month.
///
/// # Errors
///
/// The text is none of these.
pub fn parse_time(
    text: &str,
    now: DateTime<Utc>,
    bound: Bound,
) -> Result<DateTime<Utc>, TimeError> {
    let typed = text.trim();
    let typed = typed.strip_suffix(" UTC").unwrap_or(typed);
    instant(typed)
        .or_else(|| without_zone(typed))
        .or_else(|| day(typed, now, bound))
        .or_else(|| epoch(typed))
        .or_else(|| month(typed, bound))
        .or_else(|| now.checked_sub_signed(before_now(typed)?))
        .ok_or_else(|| TimeError {
            text: text.to_owned(),
        })
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
}

/// As tables show times: in UTC, since nothing else is said.
fn without_zone(text: &str) -> Option<DateTime<Utc>> {
    const FORMATS: [&str; 4] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    let text = text.strip_suffix('Z').unwrap_or(text);
    let mut formats = FORMATS.iter();
    let time = formats.find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(time.and_utc())
}

fn day(text: &str, now: DateTime<Utc>, bound: Bound) -> Option<DateTime<Utc>> {
    let today = now.date_naive();
    let date = match text {
        "now" => return Some(now),
        "today" => today,
        "yesterday" => today.pred_opt()?,
        // Four digits of a year: `1-2-3` is no date.
        _ if text.find('-') == Some(4) => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?,
        _ => return None,
    };
    let start = match bound {
        Bound::Since => date,
        Bound::Until => date.checked_add_days(Days::new(1))?,
    };
    Some(start.and_time(chrono::NaiveTime::MIN).and_utc())
}

fn month(text: &str, bound: Bound) -> Option<DateTime<Utc>> {
    let (year, month) = text.split_once('-')?;
    let is_month = year.len() == 4 && month.len() == 2;
    let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
    let first = first.ok().filter(|_| is_month)?;
    let start = match bound {
        Bound::Since => first,
        Bound::Until => first.checked_add_months(Months::new(1))?,
    };
    Some(start.and_time(chrono::NaiveTime::MIN).and_utc())
}

fn before_now(text: &str) -> Option<TimeDelta> {
    parse_span(text.strip_suffix(" ago").unwrap_or(text))
}

/// Seconds since 1970 have ten digits from 2001 to 2286, milliseconds thirteen. Shorter numbers are more likely a slip.
fn epoch(text: &str) -> Option<DateTime<Utc>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => DateTime::from_timestamp(number, 0),
        13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
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

/// Reads a span of time: `90d`, `12h`, `30m`, `2w`, `45s`, several of them (`1h30m`), with names of units in full (`7days`, `2 hours`).
pub fn parse_span(text: &str) -> Option<TimeDelta> {
    let mut rest = text.trim();
    let mut span = TimeDelta::zero();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        // `parse` alone would also read a sign.
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let number: i64 = number.parse().ok()?;
        let after = after.trim_start();
        let unit = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        span = span.checked_add(&units(number, unit)?)?;
        rest = after.trim_start();
    }
    Some(span)
}

fn units(number: i64, unit: &str) -> Option<TimeDelta> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => TimeDelta::try_seconds(number),
        "m" | "min" | "mins" | "minute" | "minutes" => TimeDelta::try_minutes(number),
        "h" | "hr" | "hrs" | "hour" | "hours" => TimeDelta::try_hours(number),
        "d" | "day" | "days" => TimeDelta::try_days(number),
        "w" | "week" | "weeks" => TimeDelta::try_weeks(number),
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
    fn the_forms_that_people_type() {
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
        for (text, time) in [
            ("2026-03-07 02:17:03", "2026-03-07T02:17:03+00:00"),
            ("2026-03-07T02:17:03", "2026-03-07T02:17:03+00:00"),
            ("2026-03-07 02:17:03Z", "2026-03-07T02:17:03+00:00"),
            ("2026-03-07 02:17:03 UTC", "2026-03-07T02:17:03+00:00"),
            ("2026-03-07T02:17", "2026-03-07T02:17:00+00:00"),
            ("2026-03-07 02:17", "2026-03-07T02:17:00+00:00"),
            (" 2026-3-7 ", "2026-03-07T00:00:00+00:00"),
            ("now", "2026-03-31T12:00:00+00:00"),
            ("today", "2026-03-31T00:00:00+00:00"),
            ("yesterday", "2026-03-30T00:00:00+00:00"),
            ("7days", "2026-03-24T12:00:00+00:00"),
            ("7 days", "2026-03-24T12:00:00+00:00"),
            ("1h30m", "2026-03-31T10:30:00+00:00"),
            ("1d 12h", "2026-03-30T00:00:00+00:00"),
            ("45s", "2026-03-31T11:59:15+00:00"),
            ("3 days ago", "2026-03-28T12:00:00+00:00"),
            ("2026-02", "2026-02-01T00:00:00+00:00"),
            ("1772366400", "2026-03-01T12:00:00+00:00"),
            ("1772366400000", "2026-03-01T12:00:00+00:00"),
        ] {
            assert_eq!(since(text), time, "{text}");
        }
    }

    #[test]
    fn until_a_date_means_with_that_day() {
        let until = |text| read(text, Bound::Until).unwrap();
        assert_eq!(until("2026-02-28"), "2026-03-01T00:00:00+00:00");
        assert_eq!(until("2026-03-01T12:00:00Z"), "2026-03-01T12:00:00+00:00");
        assert_eq!(until("yesterday"), "2026-03-31T00:00:00+00:00");
        assert_eq!(until("2025-12"), "2026-01-01T00:00:00+00:00");
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            "d",
            "-1d",
            "+1d",
            "1y",
            "90",
            "1h30",
            "1h-30m",
            "2026-02-30",
            "2026-03-01 25:00",
            "1-2-3",
            "2026-13",
            "2026-1",
            "3 ago",
            "tomorrow",
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
