//! Times, as Athena computes with them.
//!
//! In: times, days, texts. Out: times, days, numbers. Promise: times are UTC unless `AT TIME ZONE` gave them a zone, and
//! then every function counts in that zone; a text that is no time gives null where Athena's `from_iso8601_…` would fail,
//! and an error in `date_parse`, whose format may be the mistake.

use super::function::{ArgumentKind, Arguments, Function, of_texts, text, time};
use super::moment::moments;
use super::time_format;
use super::time_joda;
use super::time_text;
use super::zone::{Zone, micros_of};
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::compute::kernels::temporal::{DatePart, date_part};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

const TIME: Arguments = Arguments::all(&[("time", ArgumentKind::ZonedTime)]);
const TEXT: Arguments = Arguments::all(&[("text", ArgumentKind::Text)]);
const FORMATTED: Arguments = Arguments::all(&[
    ("time", ArgumentKind::ZonedTime),
    ("format", ArgumentKind::Text),
]);

pub(super) fn all() -> Vec<ScalarUDF> {
    let mut functions = vec![
        of_texts::<i32, Date32Array>(
            "from_iso8601_date",
            TEXT,
            |_| Ok(DataType::Date32),
            |row| Some(row[0].trim().parse::<NaiveDate>().ok()?.to_epoch_days()),
        ),
        Function::udf(
            "to_iso8601",
            TIME,
            |_| Ok(DataType::Utf8),
            |arrays, _| {
                let zone = Zone::of(&arrays[0])?;
                let format = match zone.is_utc() {
                    true => time_text::ISO,
                    false => "%Y-%m-%dT%H:%M:%S%:z",
                };
                let times = micros_of(&arrays[0])?;
                let texts = times.iter().map(|micros| zone.text(micros?, format));
                Ok(Arc::new(texts.collect::<StringArray>()))
            },
        ),
        Function::udf(
            "to_unixtime",
            TIME,
            |_| Ok(DataType::Float64),
            |arrays, _| {
                let times = micros_of(&arrays[0])?;
                let seconds: Float64Array = times.unary(|micros| micros as f64 / SECOND as f64);
                Ok(Arc::new(seconds))
            },
        ),
        Function::udf(
            "from_unixtime",
            Arguments::all(&[("seconds", ArgumentKind::Number)]),
            times,
            |arrays, _| from_unixtime(arrays[0].as_primitive::<Float64Type>()),
        ),
        Function::udf(
            "date",
            Arguments::all(&[("time", ArgumentKind::ZonedTimeOrDay)]),
            |_| Ok(DataType::Date32),
            |arrays, _| Ok(cast(&arrays[0], &DataType::Date32)?),
        ),
        parsing("date_parse", time_format::for_reading, false),
        parsing("try_date_parse", time_format::for_reading, true),
        parsing("parse_datetime", time_joda::for_reading, false),
        parsing("try_parse_datetime", time_joda::for_reading, true),
        Function::udf(
            "date_format",
            FORMATTED,
            |_| Ok(DataType::Utf8),
            |arrays, _| formatted(&arrays[0], &text(&arrays[1])?, time_format::translated),
        ),
        Function::udf(
            "strftime",
            FORMATTED,
            |_| Ok(DataType::Utf8),
            |arrays, _| formatted(&arrays[0], &text(&arrays[1])?, time_format::strftime),
        ),
        Function::udf(
            "format_datetime",
            FORMATTED,
            |_| Ok(DataType::Utf8),
            |arrays, _| formatted(&arrays[0], &text(&arrays[1])?, time_joda::translated),
        ),
        Function::udf(
            "date_add",
            Arguments::all(&[
                ("unit", ArgumentKind::Text),
                ("count", ArgumentKind::Int),
                ("time", ArgumentKind::ZonedTimeOrDay),
            ]),
            |given| Ok(given[2].clone()),
            |arrays, returns| date_add((&text(&arrays[0])?, &arrays[1]), &arrays[2], returns),
        ),
        Function::udf(
            "date_diff",
            Arguments::all(&[
                ("unit", ArgumentKind::Text),
                ("from", ArgumentKind::ZonedTime),
                ("to", ArgumentKind::ZonedTime),
            ]),
            |_| Ok(DataType::Int64),
            |arrays, _| date_diff(&text(&arrays[0])?, (&arrays[1], &arrays[2])),
        ),
    ];
    functions.extend(PARTS.map(|(name, part)| part_of(name, part)));
    functions
}

/// Parts of times, by the names of their functions. Weeks begin on Monday, which is day 1.
const PARTS: [(&str, TimePart); 17] = [
    ("year", TimePart::Of(DatePart::Year)),
    ("quarter", TimePart::Of(DatePart::Quarter)),
    ("month", TimePart::Of(DatePart::Month)),
    ("week", TimePart::Of(DatePart::Week)),
    ("week_of_year", TimePart::Of(DatePart::Week)),
    ("day", TimePart::Of(DatePart::Day)),
    ("day_of_month", TimePart::Of(DatePart::Day)),
    ("day_of_week", TimePart::Weekday),
    ("dow", TimePart::Weekday),
    ("day_of_year", TimePart::Of(DatePart::DayOfYear)),
    ("doy", TimePart::Of(DatePart::DayOfYear)),
    ("hour", TimePart::Of(DatePart::Hour)),
    ("minute", TimePart::Of(DatePart::Minute)),
    ("second", TimePart::Of(DatePart::Second)),
    ("millisecond", TimePart::Millisecond),
    ("year_of_week", TimePart::Of(DatePart::YearISO)),
    ("yow", TimePart::Of(DatePart::YearISO)),
];

