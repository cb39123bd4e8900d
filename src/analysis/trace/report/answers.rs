//! The answers to a responder's questions, in words.
//!
//! In: the sections of a trace. Out: its summary. Promise: each answer is put together from what the sections hold and names
//! events; "not seen" is never written as "did not happen".

mod after;
mod done;

use super::super::graph::deeds::{Deed, short as moment};
use super::super::graph::facts::{Changes, text};
use super::containment::{About, is_later, last_call};
use super::unseen::listed;
use crate::report::counted;
use crate::report::trace::{
    Answer, Asked, Confidence, Credential, CredentialKind, Origin, Rule, Trace,
};
use after::{certainty, cleanup, others, over, where_else};
use done::{blinding, damage, data, from_where, of_kinds, outside};
use std::collections::BTreeSet;

/// Events named with an answer; the sections have all.
const EVENTS: usize = 20;

/// Fills in the summary.
pub(in crate::analysis::trace) fn summarize(
    trace: &mut Trace,
    deeds: &[Deed],
    (about, changes): (&About, &Changes),
) {
    let by = || deeds.iter().filter(|deed| deed.member.is_some());
    let set = |of: fn(&Deed) -> Option<&String>| -> Vec<String> {
        let values: BTreeSet<String> = by().filter_map(of).cloned().collect();
        values.into_iter().collect()
    };
    let summary = &mut trace.summary;
    summary.accounts = set(|deed| deed.event.account_id.as_ref());
    summary.regions = set(|deed| deed.event.aws_region.as_ref());
    summary.credentials = trace.credentials.len() as u64;
    summary.events = by().count() as u64;
    summary.failed = by().filter(|deed| deed.failed()).count() as u64;
    summary.first_event = by().next().map(|deed| deed.event.event_time.clone());
    summary.last_event = by().next_back().map(|deed| deed.event.event_time.clone());
    let whole = &*trace;
    if whole.credentials.is_empty() {
        // Of what is not in the logs there is nothing to say: no answer may read as an all-clear.
        let first = what_and_whose(whole, about, changes);
        trace.summary.answers = vec![first];
        return;
    }
    let answers = vec![
        what_and_whose(whole, about, changes),
        first_use(whole),
        from_where(whole, deeds),
        tried(whole, deeds),
        credentials(whole),
        of_kinds(
            whole,
            Asked::Gained,
            &[
                "permission",
                "policy_version",
                "group_member",
                "trust",
                "instance_profile_role",
                "instance_role",
                "access_entry",
            ],
            "no call that grants permissions succeeded in these logs",
        ),
        of_kinds(
            whole,
            Asked::Persistence,
            &[
                "user",
                "access_key",
                "password",
                "role",
                "trust",
                "function",
                "function_url",
                "function_permission",
                "identity_provider",
                "service_credential",
                "certificate",
                "ssh_key",
                "mfa_device",
                "bucket_key",
                "trust_anchor",
                "profile",
                "activation",
                "rule",
                "key_pair",
                "security_group_rule",
                "bucket_policy",
                "key_policy",
            ],
            "nothing that lets the intruder back in was created in these logs",
        ),
        data(whole),
        outside(whole),
        damage(whole, deeds),
        blinding(whole, deeds),
        where_else(whole),
        over(whole, deeds, about),
        others(whole),
        cleanup(whole),
        certainty(whole),
    ];
    trace.summary.answers = answers;
}

fn answer(question: Asked, answer: String, events: impl IntoIterator<Item = String>) -> Answer {
    Answer {
        question,
        answer,
        event_ids: events.into_iter().take(EVENTS).collect(),
    }
}

fn what_and_whose(trace: &Trace, about: &About, changes: &Changes) -> Answer {
    let mut parts = Vec::new();
    let mut events = Vec::new();
    let asked: Vec<&Credential> = trace.asked().collect();
    for start in asked.iter().take(3) {
        let key = start
            .access_key_id
            .as_deref()
            .unwrap_or("a session without a key");
        let whose = start
            .principal_arn
            .as_deref()
            .unwrap_or("an unnamed principal");
        let kind = match start.kind {
            CredentialKind::LongTerm => "long-term key",
            CredentialKind::Temporary => "temporary key",
            CredentialKind::Console => "console session",
        };
        let state = about.keys.get(key).and_then(|state| state.last.as_ref());
        let state = match state {
            Some((time, event, who, state)) => {
                events.push(event.clone());
                let state = state.to_lowercase();
                let since = format!("{state} since {} (by {who})", moment(*time));
                match state != "active" && is_later(last_call(start), *time) {
                    true => format!(
                        "{since}, but used later: it was activated again, which these logs do not show; it may be active"
                    ),
                    false => since,
                }
            }
            None if start.kind == CredentialKind::LongTerm => {
                "no event deactivated it: it may be active".to_owned()
            }
            None => match start.live {
                Some(false) => "expired".to_owned(),
                Some(true) => "valid".to_owned(),
                None => "the logs do not show whether it is still valid".to_owned(),
            },
        };
        let by = match (&start.parent_principal_arn, start.rule) {
            (Some(by), rule) if rule != Rule::Start => {
                events.extend(start.issued_by_event_id.clone());
                format!(", issued to {by}")
            }
            _ => String::new(),
        };
        parts.push(format!("{kind} of {whose}{by}; {state}"));
    }
    if asked.len() > 3 {
        parts.push(format!("and {} more credentials", asked.len() - 3));
    }
    for (attached, row) in &about.quarantine {
        let event = text(&changes.event_id, *row).unwrap_or_default();
        events.push(event.to_owned());
        parts.push(match attached {
            true => "AWS attached its quarantine policy: it found the key exposed".to_owned(),
            false => "the quarantine policy was removed".to_owned(),
        });
    }
    if parts.is_empty() {
        parts.push("not in these logs".to_owned());
    }
    answer(Asked::Subject, parts.join("; "), events)
}

