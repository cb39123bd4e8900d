//! Is a consumer still there?
//!
//! In: when it called, how regularly, and how much of the time since was seen. Out: a [`Silence`] with its [`State`]. Promise: silence
//! is measured against the consumer's own longest gap; a rhythm that was not seen, or not for long enough, is not assumed.

use super::ReadyOptions;
use crate::analysis::consumers::{Consumer, Replacement, ServiceUse};
use chrono::{DateTime, TimeDelta, Utc};

/// A consumer that calls around the clock is missed after this time at the earliest.
const MISSED: TimeDelta = TimeDelta::days(1);

/// Calls on so many days show a rhythm; on fewer they may be the last and the next run of a job.
const RHYTHM_DAYS: usize = 3;

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
    /// What it does.
    pub state: State,
    /// The role with which it is seen again; only looked for where it is no longer in use.
    pub replacement: Option<Replacement>,
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
    Silence {
        consumer_id: Some(consumer.consumer_id.clone()),
        name: consumer.name.clone(),
        ..silence(Rhythm::of(consumer), since, options)
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
    // What was seen once or twice may be a job of every quarter: only the whole window says that it is over, and two runs
    // with a longer time between them ask for the next one.
    let gaps = |gap: TimeDelta| gap * options.gaps;
    let missed = |gap: TimeDelta| gaps(gap).max(MISSED).min(options.quiet);
    let window = options.window.max(options.quiet);
    let (gap, needed, missed) = match rhythm {
        Rhythm::None => (None, window, options.quiet),
        Rhythm::Rare(gap) => (Some(gap), window.max(gaps(gap)), options.quiet),
        Rhythm::Short(gap) => (Some(gap), window.max(gaps(gap)), missed(gap)),
        Rhythm::Seen(gap) => (Some(gap), gaps(gap).max(options.quiet), missed(gap)),
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