#[derive(Clone, Copy)]
enum TimePart {
    Of(DatePart),
    Weekday,
    Millisecond,
}

fn part_of(name: &'static str, part: TimePart) -> ScalarUDF {
    Function::udf(
        name,
        TIME,
        |_| Ok(DataType::Int64),
        move |arrays, _| {
            let times = &arrays[0];
            let (kernel, after): (_, fn(i64) -> i64) = match part {
                TimePart::Of(part) => (part, |value| value),
                TimePart::Weekday => (DatePart::DayOfWeekMonday0, |value| value + 1),
                TimePart::Millisecond => (DatePart::Millisecond, |value| value % 1_000),
            };
            let values = cast(&date_part(times, kernel)?, &DataType::Int64)?;
            let values: Int64Array = values.as_primitive::<Int64Type>().unary(after);
            Ok(Arc::new(values))
        },
    )
}

/// The beginning of the year 10000, in seconds since 1970: who is beyond has counted milliseconds.
const END: f64 = 253_402_300_800.0;

fn from_unixtime(seconds: &Float64Array) -> Result<ArrayRef> {
    moments(seconds.iter().map(|seconds| match seconds {
        None => Ok(None),
        Some(seconds) if seconds.abs() < END => Ok(Some((seconds * SECOND as f64).round() as i64)),
        Some(seconds) => exec_err!(
            "from_unixtime({seconds}) is no time before the year 10000: it counts seconds; milliseconds are from_unixtime(number / 1000)"
        ),
    }))
}

fn times(_: &[DataType]) -> Result<DataType> {
    Ok(time())
}

/// A format in the words of `chrono`.
type Translate = fn(&str) -> Result<String>;

/// Translates formats, each run of equal ones once.
fn translations(
    formats: &StringArray,
    translate: Translate,
) -> impl FnMut(usize) -> Result<String> + '_ {
    let mut last: Option<(usize, String)> = None;
    move |row| match &last {
        Some((before, translated)) if formats.value(*before) == formats.value(row) => {
            Ok(translated.clone())
        }
        _ => {
            let translated = translate(formats.value(row))?;
            last = Some((row, translated.clone()));
            Ok(translated)
        }
    }
}

/// A function that reads times of a format. What is no such time is an error, or null where that is asked for: what
/// `try(date_parse(…))` becomes, see `dialect::calls`.
fn parsing(name: &'static str, translate: Translate, or_null: bool) -> ScalarUDF {
    let arguments = Arguments::all(&[("text", ArgumentKind::Text), ("format", ArgumentKind::Text)]);
    Function::udf(name, arguments, times, move |arrays, _| {
        let (texts, formats) = (text(&arrays[0])?, text(&arrays[1])?);
        let mut translated = translations(&formats, translate);
        moments((0..texts.len()).map(|row| {
            if texts.is_null(row) || formats.is_null(row) {
                return Ok(None);
            }
            let (text, format) = (texts.value(row), formats.value(row));
            match time_format::micros(text, &translated(row)?) {
                None if !or_null => {
                    exec_err!("{text:?} is not a time of the form {format:?}")
                }
                micros => Ok(micros),
            }
        }))
    })
}

