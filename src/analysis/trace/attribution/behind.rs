//! Who is behind what the tree did.
//!
//! In: verdicts on where and with what the start was used, and the tree. Out: who is behind an event, and behind a credential by its
//! birth. Promise: the walk and the timeline ask the same: whom a change is held to be by decides whether it is followed.

use super::super::graph::births::was_there;
use super::super::graph::facts::{number, text};
use super::super::graph::joins::{Evidence, Joins};
use super::super::graph::tree::Member;
use crate::analysis::attribution::Sources;
use crate::analysis::attribution::doors::{Door, Way};
use crate::report::trace::{Origin, Rule};
use rustc_hash::FxHashSet;
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
        let Some(parent) = parent else {
            return Origin::Unknown;
        };
        let evidence = member.link.evidence;
        let is_intruders = |row| {
            let made_it = evidence == Evidence::Change(row)
                && self.of(parent, seen(joins, evidence)) == Origin::Intruder;
            made_it || self.is_intruders(joins, row)
        };
        match evidence {
            Evidence::Issued(_)
                if joins.is_of_stack(evidence, |row| self.is_from_there(joins, row)) =>
            {
                return Origin::Intruder;
            }
            Evidence::Issued(_) => {}
            _ if joins.came_in(&joins.nodes.all[member.node], is_intruders) => {
                return Origin::Intruder;
            }
            // Others go on using what was there.
            Evidence::Change(row) if joins.entries.door(row).is_some_and(is_narrow) => {
                return Origin::Unknown;
            }
            _ => {}
        }
        if member.link.since.is_some() {
            return Origin::Unknown;
        }
        match member.link.evidence {
            // What was there before goes on being used by its owners.
            Evidence::None => Origin::Unknown,
            Evidence::Change(row) if was_there(&joins.facts.changes, row as usize) => {
                Origin::Unknown
            }
            evidence => self.of(parent, seen(joins, evidence)),
        }
    }

    /// Whether a change was made where the intruder was, or by a service for a stack of the intruder's.
    fn is_intruders(&self, joins: &Joins<'_>, row: u32) -> bool {
        let is_there = |row| self.is_from_there(joins, row);
        is_there(row) || joins.is_of_stack(Evidence::Change(row), is_there)
    }

    /// The events of what services did for the intruder's stacks.
    pub(in crate::analysis::trace) fn of_stacks<'j>(
        &self,
        joins: &'j Joins<'_>,
    ) -> FxHashSet<&'j str> {
        joins.of_stacks(|row| self.is_from_there(joins, row))
    }

    /// Whether a change was made where the intruder was.
    fn is_from_there(&self, joins: &Joins<'_>, row: u32) -> bool {
        let seen = seen(joins, Evidence::Change(row));
        let address = seen.address.unwrap_or_default();
        let source = self.sources.get(address, seen.agent.unwrap_or_default());
        self.addresses.contains_key(address)
            || source.is_some_and(|source| source.origin == Origin::Intruder)
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

    /// Learns the addresses of a credential that the intruder made, or came in with. What a workload does comes from the workload's.
    pub(in crate::analysis::trace) fn learn(
        &mut self,
        joins: &Joins<'_>,
        member: &Member,
        born: Origin,
    ) {
        let is_made = member.link.rule == Rule::J1;
        if born != Origin::Intruder || !(is_made || is_person(joins, member)) {
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

/// Whether others go on using what a change opened.
fn is_narrow(door: &Door) -> bool {
    matches!(door.way, Way::Password | Way::Function) || door.operation == "UpdateAssumeRolePolicy"
}

/// Whether a credential that hangs on a change is used by whoever came in, and not by a service or a workload.
fn is_person(joins: &Joins<'_>, member: &Member) -> bool {
    let Evidence::Change(row) = member.link.evidence else {
        return false;
    };
    let door = joins.entries.door(row);
    let node = &joins.nodes.all[member.node];
    door.is_some_and(|door| match door.way {
        Way::User | Way::Password => true,
        Way::Role => !joins.opened_by_service(node),
        _ => false,
    })
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
