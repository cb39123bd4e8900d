//! Who is behind what the tree did.
//!
//! In: verdicts on where and with what the start was used, and the tree. Out: who is behind an event, and behind a credential by its
//! birth. Promise: the walk and the timeline ask the same: whom a change is held to be by decides whether it is followed.

use super::super::graph::births::was_there;
use super::super::graph::facts::{number, text};
use super::super::graph::joins::{Evidence, Joins};
use super::super::graph::tree::Member;
use crate::analysis::attribution::Sources;
use crate::report::trace::{Origin, Rule};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What an event shows of who made it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::analysis::trace) struct Seen<'a> {
    pub(in crate::analysis::trace) address: Option<&'a str>,
    pub(in crate::analysis::trace) agent: Option<&'a str>,
    /// Whether an AWS service called on the credential's behalf.
    pub(in crate::analysis::trace) by_service: bool,
}

/// Who is behind what.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Behind {
    pub(in crate::analysis::trace) sources: Sources,
    /// Addresses of the intruder alone, with the first use from each.
    pub(in crate::analysis::trace) addresses: BTreeMap<String, i64>,
    /// The first use that is the intruder's, or suspicious.
    first: Option<i64>,
}

impl Behind {
    /// After verdicts on where the start was used.
    pub(in crate::analysis::trace) fn new(sources: Sources) -> Self {
        let strange = sources
            .all
            .iter()
            .filter(|source| matches!(source.origin, Origin::Intruder | Origin::Suspicious));
        Self {
            first: strange.map(|source| source.first).min(),
            addresses: sources.addresses(),
            sources,
        }
    }

    /// Who is behind an event of a credential, of which the depth is known and who is behind it by its birth.
    pub(in crate::analysis::trace) fn of(
        &self,
        (depth, born): (u32, Origin),
        seen: Seen<'_>,
    ) -> Origin {
        let address = seen.address.unwrap_or_default();
        let own = (depth == 0 && !seen.by_service)
            .then(|| self.sources.get(address, seen.agent.unwrap_or_default()))
            .flatten();
        match own {
            Some(source) if source.origin != Origin::Unknown => source.origin,
            _ if self.addresses.contains_key(address) => Origin::Intruder,
            _ if depth == 0 => Origin::Unknown,
            _ => born,
        }
    }

    /// Whether what came of a change belongs to the incident. What nobody can be told to be behind counts from the intruder's first
    /// use on.
    pub(in crate::analysis::trace) fn counts(&self, origin: Origin, time: i64) -> bool {
        match origin {
            Origin::Intruder => true,
            Origin::Owner => false,
            Origin::Suspicious | Origin::Unknown => self.first.is_none_or(|first| time >= first),
        }
    }

    /// Who is behind a credential by its birth; `parent` is its parent's depth, and who is behind that.
    pub(in crate::analysis::trace) fn birth(
        &self,
        joins: &Joins<'_>,
        member: &Member,
        parent: Option<(u32, Origin)>,
    ) -> Origin {
        let Some(parent) = parent.filter(|_| member.link.since.is_none()) else {
            return Origin::Unknown;
        };
        match member.link.evidence {
            // What was there before goes on being used by its owners.
            Evidence::None => Origin::Unknown,
            Evidence::Change(row) if was_there(&joins.facts.changes, row as usize) => {
                Origin::Unknown
            }
            evidence => self.of(parent, seen(joins, evidence)),
        }
    }

    /// Who is behind each credential by its birth: parents stand before their children. Addresses that become known on the way
    /// count for all.
    pub(in crate::analysis::trace) fn births(
        &mut self,
        joins: &Joins<'_>,
        members: &[Member],
    ) -> Vec<Origin> {
        loop {
            let known = self.addresses.len();
            let mut origins: Vec<Origin> = Vec::with_capacity(members.len());
            for member in members {
                let parent = member.parent.map(|at| (members[at].depth, origins[at]));
                let origin = self.birth(joins, member, parent);
                self.learn(joins, member, origin);
                origins.push(origin);
            }
            if self.addresses.len() == known {
                return origins;
            }
        }
    }

    /// Learns the addresses of a credential that the intruder made. What a workload does comes from the workload's.
    pub(in crate::analysis::trace) fn learn(
        &mut self,
        joins: &Joins<'_>,
        member: &Member,
        born: Origin,
    ) {
        if born != Origin::Intruder || member.link.rule != Rule::J1 {
            return;
        }
        let uses = &joins.facts.uses;
        for &row in &joins.nodes.all[member.node].rows {
            let row = row as usize;
            let (Some(address), Some(time)) = (
                text(&uses.source_ip_address, row),
                number(&uses.first_seen, row),
            ) else {
                continue;
            };
            let is_place =
                text(&uses.via_service, row).is_none() && address.parse::<IpAddr>().is_ok();
            if is_place && !self.sources.is_shared(address) {
                let first = self.addresses.entry(address.to_owned()).or_insert(time);
                *first = time.min(*first);
            }
        }
    }
}

/// What the event of a link shows.
pub(in crate::analysis::trace) fn seen<'a>(joins: &Joins<'a>, evidence: Evidence) -> Seen<'a> {
    let (issued, changes) = (&joins.facts.issued, &joins.facts.changes);
    match evidence {
        Evidence::Issued(row) => Seen {
            address: text(&issued.source_ip_address, row as usize),
            agent: text(&issued.user_agent, row as usize),
            by_service: text(&issued.via_service, row as usize).is_some(),
        },
        Evidence::Change(row) => Seen {
            address: text(&changes.source_ip_address, row as usize),
            agent: text(&changes.user_agent, row as usize),
            by_service: text(&changes.via_service, row as usize).is_some(),
        },
        Evidence::None => Seen::default(),
    }
}
