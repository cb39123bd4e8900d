//! What digests say of the ones before them.
//!
//! In: digests whose signatures were checked. Out: findings. Promise: each digest is compared with the one before it in time and with
//! the one that it names; what is missing between them is named, however many it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Problem;
use super::chain::{Restart, Work, end};
use super::digest::ObjectName;
use super::gather::ReadDigest;
use super::place::name;
use crate::cloudtrail::{delivery_stamp, rfc3339};

impl Work<'_> {
    /// Compares each digest with the one before it in time, and with the one that it names.
    pub(super) fn links(&mut self) {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, chain) in self.chain_of.iter().enumerate() {
            if let Some(chain) = chain {
                groups.entry(*chain).or_default().push(at);
            }
        }
        for (chain, mut order) in groups {
            order.sort_by_key(|at| end(&self.digests[*at]));
            let mut before = None;
            for at in order {
                if self.is_wanted(at) {
                    self.link(chain, before, at);
                }
                before = Some(at);
            }
        }
    }

    fn link(&mut self, chain: usize, before: Option<usize>, at: usize) {
        let digest = &self.digests[at];
        let (file, Some(content)) = (digest.file.clone(), &digest.content) else {
            return;
        };
        let begins = content.start;
        let ended = before.and_then(|before| end(&self.digests[before]));
        let Some(previous) = content.previous.clone() else {
            match ended {
                Some(from) if !self.verified.chains[chain].digests.backfill => {
                    self.verified.restarts.push(Restart {
                        chain,
                        file,
                        from,
                        to: begins,
                    });
                }
                _ => {
                    let detail = format!("at {}", rfc3339(begins));
                    self.found(Problem::ChainBegins, file, detail);
                }
            }
            return;
        };
        let Some(named) = self.find(&previous.object) else {
            return self.missing(&file, (ended, begins), previous.object);
        };
        let end_of_named = end(&self.digests[named]);
        if let Some(unlinked) = before.filter(|before| *before != named)
            && self.digests[unlinked].content.is_some()
        {
            let detail = format!("{file} names {} as the one before it", previous.object);
            let unlinked = self.digests[unlinked].file.clone();
            self.found(Problem::DigestUnlinked, unlinked, detail);
        }
        if let Some(ended) = end_of_named.filter(|ended| *ended < begins) {
            let detail = format!(
                "no log file was delivered from {} to {}, by the digests themselves",
                rfc3339(ended),
                rfc3339(begins)
            );
            self.found(Problem::LoggingPaused, file, detail);
        }
    }

    /// The digest of this name; also one that cannot be read.
    fn find(&self, object: &ObjectName) -> Option<usize> {
        let unread = |digest: &ReadDigest| digest.content.is_none() && digest.place.is_of(object);
        let read = self.by_object.get(object).copied();
        read.or_else(|| self.digests.iter().position(unread))
    }

    /// A digest that is named and not there.
    fn missing(
        &mut self,
        file: &str,
        (ended, begins): (Option<DateTime<Utc>>, DateTime<Utc>),
        object: ObjectName,
    ) {
        let since = self.options.selection.since;
        let stamp = delivery_stamp(name(&object.key));
        // What lies before the range was not listed.
        if ended.is_none() && since.is_some_and(|since| stamp.is_none_or(|stamp| stamp <= since)) {
            return;
        }
        let mut buckets = self.by_object.keys().map(|known| &known.bucket);
        if !buckets.any(|bucket| *bucket == object.bucket) {
            let detail = format!("{file} names {object}: validate that bucket, too");
            return self.found(Problem::OtherBucket, file.to_owned(), detail);
        }
        let uncovered = match ended {
            Some(ended) => {
                let hours = ((begins - ended).num_minutes() + 30) / 60;
                let count = match hours {
                    ..=1 => "one digest".to_owned(),
                    hours => format!("about {hours} digests"),
                };
                format!(
                    "; nothing covers {} to {}: {count}",
                    rfc3339(ended),
                    rfc3339(begins)
                )
            }
            None => format!("; no digest before {}", rfc3339(begins)),
        };
        let detail = format!("{file} names it{uncovered}");
        self.found(Problem::DigestMissing, object.to_string(), detail);
    }
}
