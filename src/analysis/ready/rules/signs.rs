//! Rules about intruders.

use super::super::facts::Facts;
use super::super::trail::Quarantine;
use super::{Found, at, broken, count, holds};

/// Whoever holds a quarantined user's key may be anybody. A key that was made after the policy was detached is another.
pub(super) fn not_quarantined(f: &Facts<'_>) -> Option<Found> {
    let owner = f.account.map(|account| account.to_string());
    let owner = owner.zip(f.user_name.clone());
    let marks = owner.and_then(|owner| f.trail.quarantine.get(&owner));
    let marks = marks.map_or(&[][..], Vec::as_slice);
    let detached_before = |since| {
        let last = marks.last();
        last.is_some_and(|last: &Quarantine| !last.attached && last.time < since)
    };
    let attached: Vec<String> = marks
        .iter()
        .map(|mark| {
            let what = if mark.attached {
                "attached"
            } else {
                "detached"
            };
            format!(
                "{} {what} {} (event {})",
                mark.policy,
                at(mark.time),
                mark.event_id
            )
        })
        .collect();
    let own_birth = f.seen.and_then(|seen| seen.created);
    if !attached.is_empty() && !own_birth.is_some_and(detached_before) {
        return broken(attached.join(", "));
    }
    let id = f.id.as_ref()?;
    match f.trail.refused.get(id.as_str()) {
        Some(refused) => broken(format!(
            "{} refused by a quarantine policy, first {} (event {})",
            count(refused.events, "call"),
            at(refused.first),
            refused.event_id
        )),
        None => holds("no such policy seen"),
    }
}

pub(super) fn no_attack_tool(f: &Facts<'_>) -> Option<Found> {
    let tools = f.signs.map_or(&[][..], |signs| &signs.tools);
    if f.consumers.is_empty() && tools.is_empty() {
        return None;
    }
    match tools {
        [] => holds("none among the user agents"),
        tools => broken(tools.join("; ")),
    }
}

pub(super) fn no_stranger(f: &Facts<'_>) -> Option<Found> {
    let strangers = f.signs.map_or(&[][..], |signs| &signs.strangers);
    if f.consumers.is_empty() && strangers.is_empty() {
        return None;
    }
    match strangers {
        [] => holds("none"),
        strangers => broken(strangers.join("; ")),
    }
}
