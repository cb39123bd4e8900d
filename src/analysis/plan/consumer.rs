//! A consumer's part of the plan.
//!
//! In: a consumer, and what is known of its key. Out: a [`PlannedConsumer`]. Promise: one that is gone has no steps; two roles of one
//! user do not get the same name.

use super::super::consumers::Consumer;
use super::super::ready::State;
use super::order::Way;
use super::runbook::Values;
use super::{is_left, words};
use crate::cloudtrail::rfc3339;
use crate::knowledge::arn;
use crate::report::plan::{Day, PlannedConsumer};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most addresses that prose names.
const NAMED: usize = 3;

/// Names of roles, and who is at one place.
pub(super) struct Names<'a> {
    roles: HashMap<&'a str, String>,
    /// Consumers by the place they share.
    sites: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Names<'a> {
    /// Of consumers that are to be moved, each with its key's user.
    pub(super) fn of(consumers: impl Iterator<Item = (&'a Consumer, Option<&'a str>)>) -> Self {
        let mut taken: BTreeMap<(Option<&str>, String), Vec<&str>> = BTreeMap::new();
        let mut sites: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (consumer, user) in consumers {
            let id = consumer.consumer_id.as_str();
            if let Some(suffix) = Way::to(consumer.move_to).role {
                let name = words::role_name(user.unwrap_or_default(), suffix);
                let account = consumer.account_id.as_deref();
                taken.entry((account, name)).or_default().push(id);
            }
            sites.entry(&consumer.site).or_default().push(id);
        }
        let mut roles = HashMap::new();
        for ((_, name), ids) in &taken {
            for id in ids {
                // A part of the id tells them apart.
                let name = match ids.len() {
                    1 => name.clone(),
                    _ => words::role_name(name, id.get(2..8).unwrap_or(id)),
                };
                roles.insert(*id, name);
            }
        }
        Self { roles, sites }
    }
}

/// The consumer with its steps.
pub(super) fn planned(
    (consumer, state): (&Consumer, Option<State>),
    migrates: bool,
    (names, base): (&Names<'_>, &Values),
) -> PlannedConsumer {
    let way = Way::to(consumer.move_to);
    let values = filled(consumer, names, base);
    let moves = migrates && is_left(state);
    let role = names.roles.get(consumer.consumer_id.as_str());
    let role = role.filter(|_| moves).cloned();
    let trust = way.trust().filter(|_| role.is_some());
    let account = consumer.account_id.as_deref();
    PlannedConsumer {
        consumer_id: consumer.consumer_id.clone(),
        name: consumer.name.clone(),
        workload: consumer.workload.as_str(),
        confidence: consumer.confidence.as_str(),
        evidence: consumer.evidence.clone(),
        warnings: consumer.warnings.clone(),
        state: state.map_or("in use", State::as_str),
        networks: networks(consumer),
        credential_sources: consumer.credential_sources.clone(),
        owner_hints: consumer.owner_hints.clone(),
        events: consumer.events,
        errors: consumer.errors,
        first_seen: rfc3339(consumer.first_seen),
        last_seen: rfc3339(consumer.last_seen),
        cadence: consumer.cadence.pattern.as_str(),
        longest_gap_seconds: consumer.cadence.longest_gap_seconds,
        days: days(consumer),
        move_to: consumer.move_to.as_str(),
        about: values.about(way.chapter),
        role_name: role,
        trust_policy: trust.map(|trust| {
            let account = words::id(account, "ACCOUNT_ID");
            trust.document(partition(consumer), &account).json()
        }),
        steps: match moves {
            true => values.steps(way.chapter),
            false => Vec::new(),
        },
    }
}

fn partition(consumer: &Consumer) -> &'static str {
    arn::partition(consumer.regions.first().map_or("", String::as_str))
}

fn days(consumer: &Consumer) -> Vec<Day> {
    let days = consumer.days.iter().map(|(date, day)| Day {
        date: date.to_string(),
        events: day.events,
        errors: day.errors,
    });
    days.collect()
}

/// The networks, and addresses that are alone in theirs.
fn networks(consumer: &Consumer) -> Vec<String> {
    let mut networks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for used in &consumer.source_ip_addresses {
        let of_network = networks.entry(&used.network).or_default();
        of_network.push(&used.source_ip_address);
    }
    let said = networks
        .into_iter()
        .map(|(network, addresses)| match addresses.as_slice() {
            [single] => format!("{single} ({network})"),
            many => format!("{} addresses ({network})", many.len()),
        });
    said.collect()
}

/// What the steps of a consumer are filled with.
fn filled(consumer: &Consumer, names: &Names<'_>, base: &Values) -> Values {
    let mut values = base.clone();
    let id = words::id(Some(&consumer.consumer_id), "CONSUMER_ID");
    let key = words::id(Some(&consumer.access_key_id), "ACCESS_KEY_ID");
    let role = names.roles.get(consumer.consumer_id.as_str());
    values.set("folder", format!("plan/{key}/{id}"));
    values.set("consumer", id);
    values.set("role", role.map_or("ROLE_NAME", String::as_str));
    values.set("partition", partition(consumer));
    values.set("region", words::region(&consumer.regions));
    values.set("set", words::set_name(&values.texts["user"]));
    values.set("name", consumer.name.clone());
    values.set("program", consumer.program.clone());
    values.set("cadence", consumer.cadence.pattern.as_str());
    values.set("gap", words::span(consumer.cadence.longest_gap_seconds));
    let addresses = consumer.source_ip_addresses.iter();
    let addresses: Vec<&str> = addresses
        .map(|used| used.source_ip_address.as_str())
        .collect();
    let more = match addresses.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let first = &addresses[..addresses.len().min(NAMED)];
    values.set("addresses", first.join(", ") + &more);
    match words::address(addresses.iter().copied()) {
        Some((address, private)) => {
            values.set("address", address.to_string());
            values.facts.insert(match private {
                true => "private-address".to_owned(),
                false => "public-address".to_owned(),
            });
        }
        None => {
            values.set("address", "ADDRESS");
            values.facts.insert("private-address".to_owned());
        }
    }
    values.set(
        "hints",
        match consumer.owner_hints.as_slice() {
            [] => "No sign of an owner was found".to_owned(),
            hints => format!("Hints: {}", hints.join("; ")),
        },
    );
    let sources: BTreeSet<&str> = consumer
        .credential_sources
        .iter()
        .map(|source| place_of(source))
        .collect();
    match sources.is_empty() {
        true => values.facts.insert("source-not-known".to_owned()),
        false => {
            values.facts.extend(sources.into_iter().map(str::to_owned));
            true
        }
    };
    let neighbours = names
        .sites
        .get(consumer.site.as_str())
        .into_iter()
        .flatten();
    let neighbours: Vec<&str> = neighbours
        .copied()
        .filter(|other| *other != consumer.consumer_id)
        .collect();
    if !neighbours.is_empty() {
        values.facts.insert("shared".to_owned());
        values.set("neighbours", neighbours.join(", "));
    }
    values
}

/// Where a key is that an SDK found there.
fn place_of(source: &str) -> &str {
    if source.starts_with("env-vars") {
        "env-vars"
    } else if source.starts_with("profile") || source == "named-provider" {
        "profile"
    } else if source == "code" || source == "jvm-properties" {
        "code"
    } else {
        "source-not-known"
    }
}
