//! Where a credential came from.
//!
//! In: where to start, and the links. Out: the chain of credentials from the first that the log knows. Promise: of all rules that find
//! where a credential came from, the strongest counts; a call by nobody whose key is known ends the chain and is named.

use super::births::{newborn, was_there};
use super::facts::{CLOCK, number, text};
use super::joins::{Evidence, Joins, Link, by_who, link, same};
use super::tree::Member;
use crate::report::trace::{Confidence, Rule};
use std::cmp::Reverse;

/// Where the start came from: the chain of credentials from the first that the log knows to the start. Of each, the
/// strongest link counts.
pub(in crate::analysis::trace) fn up(joins: &Joins<'_>, start: &[usize]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut known = rustc_hash::FxHashSet::default();
    for &node in start {
        let mut chain = vec![(
            node,
            link(node, (Evidence::None, Rule::Start), Confidence::Exact),
        )];
        while let Some((parent, link)) = origin(joins, chain[chain.len() - 1].0) {
            if chain.iter().any(|(node, _)| *node == parent) {
                break;
            }
            let last = chain.len() - 1;
            chain[last].1 = link;
            chain.push((
                parent,
                super::joins::link(parent, (Evidence::None, Rule::Start), Confidence::Exact),
            ));
        }
        if let Some((last, link)) = chain.last_mut()
            && let Some(outside) = outside(joins, *last)
        {
            *link = outside;
        }
        let mut path = Confidence::Exact;
        for (depth, (node, link)) in chain.into_iter().rev().enumerate() {
            if !known.insert(node) {
                continue;
            }
            path = path.max(link.confidence);
            let parent = (depth > 0).then(|| members.len().checked_sub(1)).flatten();
            members.push(Member {
                node,
                parent,
                link,
                path_confidence: path,
                depth: depth as u32,
            });
        }
    }
    members
}

/// The credential that this one came from, by the strongest rule that finds one.
fn origin(joins: &Joins<'_>, of: usize) -> Option<(usize, Link)> {
    let (nodes, issued, changes) = (joins.nodes, &joins.facts.issued, &joins.facts.changes);
    let node = &nodes.all[of];
    let by_key =
        |key: &str, arn: Option<&str>| nodes.by_key.get(key).find(|n| same(&nodes.all[*n], arn));
    let mut keyless = None;
    for row in node
        .key
        .into_iter()
        .flat_map(|key| joins.issues_of_key.get(key))
    {
        let principal = text(&issued.issued_principal, row);
        if principal
            .is_some_and(|principal| node.principal.is_some() && !node.speaks_for(principal))
        {
            continue;
        }
        let evidence = Evidence::Issued(row as u32);
        match text(&issued.access_key_id, row) {
            Some(key) => {
                if let Some(parent) = by_key(key, text(&issued.user_identity_arn, row)) {
                    return Some((parent, link(of, (evidence, Rule::J1), Confidence::Exact)));
                }
            }
            None => {
                let id = text(&issued.user_identity_principal_id, row).filter(|id| !id.is_empty());
                let time = number(&issued.event_time, row).unwrap_or_default();
                let running = |n: &usize| {
                    nodes.all[*n]
                        .begins()
                        .is_none_or(|begins| begins <= time + CLOCK)
                };
                let parents = id.into_iter().flat_map(|id| nodes.by_principal_id.get(id));
                // The caller itself, rather than what another account knows of it.
                let latest = parents.filter(running).max_by_key(|n| {
                    let node = &nodes.all[*n];
                    (node.kind != Some("AWSAccount"), node.begins())
                });
                let found = latest.map(|n| {
                    let (rule, confidence) = by_who(&nodes.all[n]);
                    (n, link(of, (evidence, rule), confidence))
                });
                keyless = keyless.or(found);
            }
        }
    }
    // A session that AWS opened for a service began with that call; rights that the role was given before are no birth.
    let by_service = joins.opened_by_service(node);
    let vouched = keyless.is_some_and(|(parent, _)| {
        matches!(nodes.all[parent].kind, Some("SAMLUser" | "WebIdentityUser"))
    });
    if keyless.is_some() && !vouched {
        return keyless;
    }
    // What calls made: the strongest link from any of them that leads here.
    let mut best: Option<(Confidence, Reverse<i64>, usize, Link)> = None;
    for row in 0..changes.len() {
        let by = text(&changes.access_key_id, row);
        let arn = text(&changes.user_identity_arn, row);
        let parent = match by {
            Some(key) => by_key(key, arn),
            None => arn.and_then(|arn| {
                nodes
                    .by_principal
                    .get(arn)
                    .find(|n| nodes.all[*n].key.is_none())
            }),
        };
        let Some(parent) = parent.filter(|parent| *parent != of) else {
            continue;
        };
        if by_service && was_there(changes, row) {
            continue;
        }
        let time = number(&changes.event_time, row).unwrap_or_default();
        let born = newborn(changes, row);
        for link in joins.of_change(row, born.as_ref()) {
            if link.to == of {
                let rank = (link.confidence, Reverse(time));
                if best.as_ref().is_none_or(|found| rank < (found.0, found.1)) {
                    best = Some((rank.0, rank.1, parent, link));
                }
            }
        }
    }
    let made = best.map(|(_, _, parent, link)| (parent, link));
    // Behind whom an identity provider vouched for is whoever made the provider.
    let made = made.filter(|(_, link)| !vouched || link.confidence == Confidence::Session);
    made.or(keyless).or_else(|| signed_in(joins, of))
}

/// J7: the session that the same sign-in began with.
fn signed_in(joins: &Joins<'_>, of: usize) -> Option<(usize, Link)> {
    let nodes = joins.nodes;
    let begins = nodes.all[of].begins();
    let first = nodes
        .by_sign_in
        .get(nodes.all[of].sign_in?)
        .min_by_key(|n| nodes.all[*n].begins())
        .filter(|n| nodes.all[*n].begins() < begins)?;
    let rule = (Evidence::None, Rule::J7);
    Some((first, link(of, rule, Confidence::Session)))
}

/// The call that made a credential whose parent is no credential of the log: a service, an identity provider.
fn outside(joins: &Joins<'_>, of: usize) -> Option<Link> {
    let key = joins.nodes.all[of].key?;
    let row = joins.issues_of_key.get(key).next()?;
    Some(link(
        of,
        (Evidence::Issued(row as u32), Rule::J1),
        Confidence::Exact,
    ))
}