fn formatted(times: &ArrayRef, formats: &StringArray, translate: Translate) -> Result<ArrayRef> {
    let zone = Zone::of(times)?;
    let times = micros_of(times)?;
    let mut translated = translations(formats, translate);
    let texts = (0..times.len()).map(|row| {
        if times.is_null(row) || formats.is_null(row) {
            return Ok(None);
        }
        Ok(zone.text(times.value(row), &translated(row)?))
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

/// A unit of time: of a fixed length, or of the calendar.
#[derive(Clone, Copy)]
enum Unit {
    Micros(i64),
    Months(i64),
}

impl Unit {
    /// Whether it is counted in a calendar, whose days are not all of the same length where clocks are changed.
    fn is_of_calendar(self) -> bool {
        match self {
            Unit::Micros(length) => length >= DAY,
            Unit::Months(_) => true,
        }
    }
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn unit(name: &str) -> Result<Unit> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "millisecond" => Unit::Micros(1_000),
        "second" => Unit::Micros(SECOND),
        "minute" => Unit::Micros(60 * SECOND),
        "hour" => Unit::Micros(3_600 * SECOND),
        "day" => Unit::Micros(DAY),
        "week" => Unit::Micros(7 * DAY),
        "month" => Unit::Months(1),
        "quarter" => Unit::Months(3),
        "year" => Unit::Months(12),
        _ => {
            return exec_err!(
                "{name:?} is not a unit of time: millisecond, second, minute, hour, day, week, month, quarter, year"
            );
        }
    })
}

fn date_add(
    (units, counts): (&StringArray, &ArrayRef),
    times: &ArrayRef,
    returns: &DataType,
) -> Result<ArrayRef> {
    let zone = Zone::of(times)?;
    let times = micros_of(times)?;
    let counts = counts.as_primitive::<Int64Type>();
    let moved = moments((0..times.len()).map(|row| {
        if times.is_null(row) || counts.is_null(row) || units.is_null(row) {
            return Ok(None);
        }
        let (unit, count, time) = (unit(units.value(row))?, counts.value(row), times.value(row));
        if *returns == DataType::Date32 && !unit.is_of_calendar() {
            return exec_err!(
                "date_add({:?}, …) of a day is a day again: write CAST(… AS TIMESTAMP)",
                units.value(row)
            );
        }
        let moved = match unit.is_of_calendar() {
            true => zone
                .local(time)
                .and_then(|local| add(unit, count, local))
                .and_then(|local| zone.moment(local)),
            false => add(unit, count, time),
        };
        moved
            .map(Some)
            .ok_or_else(|| exec_datafusion_err!("date_add leaves the calendar"))
    }))?;
    Ok(cast(&moved, returns)?)
}

fn add(unit: Unit, count: i64, micros: i64) -> Option<i64> {
    match unit {
        Unit::Micros(length) => micros.checked_add(length.checked_mul(count)?),
        Unit::Months(months) => {
            let months = months.checked_mul(count)?;
            let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            let time = DateTime::from_timestamp_micros(micros)?;
            let moved = match months < 0 {
                true => time.checked_sub_months(distance)?,
                false => time.checked_add_months(distance)?,
            };
            Some(moved.timestamp_micros())
        }
    }
}

fn date_diff(units: &StringArray, (from, to): (&ArrayRef, &ArrayRef)) -> Result<ArrayRef> {
    let zone = Zone::of(from)?;
    let (from, to) = (micros_of(from)?, micros_of(to)?);
    let differences = (0..from.len()).map(|row| {
        if from.is_null(row) || to.is_null(row) || units.is_null(row) {
            return Ok(None);
        }
        let unit = unit(units.value(row))?;
        let (from, to) = (from.value(row), to.value(row));
        Ok(match unit.is_of_calendar() {
            true => match (zone.local(from), zone.local(to)) {
                (Some(from), Some(to)) => difference(unit, from, to),
                _ => None,
            },
            false => difference(unit, from, to),
        })
    });
    Ok(Arc::new(differences.collect::<Result<Int64Array>>()?))
}

/// Whole units from one moment to another.
fn difference(unit: Unit, from: i64, to: i64) -> Option<i64> {
    match unit {
        Unit::Micros(length) => Some(to.checked_sub(from)? / length),
        Unit::Months(months) if to < from => Some(-difference(Unit::Months(months), to, from)?),
        Unit::Months(months) => {
            let start = DateTime::from_timestamp_micros(from)?;
            let end = DateTime::from_timestamp_micros(to)?;
            let calendar = i64::from(end.year() - start.year()) * 12 + i64::from(end.month())
                - i64::from(start.month());
            // The last month counts when its day, and the time of that day, have come.
            let within = |time: &DateTime<chrono::Utc>| (time.day(), time.time());
            let last_day = end.date_naive() + TimeDelta::days(1);
            let complete = within(&end) >= within(&start)
                || (last_day.day() == 1 && end.time() >= start.time());
            Some((calendar - i64::from(!complete)) / months)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::moment::moment;
    use super::*;

    fn at(text: &str) -> i64 {
        moment(text).expect("a time")
    }

    #[test]
    fn calendars_are_uneven() -> Result<()> {
        for (name, count, from, to) in [
            ("day", -7, "2025-03-05T02:17:31Z", "2025-02-26T02:17:31Z"),
            ("month", 1, "2025-01-31", "2025-02-28"),
            ("quarter", -1, "2025-03-05", "2024-12-05"),
            ("YEAR", 1, "2024-02-29", "2025-02-28"),
            ("hour", 25, "2025-03-05", "2025-03-06T01:00:00Z"),
        ] {
            assert_eq!(add(unit(name)?, count, at(from)), Some(at(to)), "{name}");
        }
        for (name, from, to, whole) in [
            ("day", "2025-03-05T02:00:00Z", "2025-03-07T01:00:00Z", 1),
            ("day", "2025-03-07T01:00:00Z", "2025-03-05T02:00:00Z", -1),
            ("month", "2025-01-31", "2025-02-28", 1),
            ("month", "2025-01-15", "2025-02-14T23:59:59Z", 0),
            ("month", "2025-02-14", "2025-01-15", 0),
            ("year", "2024-03-05", "2025-03-04", 0),
            ("year", "2024-03-05", "2025-03-05", 1),
        ] {
            assert_eq!(
                difference(unit(name)?, at(from), at(to)),
                Some(whole),
                "{name} {to}"
            );
        }
        assert!(unit("fortnight").is_err());
        assert_eq!(add(unit("year")?, i64::MAX, 0), None);
        Ok(())
    }
}
