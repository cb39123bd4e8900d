//! How far an intruder reaches.
//!
//! In: who is behind each use, what was issued, and the changes that let somebody in. Out: verdicts on what an intruder made, opened
//! or shared. Promise: what an intruder's use issued is the intruder's, to any depth; so is what comes through a way in that an intruder
//! opened, and from an address that only an intruder used. An address that an owner used before stays the owner's.

use super::doors::{Door, Way};
use super::issued::{Act, Acts, Issue};
use super::sign::Sign;
use super::spread::{Attribution, Judged, is_private};
use crate::cloudtrail::minute;
use crate::report::trace::Origin;
use chrono::DateTime;
use std::collections::BTreeMap;

/// Why an act is an intruder's.
enum Why<'a> {
    /// By where, or with which credential.
    Own,
    /// By how the caller came in.
    Door(&'a Door, &'a Act),
}

impl Attribution {
    /// Until nothing is new: what an intruder issued, what came in where an intruder let it in, and what comes from an intruder's
    /// address.
    pub(super) fn spread(&mut self, acts: &Acts) {
        self.opened = vec![false; acts.changes.len()];
        loop {
            let mut changed = self.learn_addresses();
            for (at, change) in acts.changes.iter().enumerate() {
                if !self.opened[at] && self.why(change, acts).is_some() {
                    self.opened[at] = true;
                    changed = true;
                }
            }
            for issue in &acts.issues {
                changed |= self.follow(issue, acts);
            }
            changed |= self.enter(acts);
            changed |= self.meet();
            if !changed {
                break;
            }
        }
        for issue in acts.issues.iter().filter(|of| of.key.starts_with("AKIA")) {
            let may_have_come = acts.may_have_come(issue, &self.opened);
            if let Some((door, change)) = may_have_come {
                let made = made(&issue.act, &door.words(&change.event_id));
                let judged = self.keys.entry(issue.key.to_string()).or_default();
                judged.maybe_made_by_intruder.get_or_insert(made);
            }
        }
    }

