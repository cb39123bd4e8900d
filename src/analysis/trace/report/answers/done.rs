//! Answers about what was done: rights, ways back, data, damage, blinding.
//!
//! In: the sections and the deeds. Out: one [`Answer`] each. Promise: what a legitimate consumer did is left out; failed attempts are
//! named as such.

use super::super::super::graph::deeds::Deed;
use super::super::unseen::listed;
use super::answer;
use crate::report::trace::{Answer, Asked, BlindSpot, Created, DataAccess, Origin, State, Trace};
use std::collections::BTreeSet;

/// Actions by which data leaves.
const TAKING: [&str; 5] = ["read", "copied", "exported", "shared", "decrypted with"];

/// What somebody who is not known to be the owner made.
pub(super) fn suspicious(trace: &Trace) -> impl Iterator<Item = &Created> {
    trace
        .created
        .iter()
        .filter(|row| row.origin != Origin::Owner)
}

fn described(row: &Created) -> String {
    let on = row
        .on
        .as_ref()
        .map(|on| format!(" on {on}"))
        .unwrap_or_default();
    let state = match row.state {
        State::There => String::new(),
        state => format!(" ({})", state.as_str()),
    };
    format!("{} {}{on}{state}", row.kind.replace('_', " "), row.id)
}

pub(super) fn of_kinds(trace: &Trace, question: Asked, kinds: &[&str], none: &str) -> Answer {
    let mut rows: Vec<&Created> = suspicious(trace)
        .filter(|row| kinds.contains(&row.kind.as_str()))
        .filter(|row| counts(trace, row.origin, &row.event_time))
        .collect();
    rows.sort_by_key(|row| row.origin);
    let names = rows
        .iter()
        .map(|row| format!("{}{}", possibly(trace, row.origin), described(row)));
    let names: Vec<String> = names.collect();
    let text = match names.is_empty() {
        true => none.to_owned(),
        false => listed(&names),
    };
    answer(question, text, rows.iter().map(|row| row.event_id.clone()))
}

/// Whether what was done counts. What was over before the intruder came is not the intruder's.
fn counts(trace: &Trace, origin: Origin, time: &str) -> bool {
    let first = trace.summary.first_suspicious_use.as_ref();
    match origin {
        Origin::Intruder => true,
        Origin::Suspicious | Origin::Unknown => {
            first.is_none_or(|first| time >= first.event_time.as_str())
        }
        Origin::Owner => false,
    }
}

/// Said of what may be the owner's, where somebody else was seen.
fn possibly(trace: &Trace, origin: Origin) -> &'static str {
    let is_told = trace.summary.first_suspicious_use.is_some();
    match is_told && origin != Origin::Intruder {
        true => "possibly ",
        false => "",
    }
}

