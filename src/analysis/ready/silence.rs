//! Is a consumer still there?
//!
//! In: when it called, how regularly, and how much of the time since was seen. Out: a [`Silence`] with its [`State`]. Promise: silence
//! is measured against the consumer's own longest gap; a rhythm that was not seen, or not for long enough, is not assumed.

use super::ReadyOptions;
use crate::analysis::consumers::{Consumer, Replacement, ServiceUse, Workload};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::BTreeSet;

/// A consumer that calls around the clock is missed after this time at the earliest.
const MISSED: TimeDelta = TimeDelta::days(1);

/// Calls on so many days show a rhythm; on fewer they may be the last and the next run of a job.
const RHYTHM_DAYS: usize = 3;

/// On so many days, a consumer is no rare job, even if it was not seen for long.
const MANY_DAYS: usize = 7;

/// People go on holiday: their silence is no end before this time, however often they called.
const HOLIDAY: TimeDelta = TimeDelta::days(30);

/// A rhythm must have been seen for so long: a job that runs for three days in a row may run again next quarter.
const RHYTHM_SPAN: TimeDelta = TimeDelta::days(28);

/// What a consumer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It calls, or has not been silent for longer than it usually is.
    InUse,
    /// It is silent, but was not seen to be for long enough.
    Silent,
    /// It was seen to be silent for long enough.
    Gone,
    /// It has not called since the key was deactivated; such calls leave no event.
    CutOff,
}

impl State {
    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::InUse => "in use",
            State::Silent => "silent",
            State::Gone => "gone",
            State::CutOff => "cut off",
        }
    }
}

/// The silence of a consumer, or of use that the log does not show.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The consumer; none for use that the log does not show.
    pub consumer_id: Option<String>,
    /// In words.
    pub name: String,
    /// Its last call.
    pub last_seen: DateTime<Utc>,
    /// The longest time between two of its calls; none if it called on one day only.
    pub longest_gap: Option<TimeDelta>,
    /// How much of the time since its last call was seen.
    pub silent: TimeDelta,
    /// How much there must be.
    pub needed: TimeDelta,
    /// When it will have been silent for long enough, if the log goes on from here.
    pub until: DateTime<Utc>,
    /// Whether it was seen on so few days that it may be a rare job.
    pub is_seldom: bool,
    /// Whether it is of all consumers of the key together.
    pub is_together: bool,
    /// What it does.
    pub state: State,
    /// The role with which it is seen again; only looked for where it is no longer in use.
    pub replacement: Option<Replacement>,
}

impl Silence {
    /// Whether it is of use that the log does not show.
    pub fn is_unseen(&self) -> bool {
        self.consumer_id.is_none() && !self.is_together
    }
}

/// A last call and the time since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    pub(super) last: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    /// How much of the time between was seen.
    pub(super) seen: TimeDelta,
}

/// The silence of a consumer.
pub(super) fn of_consumer(consumer: &Consumer, since: Since, options: &ReadyOptions) -> Silence {
    let rhythm = Rhythm::of(consumer);
    let least = match consumer.workload {
        Workload::Person => options.quiet.max(HOLIDAY),
        _ => options.quiet,
    };
    Silence {
        consumer_id: Some(consumer.consumer_id.clone()),
        name: consumer.name.clone(),
        is_seldom: !matches!(rhythm, Rhythm::Seen(_)) && consumer.days.len() < MANY_DAYS,
        ..silence_of_at_least(least, rhythm, since, options)
    }
}

/// How long a consumer may be silent before it is missed: so many of its longest gaps.
pub(in crate::analysis) fn due_after(consumer: &Consumer, options: &ReadyOptions) -> TimeDelta {
    match Rhythm::of(consumer) {
        Rhythm::None => options.quiet,
        Rhythm::Rare(gap) | Rhythm::Short(gap) | Rhythm::Seen(gap) => {
            (gap * options.gaps).max(MISSED)
        }
    }
}

/// Days of use that lie closer together are one visit.
const SAME_VISIT: TimeDelta = TimeDelta::days(7);

/// Gaps are similar where the shortest is such a share of the longest.
const SIMILAR: f64 = 0.75;

