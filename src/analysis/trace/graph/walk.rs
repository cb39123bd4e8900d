//! The tree of credentials.
//!
//! In: where to start, and the links. Out: the members of the tree, parents before children. Promise: strongest links first: a
//! credential that an answer names hangs where the answer says, also if a weaker rule reaches it on a shorter way; each
//! credential once; the same trail gives the same tree.

use super::super::TraceOptions;
use super::super::attribution::behind::{Behind, seen};
use super::joins::{Asked, Evidence, Joins, Link, link};
use super::tree::{Member, time_of};
use crate::report::trace::{Confidence, Origin, Rule};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A way to a credential, in the order in which ways are tried.
type Way = Reverse<(Confidence, Confidence, u32, i64, usize, usize, usize)>;

/// A way that was not gone: the owner made the change that it rests on.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis::trace) struct Held {
    pub(in crate::analysis::trace) row: u32,
    pub(in crate::analysis::trace) to: usize,
}

/// Everything that followed from the start. With somebody to ask who is behind a change, what the owner made or changed is
/// not followed; what was left for that reason comes second.
pub(in crate::analysis::trace) fn down<'j>(
    joins: &'j Joins<'_>,
    start: &[usize],
    options: &'j TraceOptions,
    behind: Option<&'j mut Behind>,
) -> (Vec<Member>, Vec<Held>) {
    let mut walk = Walk {
        joins,
        weakest: options.weakest,
        only_from: options.start.address(),
        behind,
        members: Vec::new(),
        born: Vec::new(),
        known: FxHashMap::default(),
        ways: BinaryHeap::new(),
        links: Vec::new(),
        held: Vec::new(),
        asked: Asked::default(),
    };
    for &node in start {
        walk.join(
            None,
            link(node, (Evidence::None, Rule::Start), Confidence::Exact),
        );
    }
    loop {
        while let Some(Reverse((.., parent, at))) = walk.ways.pop() {
            let link = walk.links[at];
            walk.join(Some(parent), link);
        }
        if !walk.release() {
            break;
        }
    }
    let held = walk
        .held
        .iter()
        .filter_map(|(_, link)| match link.evidence {
            Evidence::Change(row) if !walk.known.contains_key(&link.to) => {
                Some(Held { row, to: link.to })
            }
            _ => None,
        });
    (in_order(joins, &walk.members), held.collect())
}

/// Whether a link rests on something that was made or changed, which the owner does every day. Sessions that a credential opened
/// are its own.
pub(in crate::analysis::trace) fn rests_on_a_change(link: &Link) -> bool {
    matches!(link.evidence, Evidence::Change(_))
        && (link.confidence == Confidence::Principal
            || matches!(link.rule, Rule::J8 | Rule::J9 | Rule::J10))
}

struct Walk<'j, 'a> {
    joins: &'j Joins<'a>,
    weakest: Confidence,
    /// Where the start is an address: of the credentials that it was seen with, only what was done from there leads on.
    only_from: Option<&'j str>,
    behind: Option<&'j mut Behind>,
    members: Vec<Member>,
    /// Who is behind each member by its birth.
    born: Vec<Origin>,
    known: FxHashMap<usize, usize>,
    ways: BinaryHeap<Way>,
    links: Vec<Link>,
    /// Ways from members that rest on what the owner changed.
    held: Vec<(usize, Link)>,
    asked: Asked<'a>,
}

