//! The keys, and what is known of each.
//!
//! In: the log's keys, consumers, marks, and IAM's inventory. Out: [`KeyFacts`] per key. Promise: a key of IAM is one with a key of
//! the log only where [`join`] says so; where it cannot be told which it is, the latest use of those that it may be counts. A key
//! is gone only if it was deleted, or if IAM's answer is later than anything that the log knows of it.

use super::key_facts::{Common, Iam, KeyFacts};
use super::signs::Signs;
use super::silence::State;
use crate::analysis::consumers::{Consumer, Consumers, RoleSessions};
use crate::analysis::credentials::{Joined, TrailKey, TrailKeys, join};
use crate::cloudtrail::{AccessKeyId, AccountId, day};
use crate::iam::{Inventory, Key, User};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Everything there is.
pub(super) struct Gathered<'a> {
    pub(super) common: Common<'a>,
    pub(super) keys: &'a [AccessKeyId],
    pub(super) trail_keys: &'a TrailKeys,
    pub(super) consumers: &'a Consumers,
    pub(super) iam: Option<&'a Inventory>,
    pub(super) signs: &'a Signs,
}

/// The keys, and remarks on those that no longer exist.
pub(super) struct Found<'a> {
    pub(super) facts: Vec<KeyFacts<'a>>,
    pub(super) notes: Vec<String>,
}

impl Found<'_> {
    /// Since when the first of the silent consumers is silent.
    pub(super) fn silent_since(&self) -> Option<DateTime<Utc>> {
        let silences = self.facts.iter().flat_map(|facts| &facts.silences);
        let silent = silences.filter(|of| of.state != State::InUse && of.consumer_id.is_some());
        silent.map(|of| of.last_seen).min()
    }

    /// Looks for silent consumers among the sessions of roles.
    pub(super) fn look_for_replacements(&mut self, roles: &RoleSessions) {
        for facts in &mut self.facts {
            for silence in &mut facts.silences {
                let id = silence.consumer_id.as_deref();
                let consumer = facts
                    .consumers
                    .iter()
                    .find(|consumer| Some(consumer.consumer_id.as_str()) == id);
                if let (Some(consumer), true) = (consumer, silence.state != State::InUse) {
                    silence.replacement = roles.replacement(consumer, silence.last_seen);
                }
            }
        }
    }
}

/// A key, as the log and IAM know it.
type Entry<'a> = (Option<AccessKeyId>, Iam<'a>, Option<&'a TrailKey>);

/// Gathers the facts.
pub(super) fn gather<'a>(all: &Gathered<'a>) -> Found<'a> {
    let mut gone: Vec<String> = Vec::new();
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let joined = all.iam.map(|iam| join(iam, all.trail_keys));
    let joined = joined.unwrap_or_default();
    let mut placed: BTreeSet<AccessKeyId> = BTreeSet::new();
    for key in &joined {
        let entry: Entry<'a> = match (key.listed, &key.id) {
            (Some((user, listed)), id) if id.is_some() || key.absent => {
                (id.clone(), Iam::Says(user, listed), key.seen)
            }
            (None, Some(id)) => match unlisted(all, key, &joined) {
                Some(iam) => (Some(id.clone()), iam, key.seen),
                None => {
                    let deleted = key.seen.and_then(|seen| seen.deleted);
                    gone.push(match deleted {
                        Some(time) => format!("{id} (deleted {})", day(time)),
                        None => format!("{id} (IAM does not list it)"),
                    });
                    placed.insert(id.clone());
                    continue;
                }
            },
            _ => continue,
        };
        placed.extend(entry.0.clone());
        entries.push(entry);
    }
    for (id, seen) in &all.trail_keys.keys {
        if placed.contains(id) {
            continue;
        }
        match seen.deleted {
            Some(time) => gone.push(format!("{id} (deleted {})", day(time))),
            None => entries.push((Some(id.clone()), Iam::NotAsked, Some(seen))),
        }
    }
    let asked = |id: Option<&AccessKeyId>| {
        all.keys.is_empty() || id.is_some_and(|id| all.keys.contains(id))
    };
    let notes = notes(all, &entries, gone);
    entries.retain(|(id, ..)| asked(id.as_ref()));
    let mut by_key: BTreeMap<&str, Vec<&Consumer>> = BTreeMap::new();
    for consumer in &all.consumers.consumers {
        by_key
            .entry(&consumer.access_key_id)
            .or_default()
            .push(consumer);
    }
    let of_users = keys_of_users(all.trail_keys);
    let mut facts: Vec<KeyFacts<'a>> = entries
        .into_iter()
        .map(|entry| of_key(all, entry, (&by_key, &of_users)))
        .collect();
    siblings(&mut facts, all);
    Found { facts, notes }
}

fn notes(all: &Gathered<'_>, entries: &[Entry<'_>], mut gone: Vec<String>) -> Vec<String> {
    let mut notes = Vec::new();
    gone.retain(|text| {
        all.keys.is_empty() || all.keys.iter().any(|key| text.starts_with(key.as_str()))
    });
    if !gone.is_empty() {
        notes.push(format!(
            "{} keys no longer exist and are not listed: {}",
            gone.len(),
            gone.join(", ")
        ));
    }
    for key in all.keys {
        let known = all.trail_keys.keys.contains_key(key);
        if !known && !entries.iter().any(|(id, ..)| id.as_ref() == Some(key)) {
            notes.push(format!(
                "{key}: not found in the log or in IAM's answer; no verdict"
            ));
        }
    }
    notes
}

