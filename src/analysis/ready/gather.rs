//! The keys, and what is known of each.
//!
//! In: the trail's keys, consumers, marks, and IAM's inventory. Out: [`Facts`] per key. Promise: a key of IAM is only one
//! with a key of the trail where [`join`] says so; where it cannot be told which it is, IAM's word counts for neither, and
//! that is said.

use super::ReadyOptions;
use super::facts::{Facts, Iam};
use super::signs::Signs;
use super::silence::State;
use super::trail::Trail;
use crate::analysis::consumers::{Consumer, Consumers, RoleSessions};
use crate::analysis::credentials::{Joined, TrailKey, TrailKeys, join};
use crate::cloudtrail::{AccessKeyId, AccountId};
use crate::iam::Inventory;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Everything there is.
pub(super) struct Gathered<'a> {
    pub(super) keys: &'a [AccessKeyId],
    pub(super) trail_keys: &'a TrailKeys,
    pub(super) consumers: &'a Consumers,
    pub(super) iam: Option<&'a Inventory>,
    pub(super) trail: &'a Trail,
    pub(super) signs: &'a Signs,
    pub(super) options: &'a ReadyOptions,
}

/// The keys, and what there is to say of those that are none any more.
pub(super) struct Found<'a> {
    pub(super) facts: Vec<Facts<'a>>,
    pub(super) notes: Vec<String>,
}

impl Found<'_> {
    /// Since when the first of those consumers is silent that are.
    pub(super) fn silent_since(&self) -> Option<DateTime<Utc>> {
        let uses = self.facts.iter().flat_map(|facts| &facts.uses);
        let silent = uses.filter(|use_| use_.state != State::InUse && use_.consumer_id.is_some());
        silent.map(|use_| use_.last_seen).min()
    }

    /// Looks for silent consumers among the sessions of roles.
    pub(super) fn look_for_replacements(&mut self, roles: &RoleSessions) {
        for facts in &mut self.facts {
            for use_ in &mut facts.uses {
                let id = use_.consumer_id.as_deref();
                let consumer = facts
                    .consumers
                    .iter()
                    .find(|consumer| Some(consumer.consumer_id.as_str()) == id);
                if let (Some(consumer), true) = (consumer, use_.state != State::InUse) {
                    use_.replacement = roles.replacement(consumer, use_.last_seen);
                }
            }
        }
    }
}

/// Gathers the facts.
pub(super) fn gather<'a>(all: &Gathered<'a>) -> Found<'a> {
    let mut notes = Vec::new();
    let mut entries: Vec<(Option<AccessKeyId>, Iam<'a>, Option<&'a TrailKey>)> = Vec::new();
    let mut told: BTreeSet<&AccessKeyId> = BTreeSet::new();
    let mut gone: Vec<String> = Vec::new();
    let joined = all.iam.map(|iam| join(iam, all.trail_keys));
    let joined = joined.unwrap_or_default();
    let unclear = unclear(&joined);
    for key in &joined {
        match (key.listed, &key.id) {
            (Some((user, listed)), id) if id.is_some() || key.absent => {
                entries.push((id.clone(), Iam::Says(user, listed), key.seen));
            }
            (None, Some(id)) if !unclear.contains(&owner(key.seen)) => {
                gone.push(format!("{id} (IAM does not list it)"));
            }
            _ => {}
        }
    }
    let listed: BTreeSet<AccessKeyId> =
        entries.iter().filter_map(|entry| entry.0.clone()).collect();
    let missing: BTreeSet<&AccessKeyId> = joined
        .iter()
        .filter(|key| key.listed.is_none() && !unclear.contains(&owner(key.seen)))
        .filter_map(|key| key.id.as_ref())
        .filter_map(|id| all.trail_keys.keys.get_key_value(id).map(|(id, _)| id))
        .collect();
    for (id, seen) in &all.trail_keys.keys {
        if let Some(time) = seen.deleted {
            if !missing.contains(id) {
                gone.push(format!("{id} (deleted {})", time.format("%Y-%m-%d")));
            }
        } else if !listed.contains(id) && !missing.contains(id) {
            let iam = match unclear.contains(&owner(Some(seen))) {
                true => Iam::CannotTell,
                false => Iam::NotAsked,
            };
            entries.push((Some(id.clone()), iam, Some(seen)));
        }
        told.insert(id);
    }
    let asked = |id: Option<&AccessKeyId>| {
        all.keys.is_empty() || id.is_some_and(|id| all.keys.contains(id))
    };
    entries.retain(|(id, ..)| asked(id.as_ref()));
    gone.retain(|text| {
        all.keys.is_empty() || all.keys.iter().any(|key| text.starts_with(key.as_str()))
    });
    if !gone.is_empty() {
        notes.push(format!(
            "{} keys are no more, and are not below: {}",
            gone.len(),
            gone.join(", ")
        ));
    }
    for key in all.keys {
        if !told.contains(key) && !listed.contains(key) {
            notes.push(format!(
                "{key}: no event in what was read is by this key or about it, and IAM was not seen to list it; nothing can be said of it"
            ));
        }
    }
    let mut by_key: BTreeMap<&str, Vec<&Consumer>> = BTreeMap::new();
    for consumer in &all.consumers.consumers {
        by_key
            .entry(&consumer.access_key_id)
            .or_default()
            .push(consumer);
    }
    let mut facts: Vec<Facts<'a>> = entries
        .into_iter()
        .map(|entry| of_key(all, entry, &by_key))
        .collect();
    siblings(&mut facts, all);
    Found { facts, notes }
}