    /// Why an act is an intruder's, if it is.
    fn why<'a>(&self, act: &Act, acts: &'a Acts) -> Option<Why<'a>> {
        let from_there = !act.by.starts_with("AKIA")
            && self
                .addresses
                .get(&*act.address)
                .is_some_and(|(first, _)| act.time >= *first);
        let is_own =
            from_there || self.of_use(&act.by, &act.address, &act.agent) == Origin::Intruder;
        if is_own {
            return Some(Why::Own);
        }
        let (door, change) = acts.came_through(act, &self.opened)?;
        Some(Why::Door(door, change))
    }

    /// What an intruder's use issued is the intruder's.
    fn follow(&mut self, issue: &Issue, acts: &Acts) -> bool {
        let act = &issue.act;
        let why = match self.why(act, acts) {
            Some(why) => why,
            None => match acts.opened_by(issue, &self.opened) {
                Some((door, change)) => Why::Door(door, change),
                None => return false,
            },
        };
        let by = match (&why, &*act.by) {
            (Why::Own, "") => "the intruder".to_owned(),
            (Why::Own, by) => format!("the intruder who used {by}"),
            (Why::Door(door, change), _) => door.words(&change.event_id),
        };
        let made = made(act, &by);
        let mut changed = false;
        if let Why::Door(door, change) = why {
            changed |= self.admit(issue, (door, change), &made);
        }
        if !issue.key.starts_with("AKIA") {
            changed |= self.sessions.insert(issue.key.to_string());
        } else {
            self.keys.entry(issue.key.to_string()).or_default();
        }
        self.take_over(&issue.key, &made) || changed
    }

    /// Whoever came in through a door of the intruder's is the intruder. What a workload does comes from the workload's address.
    fn admit(&mut self, issue: &Issue, (door, change): (&Door, &Act), made: &str) -> bool {
        let act = &issue.act;
        // A service's session is somebody's whose other calls are their own.
        if door.way == Way::Stack {
            return false;
        }
        let by = act.by.starts_with("ASIA") && door.way != Way::Role;
        let mut changed = by && self.sessions.insert(act.by.to_string());
        if matches!(door.way, Way::Function | Way::Machine) {
            return changed;
        }
        if by {
            changed |= self.take_over(&act.by, made);
        }
        let here = (act.time, change.by.to_string());
        let is_place = act.address.parse::<std::net::IpAddr>().is_ok();
        if is_place && !self.entered.contains_key(&*act.address) {
            self.entered.insert(act.address.to_string(), here);
            changed = true;
        }
        changed
    }

    /// All keys of a user that an intruder created are the intruder's.
    fn enter(&mut self, acts: &Acts) -> bool {
        let mut found = Vec::new();
        for (key, judged) in &self.keys {
            let Some((account, user)) = judged
                .user
                .as_ref()
                .filter(|_| judged.made_by_intruder.is_none())
            else {
                continue;
            };
            let first = judged.all().map(|source| source.first).min();
            let door = acts.of_user((account, user), first.unwrap_or(i64::MAX), &self.opened);
            found.extend(door.map(|(door, change)| {
                (
                    key.clone(),
                    format!("used by {}", door.words(&change.event_id)),
                )
            }));
        }
        let taken = found.iter().map(|(key, why)| self.take_over(key, why));
        taken.fold(false, |changed, new| changed | new)
    }

    /// Collects the addresses of what is known to be an intruder's.
    fn learn_addresses(&mut self) -> bool {
        let mut found = self.entered.clone();
        for (key, judged) in &self.keys {
            for sources in [&judged.sources, &judged.lineage] {
                for (address, first) in sources.addresses() {
                    let here = (first, key.clone());
                    let known = found.entry(address).or_insert_with(|| here.clone());
                    *known = here.min(known.clone());
                }
            }
        }
        let mut owners: BTreeMap<&str, i64> = BTreeMap::new();
        let all = self.keys.values().flat_map(Judged::all);
        // A private address is another machine in another network.
        found.retain(|address, _| !is_private(address));
        for source in all {
            if matches!(source.origin, Origin::Owner | Origin::Unknown) {
                let first = owners.entry(&source.address).or_insert(source.first);
                *first = source.first.min(*first);
            }
        }
        found.retain(|address, (first, _)| {
            let owner = owners.get(address.as_str());
            owner.is_none_or(|owner| *owner > *first)
        });
        let changed = found.len() != self.addresses.len();
        self.addresses = found;
        changed
    }

    /// All uses of a key are the intruder's.
    fn take_over(&mut self, key: &str, why: &str) -> bool {
        let Some(judged) = self.keys.get_mut(key) else {
            return false;
        };
        if judged.made_by_intruder.is_some() {
            return false;
        }
        judged.made_by_intruder = Some(why.to_owned());
        let Judged {
            sources, lineage, ..
        } = judged;
        for source in sources.all.iter_mut().chain(&mut lineage.all) {
            if source.origin != Origin::Intruder {
                source.origin = Origin::Intruder;
                // What spoke for the owner does not any more.
                source.signs.retain(|sign| sign.weight > 0);
                source.signs.insert(0, Sign::new(0, why));
            }
        }
        true
    }

    /// What newly comes from an intruder's address is the intruder's.
    fn meet(&mut self) -> bool {
        let mut changed = false;
        for (key, judged) in &mut self.keys {
            for sources in [&mut judged.sources, &mut judged.lineage] {
                let began = sources.all.first().map(|source| source.first);
                for source in &mut sources.all {
                    let there = self.addresses.get(&source.address);
                    let Some((_, tied)) = there.filter(|(first, _)| source.first >= *first) else {
                        continue;
                    };
                    let newcomer = source.is_new || began == Some(source.first);
                    if newcomer && source.origin != Origin::Intruder {
                        let with = match tied == key {
                            true => String::new(),
                            false => format!(", with {tied}"),
                        };
                        source.origin = Origin::Intruder;
                        source.is_tied = tied != key;
                        let what =
                            format!("from an address that only an intruder had used before{with}");
                        source.signs.insert(0, Sign::new(12, what));
                        changed = true;
                    }
                }
            }
        }
        changed
    }
}

/// How a key was made, in words.
fn made(act: &Act, by: &str) -> String {
    let time = DateTime::from_timestamp_micros(act.time).unwrap_or_default();
    format!(
        "created {} from {} by {by} (event {})",
        minute(time),
        act.address,
        act.event_id
    )
}
