//! Times in a time zone.
//!
//! In: a time and the name of a zone. Out: the same moment as a clock there shows it. Promise: the zone is part of the
//! column's type, so that no function counts in UTC what was asked for in another zone; a name that is no zone is an error
//! before anything is read.

use super::function::{ArgumentKind, Arguments, columnar, documentation, time};
use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _};
use datafusion::common::{Result, internal_err, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use std::fmt::Write as _;
use std::sync::Arc;

/// The function that `time AT TIME ZONE 'zone'` becomes: see `dialect::calls`.
pub(crate) const AT_TIMEZONE: &str = "at_timezone";

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![ScalarUDF::from(AtTimezone {
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: documentation(AT_TIMEZONE, &ARGUMENTS),
    })]
}

const ARGUMENTS: Arguments =
    Arguments::all(&[("time", ArgumentKind::Time), ("zone", ArgumentKind::Text)]);

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtTimezone {
    signature: Signature,
    documentation: Documentation,
}

impl ScalarUDFImpl for AtTimezone {
    fn name(&self) -> &str {
        AT_TIMEZONE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        ARGUMENTS.coerce(self.name(), given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("the type of {AT_TIMEZONE} depends on the zone")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let zone = args.scalar_arguments.get(1).copied().flatten();
        let Some(Some(Some(name))) = zone.map(|zone| zone.try_as_str()) else {
            return plan_err!(
                "the time zone has to be a text like 'Asia/Tokyo' or '+09:00', the same for all rows"
            );
        };
        let zone = zone_named(name).ok_or_else(|| {
            plan_datafusion_err!(
                "there is no time zone {name:?}; examples: Asia/Tokyo, Europe/Berlin, +09:00, UTC"
            )
        })?;
        let data_type = DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
        Ok(Arc::new(Field::new(AT_TIMEZONE, data_type, true)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        columnar(&args, |arrays| Ok(cast(&arrays[0], args.return_type())?))
    }
}

/// The zone's name as the engine reads it.
fn zone_named(name: &str) -> Option<&str> {
    let name = match name.trim() {
        "Z" | "z" | "utc" => "UTC",
        name => name,
    };
    name.parse::<Tz>().is_ok().then_some(name)
}

/// A column of times, in microseconds.
pub(super) fn micros_of(times: &ArrayRef) -> Result<TimestampMicrosecondArray> {
    let times = match times.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Arc::clone(times),
        _ => cast(times, &time())?,
    };
    Ok(times.as_primitive::<TimestampMicrosecondType>().clone())
}

/// The zone of a column of times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zone(Option<Tz>);

impl Zone {
    /// The zone that the column's type names; UTC where it names none.
    pub(super) fn of(times: &ArrayRef) -> Result<Self> {
        Ok(match times.data_type() {
            DataType::Timestamp(_, Some(zone)) if &**zone != "UTC" => Self(Some(zone.parse()?)),
            _ => Self(None),
        })
    }

    pub(super) fn is_utc(self) -> bool {
        self.0.is_none()
    }

    /// What calendar and clock there show, as if it were UTC.
    pub(super) fn local(self, micros: i64) -> Option<i64> {
        let Some(zone) = self.0 else {
            return Some(micros);
        };
        let time = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone);
        Some(time.naive_local().and_utc().timestamp_micros())
    }

    /// The moment at which calendar and clock there show this: the first of two, and after the gap where the clock skips it.
    pub(super) fn moment(self, local: i64) -> Option<i64> {
        let Some(zone) = self.0 else {
            return Some(local);
        };
        let shown: NaiveDateTime = DateTime::from_timestamp_micros(local)?.naive_utc();
        let time = zone.from_local_datetime(&shown).earliest().or_else(|| {
            // By the clock as it was before the gap.
            let before = zone.from_local_datetime(&(shown - TimeDelta::days(1)));
            Some(before.earliest()? + TimeDelta::days(1))
        })?;
        Some(time.timestamp_micros())
    }

    /// The moment as text there; none for moments that no calendar has.
    pub(super) fn text(self, micros: i64, format: &str) -> Option<String> {
        let time = DateTime::from_timestamp_micros(micros)?;
        let mut text = String::new();
        // A format that is none leaves the text as far as it came.
        let _ = match self.0 {
            Some(zone) => write!(text, "{}", time.with_timezone(&zone).format(format)),
            None => write!(text, "{}", time.format(format)),
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::moment::moment;
    use super::*;

    #[test]
    fn clocks_that_are_changed_have_gaps_and_hours_that_come_twice() -> Result<()> {
        let zone = Zone(Some("Europe/Berlin".parse()?));
        let at = |text: &str| moment(text).expect("a time");
        // https://www.iana.org/time-zones: on 30 March 2025, 02:00 to 03:00 is skipped; on 26 October it comes twice.
        for (shown, meant) in [
            ("2025-03-30T01:30:00Z", "2025-03-30T00:30:00Z"),
            ("2025-03-30T02:30:00Z", "2025-03-30T01:30:00Z"),
            ("2025-03-30T03:30:00Z", "2025-03-30T01:30:00Z"),
            ("2025-10-26T02:30:00Z", "2025-10-26T00:30:00Z"),
        ] {
            assert_eq!(zone.moment(at(shown)), Some(at(meant)), "{shown}");
        }
        assert_eq!(
            zone.local(at("2025-07-01T00:00:00Z")),
            Some(at("2025-07-01T02:00:00Z"))
        );
        let text = zone.text(at("2025-07-01T00:00:00Z"), "%H:%M %z");
        assert_eq!(text.as_deref(), Some("02:00 +0200"));
        Ok(())
    }
}
