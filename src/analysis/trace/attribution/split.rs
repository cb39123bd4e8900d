//! Who is behind a use: the owner's programs, or somebody else?
//!
//! In: the deeds, and the tree. Out: a verdict on each deed, on each credential, and on each address and program that the tree was used
//! from. Promise: every verdict has its reasons; where nothing tells, it says so instead of guessing.

use super::super::graph::deeds::{Deed, rfc3339};
use super::super::{Lineage, TraceOptions};
use super::behind::{Behind, Seen};
use super::sources::Ground;
use crate::analysis::attribution::Source;
use crate::analysis::consumers::Agent;
use crate::report::trace::{FirstUse, Origin, UseSource};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The verdicts.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Split {
    pub(in crate::analysis::trace) sources: Vec<UseSource>,
    pub(in crate::analysis::trace) first: Option<FirstUse>,
    /// Addresses of the intruder, with the first use from each.
    pub(in crate::analysis::trace) addresses: BTreeMap<String, i64>,
}

impl Split {
    /// Addresses that are not surely the owner's, and who is behind each.
    pub(in crate::analysis::trace) fn searched(&self) -> BTreeMap<String, Origin> {
        let mut found: BTreeMap<String, Origin> = BTreeMap::new();
        for source in &self.sources {
            let origin = found
                .entry(source.source_ip_address.clone())
                .or_insert(source.origin);
            // Behind an address that the owner uses, too, there are the owner's other credentials.
            *origin = match (*origin, source.origin) {
                (Origin::Owner, _) | (_, Origin::Owner) => Origin::Owner,
                (one, other) => one.min(other),
            };
        }
        found.retain(|_, origin| *origin != Origin::Owner);
        let intruders = self.addresses.keys();
        found.extend(intruders.map(|address| (address.clone(), Origin::Intruder)));
        found
    }
}

/// Judges all deeds; `event.origin` is set in each. Also says who is behind each credential.
pub(in crate::analysis::trace) fn split(
    deeds: &mut [Deed],
    lineage: &Lineage<'_>,
    ground: &Ground,
    options: &TraceOptions,
) -> (Split, Vec<Origin>) {
    let mut behind = Behind::new(ground.judge(deeds, options));
    let origins = spread(deeds, lineage, &mut behind);
    // Where an address and its program were the owner's before, the first sign counts.
    let is_strange = |deed: &Deed| {
        let event = &deed.event;
        let address = event.source_ip_address.as_deref().unwrap_or_default();
        let agent = event.user_agent.as_deref().unwrap_or_default();
        let source = behind.sources.get(address, agent);
        source.is_none_or(|source| deed.time >= source.strange_since())
    };
    let by = |origin: Origin| {
        let own = |deed: &&Deed| deed.event.origin == origin && deed.member.is_some();
        deeds.iter().filter(own).find(|deed| is_strange(deed))
    };
    let first = by(Origin::Intruder).or_else(|| by(Origin::Suspicious));
    let first = first.map(|deed| {
        let event = &deed.event;
        let address = event.source_ip_address.as_deref().unwrap_or_default();
        let agent = event.user_agent.as_deref().unwrap_or_default();
        let why = behind.sources.get(address, agent);
        FirstUse {
            event_id: event.event_id.clone(),
            event_time: event.event_time.clone(),
            source_ip_address: event.source_ip_address.clone(),
            user_agent: event.user_agent.clone(),
            event_name: event.event_name.clone(),
            origin: event.origin,
            why: why.map(Source::why).unwrap_or_default(),
        }
    });
    let Behind {
        sources, addresses, ..
    } = behind;
    let rows = sources
        .all
        .into_iter()
        .map(|source| row(source, &addresses));
    let mut rows: Vec<UseSource> = rows.collect();
    rows.extend(further(deeds, &rows));
    let split = Split {
        sources: rows,
        first,
        addresses,
    };
    (split, origins)
}

/// What is said of a source.
fn row(mut source: Source, addresses: &BTreeMap<String, i64>) -> UseSource {
    let mut why = source.why();
    if matches!(source.origin, Origin::Suspicious | Origin::Unknown)
        && addresses.contains_key(&source.address)
    {
        source.origin = Origin::Intruder;
        why.push("sessions that the intruder opened are used from there".to_owned());
    }
    UseSource {
        source_ip_address: source.address,
        program: source.title,
        origin: source.origin,
        why: why.join("; "),
        events: source.events,
        first_seen: rfc3339(source.first),
        last_seen: rfc3339(source.last),
        user_agents: source
            .agents
            .into_iter()
            .filter(|agent| !agent.is_empty())
            .collect(),
    }
}

/// Addresses of the intruder that the start itself was not used from: of sessions and keys that came out of it.
fn further(deeds: &[Deed], known: &[UseSource]) -> Vec<UseSource> {
    let mut rows: BTreeMap<(&str, String), UseSource> = BTreeMap::new();
    let mut programs: BTreeMap<&str, String> = BTreeMap::new();
    for deed in deeds
        .iter()
        .filter(|deed| deed.member.is_some() && deed.event.origin == Origin::Intruder)
    {
        let event = &deed.event;
        let Some(address) = event.source_ip_address.as_deref() else {
            continue;
        };
        let is_known = known
            .iter()
            .any(|source| source.source_ip_address == address && source.origin == Origin::Intruder);
        if is_known || event.via_service.is_some() || address.parse::<IpAddr>().is_err() {
            continue;
        }
        let agent = event.user_agent.as_deref().unwrap_or_default();
        let title = programs
            .entry(agent)
            .or_insert_with(|| Agent::new(agent).title());
        let row = rows
            .entry((address, title.clone()))
            .or_insert_with(|| UseSource {
                source_ip_address: address.to_owned(),
                program: title.clone(),
                origin: Origin::Intruder,
                why: "used by credentials that the intruder made or opened".to_owned(),
                first_seen: event.event_time.clone(),
                ..UseSource::default()
            });
        row.events += 1;
        row.last_seen.clone_from(&event.event_time);
        if !agent.is_empty() && !row.user_agents.iter().any(|known| known == agent) {
            row.user_agents.push(agent.to_owned());
        }
    }
    rows.into_values().collect()
}

/// Spreads the verdicts over the tree, and says who is behind each credential.
fn spread(deeds: &mut [Deed], lineage: &Lineage<'_>, behind: &mut Behind) -> Vec<Origin> {
    let members = &lineage.members;
    let born = behind.births(&lineage.joins, members);
    let of_stacks = behind.of_stacks(&lineage.joins);
    let mut worst: Vec<Option<Origin>> = vec![None; members.len()];
    for deed in deeds {
        let event = &mut deed.event;
        let Some(at) = deed.member else { continue };
        let seen = Seen {
            address: event.source_ip_address.as_deref(),
            agent: event.user_agent.as_deref(),
            by_service: event.via_service.is_some(),
        };
        event.origin = behind.of((members[at].depth, born[at]), seen);
        if event.origin != Origin::Owner && of_stacks.contains(event.event_id.as_str()) {
            event.origin = Origin::Intruder;
        }
        worst[at] = Some(worst[at].map_or(event.origin, |worst| worst.min(event.origin)));
    }
    let origins = worst.into_iter().zip(born);
    origins.map(|(worst, born)| worst.unwrap_or(born)).collect()
}
