//! Where were intruders?
//!
//! In: who is behind each use. Out: addresses, with the key that an intruder used there. Promise: an address that the key's owner used
//! before is not among them.

use super::spread::{Attribution, is_private};
use crate::report::trace::Origin;
use std::collections::BTreeMap;

impl Attribution {
    /// Where an intruder was: from when on, and with which key. A place where the key's owner was before is not among them;
    /// one where owners of other keys were is.
    pub(in crate::analysis) fn intruders_places(&self) -> BTreeMap<&str, (i64, &str)> {
        let mut places = BTreeMap::new();
        for (key, judged) in &self.keys {
            for source in judged
                .all()
                .filter(|source| source.origin == Origin::Intruder)
            {
                let owners = judged.all().any(|other| {
                    other.address == source.address
                        && other.origin != Origin::Intruder
                        && other.first < source.first
                });
                if !owners && !is_private(&source.address) {
                    let here = (source.first, key.as_str());
                    let known = places.entry(source.address.as_str()).or_insert(here);
                    *known = here.min(*known);
                }
            }
        }
        places
    }
}