/// What IAM says of a key of the log that it was not found to list; none if the key no longer exists.
fn unlisted<'a>(all: &Gathered<'a>, key: &Joined<'a>, joined: &[Joined<'a>]) -> Option<Iam<'a>> {
    let seen = key.seen?;
    if seen.deleted.is_some() {
        return None;
    }
    let account = seen.account?;
    // What the log knows of later than IAM's answer cannot be in it.
    let until = all.iam.and_then(|iam| iam.latest_of(account));
    let older = seen
        .last_sign()
        .zip(until)
        .is_none_or(|(sign, until)| sign > until);
    if older {
        return Some(Iam::NotAsked);
    }
    let open = || {
        joined
            .iter()
            .filter(|key| key.id.is_none())
            .filter_map(|key| key.listed)
    };
    let is = |user: &User, name: &str| user.account == account && user.name == name;
    let of_user: Vec<(&User, &Key)> = open()
        .filter(|(user, _)| seen.user_name.as_deref().is_some_and(|name| is(user, name)))
        .collect();
    let unclear = joined.iter().any(|of| {
        of.id.is_none()
            && !of.absent
            && of.listed.is_some_and(|(user, _)| {
                seen.user_name.as_deref().is_some_and(|name| is(user, name))
            })
    });
    if unclear {
        return Some(Iam::OneOf(of_user));
    }
    // IAM does not know the user: it may have another name now, which the log did not see.
    let users = all.iam.map_or(&[][..], |iam| &iam.users);
    let known = users.iter().any(|user| {
        user.account == account && seen.user_name.as_deref() == Some(user.name.as_str())
    });
    let in_log = |user: &User| {
        let mut keys = all.trail_keys.keys.values();
        keys.any(|key| key.account == Some(account) && key.names.contains(&user.name))
    };
    let renamed: Vec<(&User, &Key)> = open()
        .filter(|(user, key)| {
            let fits = seen
                .since()
                .zip(user.created.time())
                .is_none_or(|(since, user)| user <= since);
            let status = seen.inactive_since().is_none() || !key.active;
            user.account == account && !user.is_root() && !in_log(user) && fits && status
        })
        .collect();
    (!known && !renamed.is_empty()).then_some(Iam::OneOf(renamed))
}

fn of_key<'a>(
    all: &Gathered<'a>,
    (id, iam, seen): (Option<AccessKeyId>, Iam<'a>, Option<&'a TrailKey>),
    (by_key, of_users): (&BTreeMap<&str, Vec<&'a Consumer>>, &KeysOfUsers<'_>),
) -> KeyFacts<'a> {
    let user = match &iam {
        Iam::Says(user, _) => Some(*user),
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
    let user = account.zip(name.as_deref());
    let of_user = user.and_then(|user| of_users.get(&user));
    let others = of_user.into_iter().flatten().copied();
    let others = others.filter(|id| Some(*id) != text);
    let iam_until = match iam {
        Iam::NotAsked => None,
        _ => account.and_then(|account| all.iam?.latest_of(account)),
    };
    let mut facts = KeyFacts {
        common: all.common,
        account,
        iam,
        iam_until,
        seen,
        consumers: text
            .and_then(|id| by_key.get(id).cloned())
            .unwrap_or_default(),
        silences: Vec::new(),
        through_services: text.and_then(|id| all.consumers.through_services.get(id)),
        other_keys: others
            .flat_map(|id| all.common.logged.days_of(id))
            .collect(),
        others: Vec::new(),
        signs: text.and_then(|id| all.signs.get(id)),
        blind: Vec::new(),
        seen_until: all.common.as_of,
        user_name: name,
        id,
    };
    facts.fill();
    facts
}

/// The keys of each user, under any name that it had.
type KeysOfUsers<'a> = BTreeMap<(AccountId, &'a str), Vec<&'a str>>;

fn keys_of_users(keys: &TrailKeys) -> KeysOfUsers<'_> {
    let mut found = KeysOfUsers::new();
    for (id, seen) in &keys.keys {
        for name in &seen.names {
            if let Some(account) = seen.account {
                let of_user = found.entry((account, name.as_str())).or_default();
                of_user.push(id.as_str());
            }
        }
    }
    found
}

/// Tells each key of the other keys of its user that work.
fn siblings(facts: &mut [KeyFacts<'_>], all: &Gathered<'_>) {
    let mut users: BTreeMap<(AccountId, String), BTreeSet<String>> = BTreeMap::new();
    for key in facts.iter().filter(|key| key.active()) {
        if let (Some(account), Some(name)) = (key.account, key.user_name.clone()) {
            users.entry((account, name)).or_default().insert(label(key));
        }
    }
    // Keys that were not asked for are keys of the user, too.
    let listed: BTreeSet<AccessKeyId> = facts.iter().filter_map(|key| key.id.clone()).collect();
    for (id, seen) in &all.trail_keys.keys {
        let off = seen.deleted.is_some() || seen.inactive_since().is_some();
        let known = listed.contains(id);
        if let (false, false, Some(account), Some(name)) =
            (off, known, seen.account, seen.user_name.clone())
        {
            let has_answer = all
                .iam
                .is_some_and(|iam| iam.accounts().any(|of| of == account));
            if !has_answer || !all.keys.is_empty() {
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

fn label(key: &KeyFacts<'_>) -> String {
    let slot = key.key().and_then(|key| key.slot);
    key.id
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| slot.map(|slot| format!("key {slot} of the credential report")))
        .unwrap_or_default()
}
