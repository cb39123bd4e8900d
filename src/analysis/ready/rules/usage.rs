//! Rules about use.

use super::super::facts::{Facts, Iam};
use super::super::silence::{State, Use};
use super::{Found, at, broken, count, found, holds, open, span, until};
use crate::analysis::consumers::Workload;

/// So many consumers are named; the others are counted.
const NAMED: usize = 3;

fn named(uses: &[&Use], name: impl Fn(&Use) -> String) -> String {
    let mut text: Vec<String> = uses.iter().take(NAMED).map(|use_| name(use_)).collect();
    if uses.len() > NAMED {
        text.push(format!("{} more", uses.len() - NAMED));
    }
    text.join("; ")
}

pub(super) fn consumers_silent(f: &Facts<'_>) -> Option<Found> {
    if !f.active() {
        return None;
    }
    let consumers = || f.uses.iter().filter(|use_| use_.consumer_id.is_some());
    let left: Vec<&Use> = consumers()
        .filter(|use_| use_.state == State::InUse)
        .collect();
    match (consumers().count(), left.len()) {
        (0, _) => holds("no consumer in the log"),
        (all, 0) => holds(format!(
            "none of {} calls any more",
            count(all as u64, "consumer")
        )),
        (all, in_use) => broken(format!(
            "{in_use} of {all}: {}",
            named(&left, |use_| format!(
                "{} (last {})",
                use_.name,
                at(use_.last_seen)
            ))
        )),
    }
}

pub(super) fn no_unseen_use(f: &Facts<'_>) -> Option<Found> {
    let unseen: Vec<&Use> = f
        .uses
        .iter()
        .filter(|use_| use_.consumer_id.is_none())
        .collect();
    if !unseen.is_empty() {
        let in_use = unseen.iter().any(|use_| use_.state == State::InUse);
        let text = named(&unseen, |use_| {
            format!("{} (last {})", use_.name, at(use_.last_seen))
        });
        let last = f.last_event().map_or_else(
            || "the trail has no event of the key".to_owned(),
            |last| format!("the trail's last event of the key is of {}", at(last)),
        );
        return found(format!("{text}; {last}"), Some(!in_use));
    }
    match (f.iam, f.last_used_in_iam()) {
        (Iam::Says(..), Some(used)) => holds(format!(
            "IAM's last use is of {}, the trail's last event of {}",
            at(used),
            f.last_event().map_or_else(|| "never".to_owned(), at)
        )),
        (Iam::Says(..), None) => holds("IAM knows of no use at all"),
        (Iam::NotAsked, _) => open(
            "what IAM knows of the last use was not given (--credential-report or --live): the one test for use that CloudTrail does not show",
        ),
        (Iam::CannotTell, _) => open(
            "which key of its user in the credential report this is cannot be told; --live tells",
        ),
    }
}

pub(super) fn no_call_since_inactive(f: &Facts<'_>) -> Option<Found> {
    let since = f.inactive_since()?;
    let late: Vec<&Use> = f
        .uses
        .iter()
        .filter(|use_| use_.state == State::InUse)
        .collect();
    match late.is_empty() {
        true => holds(format!("inactive since {}, no call since", at(since))),
        false => broken(format!(
            "inactive since {}; since then: {}",
            at(since),
            named(&late, |use_| format!(
                "{} (last {})",
                use_.name,
                at(use_.last_seen)
            ))
        )),
    }
}

pub(super) fn silent_long_enough(f: &Facts<'_>) -> Option<Found> {
    if !f.active() || f.uses.is_empty() {
        return None;
    }
    let told = |use_: &Use| {
        let gap = use_.longest_gap.map_or_else(
            || "no rhythm seen".to_owned(),
            |gap| format!("longest gap {}", span(gap)),
        );
        let needed = span(use_.until - use_.last_seen);
        format!(
            "{}: {gap}, silent {} of {needed}",
            use_.name,
            span(use_.silent)
        )
    };
    let early: Vec<&Use> = f
        .uses
        .iter()
        .filter(|use_| use_.state != State::Gone)
        .collect();
    match early.iter().map(|use_| use_.until).max() {
        Some(last) => until(named(&early, told), last),
        None => {
            let slowest = f.uses.iter().max_by_key(|use_| use_.until)?;
            holds(told(slowest))
        }
    }
}

pub(super) fn calls_succeed(f: &Facts<'_>) -> Option<Found> {
    if f.consumers.is_empty() {
        return None;
    }
    let events: u64 = f.consumers.iter().map(|consumer| consumer.events).sum();
    let errors: u64 = f.consumers.iter().map(|consumer| consumer.errors).sum();
    match events == errors {
        true => broken(format!(
            "all {events} calls failed: nothing works with this key"
        )),
        false => holds(format!("{errors} of {} failed", count(events, "call"))),
    }
}

pub(super) fn consumers_known(f: &Facts<'_>) -> Option<Found> {
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
        [] => holds(count(f.consumers.len() as u64, "consumer")),
        unknown => broken(format!("not known what it is: {}", unknown.join("; "))),
    }
}

/// Proof of a migration, where the others have silence.
pub(super) fn consumers_replaced(f: &Facts<'_>) -> Option<Found> {
    let consumers = f.uses.iter().filter(|use_| use_.consumer_id.is_some());
    let silent: Vec<&Use> = consumers
        .filter(|use_| use_.state != State::InUse)
        .collect();
    if silent.is_empty() {
        return None;
    }
    let roles: Vec<String> = silent
        .iter()
        .filter_map(|use_| {
            let role = use_.replacement.as_ref()?;
            let (last, why) = (at(role.last_seen), &role.why);
            Some(format!(
                "{}: {} (last {last}; {why})",
                use_.name, role.role_arn
            ))
        })
        .collect();
    let text = match roles.len() {
        0 => format!(
            "no role does what {} did: this is silence, not proof of a migration",
            count(silent.len() as u64, "silent consumer")
        ),
        found => format!("{found} of {}: {}", silent.len(), roles.join("; ")),
    };
    found(text, Some(roles.len() == silent.len()))
}
