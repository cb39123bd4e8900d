//! What is known of a key, from all sides.
//!
//! In: what the trail and IAM say of it. Out: [`Facts`]: its state, its uses, and until when silence says something. Promise:
//! what IAM says and what the trail shows are kept apart where they differ.

use super::ReadyOptions;
use super::signs::Sign;
use super::silence::{State, Use, of_consumer, unseen};
use super::trail::{Days, Trail};
use crate::analysis::consumers::Consumer;
use crate::analysis::credentials::TrailKey;
use crate::cloudtrail::{AccessKeyId, AccountId};
use crate::iam::{Key, ROOT, User};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// IAM's last use may be so much later than the trail's last event and still be the same use.
const SAME_USE: TimeDelta = TimeDelta::hours(1);

/// Calls that services make long after the last direct call come from direct calls that nobody sees.
const ON_BEHALF: TimeDelta = TimeDelta::days(1);

/// IAM needs a moment to spread the news that a key is inactive.
const PROPAGATION: TimeDelta = TimeDelta::minutes(15);

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
    pub(super) signs: Option<&'a Sign>,
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

    /// Fills in the uses.
    pub(super) fn collect_uses(&mut self) {
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
