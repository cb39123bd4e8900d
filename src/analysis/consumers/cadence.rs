//! How regularly something happens.
//!
//! In: activity per day. Out: [`Cadence`]. Promise: a rhythm is named only when it was seen at least twice.

use super::consumer::{Cadence, DayUse, Pattern};
use chrono::{Datelike, NaiveDate, Weekday};
use std::collections::BTreeMap;

const HOUR: i64 = 3600;

/// Active hours of a day from which on it is around the clock.
const AROUND_THE_CLOCK: u32 = 16;

/// Active hours of a day up to which it is a job, not a service.
const JOB: u32 = 4;

/// The rhythm of these days.
pub(super) fn cadence(days: &BTreeMap<NaiveDate, DayUse>) -> Cadence {
    let hours: Vec<i64> = days
        .iter()
        .flat_map(|(day, used)| {
            let start = i64::from(day.to_epoch_days()) * 24;
            (0..24)
                .filter(|hour| used.hours >> hour & 1 == 1)
                .map(move |hour| start + hour)
        })
        .collect();
    let gaps = hours.windows(2).map(|pair| (pair[1] - pair[0]) * HOUR);
    // Hours that follow each other are one burst, unless there is nothing else.
    let bursts = median(gaps.clone().filter(|gap| *gap > HOUR).collect());
    let between_days = days.values().zip(days.values().skip(1));
    let nights = between_days.map(|(a, b)| (b.first_seen - a.last_seen).num_seconds());
    let within = hours.windows(2).filter(|pair| pair[0] / 24 == pair[1] / 24);
    let within = within.map(|pair| (pair[1] - pair[0]) * HOUR);
    Cadence {
        pattern: pattern(days),
        typical_gap_seconds: bursts.or_else(|| median(gaps.collect())),
        longest_gap_seconds: nights.chain(within).max().unwrap_or(0),
    }
}

fn pattern(days: &BTreeMap<NaiveDate, DayUse>) -> Pattern {
    let dates: Vec<NaiveDate> = days.keys().copied().collect();
    let gaps = dates.windows(2).map(|pair| (pair[1] - pair[0]).num_days());
    let Some(gap) = median(gaps.clone().collect()) else {
        return Pattern::Once;
    };
    let hours = days.values().map(|day| i64::from(day.hours.count_ones()));
    let hours = median(hours.collect()).unwrap_or(0);
    let longest = gaps.max().unwrap_or(0);
    let weekend = |date: &NaiveDate| matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    let span = dates
        .last()
        .zip(dates.first())
        .map_or(0, |(last, first)| (*last - *first).num_days());
    match gap {
        1 if longest <= 4 && span >= 7 && !dates.iter().any(weekend) => Pattern::Weekdays,
        1 if hours >= i64::from(AROUND_THE_CLOCK) => Pattern::Continuous,
        1 if hours > i64::from(JOB) => Pattern::SeveralTimesADay,
        1 => Pattern::Daily,
        6..=8 if dates.len() > 2 => Pattern::Weekly,
        27..=32 if dates.len() > 2 => Pattern::Monthly,
        _ => Pattern::Irregular,
    }
}

/// The lower of the two in the middle.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Days};

    /// Days counted from Monday, with the hours of each.
    fn used(days: impl IntoIterator<Item = u64>, hours: u32) -> BTreeMap<NaiveDate, DayUse> {
        let monday = NaiveDate::from_ymd_opt(2025, 3, 3).unwrap();
        let uses = days.into_iter().map(|n| {
            let day = monday + Days::new(n);
            let at = |hour: u32| {
                DateTime::from_naive_utc_and_offset(
                    day.and_hms_opt(hour, 30, 0).unwrap(),
                    chrono::Utc,
                )
            };
            let use_ = DayUse {
                events: 1,
                errors: 0,
                hours,
                first_seen: at(hours.trailing_zeros()),
                last_seen: at(31 - hours.leading_zeros()),
            };
            (day, use_)
        });
        uses.collect()
    }

    #[test]
    fn rhythms_have_names() {
        let night = 1 << 2;
        let cases = [
            (used([0], night), Pattern::Once),
            (used(0..10, night), Pattern::Daily),
            (used(0..10, 0xff_ffff), Pattern::Continuous),
            (used(0..10, 0x3fc00), Pattern::SeveralTimesADay),
            (
                used((0..14).filter(|day| day % 7 < 5), night),
                Pattern::Weekdays,
            ),
            (used([0, 7, 14, 21], night), Pattern::Weekly),
            (used([0, 31, 61, 92], night), Pattern::Monthly),
            (used([0, 3, 40], night), Pattern::Irregular),
        ];
        for (days, expected) in cases {
            assert_eq!(cadence(&days).pattern, expected, "{days:?}");
        }
        let daily = cadence(&used([0, 1, 2, 5], night));
        assert_eq!(daily.typical_gap_seconds, Some(24 * HOUR));
        assert_eq!(daily.longest_gap_seconds, 72 * HOUR);
        let twice_a_day = cadence(&used(0..3, night | 1 << 14));
        assert_eq!(twice_a_day.typical_gap_seconds, Some(12 * HOUR));
        assert_eq!(twice_a_day.longest_gap_seconds, 12 * HOUR);
    }
}
