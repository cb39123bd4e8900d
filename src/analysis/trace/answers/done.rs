//! Answers about what was done: rights, ways back, data, damage, blinding.
//!
//! In: the sections and the deeds. Out: one [`Answer`] each. Promise: what a legitimate consumer did is left out; failed attempts are
//! named as such.

use super::super::deeds::Deed;
use super::super::silence::SILENCE;
use super::super::unseen::listed;
use super::answer;
use crate::report::trace::{Answer, Created, Origin, Trace};

/// What somebody who is not known to be the owner made.
pub(super) fn suspicious(trace: &Trace) -> impl Iterator<Item = &Created> {
    trace
        .created
        .iter()
        .filter(|row| row.origin != Origin::Consumer)
}

fn described(row: &Created) -> String {
    let on = row
        .on
        .as_ref()
        .map(|on| format!(" on {on}"))
        .unwrap_or_default();
    let state = match row.state {
        "there" => String::new(),
        state => format!(" ({state})"),
    };
    format!("{} {}{on}{state}", row.kind.replace('_', " "), row.id)
}

pub(super) fn of_kinds(
    trace: &Trace,
    question: &'static str,
    kinds: &[&str],
    none: &str,
) -> Answer {
    let rows: Vec<&Created> = suspicious(trace)
        .filter(|row| kinds.contains(&row.kind.as_str()))
        .collect();
    let names: Vec<String> = rows.iter().map(|row| described(row)).collect();
    let text = match names.is_empty() {
        true => none.to_owned(),
        false => listed(&names),
    };
    answer(question, text, rows.iter().map(|row| row.event_id.clone()))
}

pub(super) fn data(trace: &Trace) -> Answer {
    let mut parts = Vec::new();
    for row in trace
        .data_access
        .iter()
        .filter(|row| row.origin != Origin::Consumer)
    {
        let taken = row.actions.iter().any(|action| {
            ["read", "copied", "exported", "shared", "decrypted with"].contains(action)
        });
        if !taken {
            continue;
        }
        parts.push(match row.kind {
            "bucket" => format!(
                "{} objects of bucket {} ({} bytes)",
                row.objects_read, row.resource, row.bytes_out
            ),
            kind => format!(
                "{} {} ({})",
                kind.replace('_', " "),
                row.resource,
                row.actions.join(", ")
            ),
        });
    }
    if parts.is_empty() {
        parts.push("no reading of secrets or data is in these logs".to_owned());
    }
    if trace.coverage.data_event_services.is_empty() {
        parts.push("without data events reads of objects are invisible".to_owned());
    }
    answer("Which secrets and data were read?", listed(&parts), [])
}

pub(super) fn outside(trace: &Trace) -> Answer {
    let shares: Vec<&Created> = suspicious(trace)
        .filter(|row| {
            [
                "share",
                "bucket_replication",
                "bucket_policy",
                "bucket_acl",
                "public_access",
                "grant",
            ]
            .contains(&row.kind.as_str())
        })
        .collect();
    let bytes: u64 = trace
        .data_access
        .iter()
        .filter(|row| row.origin == Origin::Intruder)
        .map(|row| row.bytes_out)
        .sum();
    let mut parts: Vec<String> = shares.iter().map(|row| described(row)).collect();
    if bytes > 0 {
        parts.push(format!(
            "{bytes} bytes were sent to the intruder's addresses"
        ));
    }
    if parts.is_empty() {
        parts.push("nothing was shared with other accounts, as far as these logs go".to_owned());
    }
    answer(
        "Was anything sent outside?",
        listed(&parts),
        shares.iter().map(|row| row.event_id.clone()),
    )
}

/// Calls that destroy or cost, by their beginnings.
const DAMAGE: [&str; 12] = [
    "RunInstances",
    "RequestSpot",
    "CreateFleet",
    "DeleteObject",
    "DeleteBucket",
    "DeleteDB",
    "TerminateInstances",
    "DeleteSnapshot",
    "DeleteVolume",
    "ScheduleKeyDeletion",
    "InvokeModel",
    "DeleteTable",
];

pub(super) fn damage(deeds: &[Deed]) -> Answer {
    of_deeds(
        "Was anything destroyed, or run up?",
        deeds,
        "no such call succeeded",
        |deed| !deed.failed() && DAMAGE.iter().any(|start| deed.operation.starts_with(start)),
    )
}

/// Calls that blind.
const BLINDING: [&str; 16] = [
    "StopLogging",
    "DeleteTrail",
    "UpdateTrail",
    "PutEventSelectors",
    "DeleteFlowLogs",
    "DeleteDetector",
    "UpdateDetector",
    "StopConfigurationRecorder",
    "DeleteConfigurationRecorder",
    "DeleteLogGroup",
    "DeleteLogStream",
    "DisableSecurityHub",
    "CreateIPSet",
    "DeleteEventDataStore",
    "DeleteMembers",
    "LeaveOrganization",
];

pub(super) fn blinding(trace: &Trace, deeds: &[Deed]) -> Answer {
    let mut found = of_deeds(
        "Were we blinded?",
        deeds,
        "no call that stops logging or detection succeeded or was tried",
        |deed| BLINDING.contains(&deed.operation.as_str()),
    );
    let silent = trace.unseen.iter().filter(|row| row.kind == SILENCE);
    for row in silent {
        found.answer += &format!("; {}", row.what);
    }
    if !trace.coverage.days_missing.is_empty() {
        found.answer += &format!(
            "; days without events: {}",
            listed(&trace.coverage.days_missing)
        );
    }
    found
}

fn of_deeds(
    question: &'static str,
    deeds: &[Deed],
    none: &str,
    fits: impl Fn(&Deed) -> bool,
) -> Answer {
    let found: Vec<&Deed> = deeds
        .iter()
        .filter(|deed| deed.member.is_some() && deed.event.origin != Origin::Consumer && fits(deed))
        .collect();
    let mut calls: Vec<(String, u64)> = Vec::new();
    for deed in &found {
        let name = match deed.failed() {
            true => format!("{} (failed)", deed.name()),
            false => deed.name(),
        };
        match calls.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => calls.push((name, 1)),
        }
    }
    let names: Vec<String> = calls
        .into_iter()
        .map(|(name, count)| {
            if count > 1 {
                format!("{name} × {count}")
            } else {
                name
            }
        })
        .collect();
    let text = match names.is_empty() {
        true => none.to_owned(),
        false => listed(&names),
    };
    answer(
        question,
        text,
        found.iter().map(|deed| deed.event.event_id.clone()),
    )
}

pub(super) fn from_where(trace: &Trace) -> Answer {
    let of = |origin: Origin| -> Vec<String> {
        let sources = trace
            .summary
            .sources
            .iter()
            .filter(|source| source.origin == origin);
        let mut addresses: Vec<String> = Vec::new();
        for source in sources {
            if !addresses.contains(&source.source_ip_address) {
                addresses.push(source.source_ip_address.clone());
            }
        }
        addresses
    };
    let mut parts = Vec::new();
    for (origin, name) in [
        (Origin::Intruder, "intruder"),
        (Origin::Consumer, "owner's programs"),
        (Origin::Unknown, "not told apart"),
    ] {
        let addresses = of(origin);
        if !addresses.is_empty() {
            parts.push(format!("{name}: {}", listed(&addresses)));
        }
    }
    if parts.is_empty() {
        parts.push("no address is known".to_owned());
    }
    answer("From where?", parts.join("; "), [])
}
