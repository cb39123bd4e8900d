//! Rules about use.

use super::super::key_facts::{Iam, KeyFacts};
use super::super::silence::{Silence, State};
use super::{Found, broken, found, holds, open, span, until};
use crate::analysis::consumers::Workload;
use crate::cloudtrail::minute;
use crate::report::counted;
use chrono::TimeDelta;

/// So many consumers are named; the others are counted.
const NAMED: usize = 3;

fn named(silences: &[&Silence], name: impl Fn(&Silence) -> String) -> String {
    let mut text: Vec<String> = silences
        .iter()
        .take(NAMED)
        .map(|silence| name(silence))
        .collect();
    if silences.len() > NAMED {
        text.push(format!("{} more", silences.len() - NAMED));
    }
    text.join("; ")
}

pub(super) fn consumers_silent(f: &KeyFacts<'_>) -> Option<Found> {
    if !f.active() {
        return None;
    }
    let consumers = || {
        f.silences
            .iter()
            .filter(|silence| silence.consumer_id.is_some())
    };
    let left: Vec<&Silence> = consumers()
        .filter(|silence| silence.state == State::InUse)
        .collect();
    match (consumers().count(), left.len()) {
        (0, _) => holds("no consumer in the log"),
        (all, 0) => holds(format!("none of {} still calls", counted(all, "consumer"))),
        (all, in_use) => broken(format!(
            "{in_use} of {all}: {}",
            named(&left, |silence| format!(
                "{} (last {})",
                silence.name,
                minute(silence.last_seen)
            ))
        )),
    }
}

pub(super) fn no_unseen_use(f: &KeyFacts<'_>) -> Option<Found> {
    let unseen: Vec<&Silence> = f
        .silences
        .iter()
        .filter(|silence| silence.is_unseen())
        .collect();
    if !unseen.is_empty() {
        let in_use = unseen.iter().any(|silence| silence.state == State::InUse);
        let text = named(&unseen, |silence| {
            format!("{} (last {})", silence.name, minute(silence.last_seen))
        });
        let last = f.last_event().map_or_else(
            || "the key has no events in the logs".to_owned(),
            |last| format!("the key's last event in the logs: {}", minute(last)),
        );
        return found(format!("{text}; {last}"), Some(!in_use));
    }
    let last = || f.last_event().map_or_else(|| "never".to_owned(), minute);
    let until = f
        .iam_until
        .map_or_else(String::new, |until| format!(" (as of {})", minute(until)));
    match (&f.iam, f.iam_knows(), f.last_used_in_iam()) {
        (Iam::NotAsked, ..) => {
            open("IAM's last-used date is missing, and CloudTrail does not log all use")
        }
        (_, false, _) => open("IAM does not say when the key was last used"),
        (Iam::OneOf(_), _, Some(used)) => holds(format!(
            "IAM's last use of any of the user's keys: {}{until}; last event in the logs: {}",
            minute(used),
            last()
        )),
        (Iam::Says(..), _, Some(used)) => holds(format!(
            "IAM's last use: {}{until}; last event in the logs: {}",
            minute(used),
            last()
        )),
        (_, true, None) => holds(format!("IAM shows no use at all{until}")),
    }
}

/// Without a call in the log, only IAM can say that nobody uses a key.
pub(super) fn iam_asked(f: &KeyFacts<'_>) -> Option<Found> {
    if f.last_event().is_some() || !f.active() {
        return None;
    }
    let as_of = f.common.as_of;
    match (&f.iam, f.iam_knows(), f.unused_in_iam()) {
        (Iam::NotAsked, ..) => until(
            "the key has no calls in the logs, and IAM's last use is not known: much use leaves no event",
            as_of,
        ),
        (_, false, _) => until("IAM does not say when the key was last used", as_of),
        (_, true, unused) => {
            let answered = unused.map(|(_, until)| until).or(f.iam_until);
            let Some(answered) = answered else {
                return until("the time of IAM's data is not known", as_of);
            };
            match as_of - answered {
                old if old <= f.common.options.quiet => holds(format!("on {}", minute(answered))),
                old => until(
                    format!(
                        "IAM's data is {} old, from {}: ask IAM again",
                        span(old),
                        minute(answered)
                    ),
                    as_of,
                ),
            }
        }
    }
}

