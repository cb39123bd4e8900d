//! Signs of an intruder in the use of keys.
//!
//! In: who is behind each use. Out: [`Sign`]s in words. Promise: the same judge as for a trace; a use that is only new is
//! not an intruder's.

use crate::analysis::attribution::{Attribution, Source};
use crate::cloudtrail::{minute, second};
use crate::report::trace::Origin;
use chrono::DateTime;
use std::collections::{BTreeMap, HashMap};

/// Signs that a key has.
#[derive(Debug, Default)]
pub(super) struct Sign {
    /// Attack tools, and systems for penetration tests.
    pub(super) tools: Vec<String>,
    /// Uses that are an intruder's.
    pub(super) strangers: Vec<String>,
    /// What ties the key to an intruder who used another one.
    pub(super) ties: Vec<String>,
    /// Uses that may be an intruder's.
    pub(super) suspicious: Vec<String>,
}

/// Signs by key.
pub(super) type Signs = HashMap<String, Sign>;

/// The signs of every key that has one.
pub(super) fn signs(attribution: &Attribution) -> Signs {
    let mut signs = Signs::new();
    let places = attribution.intruders_places();
    let left = intruders_left(attribution);
    let stays = places.iter().map(|(address, (since, tied))| {
        let (since, until) = (*since, left.get(address).copied().unwrap_or(*since));
        (*address, Stay { since, until, tied })
    });
    let stays: BTreeMap<&str, Stay<'_>> = stays.collect();
    for key in attribution.long_term_keys() {
        let mut sign = Sign::default();
        sign.ties
            .extend(attribution.made_by_intruder(key).map(str::to_owned));
        sign.suspicious
            .extend(attribution.maybe_made_by_intruder(key).map(str::to_owned));
        for source in attribution.strangers(key) {
            let told = match source.is_by_session {
                true => format!("a session that it opened: {}", told(source)),
                false => told(source),
            };
            match source.origin {
                Origin::Intruder if source.is_tied => sign.ties.push(told),
                Origin::Intruder if source.is_attack_tool() => sign.tools.push(told),
                Origin::Intruder => sign.strangers.push(told),
                _ => sign
                    .suspicious
                    .push(format!("from {}: {told}", source.address)),
            }
        }
        if sign.ties.is_empty() {
            sign.ties.extend(met(attribution, key, &stays));
        }
        let Sign {
            tools,
            strangers,
            ties,
            suspicious,
        } = &sign;
        if [tools, strangers, ties, suspicious]
            .iter()
            .any(|of| !of.is_empty())
        {
            signs.insert(key.to_owned(), sign);
        }
    }
    signs
}

/// An address may be somebody else's so long after an intruder's last use of it: runners of build services and clouds get them anew.
const RECYCLED: i64 = 7 * 24 * 3600 * 1_000_000;

/// An intruder's time at an address.
struct Stay<'a> {
    since: i64,
    until: i64,
    /// The key that the intruder used there.
    tied: &'a str,
}

/// When intruders used each address last.
fn intruders_left(attribution: &Attribution) -> BTreeMap<&str, i64> {
    let mut left = BTreeMap::new();
    for key in attribution.long_term_keys() {
        let strangers = attribution.strangers(key);
        for source in strangers.filter(|source| source.origin == Origin::Intruder) {
            let last = left.entry(source.address.as_str()).or_insert(source.last);
            *last = source.last.max(*last);
        }
    }
    left
}

/// A use of a key that began at a place where an intruder was with another key before, or soon after. That somebody else works there, too,
/// does not clear it.
fn met(attribution: &Attribution, key: &str, places: &BTreeMap<&str, Stay<'_>>) -> Option<String> {
    let mut began: BTreeMap<&str, i64> = BTreeMap::new();
    for source in attribution.sources(key) {
        let first = began.entry(&source.address).or_insert(source.first);
        *first = source.first.min(*first);
    }
    began.into_iter().find_map(|(address, first)| {
        let Stay { tied, .. } = places.get(address).filter(|stay| {
            (stay.since..=stay.until + RECYCLED).contains(&first) && stay.tied != key
        })?;
        let time = DateTime::from_timestamp_micros(first).unwrap_or_default();
        Some(format!(
            "used since {} from {address}, where an intruder had used {tied}",
            minute(time)
        ))
    })
}

/// A source in words, with its first strange event.
fn told(source: &Source) -> String {
    let why = source.why().join("; ");
    let Some(first) = source.first_strange_use() else {
        return why;
    };
    let time = DateTime::from_timestamp_micros(first.first);
    let time = time.map(second);
    format!(
        "{why} (event {}, {} from {} at {}, the first of {})",
        first.event_id,
        first.call(),
        source.address,
        time.unwrap_or_default(),
        source.events
    )
}
