//! Is a new consumer an old one with another version?
//!
//! In: what became of each consumer. Out: the two as one that is still there. Promise: only where the same key does the same on the
//! same resources from the same addresses, and the new one comes when the old one ends; one old consumer for one new one.

use super::{Change, Status};
use crate::analysis::consumers::Consumer;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// The share of the calls, of addresses and of resources that must be the same.
const SAME: f64 = 0.8;

/// While it is installed, the new version may run beside the old one for so long.
const BESIDE: TimeDelta = TimeDelta::days(2);

/// So long after the last call of the old version the new one is another consumer.
const LATEST: TimeDelta = TimeDelta::days(14);

/// Joins what was upgraded: the SDK, the language and the system may be new all at once.
pub(super) fn join(changes: &mut Vec<Change>) {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let of = |status: fn(&Change) -> bool| {
        let found = changes
            .iter()
            .enumerate()
            .filter(move |(_, change)| status(change));
        found.map(|(at, _)| at)
    };
    for new in of(|change| change.status == Status::New) {
        let fits = |old: &usize| continues(&changes[*old].consumer, &changes[new].consumer);
        let mut olds = of(|change| change.status.is_silent()).filter(fits);
        // Of two that it may have been, nothing tells which.
        if let (Some(old), None) = (olds.next(), olds.next()) {
            pairs.push((old, new));
        }
    }
    let mut joined = BTreeSet::new();
    for (old, new) in &pairs {
        if pairs.iter().filter(|(other, _)| other == old).count() > 1 {
            continue;
        }
        let (name, since) = (changes[*new].consumer.name.clone(), changes[*new].since);
        let last = changes[*new].consumer.last_seen;
        let change = &mut changes[*old];
        change.status = Status::StillThere;
        change.since = since;
        change.consumer.last_seen = last;
        change.upgraded_to = Some(name);
        (change.due, change.not_seen) = (None, None);
        joined.insert(*new);
    }
    let mut at = 0;
    changes.retain(|_| {
        at += 1;
        !joined.contains(&(at - 1))
    });
}

/// Whether a consumer carries on where another one ended.
fn continues(old: &Consumer, new: &Consumer) -> bool {
    let (end, begin) = (old.last_seen, new.first_seen);
    let in_time = begin >= end - BESIDE && begin <= end + LATEST;
    in_time
        && old.access_key_id == new.access_key_id
        && same(
            old.source_ip_addresses
                .iter()
                .map(|used| used.source_ip_address.as_str()),
            new.source_ip_addresses
                .iter()
                .map(|used| used.source_ip_address.as_str()),
        )
        && same(
            old.resources.iter().map(|used| used.name.as_str()),
            new.resources.iter().map(|used| used.name.as_str()),
        )
        && same(
            old.api_calls
                .iter()
                .map(|call| (&call.event_source, &call.operation)),
            new.api_calls
                .iter()
                .map(|call| (&call.event_source, &call.operation)),
        )
}

/// Whether most of all there is is in both.
fn same<T: Ord>(old: impl Iterator<Item = T>, new: impl Iterator<Item = T>) -> bool {
    let (old, new): (BTreeSet<T>, BTreeSet<T>) = (old.collect(), new.collect());
    let shared = old.intersection(&new).count() as f64;
    shared >= SAME * old.len().max(new.len()) as f64
}