/// A time for a sentence.
fn short(time: &str) -> String {
    time.replacen('T', " ", 1).replace('Z', "")
}

fn first_use(trace: &Trace) -> Answer {
    let question = Asked::FirstUse;
    match &trace.summary.first_suspicious_use {
        Some(first) => {
            let why = match first.why.is_empty() {
                true => "from an address of the intruder".to_owned(),
                false => first.why.join("; "),
            };
            let grade = match first.origin {
                Origin::Intruder => "an intruder",
                _ => "suspicious, not proven",
            };
            let text = format!(
                "{}, {} from {} ({grade}): {why}",
                short(&first.event_time),
                first.event_name,
                first.source_ip_address.as_deref().unwrap_or("an unknown address"),
            );
            answer(question, text, [first.event_id.clone()])
        }
        None => answer(
            question,
            "cannot distinguish an intruder from the owner: give the owner's networks, or the time the incident began".to_owned(),
            [],
        ),
    }
}

fn tried(trace: &Trace, deeds: &[Deed]) -> Answer {
    let (events, failed) = (trace.summary.events, trace.summary.failed);
    let refused: Vec<_> = trace
        .denied
        .iter()
        .filter(|row| row.access_denied && row.origin != Origin::Owner)
        .collect();
    let names: BTreeSet<String> = refused.iter().map(|row| row.event_name.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut text = format!("{events} calls, {failed} of them failed");
    if trace.summary.first_suspicious_use.is_some() {
        let strange = deeds.iter().filter(|deed| {
            deed.member.is_some()
                && matches!(deed.event.origin, Origin::Intruder | Origin::Suspicious)
        });
        let (calls, failed) = strange.fold((0, 0), |(calls, failed), deed| {
            (calls + 1, failed + u64::from(deed.failed()))
        });
        text = format!("{calls} suspicious calls, {failed} of them failed; {events} calls in all");
    }
    if !names.is_empty() {
        text += &format!("; denied: {}", listed(&names));
    }
    answer(
        Asked::Tried,
        text,
        refused.iter().map(|row| row.event_id.clone()),
    )
}

fn credentials(trace: &Trace) -> Answer {
    let others: Vec<&Credential> = trace
        .credentials
        .iter()
        .filter(|credential| credential.rule != Rule::Start)
        .collect();
    let of = |origin: Origin| others.iter().filter(move |one| one.origin == origin);
    let is_told = trace.summary.first_suspicious_use.is_some();
    let intruders: Vec<&Credential> = match is_told {
        true => of(Origin::Intruder).copied().collect(),
        false => others.clone(),
    };
    let count = |confidence| {
        let of_kind = intruders.iter().filter(|one| one.confidence == confidence);
        of_kind.count()
    };
    let deepest = intruders.iter().map(|one| one.depth).max();
    let used = intruders.iter().filter(|one| one.events > 0).count();
    let how = match intruders.len() {
        0 => String::new(),
        _ => format!(
            " (links: {} exact, {} by session, {} by principal), {} deep",
            count(Confidence::Exact),
            count(Confidence::Session),
            count(Confidence::Principal),
            counted(deepest.unwrap_or_default(), "level"),
        ),
    };
    let text = match (others.len(), is_told) {
        (0, _) => "none in these logs".to_owned(),
        (all, false) => {
            format!("{all} issued{how}, {used} used; none attributed to an intruder")
        }
        (_, true) => {
            let rest = [
                (Origin::Suspicious, "suspicious"),
                (Origin::Unknown, "of unknown origin"),
                (Origin::Owner, "the owner's"),
            ];
            let rest = rest.map(|(origin, whose)| match of(origin).count() {
                0 => String::new(),
                some => format!("; {whose}: {some}"),
            });
            format!(
                "{} used by the intruder{how}{}",
                intruders.len(),
                rest.concat()
            )
        }
    };
    answer(
        Asked::Issued,
        text,
        others
            .iter()
            .filter_map(|credential| credential.issued_by_event_id.clone()),
    )
}
