//! Rules about intruders.

use super::super::key_facts::KeyFacts;
use super::super::marks::Quarantine;
use super::{Found, Said, broken, holds, open};
use crate::cloudtrail::minute;
use crate::report::counted;

/// Whoever holds a quarantined user's key may be anybody. A key that was made after the policy was detached is another.
pub(super) fn not_quarantined(f: &KeyFacts<'_>) -> Option<Found> {
    let account = f.account.map(|account| account.to_string());
    // The user may have had another name then.
    let mut names: Vec<String> = f.user_name.iter().cloned().collect();
    names.extend(
        f.seen
            .into_iter()
            .flat_map(|seen| seen.names.iter().cloned()),
    );
    names.sort_unstable();
    names.dedup();
    let owners = account.iter().flat_map(|account| {
        names
            .iter()
            .map(move |name| (account.clone(), name.clone()))
    });
    let marks = owners.filter_map(|owner| f.common.marks.quarantine.get(&owner));
    let mut marks: Vec<&Quarantine> = marks.flatten().collect();
    marks.sort_unstable();
    let detached_before = |since| {
        let last = marks.last();
        last.is_some_and(|last| !last.attached && last.time < since)
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
                minute(mark.time),
                mark.event_id
            )
        })
        .collect();
    let own_birth = f.seen.and_then(|seen| seen.created);
    if !attached.is_empty() && !own_birth.is_some_and(detached_before) {
        return broken(Said::evidence(&attached));
    }
    let id = f.id.as_ref()?;
    match f.common.marks.refused.get(id.as_str()) {
        Some(refused) => broken(Said::new(
            &format!(
                "{} denied by a quarantine policy, first {}",
                counted(refused.events, "call"),
                minute(refused.first)
            ),
            &format!(" (event {})", refused.event_id),
        )),
        None => holds("no such policy seen"),
    }
}

pub(super) fn no_attack_tool(f: &KeyFacts<'_>) -> Option<Found> {
    let tools = f.signs.map_or(&[][..], |signs| &signs.tools);
    if f.consumers.is_empty() && tools.is_empty() {
        return None;
    }
    match tools {
        [] => holds("none among the user agents"),
        tools => broken(Said::evidence(tools)),
    }
}

pub(super) fn no_stranger(f: &KeyFacts<'_>) -> Option<Found> {
    let strangers = f.signs.map_or(&[][..], |signs| &signs.strangers);
    if f.consumers.is_empty() && strangers.is_empty() {
        return None;
    }
    match strangers {
        [] => holds("none"),
        strangers => broken(Said::evidence(strangers)),
    }
}

pub(super) fn not_from_intruder(f: &KeyFacts<'_>) -> Option<Found> {
    f.id.as_ref()?;
    match f.signs.map_or(&[][..], |signs| &signs.ties) {
        [] => holds("no link to an intruder's other keys"),
        ties => broken(Said::evidence(ties)),
    }
}

/// An intruder may be behind it. That does not speak against deactivating the key, but a deleted one is gone from IAM's lists
/// before it is known what it did.
pub(super) fn no_suspicious_use(f: &KeyFacts<'_>) -> Option<Found> {
    let suspicious = f.signs.map_or(&[][..], |signs| &signs.suspicious);
    if f.consumers.is_empty() && suspicious.is_empty() {
        return None;
    }
    match suspicious {
        [] => holds("none"),
        uses if f.active() => open(Said::evidence(uses)),
        uses => broken(Said::evidence(uses)),
    }
}
