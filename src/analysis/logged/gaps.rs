//! When was there a log?
//!
//! In: the days on which something was logged. Out: a [`Sight`]: the gaps between them, and the moment up to which silence means
//! something. Promise: a gap is longer than what is usual for this place, however long it is; what is logged so rarely that a
//! missing log could not be told from a quiet time is all gaps.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// With events on such a share of its days, a place is busy: a single day without one is a gap.
const BUSY: f64 = 0.9;

/// The share of the pauses that counts as usual.
const USUAL: f64 = 0.9;

/// A pause of more days is a gap wherever it is: nothing then shows that a log was kept.
const LONGEST_PAUSE: i64 = 7;

/// The events of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayEvents {
    pub(crate) events: u64,
    pub(crate) last: DateTime<Utc>,
}

/// Days without logs, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gap {
    pub(crate) first_day: NaiveDate,
    pub(crate) last_day: NaiveDate,
}

impl Gap {
    pub(crate) fn days(self) -> u64 {
        (self.last_day - self.first_day).num_days().unsigned_abs() + 1
    }

    /// Whether another gap is part of it.
    pub(crate) fn holds(self, other: Gap) -> bool {
        self.first_day <= other.first_day && other.last_day <= self.last_day
    }

    /// From its first moment to the first one after it.
    pub(crate) fn span(self) -> (DateTime<Utc>, DateTime<Utc>) {
        (
            midnight(self.first_day),
            midnight(self.last_day + Days::new(1)),
        )
    }
}

/// When something would have been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) first_day: NaiveDate,
    /// In order; the last one may reach up to the moment of the question.
    pub(crate) gaps: Vec<Gap>,
    /// Up to when it would have been seen.
    pub(crate) until: DateTime<Utc>,
}

/// The first moment of a day.
pub(crate) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// When something would have been seen where there were events on these days; none where there was no event.
pub(crate) fn sight(days: &BTreeMap<NaiveDate, DayEvents>, now: DateTime<Utc>) -> Option<Sight> {
    let known: BTreeMap<NaiveDate, DayEvents> = days
        .range(..=now.date_naive())
        .map(|(day, events)| (*day, *events))
        .collect();
    let (first, _) = known.first_key_value()?;
    let (last, newest) = known.last_key_value()?;
    let usual = usual_pause(&known);
    let pauses = known.keys().zip(known.keys().skip(1));
    let mut gaps: Vec<Gap> = pauses
        .filter(|(from, to)| pause(**from, **to) > usual)
        .map(|(from, to)| Gap {
            first_day: *from + Days::new(1),
            last_day: *to - Days::new(1),
        })
        .collect();
    // The last day is not over, and log files come with a delay.
    let slack = TimeDelta::days(1 + usual);
    let until = match now - newest.last > slack {
        false => now,
        true => {
            gaps.push(Gap {
                first_day: *last + Days::new(1),
                last_day: now.date_naive().max(*last + Days::new(1)),
            });
            newest.last
        }
    };
    Some(Sight {
        first_day: *first,
        gaps,
        until,
    })
}

/// Whether there are events on nearly every day between the first and the last.
pub(crate) fn is_busy(days: &BTreeMap<NaiveDate, DayEvents>) -> bool {
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value())
    else {
        return false;
    };
    let span = (*last - *first).num_days() + 1;
    days.len() as f64 >= BUSY * span as f64
}

/// On so many days, none more than a week after the one before, there is a rhythm whose end shows.
const RHYTHM: usize = 4;

/// Whether events come at least every week.
pub(crate) fn is_regular(days: &BTreeMap<NaiveDate, DayEvents>) -> bool {
    let mut pairs = days.keys().zip(days.keys().skip(1));
    days.len() >= RHYTHM && pairs.all(|(from, to)| pause(*from, *to) <= LONGEST_PAUSE)
}

/// The days between two days.
fn pause(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days() - 1
}

/// How many days in a row may be without an event where nothing is missing.
fn usual_pause(days: &BTreeMap<NaiveDate, DayEvents>) -> i64 {
    if is_busy(days) {
        return 0;
    }
    let pairs = days.keys().zip(days.keys().skip(1));
    let mut pauses: Vec<i64> = pairs.map(|(from, to)| pause(*from, *to)).collect();
    pauses.sort_unstable();
    // The longest may be the gap that is looked for.
    pauses.pop();
    let place = (pauses.len().saturating_sub(1)) as f64 * USUAL;
    let usual = pauses.get(place.floor() as usize).copied();
    usual.unwrap_or(0).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(numbers: impl IntoIterator<Item = i64>) -> BTreeMap<NaiveDate, DayEvents> {
        let first = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        let days = numbers.into_iter().map(|number| {
            let day = first + TimeDelta::days(number);
            let last = midnight(day) + TimeDelta::hours(12);
            (day, DayEvents { events: 1, last })
        });
        days.collect()
    }

    /// The lengths of the gaps, 100 days after the first day.
    fn gaps(numbers: impl IntoIterator<Item = i64>) -> Vec<u64> {
        let days = days(numbers);
        let now = midnight(NaiveDate::from_ymd_opt(2026, 1, 5).unwrap()) + TimeDelta::days(100);
        let sight = sight(&days, now).unwrap();
        sight.gaps.iter().map(|gap| gap.days()).collect()
    }

    #[test]
    fn a_gap_is_longer_than_what_is_usual() {
        assert_eq!(gaps(0..100), Vec::<u64>::new());
        // An outage, however long, and several of them.
        assert_eq!(gaps((0..100).filter(|day| *day != 50)), [1]);
        assert_eq!(gaps((0..30).chain(70..100)), [40]);
        assert_eq!(gaps((0..20).chain(40..60).chain(80..100)), [20, 20]);
        // Weekends are usual, two weeks are not.
        let working = |day: &i64| day % 7 < 5;
        assert_eq!(gaps((0..100).filter(working)), Vec::<u64>::new());
        let holiday = |day: &i64| day % 7 < 5 && !(35..49).contains(day);
        assert_eq!(gaps((0..100).filter(holiday)), [16]);
        // What is logged once a month shows nothing of the time between.
        assert_eq!(gaps([0, 30, 60, 90]), [29, 29, 29, 10]);
        assert_eq!(gaps([0, 99]), [98]);
    }

    #[test]
    fn a_log_that_ends_is_a_gap() {
        assert_eq!(gaps(0..70), [31]);
        let now = midnight(NaiveDate::from_ymd_opt(2026, 1, 5).unwrap()) + TimeDelta::days(100);
        let until = sight(&days(0..70), now).unwrap().until;
        assert_eq!(until.to_string(), "2026-03-15 12:00:00 UTC");
        // What is dated later than the question says nothing about it.
        assert_eq!(gaps((0..70).chain([300])), [31]);
        assert_eq!(sight(&BTreeMap::new(), now), None);
    }
}
