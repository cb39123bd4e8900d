//! Activity per day as a strip.
//!
//! In: the days of a consumer, and the range of days that is shown. Out: paths of an SVG, one per level of activity. Promise: work and
//! size grow with the days that have calls; numbers only, nothing of a log.

use crate::report::plan::Day;
use chrono::NaiveDate;
use serde::Serialize;
use std::fmt::Write as _;

/// Calls of a day from which on it is drawn stronger.
const LEVELS: [u64; 4] = [1, 10, 100, 1_000];

/// A range with more days than this has no gaps between them.
const GAPS: i64 = 120;

/// The days that all strips show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    first: NaiveDate,
    days: i64,
}

impl Range {
    /// From the first of these days to the last; none without a day.
    pub(super) fn of<'a>(days: impl Iterator<Item = &'a str>) -> Option<Self> {
        let dates = days.filter_map(|day| day.get(..10)?.parse::<NaiveDate>().ok());
        let (first, last) = dates.fold(None, |range: Option<(NaiveDate, NaiveDate)>, day| {
            let (first, last) = range.unwrap_or((day, day));
            Some((first.min(day), last.max(day)))
        })?;
        Some(Self {
            first,
            days: (last - first).num_days() + 1,
        })
    }

    pub(super) fn first(&self) -> String {
        self.first.to_string()
    }

    pub(super) fn last(&self) -> String {
        let last = self.first + chrono::TimeDelta::days(self.days - 1);
        last.to_string()
    }
}

/// A strip.
#[derive(Debug, Serialize)]
pub(super) struct Strip {
    /// How many days it shows.
    days: i64,
    /// Where each level of activity is: paths in which a day is one wide, and the strip ten high.
    levels: Vec<String>,
    /// Where calls failed.
    errors: String,
    /// For each day with calls its number, the calls and the failed ones.
    figures: String,
    /// In words.
    label: String,
}

impl Strip {
    pub(super) fn of(days: &[Day], range: Range) -> Self {
        let wide = if range.days > GAPS { 1.0 } else { 0.86 };
        let mut strip = Strip {
            days: range.days,
            levels: vec![String::new(); LEVELS.len()],
            errors: String::new(),
            figures: String::new(),
            label: format!(
                "calls on {} of {} days, {} to {}",
                days.len(),
                range.days,
                range.first(),
                range.last()
            ),
        };
        for day in days {
            let Ok(date) = day.date.parse::<NaiveDate>() else {
                continue;
            };
            let at = (date - range.first).num_days();
            let level = LEVELS.iter().rposition(|least| day.events >= *least);
            // Writing to a `String` cannot fail.
            let _ = write!(
                strip.levels[level.unwrap_or_default()],
                "M{at} 0h{wide}v10h-{wide}z"
            );
            if day.errors > 0 {
                let _ = write!(strip.errors, "M{at} 8h{wide}v2h-{wide}z");
            }
            let space = if strip.figures.is_empty() { "" } else { " " };
            let _ = write!(strip.figures, "{space}{at}:{}:{}", day.events, day.errors);
        }
        strip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_at_its_place() {
        let range = Range::of(["2025-03-05", "2025-03-01T10:00:00Z", "bad"].into_iter()).unwrap();
        assert_eq!(
            (range.first(), range.last()),
            ("2025-03-01".to_owned(), "2025-03-05".to_owned())
        );
        let day = |date: &str, events, errors| Day {
            date: date.to_owned(),
            events,
            errors,
        };
        let strip = Strip::of(
            &[day("2025-03-01", 5, 0), day("2025-03-03", 1_500, 2)],
            range,
        );
        assert_eq!(strip.days, 5);
        assert_eq!(strip.levels[0], "M0 0h0.86v10h-0.86z");
        assert_eq!(strip.levels[3], "M2 0h0.86v10h-0.86z");
        assert_eq!(strip.errors, "M2 8h0.86v2h-0.86z");
        assert_eq!(strip.figures, "0:5:0 2:1500:2");
        assert!(Range::of([].into_iter()).is_none());
    }
}
