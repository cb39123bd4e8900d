//! Which consumers of a key are at one site.
//!
//! In: the consumers of a key. Out: the name of each one's site. Promise: consumers that share at least half of the addresses of one
//! of them are at one site; only consumers that share an address are compared.

use super::Consumer;
use super::describe::id;
use std::collections::{BTreeSet, HashMap};

/// Names the sites.
pub(super) fn sites(key: &str, consumers: &mut [Consumer]) {
    let addresses: Vec<BTreeSet<&str>> = consumers
        .iter()
        .map(|consumer| {
            let addresses = consumer.source_ip_addresses.iter();
            addresses
                .map(|used| used.source_ip_address.as_str())
                .collect()
        })
        .collect();
    let site = joined(&addresses);
    // Named after the first of its consumers by id, which does not change with counts.
    let mut first: HashMap<usize, String> = HashMap::new();
    for (at, consumer) in consumers.iter().enumerate() {
        let named = first
            .entry(site[at])
            .or_insert(consumer.consumer_id.clone());
        if consumer.consumer_id < *named {
            named.clone_from(&consumer.consumer_id);
        }
    }
    for (at, consumer) in consumers.iter_mut().enumerate() {
        let first = first.get(&site[at]).map_or("", String::as_str);
        consumer.site = id("site", &[key, first]);
    }
}

/// A number for each, which those at one site share.
fn joined(addresses: &[BTreeSet<&str>]) -> Vec<usize> {
    let mut there: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, addresses) in addresses.iter().enumerate() {
        for address in addresses {
            there.entry(address).or_default().push(at);
        }
    }
    let mut joined = Joined((0..addresses.len()).collect());
    let mut shared: HashMap<(usize, usize), usize> = HashMap::new();
    for consumers in there.values() {
        // Of two addresses or one, this is half.
        let (few, many): (Vec<usize>, Vec<usize>) =
            consumers.iter().partition(|at| addresses[**at].len() <= 2);
        for at in few.iter().skip(1) {
            joined.join(few[0], *at);
        }
        if let Some(first) = few.first() {
            many.iter().for_each(|at| joined.join(*first, *at));
        }
        for (n, a) in many.iter().enumerate() {
            for b in &many[..n] {
                *shared.entry((*a, *b)).or_default() += 1;
            }
        }
    }
    for ((a, b), shared) in shared {
        if shared * 2 >= addresses[a].len().min(addresses[b].len()) {
            joined.join(a, b);
        }
    }
    (0..addresses.len()).map(|at| joined.root(at)).collect()
}

/// What belongs together: for each, another one of its group; the last one is itself.
struct Joined(Vec<usize>);

impl Joined {
    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_addresses_make_one_site() {
        let addresses = [
            &["a", "b", "c", "d"][..],
            &["c", "d", "e", "f", "g"],
            &["d", "h", "i", "j"],
            &["k"],
            &["k", "l", "m", "n", "o"],
        ];
        let addresses: Vec<BTreeSet<&str>> = addresses
            .into_iter()
            .map(|addresses| addresses.iter().copied().collect())
            .collect();
        assert_eq!(joined(&addresses), [0, 0, 2, 3, 3]);
    }
}
