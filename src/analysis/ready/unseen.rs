//! Use that the log does not show.
//!
//! In: what is known of a key. Out: the [`Silence`] of use behind the calls of services, and of use that only IAM knows of. Promise:
//! only IAM can say that such use is over.

use super::blind::{Blind, Why, seen};
use super::key_facts::{KeyFacts, ON_BEHALF};
use super::marks::ROLE;
use super::silence::{Silence, Since, of_service, unseen};
use crate::analysis::consumers::{Consumer, Elsewhere, ForeignCall};
use crate::analysis::credentials::TrailKey;
use crate::analysis::logged::{LoggedKind, Stream, kind_of, midnight};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// IAM's last use may be so much later than the log's last event and still be the same use.
const SAME_USE: TimeDelta = TimeDelta::hours(1);

/// How long after it was opened a session is used, at most.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
const SESSION: TimeDelta = TimeDelta::hours(36);

impl KeyFacts<'_> {
    /// Use that must be behind what services called on the key's behalf, where the log does not show who asked them to.
    pub(super) fn behind_services(&self) -> Vec<Silence> {
        let services = self.through_services.into_iter().flatten();
        let found = services.filter_map(|(service, used)| {
            let last = DateTime::from_timestamp_micros(used.last()?)?;
            let streams = self.streams_of_services();
            let since = self.since(last, &streams);
            if self.explains(service, &since) {
                return None;
            }
            let name = format!("unlogged calls, inferred from what {service} did for the key");
            Some(of_service(name, used, since, self.common.options))
        });
        found.collect()
    }

    /// Whether calls that the log shows explain what a service did: those to the service itself, up to then. Where what it does is not
    /// seen any more, they do so only if the log has the reads and writes of the service's data, which make it call others.
    fn explains(&self, service: &str, since: &Since) -> bool {
        let calls = |consumer: &&&Consumer| {
            let mut calls = consumer.api_calls.iter();
            calls.any(|call| is_of(service, &call.event_source))
        };
        let direct = self.consumers.iter().filter(calls);
        let direct = direct.map(|consumer| consumer.last_seen).max();
        let is_hidden = since.now - since.last - since.seen >= TimeDelta::days(1);
        direct.is_some_and(|direct| since.last <= direct + ON_BEHALF)
            && (!is_hidden || self.has_data_of(service))
    }

    /// Where services called on the key's behalf: what no consumer of it did itself.
    fn streams_of_services(&self) -> Vec<&Stream> {
        let all = self.streams(None);
        let direct: Vec<&Stream> = self
            .consumers
            .iter()
            .flat_map(|consumer| self.streams(Some(consumer)))
            .collect();
        let others: Vec<&Stream> = all
            .iter()
            .copied()
            .filter(|stream| !direct.contains(stream))
            .collect();
        match others.is_empty() {
            true => all,
            false => others,
        }
    }

    /// Use that must be behind what services called on the user's behalf.
    pub(super) fn on_behalf(&self) -> Option<Silence> {
        let account = self.account.map(|account| account.to_string());
        let owner = account.zip(self.user_name.clone())?;
        let (services, last) = self.common.marks.on_behalf(&owner, &self.other_keys)?;
        let known = self.seen.and_then(TrailKey::since)?;
        let places = self.called_on_behalf(&owner);
        let mut streams = self.streams(None);
        streams.extend(&places);
        let since = self.since(last, &streams);
        let direct = self.consumers.iter().map(|consumer| consumer.last_seen);
        let is_direct = direct
            .max()
            .is_some_and(|direct| last <= direct + ON_BEHALF);
        // Calls of the key's explain it, unless it may go on where it is not seen any more.
        let is_hidden =
            since.now - last - self.since(last, &places.iter().collect::<Vec<_>>()).seen
                >= TimeDelta::days(1);
        let is_explained = !is_hidden || services.iter().all(|service| self.has_data_of(service));
        if last < known || (is_direct && is_explained) {
            return None;
        }
        let services = services.join(", ");
        let name = format!("unlogged calls, inferred from what {services} did for the user");
        Some(unseen(name, since, self.common.options))
    }

    /// Where services called on the user's behalf.
    fn called_on_behalf(&self, owner: &(String, String)) -> Vec<Stream> {
        let called = self.common.marks.called_on_behalf(owner);
        let place = |(source, region): &(String, String)| Stream {
            account: owner.0.clone(),
            region: region.clone(),
            kind: kind_of(source, region),
        };
        called.map(place).collect()
    }

    /// Whether the log has reads and writes of a service's data by this key: what it did on the key's behalf came of those.
    fn has_data_of(&self, service: &str) -> bool {
        let mut streams = self.streams(None).into_iter();
        streams.any(|stream| {
            matches!(&stream.kind, LoggedKind::DataReads(of) | LoggedKind::DataWrites(of) if is_of(service, of))
        })
    }

    /// Sessions of the user's that programs go on to use, and that must have been opened with a key; and those of roles that were
    /// assumed with this one.
    pub(super) fn sessions_go_on(&self) -> Vec<Silence> {
        let name = |whose: &str| format!("unlogged calls that opened {whose}");
        let of_user = self
            .user_session()
            .map(|last| (name("the user's sessions"), last));
        let of_role = self.role_session();
        let of_role = of_role.map(|(role, last)| (name(&format!("sessions of role {role}")), last));
        let nameless = self.without_key();
        let nameless = nameless.map(|last| ("calls of the user that name no key".to_owned(), last));
        let found = of_user.into_iter().chain(of_role).chain(nameless);
        let told = |(name, last)| {
            let since = self.since(last, &self.streams(None));
            unseen(name, since, self.common.options)
        };
        found.map(told).collect()
    }

    /// The last call of the user's that names no key.
    fn without_key(&self) -> Option<DateTime<Utc>> {
        let owner = (self.account?.to_string(), self.user_name.clone()?);
        let last = self.common.marks.without_key(&owner, &self.other_keys)?;
        let known = self.seen.and_then(TrailKey::since)?;
        (last >= known && self.last_event().is_none_or(|own| last > own)).then_some(last)
    }

    /// The last call with a session of the user's that must have been opened with a key.
    fn user_session(&self) -> Option<DateTime<Utc>> {
        let owner = self.account?.to_string();
        let owner = (owner, self.user_name.clone()?);
        let last = self
            .common
            .marks
            .session_of_program(&owner, &self.other_keys)?;
        let known = self.seen.and_then(TrailKey::since)?;
        // What the key itself opened is over soon after.
        let own = || self.last_event().is_some_and(|own| last <= own + SESSION);
        (last >= known && !own()).then_some(last)
    }

    /// A role that this key assumed, and the last call with a session of it that the log shows nobody open, from where the key assumed
    /// it: whoever used the key may open them where there is no log.
    fn role_session(&self) -> Option<(String, DateTime<Utc>)> {
        let roles = &self.common.marks.role_sessions;
        let (role, last) = roles.get(self.id.as_ref()?.as_str())?;
        let is_own = self.last_event().is_some_and(|own| *last <= own + ROLE);
        (!is_own && *last <= self.common.as_of).then(|| (role.clone(), *last))
    }

    /// Calls of the user that only other accounts' logs have, without a key.
    pub(super) fn seen_elsewhere(&self) -> Option<Silence> {
        let account = self.account?.to_string();
        let elsewhere = self.common.elsewhere;
        let own = self.id_text().into_iter().flat_map(|id| elsewhere.of(id));
        let calls = own.chain(elsewhere.of_unknown(&account, self.last_event().is_some()));
        let calls: Vec<&ForeignCall> = calls
            .filter(|call| call.first_event.0 <= self.common.as_of)
            .collect();
        let used = Elsewhere::days(&calls);
        let last = DateTime::from_timestamp_micros(used.last()?)?;
        // IAM counts use in every account, key by key: what it does not count for this key, another key or a session did.
        let is_not_its = self
            .unused_in_iam()
            .is_some_and(|(since, until)| since + SAME_USE < last && last + ON_BEHALF <= until);
        if is_not_its || self.created().is_some_and(|created| last < created) {
            return None;
        }
        let places: BTreeSet<Stream> = calls.iter().map(|call| place(call)).collect();
        let since = self.since(last, &places.iter().collect::<Vec<_>>());
        Some(of_service(
            Elsewhere::words(&calls),
            &used,
            since,
            self.common.options,
        ))
    }

    /// Use that IAM knows of and the log does not show.
    pub(super) fn only_in_iam(&self) -> Option<Silence> {
        let used = self.last_used_in_iam()?;
        if self
            .last_event()
            .is_some_and(|last| used <= last + SAME_USE)
        {
            return None;
        }
        let listed = self.listed();
        let key = listed.iter().max_by_key(|key| key.last_used.time())?;
        let service = key.last_used_service.as_deref();
        let service = service.unwrap_or("an unnamed service");
        let place = match self.account_sight() {
            Some(sight) if used < midnight(sight.first_day) => "before the log begins",
            _ if self.common.logged.end.is_some_and(|end| used > end) => "after the log ends",
            _ => "that CloudTrail does not log",
        };
        let which = match listed.len() {
            1 => "IAM's last use",
            _ => "IAM's last use of one of the user's keys; its data does not show which one",
        };
        let name = format!("use {place}: {service} ({which})");
        // Only IAM can say that it is over.
        let now = self.common.as_of;
        let mut hidden = self.inactive_times();
        hidden.push(Blind {
            from: used,
            to: now,
            what: String::new(),
            why: Why::Alone,
        });
        let seen = seen((used, now), &hidden, self.unused_in_iam());
        let since = Since {
            last: used,
            now,
            seen,
        };
        Some(unseen(name, since, self.common.options))
    }
}

/// Where a call of another account's log would be seen again.
fn place(call: &ForeignCall) -> Stream {
    let (source, region) = (call.event_source.clone(), call.aws_region.clone());
    let is_data = call.event_category.as_deref().unwrap_or("Management") != "Management";
    let kind = match (is_data, call.read_only.unwrap_or_default()) {
        (true, true) => LoggedKind::DataReads(source),
        (true, false) => LoggedKind::DataWrites(source),
        (false, _) => kind_of(&source, &region),
    };
    Stream {
        account: call.account_id.clone(),
        region,
        kind,
    }
}

/// Whether a call went to the service that called others on somebody's behalf. Some events only say that it was AWS itself.
fn is_of(service: &str, source: &str) -> bool {
    service == source || !service.ends_with(".amazonaws.com")
}
