//! Use that the log does not show.
//!
//! In: what is known of a key. Out: the [`Silence`] of use behind the calls of services, and of use that only IAM knows of. Promise:
//! only IAM can say that such use is over.

use super::blind::{Blind, Why, seen};
use super::key_facts::{KeyFacts, ON_BEHALF};
use super::silence::{Silence, Since, unseen};
use crate::analysis::credentials::TrailKey;
use crate::analysis::logged::midnight;
use chrono::TimeDelta;

/// IAM's last use may be so much later than the log's last event and still be the same use.
const SAME_USE: TimeDelta = TimeDelta::hours(1);

/// How long after it was opened a session is used, at most.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
const SESSION: TimeDelta = TimeDelta::hours(36);

impl KeyFacts<'_> {
    /// Use that must be behind what services called on the user's behalf.
    pub(super) fn on_behalf(&self) -> Option<Silence> {
        let direct = self
            .consumers
            .iter()
            .map(|consumer| consumer.last_seen)
            .max();
        let services = self.through_services.into_iter().flatten();
        let services: Vec<&str> = services.map(|(service, _)| service.as_str()).collect();
        let own = self.last_event().filter(|_| !services.is_empty());
        let own = own.map(|last| (services.join(", "), last));
        let account = self.account.map(|account| account.to_string());
        let owner = account.zip(self.user_name.clone());
        let of_user = owner.and_then(|owner| self.common.marks.on_behalf(&owner, &self.other_keys));
        let known = self.seen.and_then(TrailKey::since);
        let of_user = of_user.filter(|(_, last)| known.is_some_and(|known| *last >= known));
        let (services, last) = own
            .into_iter()
            .chain(of_user)
            .max_by_key(|(_, last)| *last)?;
        if direct.is_some_and(|direct| last <= direct + ON_BEHALF) {
            return None;
        }
        let name = format!("calls that are not logged, on whose behalf {services} called");
        let since = self.since(last, &self.streams(None));
        Some(unseen(name, since, self.common.options))
    }

    /// Sessions of the user's that programs go on to use, and that must have been opened with a key.
    pub(super) fn sessions_go_on(&self) -> Option<Silence> {
        let owner = self.account?.to_string();
        let owner = (owner, self.user_name.clone()?);
        let last = self
            .common
            .marks
            .session_of_program(&owner, &self.other_keys)?;
        let known = self.seen.and_then(TrailKey::since)?;
        // What the key itself opened is over soon after.
        if last < known || self.last_event().is_some_and(|own| last <= own + SESSION) {
            return None;
        }
        let name = "calls that are not logged, which opened the user's sessions".to_owned();
        let since = self.since(last, &self.streams(None));
        Some(unseen(name, since, self.common.options))
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
        let after = Blind {
            from: used,
            to: now,
            what: String::new(),
            why: Why::Alone,
        };
        let seen = seen((used, now), &[after], self.unused_in_iam());
        let since = Since {
            last: used,
            now,
            seen,
        };
        Some(unseen(name, since, self.common.options))
    }
}
