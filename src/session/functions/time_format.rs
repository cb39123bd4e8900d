//! MySQL's formats of times, which Athena's `date_format` and `date_parse` take.
//!
//! In: formats like `%Y-%m-%d %H:%i:%s`. Out: the same in the words of `chrono`, texts and times. Promise: what a format does
//! not say is 1970-01-01 00:00:00; a specifier that does not exist is an error.

use chrono::NaiveTime;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use datafusion::common::{Result, exec_err};

/// The format as `chrono` writes it.
pub(super) fn translated(format: &str) -> Result<String> {
    let mut out = String::with_capacity(format.len() + 8);
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        out.push_str(match letters.next() {
            Some('a') => "%a",
            Some('b') => "%b",
            Some('c') => "%-m",
            Some('d') => "%d",
            Some('e') => "%-d",
            Some('f') => "%6f",
            Some('H') => "%H",
            Some('h' | 'I') => "%I",
            Some('i') => "%M",
            Some('j') => "%j",
            Some('k') => "%-H",
            Some('l') => "%-I",
            Some('M') => "%B",
            Some('m') => "%m",
            Some('p') => "%p",
            Some('r') => "%I:%M:%S %p",
            Some('s' | 'S') => "%S",
            Some('T') => "%H:%M:%S",
            Some('v') => "%V",
            Some('W') => "%A",
            Some('x') => "%G",
            Some('Y') => "%Y",
            Some('y') => "%y",
            Some('%') => "%%",
            Some(other) => return exec_err!("%{other} is not part of a date format"),
            None => return exec_err!("a date format ends in %"),
        });
    }
    Ok(out)
}

/// The format as `chrono` writes it where it reads: after a point, a second has as many digits as there are.
pub(super) fn for_reading(format: &str) -> Result<String> {
    Ok(translated(format)?.replace(".%6f", "%.f"))
}

/// The moment, in microseconds, that a text in a (translated) format is, if it is one.
pub(super) fn micros(text: &str, format: &str) -> Option<i64> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    // Set only where the text said nothing: a contradiction is an error of the text's.
    if parsed.year().is_none() && parsed.year_mod_100().is_none() && parsed.isoyear().is_none() {
        let _ = parsed.set_year(1970);
    }
    if parsed.ordinal().is_none() && parsed.isoweek().is_none() {
        if parsed.month().is_none() {
            let _ = parsed.set_month(1);
        }
        if parsed.day().is_none() {
            let _ = parsed.set_day(1);
        }
    }
    let date = parsed.to_naive_date().ok()?;
    let said_time = parsed.hour_div_12().is_some() || parsed.hour_mod_12().is_some();
    let time = match said_time {
        true => {
            if parsed.minute().is_none() {
                let _ = parsed.set_minute(0);
            }
            if parsed.hour_div_12().is_none() {
                let _ = parsed.set_ampm(false);
            }
            parsed.to_naive_time().ok()?
        }
        false => NaiveTime::MIN,
    };
    let offset = i64::from(parsed.offset().unwrap_or(0)) * 1_000_000;
    Some(date.and_time(time).and_utc().timestamp_micros() - offset)
}

/// A format of DuckDB's `strftime`, as `chrono` writes it: they differ in the parts of a second.
///
/// <https://duckdb.org/docs/stable/sql/functions/dateformat>
pub(super) fn strftime(format: &str) -> Result<String> {
    let mut out = String::with_capacity(format.len() + 8);
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        out.push(letter);
        if letter != '%' {
            continue;
        }
        match letters.next() {
            Some('f') => out.push_str("6f"),
            Some('g') => out.push_str("3f"),
            Some('n') => out.push_str("9f"),
            Some(other) => out.push(other),
            None => return exec_err!("a date format ends in %"),
        }
    }
    match StrftimeItems::new(&out).any(|item| item == Item::Error) {
        true => exec_err!("{format:?} is not a date format"),
        false => Ok(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_mysql_means_them() -> Result<()> {
        let read = |text: &str, format: &str| -> Result<String> {
            let micros = micros(text, &for_reading(format)?);
            let time = micros.and_then(chrono::DateTime::from_timestamp_micros);
            let time = time.map(|time| time.format("%Y-%m-%d %H:%M:%S%.f").to_string());
            Ok(time.unwrap_or_default())
        };
        for (text, format, time) in [
            (
                "2025-03-05 02:17:31",
                "%Y-%m-%d %H:%i:%s",
                "2025-03-05 02:17:31",
            ),
            (
                "2025-03-05T02:17:31Z",
                "%Y-%m-%dT%H:%i:%sZ",
                "2025-03-05 02:17:31",
            ),
            (
                "2025-03-05T02:17:31Z",
                "%Y-%m-%dT%TZ",
                "2025-03-05 02:17:31",
            ),
            ("2025/03/05", "%Y/%m/%d", "2025-03-05 00:00:00"),
            (
                "Mar 5 2025 03:04 PM",
                "%b %e %Y %h:%i %p",
                "2025-03-05 15:04:00",
            ),
            ("2025-03", "%Y-%m", "2025-03-01 00:00:00"),
            ("14", "%H", "1970-01-01 14:00:00"),
            (
                "2025-03-05 02:17:31.123",
                "%Y-%m-%d %H:%i:%s.%f",
                "2025-03-05 02:17:31.123",
            ),
            ("yesterday", "%Y", ""),
        ] {
            assert_eq!(read(text, format)?, time, "{format}");
        }
        assert!(translated("%Q").is_err());
        assert!(translated("%").is_err());
        Ok(())
    }
}