pub(super) fn no_call_since_inactive(f: &KeyFacts<'_>) -> Option<Found> {
    let since = f.inactive_since()?;
    let late: Vec<&Silence> = f
        .silences
        .iter()
        .filter(|silence| silence.state == State::InUse)
        .collect();
    match late.is_empty() {
        true => holds(format!("deactivated {}, no call since", minute(since))),
        false => broken(format!(
            "deactivated {}; calls since then: {}",
            minute(since),
            named(&late, |silence| format!(
                "{} (last {})",
                silence.name,
                minute(silence.last_seen)
            ))
        )),
    }
}

pub(super) fn silent_long_enough(f: &KeyFacts<'_>) -> Option<Found> {
    if !f.active() || f.silences.is_empty() {
        return None;
    }
    let told = |silence: &Silence| {
        let gap = silence.longest_gap.map_or_else(
            || "no regular pattern".to_owned(),
            |gap| format!("longest gap {}", span(gap)),
        );
        let passed = f.common.as_of - silence.last_seen;
        let is_seen = passed - silence.silent < TimeDelta::days(1);
        let activated = f.activated().filter(|time| *time > silence.last_seen);
        let unseen = match (is_seen, activated) {
            (true, _) => String::new(),
            (false, Some(time)) => format!(
                " (last call {} ago; the key was inactive until {})",
                span(passed),
                minute(time)
            ),
            (false, None) => format!(
                " (last call {} ago; later days are not logged)",
                span(passed)
            ),
        };
        format!(
            "{}: {gap}, silent for {}, needs {}{unseen}",
            silence.name,
            span(silence.silent),
            span(silence.needed)
        )
    };
    let early: Vec<&Silence> = f
        .silences
        .iter()
        .filter(|silence| silence.state != State::Gone)
        .collect();
    match early.iter().map(|silence| silence.until).max() {
        Some(last) => until(named(&early, told), last),
        None => {
            let slowest = f.silences.iter().max_by_key(|silence| silence.until)?;
            holds(told(slowest))
        }
    }
}

pub(super) fn calls_succeed(f: &KeyFacts<'_>) -> Option<Found> {
    if f.consumers.is_empty() {
        return None;
    }
    let events: u64 = f.consumers.iter().map(|consumer| consumer.events).sum();
    let errors: u64 = f.consumers.iter().map(|consumer| consumer.errors).sum();
    match events == errors {
        true => broken(format!(
            "all {events} calls failed: nothing works with this key"
        )),
        false => holds(format!("{errors} of {} failed", counted(events, "call"))),
    }
}

pub(super) fn consumers_known(f: &KeyFacts<'_>) -> Option<Found> {
    if f.consumers.is_empty() {
        return None;
    }
    let unknown: Vec<&str> = f
        .consumers
        .iter()
        .filter(|consumer| consumer.workload == Workload::Unknown)
        .map(|consumer| consumer.name.as_str())
        .collect();
    match unknown.as_slice() {
        [] => holds(counted(f.consumers.len(), "consumer")),
        unknown => broken(format!("kind not known: {}", unknown.join("; "))),
    }
}

/// Proof of a migration, where the others have silence.
pub(super) fn consumers_replaced(f: &KeyFacts<'_>) -> Option<Found> {
    let consumers = f
        .silences
        .iter()
        .filter(|silence| silence.consumer_id.is_some());
    let silent: Vec<&Silence> = consumers
        .filter(|silence| silence.state != State::InUse)
        .collect();
    if silent.is_empty() {
        return None;
    }
    let roles: Vec<String> = silent
        .iter()
        .filter_map(|silence| {
            let role = silence.replacement.as_ref()?;
            let (last, why) = (minute(role.last_seen), &role.why);
            Some(format!(
                "{}: {} (last {last}; {why})",
                silence.name, role.role_arn
            ))
        })
        .collect();
    let text = match roles.len() {
        0 => format!(
            "no role makes the calls of {}: silence alone does not prove a migration",
            counted(silent.len(), "silent consumer")
        ),
        found => format!("{found} of {}: {}", silent.len(), roles.join("; ")),
    };
    found(text, Some(roles.len() == silent.len()))
}
