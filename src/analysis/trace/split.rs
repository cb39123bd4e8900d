//! Who is behind a use: the owner's programs, or somebody else?
//!
//! In: the deeds, and the tree. Out: a verdict on each deed, on each credential, and on each address and program that the start was used
//! from. Promise: every verdict has its reasons; where nothing tells, it says so instead of guessing.

use super::behind::{Behind, Seen};
use super::deeds::{Deed, rfc3339};
use super::sources::{Source, Sources};
use super::{Lineage, TraceOptions};
use crate::analysis::AnalysisError;
use crate::report::trace::{FirstUse, Origin, UseSource};
use std::collections::BTreeMap;

/// The verdicts.
#[derive(Debug, Default)]
pub(super) struct Split {
    pub(super) sources: Vec<UseSource>,
    pub(super) first: Option<FirstUse>,
    /// Addresses of the intruder, with the first use from each.
    pub(super) addresses: BTreeMap<String, i64>,
}

/// Judges where the start was used.
pub(super) fn behind(deeds: &[Deed], options: &TraceOptions) -> Result<Behind, AnalysisError> {
    Ok(Behind::new(Sources::of(deeds, options)?))
}

/// Judges all deeds; `event.origin` is set in each. Also says who is behind each credential.
pub(super) fn split(
    deeds: &mut [Deed],
    lineage: &Lineage<'_>,
    options: &TraceOptions,
) -> Result<(Split, Vec<Origin>), AnalysisError> {
    let mut behind = behind(deeds, options)?;
    let origins = spread(deeds, lineage, &mut behind);
    let intruder = |deed: &&Deed| deed.event.origin == Origin::Intruder && deed.member.is_some();
    let first = deeds.iter().find(intruder).map(|deed| {
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
            why: why.map(|source| source.why.clone()).unwrap_or_default(),
        }
    });
    let Behind {
        sources, addresses, ..
    } = behind;
    let rows = sources
        .all
        .into_iter()
        .map(|source| row(source, &addresses));
    let split = Split {
        sources: rows.collect(),
        first,
        addresses,
    };
    Ok((split, origins))
}

/// What is said of a source.
fn row(mut source: Source, addresses: &BTreeMap<String, i64>) -> UseSource {
    if source.origin == Origin::Unknown && addresses.contains_key(&source.address) {
        source.origin = Origin::Intruder;
        source
            .why
            .push("sessions that the intruder opened are used from there".to_owned());
    }
    UseSource {
        source_ip_address: source.address,
        program: source.title,
        origin: source.origin,
        why: source.why.join("; "),
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

/// Spreads the verdicts over the tree, and says who is behind each credential.
fn spread(deeds: &mut [Deed], lineage: &Lineage<'_>, behind: &mut Behind) -> Vec<Origin> {
    let members = &lineage.members;
    let born = behind.births(&lineage.joins, members);
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
        worst[at] = Some(worst[at].map_or(event.origin, |worst| worst.min(event.origin)));
    }
    let origins = worst.into_iter().zip(born);
    origins.map(|(worst, born)| worst.unwrap_or(born)).collect()
}
