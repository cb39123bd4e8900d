//! Who else was there: other credentials seen from the intruder's addresses.
//!
//! In: the addresses of the intruder, and all uses. Out: credentials outside the tree, in rounds. Promise: repeated until nothing is
//! new. From a credential found this way the search goes on only to addresses that it was first seen from after it had
//! shared one with the intruder: its owner's addresses are not the intruder's.

use super::deeds::rfc3339;
use super::facts::{Facts, number, text};
use super::nodes::{Index, Nodes};
use crate::report::trace::Pivot;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Searches from these addresses, each with the intruder's first use.
pub(super) fn pivot(
    facts: &Facts,
    nodes: &Nodes<'_>,
    tree: &BTreeSet<usize>,
    addresses: &BTreeMap<String, i64>,
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
                if n == usize::MAX || tree.contains(&n) || text(&uses.via_service, row).is_some() {
                    continue;
                }
                let (Some(first), Some(last)) =
                    (number(&uses.first_seen, row), number(&uses.last_seen, row))
                else {
                    continue;
                };
                contact
                    .entry(n)
                    .and_modify(|at| *at = first.min(*at))
                    .or_insert(first);
                let node = &nodes.all[n];
                let entry = there.entry((n, address.as_str())).or_insert_with(|| Pivot {
                    access_key_id: node.key.map(str::to_owned),
                    principal_arn: node.principal.map(str::to_owned),
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