/// The silence of all consumers of a key together, where they make a regular pattern that none of them has: a job that runs every quarter,
/// each time with another program. None where one consumer shows as much.
pub(super) fn of_all(
    consumers: &[&Consumer],
    since: Since,
    options: &ReadyOptions,
) -> Option<Silence> {
    let own = consumers.iter().map(|of| of.cadence.longest_gap_seconds);
    let own = TimeDelta::seconds(own.max()?);
    let days = consumers.iter().flat_map(|consumer| consumer.days.keys());
    let gap = regular_gap(&days.copied().collect())?;
    // Days are compared with times of day.
    if gap <= own + TimeDelta::days(1) {
        return None;
    }
    let found = silence(Rhythm::Seen(gap), since, options);
    Some(Silence {
        name: "all consumers together".to_owned(),
        is_together: true,
        // Whether the key is in use, its consumers say.
        state: found.state.max(State::Silent),
        ..found
    })
}

/// The longest gap between visits, where there are enough of them at similar gaps.
fn regular_gap(days: &BTreeSet<NaiveDate>) -> Option<TimeDelta> {
    let pauses = days.iter().zip(days.iter().skip(1));
    let pauses = pauses.map(|(from, to)| *to - *from);
    let gaps: Vec<TimeDelta> = pauses.filter(|pause| *pause > SAME_VISIT).collect();
    let (shortest, longest) = (gaps.iter().min()?, gaps.iter().max()?);
    let is_similar = shortest.num_days() as f64 >= SIMILAR * longest.num_days() as f64;
    (gaps.len() + 1 >= RHYTHM_DAYS && is_similar).then_some(*longest)
}

/// The silence of use of which nothing but its last time is known.
pub(super) fn unseen(name: String, since: Since, options: &ReadyOptions) -> Silence {
    Silence {
        name,
        ..silence(Rhythm::None, since, options)
    }
}

/// The silence of a service that called on a key's behalf.
pub(super) fn of_service(
    name: String,
    used: &ServiceUse,
    since: Since,
    options: &ReadyOptions,
) -> Silence {
    let days: Vec<&(i64, i64)> = used.days.values().collect();
    let nights = days.windows(2).map(|pair| pair[1].0 - pair[0].1);
    let within = days.iter().map(|(first, last)| last - first);
    let gap = nights.chain(within).max().unwrap_or_default();
    let first = days.first().map_or(0, |(first, _)| *first);
    let span = since.last.timestamp_micros() - first;
    let micros = TimeDelta::microseconds;
    Silence {
        name,
        ..silence(
            Rhythm::new(days.len(), micros(gap), micros(span)),
            since,
            options,
        )
    }
}

/// How regularly something was seen.
#[derive(Debug, Clone, Copy)]
enum Rhythm {
    /// Once.
    None,
    /// Too seldom; the longest gap all the same.
    Rare(TimeDelta),
    /// For too short a time; the longest gap all the same.
    Short(TimeDelta),
    /// Its longest gap.
    Seen(TimeDelta),
}

impl Rhythm {
    fn of(consumer: &Consumer) -> Self {
        let gap = TimeDelta::seconds(consumer.cadence.longest_gap_seconds);
        let span = consumer.last_seen - consumer.first_seen;
        Self::new(consumer.days.len(), gap, span)
    }

    /// Of calls on so many days, with this longest gap, over this time.
    fn new(days: usize, gap: TimeDelta, span: TimeDelta) -> Self {
        match days {
            0 | 1 => Rhythm::None,
            days if days < RHYTHM_DAYS => Rhythm::Rare(gap),
            _ if span < RHYTHM_SPAN => Rhythm::Short(gap),
            _ => Rhythm::Seen(gap),
        }
    }
}

fn silence(rhythm: Rhythm, since: Since, options: &ReadyOptions) -> Silence {
    silence_of_at_least(options.quiet, rhythm, since, options)
}