impl Walk<'_, '_> {
    /// Takes a credential into the tree, unless it is in it, and finds the ways on from it.
    fn join(&mut self, parent: Option<usize>, link: Link) {
        if self.known.contains_key(&link.to) {
            return;
        }
        let above = parent.map(|parent| &self.members[parent]);
        let member = Member {
            node: link.to,
            parent,
            link,
            path_confidence: above.map_or(link.confidence, |above| {
                above.path_confidence.max(link.confidence)
            }),
            depth: above.map_or(0, |above| above.depth + 1),
        };
        if let Some(behind) = self.behind.as_deref_mut() {
            let above = parent.map(|at| (self.members[at].depth, self.born[at]));
            let born = behind.birth(self.joins, &member, above);
            behind.learn(self.joins, &member, born);
            self.born.push(born);
        }
        let here = self.members.len();
        self.known.insert(link.to, here);
        self.members.push(member);
        for link in self.joins.links(link.to, link.since, &mut self.asked) {
            if link.confidence > self.weakest
                || self.known.contains_key(&link.to)
                || self.is_from_elsewhere(here, &link)
            {
                continue;
            }
            match self.is_the_owners(here, &link) {
                true => self.held.push((here, link)),
                false => self.way(here, link),
            }
        }
    }

    /// Whether a link rests on what the start did from another address than the one that was asked for.
    fn is_from_elsewhere(&self, from: usize, link: &Link) -> bool {
        let Some(address) = self.only_from.filter(|_| self.members[from].depth == 0) else {
            return false;
        };
        seen(self.joins, link.evidence).address != Some(address)
    }

    /// Whether a link rests on what the owner made or changed.
    fn is_the_owners(&self, from: usize, link: &Link) -> bool {
        let Some(behind) = self.behind.as_deref().filter(|_| rests_on_a_change(link)) else {
            return false;
        };
        let of = (self.members[from].depth, self.born[from]);
        let origin = behind.of(of, seen(self.joins, link.evidence));
        let time = time_of(self.joins, link.evidence).unwrap_or(i64::MAX);
        !behind.counts(origin, time)
    }

    /// A way to go.
    fn way(&mut self, from: usize, link: Link) {
        let member = &self.members[from];
        self.ways.push(Reverse((
            member.path_confidence.max(link.confidence),
            link.confidence,
            member.depth + 1,
            time_of(self.joins, link.evidence).unwrap_or(i64::MAX),
            link.to,
            from,
            self.links.len(),
        )));
        self.links.push(link);
    }

    /// Looks once more at what was held: more addresses of the intruder may be known now. Whether there is a way on.
    fn release(&mut self) -> bool {
        let Some(behind) = self.behind.as_deref_mut() else {
            return false;
        };
        self.born = behind.births(self.joins, &self.members);
        let held = std::mem::take(&mut self.held);
        for (from, link) in held {
            if self.known.contains_key(&link.to) || self.is_the_owners(from, &link) {
                self.held.push((from, link));
            } else {
                self.way(from, link);
            }
        }
        !self.ways.is_empty()
    }
}

/// Parents before their children, children by the time and the id of their birth.
fn in_order(joins: &Joins<'_>, members: &[Member]) -> Vec<Member> {
    let nodes = &joins.nodes.all;
    let place = |member: &Member| {
        let node = &nodes[member.node];
        let born = time_of(joins, member.link.evidence).or(node.begins());
        (
            member.link.evidence == Evidence::None,
            born.unwrap_or(i64::MAX),
            node.key,
            node.principal,
        )
    };
    let mut children: FxHashMap<Option<usize>, Vec<usize>> = FxHashMap::default();
    for (at, member) in members.iter().enumerate() {
        children.entry(member.parent).or_default().push(at);
    }
    for list in children.values_mut() {
        list.sort_by_key(|at| place(&members[*at]));
    }
    let mut ordered: Vec<Member> = Vec::with_capacity(members.len());
    let mut moved: FxHashMap<usize, usize> = FxHashMap::default();
    let mut ahead: Vec<usize> = children
        .get(&None)
        .into_iter()
        .flatten()
        .rev()
        .copied()
        .collect();
    while let Some(at) = ahead.pop() {
        moved.insert(at, ordered.len());
        let mut member = members[at].clone();
        member.parent = member.parent.and_then(|parent| moved.get(&parent).copied());
        ordered.push(member);
        ahead.extend(children.get(&Some(at)).into_iter().flatten().rev());
    }
    ordered
}
