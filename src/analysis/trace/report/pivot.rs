//! Who else was there: other credentials seen from the addresses of the tree that are not surely the owner's.
//!
//! In: those addresses, and all uses. Out: credentials outside the tree, in rounds. Promise: repeated until nothing is new. From a
//! credential found at an address of the intruder the search goes on only to addresses that it was first seen from after it had
//! shared one with the intruder: its owner's addresses are not the intruder's. What another account's log has of the tree's own calls
//! is nobody else.

use super::super::graph::deeds::rfc3339;
use super::super::graph::facts::{Facts, number, text};
use super::super::graph::nodes::{Index, Nodes};
use crate::report::trace::{Origin, Pivot};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Searches from these addresses, each with who is behind it.
pub(in crate::analysis::trace) fn pivot(
    (facts, nodes): (&Facts, &Nodes<'_>),
    tree: &BTreeSet<usize>,
    addresses: &BTreeMap<String, Origin>,
) -> Vec<Pivot> {
    let uses = &facts.uses;
    let count = uses.len();
    let by_address = Index::new(count, |row| text(&uses.source_ip_address, row));
    let mut node_of = vec![usize::MAX; count];
    for (n, node) in nodes.all.iter().enumerate() {
        for &row in &node.rows {
            node_of[row as usize] = n;
        }
    }
    let own_ids: BTreeSet<&str> = tree
        .iter()
        .filter_map(|n| nodes.all[*n].principal_id)
        .collect();
    // The same caller, as the log of another account knows it: by its unique id alone.
    let is_own = |n: usize| {
        let node = &nodes.all[n];
        tree.contains(&n)
            || (node.kind == Some("AWSAccount")
                && node.principal_id.is_some_and(|id| own_ids.contains(id)))
    };
    let mut rows = Vec::new();
    let mut known: BTreeSet<String> = addresses.keys().cloned().collect();
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut round: Vec<String> = known.iter().cloned().collect();
    let mut number_of_round = 0;
    while !round.is_empty() {
        number_of_round += 1;
        let mut there: BTreeMap<(usize, &str), Pivot> = BTreeMap::new();
        let mut contact: BTreeMap<usize, i64> = BTreeMap::new();
        for address in &round {
            for row in by_address.get(address) {
                let n = node_of[row];
                if n == usize::MAX || is_own(n) || text(&uses.via_service, row).is_some() {
                    continue;
                }
                let (Some(first), Some(last)) =
                    (number(&uses.first_seen, row), number(&uses.last_seen, row))
                else {
                    continue;
                };
                // An address found on the way is the intruder's.
                let origin = addresses.get(address).copied().unwrap_or(Origin::Intruder);
                if origin == Origin::Intruder {
                    contact
                        .entry(n)
                        .and_modify(|at| *at = first.min(*at))
                        .or_insert(first);
                }
                let node = &nodes.all[n];
                let entry = there.entry((n, address.as_str())).or_insert_with(|| Pivot {
                    access_key_id: node.key.map(str::to_owned),
                    principal_arn: named(nodes, n).map(str::to_owned),
                    origin,
                    account_id: node.account.map(str::to_owned),
                    source_ip_address: address.clone(),
                    round: number_of_round,
                    first_seen: rfc3339(first),
                    ..Pivot::default()
                });
                entry.events += number(&uses.events, row).unwrap_or_default() as u64;
                entry.errors += number(&uses.errors, row).unwrap_or_default() as u64;
                entry.first_seen = rfc3339(first).min(std::mem::take(&mut entry.first_seen));
                entry.last_seen = rfc3339(last).max(std::mem::take(&mut entry.last_seen));
            }
        }
        rows.extend(there.into_values());
        let mut next = BTreeSet::new();
        for (n, contact) in contact {
            if !found.insert(n) {
                continue;
            }
            for &row in &nodes.all[n].rows {
                let row = row as usize;
                let address = text(&uses.source_ip_address, row).unwrap_or_default();
                let later = number(&uses.first_seen, row).is_some_and(|first| first >= contact);
                let is_address =
                    address.parse::<IpAddr>().is_ok() && text(&uses.via_service, row).is_none();
                if later && is_address && known.insert(address.to_owned()) {
                    next.insert(address.to_owned());
                }
            }
        }
        round = next.into_iter().collect();
    }
    rows.sort_by(|a, b| {
        let place = |row: &Pivot| {
            (
                row.round,
                row.first_seen.clone(),
                row.access_key_id.clone(),
                row.principal_arn.clone(),
                row.source_ip_address.clone(),
            )
        };
        place(a).cmp(&place(b))
    });
    rows
}

/// The principal by ARN, also where its own events have a unique id only.
fn named<'a>(nodes: &Nodes<'a>, n: usize) -> Option<&'a str> {
    let node = &nodes.all[n];
    let is_arn = |principal: &&str| principal.starts_with("arn:");
    let by_id = || {
        let same = node
            .principal_id
            .into_iter()
            .flat_map(|id| nodes.by_principal_id.get(id));
        same.filter_map(|n| nodes.all[n].principal).find(is_arn)
    };
    node.principal
        .filter(is_arn)
        .or_else(by_id)
        .or(node.principal)
}
