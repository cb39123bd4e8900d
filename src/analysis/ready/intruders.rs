//! What else did an intruder get hold of?
//!
//! In: from where intruders used which keys, the addresses of all consumers, and who created keys. Out: [`Tie`]s: keys that an intruder
//! created, or used from the same address. Promise: an address that the owner used before the intruder came ties nothing; what an
//! intruder's key created is followed to the end.

use super::signs::Signs;
use crate::analysis::consumers::{AddressUse, Consumer, Consumers};
use crate::analysis::credentials::TrailKeys;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// What ties a key to an intruder who used another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tie {
    /// In words.
    pub(super) what: String,
}

/// Ties by key.
pub(super) type Ties = BTreeMap<String, BTreeSet<Tie>>;

/// Where an intruder was, with which key, and since when.
#[derive(Debug, Default)]
struct Places {
    by_address: BTreeMap<String, (String, DateTime<Utc>)>,
    /// Keys that nobody but the intruder had.
    keys: BTreeSet<String>,
}

impl Places {
    /// Whether that is news.
    fn add(&mut self, address: &str, key: &str, since: DateTime<Utc>) -> bool {
        match self.by_address.get(address) {
            Some((_, known)) if *known <= since => false,
            _ => {
                let place = (key.to_owned(), since);
                self.by_address.insert(address.to_owned(), place);
                true
            }
        }
    }

    /// The key that the intruder had at an address by then.
    fn there(&self, address: &str, by: DateTime<Utc>) -> Option<&str> {
        let (key, since) = self.by_address.get(address)?;
        (*since <= by).then_some(key)
    }
}

/// Follows intruders from the keys that show signs of them.
pub(super) fn follow(found: &Consumers, keys: &TrailKeys, signs: &Signs) -> Ties {
    let mut by_key: HashMap<&str, Vec<&Consumer>> = HashMap::new();
    for consumer in &found.consumers {
        by_key
            .entry(&consumer.access_key_id)
            .or_default()
            .push(consumer);
    }
    let mut places = Places::default();
    for (key, sign) in signs {
        let of_key = by_key.get(key.as_str()).into_iter().flatten();
        let known: Vec<&AddressUse> = of_key.flat_map(|consumer| public(consumer)).collect();
        for (address, since) in &sign.places {
            // An address that the key was used from before the intruder came is its owner's.
            let owners = known
                .iter()
                .any(|used| used.source_ip_address == *address && used.first_seen < *since);
            if !owners && is_public(address) {
                places.add(address, key, *since);
            }
        }
    }
    let mut ties = Ties::new();
    while spread(&mut ties, &mut places, (keys, &by_key)) {}
    ties
}

/// One step; whether it found anything.
fn spread(
    ties: &mut Ties,
    places: &mut Places,
    (keys, by_key): (&TrailKeys, &HashMap<&str, Vec<&Consumer>>),
) -> bool {
    let mut news = false;
    for (id, key) in &keys.keys {
        let (Some(creator), Some(created)) = (&key.creator, key.created) else {
            continue;
        };
        let by = creator.access_key_id.as_deref();
        let from = creator.source_ip_address.as_deref();
        let theirs = by.filter(|by| places.keys.contains(*by));
        let at = from.and_then(|from| places.there(from, created));
        let Some(tied) = theirs.or(at) else {
            continue;
        };
        let what = format!(
            "created {} from {} by the intruder who used {tied}",
            created.format("%Y-%m-%d %H:%M"),
            from.unwrap_or("an unknown address"),
        );
        news |= places.keys.insert(id.to_string())
            && ties.entry(id.to_string()).or_default().insert(Tie { what });
        let consumers = by_key.get(id.as_str()).into_iter().flatten();
        for address in consumers.flat_map(|consumer| public(consumer)) {
            news |= places.add(&address.source_ip_address, id.as_str(), address.first_seen);
        }
    }
    for (id, consumers) in by_key {
        for address in consumers.iter().flat_map(|consumer| public(consumer)) {
            let there = places.there(&address.source_ip_address, address.first_seen);
            let Some(tied) = there.filter(|tied| tied != id) else {
                continue;
            };
            let what = format!(
                "used from {} since {}, where an intruder used {tied} before",
                address.source_ip_address,
                address.first_seen.format("%Y-%m-%d %H:%M"),
            );
            let of_key = ties.entry((*id).to_owned()).or_default();
            news |= of_key.is_empty() && of_key.insert(Tie { what });
        }
    }
    news
}

/// The addresses of a consumer that are somebody's.
fn public(consumer: &Consumer) -> impl Iterator<Item = &AddressUse> {
    let used = consumer.source_ip_addresses.iter();
    used.filter(|used| is_public(&used.source_ip_address))
}

fn is_public(address: &str) -> bool {
    let address: Option<IpAddr> = address.parse().ok();
    address.is_some_and(|address| match address {
        IpAddr::V4(address) => !address.is_private() && !address.is_loopback(),
        IpAddr::V6(address) => !address.is_unique_local() && !address.is_loopback(),
    })
}