/// The silence of something that must be silent for so long at least, however often it called.
fn silence_of_at_least(
    least: TimeDelta,
    rhythm: Rhythm,
    since: Since,
    options: &ReadyOptions,
) -> Silence {
    // What was seen once or twice may be a job of every quarter: only the whole window says that it is over, and two runs
    // with a longer time between them ask for the next one.
    let gaps = |gap: TimeDelta| gap * options.gaps;
    let missed = |gap: TimeDelta| gaps(gap).max(MISSED).min(options.quiet);
    let window = options.window.max(options.quiet);
    let (gap, needed, missed) = match rhythm {
        Rhythm::None => (None, window, options.quiet),
        Rhythm::Rare(gap) => (Some(gap), window.max(gaps(gap)), options.quiet),
        Rhythm::Short(gap) => (Some(gap), window.max(gaps(gap)), missed(gap)),
        Rhythm::Seen(gap) => (Some(gap), gaps(gap).max(least), missed(gap)),
    };
    let silent = since.seen;
    Silence {
        consumer_id: None,
        name: String::new(),
        last_seen: since.last,
        longest_gap: gap,
        silent,
        needed,
        until: match silent >= needed {
            true => since.last + needed,
            false => since.now + (needed - silent),
        },
        is_seldom: false,
        is_together: false,
        state: match silent {
            silent if silent >= needed => State::Gone,
            _ if since.now - since.last >= missed => State::Silent,
            _ => State::InUse,
        },
        replacement: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::consumers::ConsumerOptions;

    #[test]
    fn silence_is_measured_against_the_longest_gap() {
        let options = ReadyOptions::new(ConsumerOptions::built_in().unwrap());
        let now: DateTime<Utc> = "2025-06-30T00:00:00Z".parse().unwrap();
        let of = |days: i64, rhythm: Rhythm| {
            let last = now - TimeDelta::days(days);
            let seen = now - last;
            silence(rhythm, Since { last, now, seen }, &options)
        };
        let hours = |hours: i64| Rhythm::Seen(TimeDelta::hours(hours));
        // Around the clock: missed after a day, gone after two weeks.
        assert_eq!(of(0, hours(1)).state, State::InUse);
        assert_eq!(of(2, hours(1)).state, State::Silent);
        assert_eq!(of(14, hours(1)).state, State::Gone);
        // Every month: two months.
        assert_eq!(of(13, hours(31 * 24)).state, State::InUse);
        assert_eq!(of(20, hours(31 * 24)).state, State::Silent);
        assert_eq!(of(61, hours(31 * 24)).state, State::Silent);
        assert_eq!(of(62, hours(31 * 24)).state, State::Gone);
        // Once: the whole window.
        assert_eq!(of(13, Rhythm::None).state, State::InUse);
        assert_eq!(of(89, Rhythm::None).state, State::Silent);
        assert_eq!(of(90, Rhythm::None).state, State::Gone);
        // Two runs a quarter apart ask for the next one; three days in a row are no rhythm yet.
        assert_eq!(
            of(92, Rhythm::Rare(TimeDelta::days(91))).state,
            State::Silent
        );
        assert_eq!(
            of(182, Rhythm::Rare(TimeDelta::days(91))).state,
            State::Gone
        );
        assert_eq!(
            of(30, Rhythm::Short(TimeDelta::days(1))).state,
            State::Silent
        );
    }

    #[test]
    fn visits_at_similar_gaps_are_regular() {
        let first: NaiveDate = "2025-01-01".parse().unwrap();
        let gap = |days: &[i64]| {
            let days = days.iter().map(|day| first + TimeDelta::days(*day));
            regular_gap(&days.collect()).map(|gap| gap.num_days())
        };
        assert_eq!(gap(&[0, 91, 182, 273]), Some(91));
        assert_eq!(gap(&[0, 1, 2, 91, 92, 182]), Some(90));
        assert_eq!(gap(&[0, 91]), None);
        assert_eq!(gap(&[0, 20, 111]), None);
        assert_eq!(gap(&[0, 1, 2, 3]), None);
    }

    #[test]
    fn silence_that_was_not_seen_does_not_count() {
        let options = ReadyOptions::new(ConsumerOptions::built_in().unwrap());
        let now: DateTime<Utc> = "2025-06-30T00:00:00Z".parse().unwrap();
        let since = Since {
            last: now - TimeDelta::days(40),
            now,
            seen: TimeDelta::days(10),
        };
        let found = silence(Rhythm::Seen(TimeDelta::hours(1)), since, &options);
        assert_eq!(found.state, State::Silent);
        assert_eq!(found.until, now + TimeDelta::days(4));
    }
}
