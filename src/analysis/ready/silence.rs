//! Is a consumer still there?
//!
//! In: when it called, and how regularly. Out: a [`Use`] with its [`State`]. Promise: silence is measured against the
//! consumer's own longest gap, and only up to where there is a log; a rhythm that was not seen is not assumed.

use super::ReadyOptions;
use crate::analysis::consumers::{Consumer, Replacement};
use chrono::{DateTime, TimeDelta, Utc};

/// A consumer that calls around the clock is missed after this time at the earliest.
const MISSED: TimeDelta = TimeDelta::days(1);

/// What a consumer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It calls, or has not been silent for longer than it usually is.
    InUse,
    /// It is silent, but not for long enough.
    Silent,
    /// It is silent for long enough.
    Gone,
    /// It has not called since the key was made inactive; such calls leave no event.
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

/// A consumer, or use that nobody can see, and its silence.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The consumer; none for use that the trail does not show.
    pub consumer_id: Option<String>,
    /// In words.
    pub name: String,
    /// Its last call.
    pub last_seen: DateTime<Utc>,
    /// The longest time between two of its calls, if it was seen often enough to have a rhythm.
    pub longest_gap: Option<TimeDelta>,
    /// How long it is silent.
    pub silent: TimeDelta,
    /// When it will have been silent for long enough.
    pub until: DateTime<Utc>,
    /// What it does.
    pub state: State,
    /// The role with which it is seen again; only looked for where it is no longer in use.
    pub replacement: Option<Replacement>,
}

/// A consumer, silent up to a moment until which there is a log.
pub(super) fn of_consumer(
    consumer: &Consumer,
    seen_until: DateTime<Utc>,
    options: &ReadyOptions,
) -> Use {
    let silence = silence((consumer.last_seen, consumer.rhythm()), seen_until, options);
    Use {
        consumer_id: Some(consumer.consumer_id.clone()),
        name: consumer.name.clone(),
        ..silence
    }
}

/// Use of which nothing but its last time is known.
pub(super) fn unseen(
    (name, last): (String, DateTime<Utc>),
    seen_until: DateTime<Utc>,
    options: &ReadyOptions,
) -> Use {
    Use {
        name,
        ..silence((last, None), seen_until, options)
    }
}

fn silence(
    (last, gap): (DateTime<Utc>, Option<TimeDelta>),
    seen_until: DateTime<Utc>,
    options: &ReadyOptions,
) -> Use {
    let gaps = gap.map(|gap| gap * options.gaps);
    // What was seen once or twice may be a job of every quarter: only the whole window says that it is over.
    let needed = gaps.map_or(options.window, |gaps| gaps.max(options.quiet));
    let missed = gaps.map_or(options.quiet, |gaps| gaps.max(MISSED).min(options.quiet));
    let silent = (seen_until - last).max(TimeDelta::zero());
    Use {
        consumer_id: None,
        name: String::new(),
        last_seen: last,
        longest_gap: gap,
        silent,
        until: last + needed,
        state: match silent {
            silent if silent >= needed => State::Gone,
            silent if silent >= missed => State::Silent,
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
        let of = |days: i64, gap: Option<i64>| {
            let gap = gap.map(TimeDelta::hours);
            silence((now - TimeDelta::days(days), gap), now, &options).state
        };
        // Around the clock: missed after a day, gone after two weeks.
        assert_eq!(of(0, Some(1)), State::InUse);
        assert_eq!(of(2, Some(1)), State::Silent);
        assert_eq!(of(14, Some(1)), State::Gone);
        // Every month: two months.
        assert_eq!(of(13, Some(31 * 24)), State::InUse);
        assert_eq!(of(20, Some(31 * 24)), State::Silent);
        assert_eq!(of(61, Some(31 * 24)), State::Silent);
        assert_eq!(of(62, Some(31 * 24)), State::Gone);
        // Once: the whole window.
        assert_eq!(of(13, None), State::InUse);
        assert_eq!(of(89, None), State::Silent);
        assert_eq!(of(90, None), State::Gone);
    }
}