/// Account and user of a key of the trail.
fn owner(seen: Option<&TrailKey>) -> Option<(AccountId, String)> {
    let seen = seen?;
    seen.account.zip(seen.user_name.clone())
}

/// Users with a key of which it cannot be told which one it is.
fn unclear(joined: &[Joined<'_>]) -> BTreeSet<Option<(AccountId, String)>> {
    let open = joined
        .iter()
        .filter(|key| key.id.is_none() && !key.absent)
        .filter_map(|key| key.listed);
    open.map(|(user, _)| Some((user.account, user.name.clone())))
        .collect()
}

fn of_key<'a>(
    all: &Gathered<'a>,
    (id, iam, seen): (Option<AccessKeyId>, Iam<'a>, Option<&'a TrailKey>),
    by_key: &BTreeMap<&str, Vec<&'a Consumer>>,
) -> Facts<'a> {
    let user = match iam {
        Iam::Says(user, _) => Some(user),
        _ => None,
    };
    let account = user
        .map(|user| user.account)
        .or_else(|| seen?.account)
        .or_else(|| id.as_ref()?.account());
    let name = user
        .map(|user| user.name.clone())
        .or_else(|| seen?.user_name.clone());
    let text = id.as_ref().map(AccessKeyId::as_str);
    let trail = all.trail;
    let account_text = account.map(|account| account.to_string());
    let log_end = trail.seen_until(account_text.as_deref());
    // Up to when IAM was asked its word counts, too.
    let iam_end = user.and_then(|_| all.iam?.latest());
    let seen_until = log_end
        .max(iam_end)
        .map_or(trail.as_of, |end| end.min(trail.as_of));
    let mut facts = Facts {
        account,
        user_name: name,
        iam,
        seen,
        consumers: text
            .and_then(|id| by_key.get(id).cloned())
            .unwrap_or_default(),
        uses: Vec::new(),
        through_services: text.and_then(|id| all.consumers.through_services.get(id)),
        others: Vec::new(),
        signs: text.and_then(|id| all.signs.get(id)),
        trail,
        options: all.options,
        seen_until,
        id,
    };
    facts.collect_uses();
    facts
}

/// Tells each key of the other keys of its user that work.
fn siblings(facts: &mut [Facts<'_>], all: &Gathered<'_>) {
    let mut users: BTreeMap<(AccountId, String), BTreeSet<String>> = BTreeMap::new();
    for key in facts.iter().filter(|key| key.active()) {
        if let (Some(account), Some(name)) = (key.account, key.user_name.clone()) {
            users.entry((account, name)).or_default().insert(label(key));
        }
    }
    // Keys that were not asked for are keys of the user, too.
    for (id, seen) in &all.trail_keys.keys {
        let off = seen.deleted.is_some() || seen.inactive_since().is_some();
        let known = facts.iter().any(|key| key.id.as_ref() == Some(id));
        if let (false, false, Some(account), Some(name)) =
            (off, known, seen.account, seen.user_name.clone())
        {
            let listed = all
                .iam
                .is_some_and(|iam| iam.accounts().any(|of| of == account));
            if !listed || !all.keys.is_empty() {
                users
                    .entry((account, name))
                    .or_default()
                    .insert(id.to_string());
            }
        }
    }
    for key in facts {
        let own = label(key);
        if let (Some(account), Some(name)) = (key.account, key.user_name.clone()) {
            let of_user = users.get(&(account, name)).into_iter().flatten();
            key.others = of_user.filter(|other| **other != own).cloned().collect();
        }
    }
}

fn label(key: &Facts<'_>) -> String {
    let slot = key.key().and_then(|key| key.slot);
    key.id
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| slot.map(|slot| format!("key {slot} of the credential report")))
        .unwrap_or_default()
}