pub(super) fn data(trace: &Trace) -> Answer {
    let counted = |row: &&DataAccess| counts(trace, row.origin, &row.last_seen);
    let taken = |row: &&DataAccess| row.actions.iter().any(|action| TAKING.contains(action));
    let rows = trace.data_access.iter().filter(counted).filter(taken);
    let mut rows: Vec<&DataAccess> = rows.collect();
    rows.sort_by_key(|row| row.origin);
    let mut parts: Vec<String> = rows
        .into_iter()
        .map(|row| {
            let possibly = possibly(trace, row.origin);
            match row.kind {
                "bucket" => format!(
                    "{possibly}{} objects of bucket {} ({})",
                    row.objects_read,
                    row.resource,
                    size(row.bytes_out)
                ),
                kind => format!(
                    "{possibly}{} {} ({})",
                    kind.replace('_', " "),
                    row.resource,
                    row.actions.join(", ")
                ),
            }
        })
        .collect();
    if parts.is_empty() {
        parts.push("no read of secrets or data is in these logs".to_owned());
    }
    if trace.coverage.data_event_services.is_empty() {
        parts.push("without data events, reads of objects are not logged".to_owned());
    }
    answer(Asked::DataRead, listed(&parts), [])
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
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
            "{} were sent to the intruder's addresses",
            size(bytes)
        ));
    }
    if parts.is_empty() {
        parts.push("nothing was shared with other accounts in these logs".to_owned());
    }
    answer(
        Asked::SentOutside,
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

pub(super) fn damage(trace: &Trace, deeds: &[Deed]) -> Answer {
    of_deeds(
        Asked::Damage,
        (trace, deeds),
        "no such call succeeded",
        |deed| deed.has_effect() && DAMAGE.iter().any(|start| deed.operation.starts_with(start)),
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
        Asked::Logging,
        (trace, deeds),
        "no call tried to stop logging or detection in these logs",
        |deed| BLINDING.contains(&deed.operation.as_str()),
    );
    let silent = trace
        .unseen
        .iter()
        .filter(|row| row.kind == BlindSpot::Silence);
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
    question: Asked,
    (trace, deeds): (&Trace, &[Deed]),
    none: &str,
    fits: impl Fn(&Deed) -> bool,
) -> Answer {
    let counts = |deed: &Deed| counts(trace, deed.event.origin, &deed.event.event_time);
    let mut found: Vec<&Deed> = deeds
        .iter()
        .filter(|deed| deed.member.is_some() && counts(deed) && fits(deed))
        .collect();
    found.sort_by_key(|deed| deed.event.origin);
    let mut calls: Vec<(String, u64, BTreeSet<Option<&str>>)> = Vec::new();
    for deed in &found {
        let name = format!("{}{}", possibly(trace, deed.event.origin), deed.name());
        let name = match (deed.failed(), deed.has_effect()) {
            (true, _) => format!("{name} (failed)"),
            (false, false) => format!("{name} (dry run)"),
            (false, true) => name,
        };
        let target = deed.event.target.as_deref();
        match calls.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, count, targets)) => {
                *count += 1;
                targets.insert(target);
            }
            None => calls.push((name, 1, [target].into())),
        }
    }
    let names: Vec<String> = calls
        .into_iter()
        .map(|(name, count, targets)| {
            let times = match count {
                1 => String::new(),
                count => format!(" × {count}"),
            };
            // What all of them were done to, without the begin of its ARN.
            let on = match Vec::from_iter(targets).as_slice() {
                [Some(target)] => format!(" on {}", target.rsplit(':').next().unwrap_or(target)),
                _ => String::new(),
            };
            format!("{name}{times}{on}")
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

/// Addresses with what came from them, the intruder's of the whole lineage.
pub(super) fn from_where(trace: &Trace, deeds: &[Deed]) -> Answer {
    let of = |origin: Origin| -> Vec<&str> {
        let sources = trace.summary.sources.iter();
        let mut addresses: Vec<&str> = Vec::new();
        for source in sources.filter(|source| source.origin == origin) {
            if !addresses.contains(&source.source_ip_address.as_str()) {
                addresses.push(&source.source_ip_address);
            }
        }
        addresses
    };
    let mut parts = Vec::new();
    for (origin, name) in [
        (Origin::Intruder, "intruder"),
        (Origin::Suspicious, "suspicious"),
        (Origin::Owner, "owner"),
        (Origin::Unknown, "unknown"),
    ] {
        let addresses = of(origin);
        if addresses.is_empty() {
            continue;
        }
        let strange = matches!(origin, Origin::Intruder | Origin::Suspicious);
        let told: Vec<String> = addresses
            .into_iter()
            .map(|address| match strange {
                true => with_events(address, deeds),
                false => address.to_owned(),
            })
            .collect();
        // Whoever blocks or hunts an intruder's addresses needs all of them.
        let text = if strange {
            told.join(", ")
        } else {
            listed(&told)
        };
        parts.push(format!("{name}: {text}"));
    }
    if parts.is_empty() {
        parts.push("no address is known".to_owned());
    }
    answer(Asked::Sources, parts.join("; "), [])
}

/// An address with the events of the whole lineage that came from it.
fn with_events(address: &str, deeds: &[Deed]) -> String {
    let from_there = deeds.iter().filter(|deed| {
        deed.member.is_some()
            && deed.event.source_ip_address.as_deref() == Some(address)
            && deed.event.origin != Origin::Owner
    });
    match from_there.count() {
        1 => format!("{address} (1 event)"),
        events => format!("{address} ({events} events)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::trace::FirstUse;

    #[test]
    fn data_that_was_read_before_the_intruder_came_is_left_out() {
        let read = |resource: &str, origin, last_seen: &str| DataAccess {
            kind: "secret",
            resource: resource.to_owned(),
            actions: vec!["read"],
            origin,
            last_seen: last_seen.to_owned(),
            ..DataAccess::default()
        };
        let mut trace = Trace {
            data_access: vec![
                read("before", Origin::Unknown, "2025-03-06T15:00:59Z"),
                read("after", Origin::Unknown, "2025-03-06T15:01:00Z"),
                read("taken", Origin::Intruder, "2025-03-06T15:02:00Z"),
                read("ours", Origin::Owner, "2025-03-06T15:03:00Z"),
            ],
            ..Trace::default()
        };
        trace.coverage.data_event_services = vec!["s3.amazonaws.com".to_owned()];
        // Where nobody is known to be the intruder, everybody may be.
        assert_eq!(
            data(&trace).answer,
            "secret taken (read), secret before (read), secret after (read)"
        );
        trace.summary.first_suspicious_use = Some(FirstUse {
            event_time: "2025-03-06T15:01:00Z".to_owned(),
            ..FirstUse::default()
        });
        assert_eq!(
            data(&trace).answer,
            "secret taken (read), possibly secret after (read)"
        );
    }
}
