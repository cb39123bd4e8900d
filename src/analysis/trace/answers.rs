//! The answers to a responder's questions, in words.
//!
//! In: the sections of a trace. Out: its summary. Promise: each answer is put together from what the sections hold and names
//! events; "not seen" is never written as "did not happen".

mod done;

use super::containment::About;
use super::deeds::{Deed, rfc3339};
use super::facts::{Changes, text};
use super::unseen::listed;
use crate::report::trace::{Answer, Confidence, Created, Credential, Origin, Trace};
use done::{blinding, damage, data, from_where, of_kinds, outside, suspicious};
use std::collections::BTreeSet;

/// Events named with an answer; the sections have all.
const EVENTS: usize = 20;

/// Fills in the summary.
pub(super) fn summarize(trace: &mut Trace, deeds: &[Deed], (about, changes): (&About, &Changes)) {
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
    let answers = vec![
        what_and_whose(whole, about, changes),
        first_use(whole),
        from_where(whole),
        tried(whole),
        credentials(whole),
        of_kinds(
            whole,
            "More rights?",
            &[
                "permission",
                "policy_version",
                "group_member",
                "trust",
                "instance_profile_role",
                "instance_role",
                "access_entry",
            ],
            "no call that gives rights succeeded",
        ),
        of_kinds(
            whole,
            "A way back?",
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
                "trust_anchor",
                "profile",
                "activation",
                "rule",
                "key_pair",
                "security_group_rule",
                "bucket_policy",
                "key_policy",
            ],
            "nothing that would let anybody back in was created",
        ),
        data(whole),
        outside(whole),
        damage(deeds),
        blinding(whole, deeds),
        where_else(whole),
        over(whole, deeds, about),
        others(whole),
        cleanup(whole),
        certainty(whole),
    ];
    trace.summary.answers = answers;
}

fn answer(
    question: &'static str,
    answer: String,
    events: impl IntoIterator<Item = String>,
) -> Answer {
    Answer {
        question,
        answer,
        event_ids: events.into_iter().take(EVENTS).collect(),
    }
}

fn what_and_whose(trace: &Trace, about: &About, changes: &Changes) -> Answer {
    let mut parts = Vec::new();
    let mut events = Vec::new();
    for start in trace
        .credentials
        .iter()
        .filter(|credential| credential.rule == "start")
        .take(3)
    {
        let key = start
            .access_key_id
            .as_deref()
            .unwrap_or("a session without a key");
        let whose = start
            .principal_arn
            .as_deref()
            .unwrap_or("nobody that is named");
        let kind = match start.kind {
            "long-term" => "long-term key",
            "temporary" => "temporary key",
            other => other,
        };
        let state = about.keys.get(key).and_then(|state| state.last.as_ref());
        let state = match state {
            Some((time, event, who, state)) => {
                events.push(event.clone());
                format!(
                    "{} since {} (by {who})",
                    state.to_lowercase(),
                    short(&rfc3339(*time))
                )
            }
            None if start.kind == "long-term" => {
                "no event made it inactive: it may be active".to_owned()
            }
            None => match start.live {
                Some(false) => "expired".to_owned(),
                Some(true) => "alive".to_owned(),
                None => "whether it is alive the logs do not tell".to_owned(),
            },
        };
        parts.push(format!("{kind} of {whose}; {state}"));
    }
    let starts = trace
        .credentials
        .iter()
        .filter(|credential| credential.rule == "start")
        .count();
    if starts > 3 {
        parts.push(format!("and {} more credentials", starts - 3));
    }
    for (attached, row) in &about.quarantine {
        let event = text(&changes.event_id, *row).unwrap_or_default();
        events.push(event.to_owned());
        parts.push(match attached {
            true => "AWS's quarantine policy was attached: the key is publicly known".to_owned(),
            false => "the quarantine policy was detached".to_owned(),
        });
    }
    if parts.is_empty() {
        parts.push("not seen in these logs".to_owned());
    }
    answer("What is it, and whose?", parts.join(". "), events)
}

/// A time for a sentence.
fn short(time: &str) -> String {
    time.replacen('T', " ", 1).replace('Z', "")
}

fn first_use(trace: &Trace) -> Answer {
    let question = "First suspicious use?";
    match &trace.summary.first_suspicious_use {
        Some(first) => {
            let why = match first.why.is_empty() {
                true => "an address of the intruder".to_owned(),
                false => first.why.join("; "),
            };
            let text = format!(
                "{}, {} from {}: {why}",
                short(&first.event_time),
                first.event_name,
                first.source_ip_address.as_deref().unwrap_or("an unknown address"),
            );
            answer(question, text, [first.event_id.clone()])
        }
        None => answer(
            question,
            "nothing in the use itself tells an intruder from the owner; give --known-networks or --incident-start".to_owned(),
            [],
        ),
    }
}

