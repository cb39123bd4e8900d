//! Answers about what is left: where else, whether it is over, who else, what to clean up, what could be missing.
//!
//! In: the sections and the deeds. Out: one [`Answer`] each. Promise: what was not searched for is not said to be absent.

use super::super::super::graph::deeds::{Deed, short as moment};
use super::super::containment::About;
use super::super::unseen::listed;
use super::done::suspicious;
use super::{answer, short};
use crate::report::counted;
use crate::report::trace::{Answer, Asked, BlindSpot, Created, Credential, Origin, State, Trace};
use std::collections::BTreeSet;

/// Accounts and regions of whatever is not the owner's.
pub(super) fn where_else(trace: &Trace) -> Answer {
    let suspicious: Vec<&Credential> = trace
        .credentials
        .iter()
        .filter(|credential| credential.origin != Origin::Owner)
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
    answer(Asked::Places, text, [])
}

pub(super) fn over(trace: &Trace, deeds: &[Deed], about: &About) -> Answer {
    let strange = || {
        deeds
            .iter()
            .filter(|deed| deed.member.is_some() && deed.event.origin != Origin::Owner)
    };
    let last = |origin: Origin| strange().rfind(|deed| deed.event.origin == origin);
    let known = last(Origin::Intruder).or_else(|| last(Origin::Suspicious));
    let mut parts = vec![match (known, strange().next_back()) {
        (Some(deed), _) => {
            let whose = match deed.event.origin {
                Origin::Intruder => "the intruder's last call was",
                _ => "the last suspicious call was",
            };
            let words = format!("{whose} {}", short(&deed.event.event_time));
            match strange().filter(|later| later.time > deed.time).count() {
                0 => words,
                later => format!(
                    "{words}; who made {} after it is unknown",
                    counted(later, "call")
                ),
            }
        }
        (None, Some(deed)) => format!(
            "cannot distinguish an intruder from the owner; the last call was {}",
            short(&deed.event.event_time)
        ),
        (None, None) => "every call is the owner's".to_owned(),
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
        let after: Vec<&Deed> = strange().filter(|deed| deed.time > contained).collect();
        let calls = match after.len() {
            0 => "no call".to_owned(),
            calls => format!("{} that may not be the owner's", counted(calls, "call")),
        };
        parts.push(format!(
            "{calls} since a key was first deactivated at {}",
            moment(contained)
        ));
        events.extend(after.iter().map(|deed| deed.event.event_id.clone()));
    } else {
        parts.push("no key was deactivated in these logs".to_owned());
    }
    let is_told = known.is_some();
    // Of as many credentials the logs show that they are valid, of as many they show nothing.
    let live = |wanted: &dyn Fn(Origin) -> bool| {
        let of = trace.credentials.iter().filter(|one| wanted(one.origin));
        let state: Vec<Option<bool>> = of.map(|one| one.live).collect();
        let count = |live| state.iter().filter(|of| **of == live).count();
        (count(Some(true)), count(None))
    };
    let (alive, open) = live(&|origin| match is_told {
        true => origin <= Origin::Suspicious,
        false => origin != Origin::Owner,
    });
    let mut state = format!(
        "{} at {}",
        match (alive, open) {
            (0, 0) => "no session is valid".to_owned(),
            (0, _) => "no session is known to be valid".to_owned(),
            (1, _) => "1 session is valid".to_owned(),
            (alive, _) => format!("{alive} sessions are valid"),
        },
        short(&trace.summary.as_of),
    );
    if open > 0 {
        state += &format!("; {} of unknown status", counted(open, "credential"));
    }
    if let (true, (alive, open)) = (is_told, live(&|origin| origin == Origin::Unknown))
        && alive + open > 0
    {
        state += &format!("; of unknown origin: {alive} valid, {open} of unknown status");
    }
    // A narrow screen shows the beginning.
    parts.insert(0, state);
    answer(Asked::Over, parts.join("; "), events)
}

/// Who else was there. Without a known intruder every address that is not surely the owner's was searched.
pub(super) fn others(trace: &Trace) -> Answer {
    let named = |intruder: bool| -> Vec<String> {
        let rows = trace
            .pivot
            .iter()
            .filter(|row| (row.origin == Origin::Intruder) == intruder);
        let names: BTreeSet<String> = rows
            .filter_map(|row| row.access_key_id.clone().or(row.principal_arn.clone()))
            .collect();
        names.into_iter().collect()
    };
    let sources = &trace.summary.sources;
    let is_known = sources
        .iter()
        .any(|source| source.origin == Origin::Intruder);
    let searched = sources.iter().any(|source| source.origin != Origin::Owner);
    let (intruders, open) = (named(true), named(false));
    let mut parts = Vec::new();
    if !intruders.is_empty() {
        parts.push(format!(
            "seen from the intruder's addresses: {}",
            listed(&intruders)
        ));
    }
    if !open.is_empty() {
        let whose = match is_known {
            true => "seen from addresses of unknown users",
            false => "no address of an intruder is known; seen from the same addresses",
        };
        parts.push(format!("{whose}: {}", listed(&open)));
    }
    if parts.is_empty() {
        parts.push(
            match (is_known, searched) {
                (true, _) => "no other credential was seen from the intruder's addresses",
                (false, true) => "no address of an intruder is known; no other credential was seen from addresses that may not be the owner's",
                (false, false) => "no address of an intruder is known, so nothing could be searched for",
            }
            .to_owned(),
        );
    }
    answer(Asked::Others, parts.join("; "), [])
}

pub(super) fn cleanup(trace: &Trace) -> Answer {
    let there: Vec<&Created> = suspicious(trace)
        .filter(|row| row.state == State::There)
        .collect();
    let gone = suspicious(trace).count() - there.len();
    let text = format!(
        "{} still there, {gone} removed since; {} to replace",
        counted(there.len(), "resource"),
        counted(trace.rotate.len(), "secret"),
    );
    answer(
        Asked::CleanUp,
        text,
        there.iter().map(|row| row.event_id.clone()),
    )
}

pub(super) fn certainty(trace: &Trace) -> Answer {
    let mut parts: Vec<&str> = Vec::new();
    for row in &trace.unseen {
        let part = match row.kind {
            BlindSpot::DataEvents => "reads and writes of data are not all logged",
            BlindSpot::Days => "some days have no events",
            BlindSpot::Rejected => "some log files could not be read",
            BlindSpot::Regions => "other regions are not in these logs",
            BlindSpot::Accounts => "other accounts are not in these logs",
            BlindSpot::Orphan => "the origin of some sessions is not logged",
            BlindSpot::IssuedNotSeen => "some credentials were issued but not seen in use",
            BlindSpot::PossibleCredential => "some credentials can be created without an event",
            BlindSpot::NotFollowed => "what the owner made or changed was not followed",
            BlindSpot::Silence => "a region fell silent after logging was stopped",
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let text = match parts.is_empty() {
        true => "these logs have no known gap".to_owned(),
        false => parts.join("; "),
    };
    answer(Asked::Certainty, text, [])
}
