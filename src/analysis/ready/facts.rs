//! What is known of a key, from all sides.
//!
//! In: the trail's keys, consumers, marks, and IAM's inventory. Out: [`Facts`] per key. Promise: a key of IAM is only one
//! with a key of the trail where [`join`] says so; where it cannot be told which it is, IAM's word counts for neither, and
//! that is said.

use super::ReadyOptions;
use super::signs::Signs;
use super::silence::{State, Use, of_consumer, unseen};
use super::trail::{Days, Trail};
use crate::analysis::consumers::{Consumer, Consumers};
use crate::analysis::credentials::{Joined, TrailKey, TrailKeys, join};
use crate::cloudtrail::{AccessKeyId, AccountId};
use crate::iam::{Inventory, Key, ROOT, User};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// IAM's last use may be so much later than the trail's last event and still be the same use.
const SAME_USE: TimeDelta = TimeDelta::hours(1);

/// Calls that services make long after the last direct call come from direct calls that nobody sees.
const ON_BEHALF: TimeDelta = TimeDelta::days(1);

/// IAM needs a moment to spread the news that a key is inactive.
const PROPAGATION: TimeDelta = TimeDelta::minutes(15);

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

/// What IAM says of a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Iam<'a> {
    /// This.
    Says(&'a User, &'a Key),
    /// Nobody asked IAM, or not of this account.
    NotAsked,
    /// The user has keys, but which of them this is cannot be told.
    CannotTell,
}

/// What is known of a key.
pub(super) struct Facts<'a> {
    pub(super) id: Option<AccessKeyId>,
    pub(super) account: Option<AccountId>,
    pub(super) user_name: Option<String>,
    pub(super) iam: Iam<'a>,
    pub(super) seen: Option<&'a TrailKey>,
    pub(super) consumers: Vec<&'a Consumer>,
    /// Consumers, and use that the trail does not show.
    pub(super) uses: Vec<Use>,
    pub(super) through_services: Option<&'a BTreeMap<String, u64>>,
    /// Other keys of the user that work.
    pub(super) others: Vec<String>,
    pub(super) signs: &'a [String],
    pub(super) trail: &'a Trail,
    pub(super) options: &'a ReadyOptions,
    /// Until when silence says something: there is a log, or IAM's word.
    pub(super) seen_until: DateTime<Utc>,
}

impl Facts<'_> {
    pub(super) fn key(&self) -> Option<&Key> {
        match self.iam {
            Iam::Says(_, key) => Some(key),
            _ => None,
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.user_name.as_deref() == Some(ROOT)
    }

    /// Whether it works, as far as is known.
    pub(super) fn active(&self) -> bool {
        let off = self
            .seen
            .is_some_and(|seen| seen.inactive_since().is_some());
        self.key().map_or(!off, |key| key.active)
    }

    /// Since when it is inactive, at the latest.
    pub(super) fn inactive_since(&self) -> Option<DateTime<Utc>> {
        if self.active() {
            return None;
        }
        let seen = self.seen.and_then(|seen| seen.inactive_since());
        // IAM says that it is inactive and the trail saw no such call: it was before the trail, or IAM tells when.
        seen.or_else(|| {
            let told = self.key().and_then(|key| key.last_rotated.time());
            told.max(self.days().and_then(first_moment))
        })
    }

    /// When it was made, at the latest.
    pub(super) fn created(&self) -> Option<DateTime<Utc>> {
        let seen = self.seen.and_then(|seen| seen.created);
        seen.or_else(|| self.key().and_then(Key::since))
    }

    /// The trail's last event of it, also through services.
    pub(super) fn last_event(&self) -> Option<DateTime<Utc>> {
        self.seen.and_then(|seen| seen.used).map(|(_, last)| last)
    }

    pub(super) fn last_used_in_iam(&self) -> Option<DateTime<Utc>> {
        self.key().and_then(|key| key.last_used.time())
    }

    pub(super) fn last_used(&self) -> Option<DateTime<Utc>> {
        self.last_event().max(self.last_used_in_iam())
    }

    pub(super) fn days(&self) -> Option<&Days> {
        self.trail.accounts.get(&self.account?.to_string())
    }

    /// IAM's word that the key was not used since some moment (which may be its creation).
    pub(super) fn unused_since(&self) -> Option<DateTime<Utc>> {
        let key = self.key()?;
        // A status that changed counts as a rotation in reports, so that an old key may look new: never the reverse.
        self.last_used().or(key.since())
    }

    fn collect_uses(&mut self) {
        let (end, options) = (self.seen_until, self.options);
        let mut uses: Vec<Use> = self
            .consumers
            .iter()
            .map(|consumer| of_consumer(consumer, end, options))
            .collect();
        let direct = self.consumers.iter().map(|consumer| consumer.last_seen);
        let direct = direct.max();
        let services = self.through_services.into_iter().flatten();
        let services: Vec<&str> = services.map(|(service, _)| service.as_str()).collect();
        if let Some(last) = self.last_event()
            && !services.is_empty()
            && direct.is_none_or(|direct| last > direct + ON_BEHALF)
        {
            let name = format!(
                "calls that the trail does not show, behind those of {}",
                services.join(", ")
            );
            uses.push(unseen((name, last), end, options));
        }
        if let Some(used) = self.last_used_in_iam()
            && self.last_event().is_none_or(|last| used > last + SAME_USE)
        {
            let service = self
                .key()
                .and_then(|key| key.last_used_service.as_deref())
                .unwrap_or("an unnamed service");
            let place = match self.days().and_then(first_moment) {
                Some(first) if used < first => "before the trail begins",
                _ if self.trail.last_event.is_some_and(|last| used > last) => {
                    "after the trail's last event"
                }
                _ => "that CloudTrail does not show",
            };
            let name = format!("use {place}: {service}, says IAM");
            uses.push(unseen((name, used), end, options));
        }
        if !self.active() {
            let since = self.inactive_since();
            for use_ in &mut uses {
                let later = since.is_some_and(|since| use_.last_seen > since + PROPAGATION);
                use_.state = if later { State::InUse } else { State::CutOff };
            }
        }
        uses.sort_by_key(|use_| (use_.state, std::cmp::Reverse(use_.last_seen)));
        self.uses = uses;
    }
}

/// The start of the first day with a log.
pub(super) fn first_moment(days: &Days) -> Option<DateTime<Utc>> {
    let first = days.all.first()?;
    Some(first.and_time(chrono::NaiveTime::MIN).and_utc())
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
        signs: text
            .and_then(|id| all.signs.get(id))
            .map_or(&[], Vec::as_slice),
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