fn tried(trace: &Trace) -> Answer {
    let (events, failed) = (trace.summary.events, trace.summary.failed);
    let refused: Vec<_> = trace
        .denied
        .iter()
        .filter(|row| row.access_denied && row.origin != Origin::Consumer)
        .collect();
    let names: BTreeSet<String> = refused.iter().map(|row| row.event_name.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut text = format!("{events} calls, {failed} of them failed");
    if !names.is_empty() {
        text += &format!("; refused for lack of rights: {}", listed(&names));
    }
    answer(
        "What did it try?",
        text,
        refused.iter().map(|row| row.event_id.clone()),
    )
}

fn credentials(trace: &Trace) -> Answer {
    let others: Vec<&Credential> = trace
        .credentials
        .iter()
        .filter(|credential| credential.rule != "start")
        .collect();
    let count = |confidence| {
        others
            .iter()
            .filter(|credential| credential.confidence == confidence)
            .count()
    };
    let deepest = trace
        .credentials
        .iter()
        .map(|credential| credential.depth)
        .max()
        .unwrap_or_default();
    let used = others
        .iter()
        .filter(|credential| credential.events > 0)
        .count();
    let intruders = others
        .iter()
        .filter(|credential| credential.origin == Origin::Intruder)
        .count();
    let text = match others.len() {
        0 => "no other credential came out of it, as far as these logs go".to_owned(),
        all => format!(
            "{all} ({} exact, {} by session, {} by principal), {used} of them used, {deepest} deep; {intruders} in the intruder's hands",
            count(Confidence::Exact),
            count(Confidence::Session),
            count(Confidence::Principal),
        ),
    };
    answer(
        "Which credentials came out of it?",
        text,
        others
            .iter()
            .filter_map(|credential| credential.issued_by_event_id.clone()),
    )
}

fn where_else(trace: &Trace) -> Answer {
    let suspicious: Vec<&Credential> = trace
        .credentials
        .iter()
        .filter(|credential| credential.origin != Origin::Consumer)
        .collect();
    let accounts: BTreeSet<String> = suspicious
        .iter()
        .filter_map(|credential| credential.account_id.clone())
        .collect();
    let accounts: Vec<String> = accounts.into_iter().collect();
    let text = format!(
        "accounts {}; regions {}",
        listed(&accounts),
        listed(&trace.summary.regions)
    );
    answer("Which accounts and regions?", text, [])
}

fn over(trace: &Trace, deeds: &[Deed], about: &About) -> Answer {
    let suspicious = || {
        deeds
            .iter()
            .filter(|deed| deed.member.is_some() && deed.event.origin != Origin::Consumer)
    };
    let last = suspicious().next_back();
    let mut parts = vec![match last {
        Some(deed) => format!("last such event {}", short(&deed.event.event_time)),
        None => "no suspicious event".to_owned(),
    }];
    let contained = about
        .keys
        .values()
        .filter_map(|state| state.last.as_ref())
        .filter(|(.., state)| state != "Active")
        .map(|(time, ..)| *time)
        .min();
    let mut events = Vec::new();
    if let Some(contained) = contained {
        let after: Vec<&Deed> = suspicious().filter(|deed| deed.time > contained).collect();
        parts.push(format!(
            "{} events after the first key was made inactive",
            after.len()
        ));
        events.extend(after.iter().map(|deed| deed.event.event_id.clone()));
    } else {
        parts.push("no key of it was made inactive in these logs".to_owned());
    }
    let live = trace
        .credentials
        .iter()
        .filter(|credential| credential.origin != Origin::Consumer);
    let (mut alive, mut open) = (0, 0);
    for credential in live {
        match credential.live {
            Some(true) => alive += 1,
            None => open += 1,
            Some(false) => {}
        }
    }
    parts.push(format!(
        "at {}: {alive} sessions alive, {open} credentials of which the logs do not tell",
        short(&trace.summary.as_of)
    ));
    answer("Is it over?", parts.join("; "), events)
}

fn others(trace: &Trace) -> Answer {
    let names: BTreeSet<String> = trace
        .pivot
        .iter()
        .filter_map(|row| row.access_key_id.clone().or(row.principal_arn.clone()))
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let text = match names.is_empty() {
        true => "no other credential was seen from the intruder's addresses".to_owned(),
        false => format!("seen from the intruder's addresses: {}", listed(&names)),
    };
    answer("Is anybody else affected?", text, [])
}

fn cleanup(trace: &Trace) -> Answer {
    let there: Vec<&Created> = suspicious(trace)
        .filter(|row| row.state == "there")
        .collect();
    let gone = suspicious(trace).count() - there.len();
    let text = format!(
        "{} things are still there, {gone} were removed; {} secrets to replace",
        there.len(),
        trace.rotate.len()
    );
    answer(
        "What has to be cleaned up?",
        text,
        there.iter().map(|row| row.event_id.clone()),
    )
}

fn certainty(trace: &Trace) -> Answer {
    let kinds: BTreeSet<&str> = trace.unseen.iter().map(|row| row.kind).collect();
    let kinds: Vec<String> = kinds.into_iter().map(str::to_owned).collect();
    answer(
        "How sure are we?",
        format!("not seen: {}", listed(&kinds)),
        [],
    )
}
