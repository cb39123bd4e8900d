//! What a trail knows of long-term keys.
//!
//! In: events. Out: [`TrailKeys`]: for each key its user, its use, and the calls that created, changed and deleted it.
//! Promise: the events are read once; a key keeps its user when the user gets another name, and is gone when the user is deleted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::analysis::AnalysisError;
use crate::analysis::rows::{Micros, each};
use crate::cloudtrail::{AccessKeyId, AccessKeyKind, AccountId};
use crate::iam::ROOT;
use crate::session::{Params, Session};

pub(in crate::analysis) const KEY_EVENTS: &str =
    include_str!("../../../queries/credentials/key_events.sql");

/// A key may work for so long after it was deactivated or deleted: IAM needs a moment to tell every region.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>
pub(in crate::analysis) const PROPAGATION: TimeDelta = TimeDelta::minutes(15);

/// The long-term keys of a trail, in order of their ids.
#[derive(Debug, Clone, Default)]
pub struct TrailKeys {
    /// Every long-term key that signed a call or that a call created, changed or deleted.
    pub keys: BTreeMap<AccessKeyId, TrailKey>,
    /// The first and the last event of the whole trail.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A long-term key as a trail shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailKey {
    /// The account of its user.
    pub account: Option<AccountId>,
    /// Its user's last known name; [`ROOT`] for root.
    pub user_name: Option<String>,
    /// Events that the key signed, also through AWS services.
    pub events: u64,
    /// The first and the last of them.
    pub used: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When it was created, if the trail saw it.
    pub created: Option<DateTime<Utc>>,
    /// Who created it, if the trail saw it.
    pub creator: Option<Creator>,
    /// The changes of its status that the trail saw, in order: when, and whether it was active afterwards.
    pub status: Vec<(DateTime<Utc>, bool)>,
    /// When it was deleted, if the trail saw it; also when its user was deleted, which IAM allows only without keys.
    pub deleted: Option<DateTime<Utc>>,
    /// When it was deleted, if it signed calls long after that, so that it does not count as deleted.
    pub deleted_before_use: Option<DateTime<Utc>>,
    /// Every name that its user was seen with.
    pub names: BTreeSet<String>,
    /// When its user had that name.
    named: Option<DateTime<Utc>>,
}

/// The caller that created a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// The caller's access key.
    pub access_key_id: Option<String>,
    /// The caller's address.
    pub source_ip_address: Option<String>,
}

impl TrailKey {
    /// When the key was deactivated, if the last change that the trail saw did that.
    pub fn inactive_since(&self) -> Option<DateTime<Utc>> {
        self.status
            .last()
            .and_then(|(time, active)| (!active).then_some(*time))
    }

    /// The times in which it was inactive, up to when it was activated again. Before a first change to active it was inactive, too.
    pub(in crate::analysis) fn inactive_times(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut times = Vec::new();
        let mut since = self.created.is_none().then_some(DateTime::<Utc>::MIN_UTC);
        for (time, active) in &self.status {
            if *active {
                times.extend(since.take().map(|since| (since, *time)));
            } else {
                // It was active up to the first change to inactive.
                since = since.filter(|since| *since > DateTime::<Utc>::MIN_UTC);
                since = since.or(Some(*time));
            }
        }
        times
    }

    /// The earliest sign of its existence.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.created.or(self.used.map(|(first, _)| first))
    }

    /// The latest sign that it exists.
    pub fn last_sign(&self) -> Option<DateTime<Utc>> {
        let changed = self.status.last().map(|(time, _)| *time);
        let used = self.used.map(|(_, last)| last);
        self.created.max(changed).max(used)
    }

    fn call_user(&mut self, name: &str, time: DateTime<Utc>) {
        self.names.insert(name.to_owned());
        if self.named.is_none_or(|named| named <= time) || self.user_name.is_none() {
            self.user_name = Some(name.to_owned());
            self.named = Some(time);
        }
    }
}

/// Something that happened to a user.
enum UserChange {
    Renamed { from: String, to: String },
    Deleted { name: String },
}

#[derive(Deserialize)]
struct KeyEvents {
    access_key_id: Option<String>,
    user_identity_type: Option<String>,
    user_identity_account_id: Option<String>,
    user_identity_user_name: Option<String>,
    change: Option<String>,
    changed_in: Option<String>,
    change_request: Option<String>,
    issued_access_key_id: Option<String>,
    issued_principal: Option<String>,
    changed_from: Option<String>,
    events: i64,
    first_seen: Micros,
    last_seen: Micros,
}

impl TrailKeys {
    /// Reads them.
    pub async fn read(session: &Session) -> Result<Self, AnalysisError> {
        let mut keys = TrailKeys::default();
        let mut users = Vec::new();
        let add = |row: KeyEvents| {
            keys.use_of(&row);
            keys.change(&row, &mut users);
        };
        each(session, (KEY_EVENTS, &Params::new()), add).await?;
        // After the events: what log files without ingest cover is known when they have been read.
        let coverage = session.coverage().await?;
        let time = |text: Option<String>| text?.parse::<DateTime<Utc>>().ok();
        keys.span = time(coverage.first_event).zip(time(coverage.last_event));
        for key in keys.keys.values_mut() {
            key.status.sort_unstable();
        }
        users.sort_by_key(|(time, ..)| *time);
        for (time, account, change) in users {
            keys.change_users(time, account, &change);
        }
        for key in keys.keys.values_mut() {
            let used = key.used.map(|(_, last)| last);
            // A key that goes on signing was not deleted, whatever the call was.
            if let (Some(deleted), Some(used)) = (key.deleted, used)
                && used > deleted + PROPAGATION
            {
                key.deleted_before_use = key.deleted.take();
            }
        }
        Ok(keys)
    }

    /// The key that signed the events of the row.
    fn use_of(&mut self, row: &KeyEvents) {
        let Some(id) = row.access_key_id.as_deref().and_then(long_term) else {
            return;
        };
        let (first, last) = (row.first_seen.0, row.last_seen.0);
        let key = self.keys.entry(id).or_default();
        key.events += row.events.unsigned_abs();
        let used = key.used.get_or_insert((first, last));
        *used = (used.0.min(first), used.1.max(last));
        if row.user_identity_type.as_deref() == Some("Root") {
            key.call_user(ROOT, last);
        } else if let Some(name) = &row.user_identity_user_name {
            key.call_user(name, last);
        }
        if let Some(account) = account(row.user_identity_account_id.as_deref()) {
            key.account = Some(account);
        }
    }

    /// The key or the user that the calls of the row created, changed or deleted.
    fn change(
        &mut self,
        row: &KeyEvents,
        users: &mut Vec<(DateTime<Utc>, Option<AccountId>, UserChange)>,
    ) {
        let Some(change) = row.change.as_deref() else {
            return;
        };
        let (first, last) = (row.first_seen.0, row.last_seen.0);
        let request = row.change_request.as_deref();
        let request = request.and_then(crate::json::Value::parse);
        let request = request.unwrap_or_default();
        let changed_in = account(row.changed_in.as_deref());
        let user = request["userName"].as_str();
        match (change, user, request["newUserName"].as_str()) {
            ("UpdateUser", Some(from), Some(to)) => {
                let (from, to) = (from.to_owned(), to.to_owned());
                users.push((first, changed_in, UserChange::Renamed { from, to }));
            }
            ("DeleteUser", Some(name), _) => {
                let name = name.to_owned();
                users.push((last, changed_in, UserChange::Deleted { name }));
            }
            _ => {}
        }
        let id = match change {
            "CreateAccessKey" => row.issued_access_key_id.as_deref(),
            "UpdateAccessKey" | "DeleteAccessKey" => request["accessKeyId"].as_str(),
            _ => None,
        };
        let Some(id) = id.and_then(long_term) else {
            return;
        };
        let key = self.keys.entry(id).or_default();
        match change {
            "CreateAccessKey" => {
                key.created = Some(first);
                key.creator = Some(Creator {
                    access_key_id: row.access_key_id.clone(),
                    source_ip_address: row.changed_from.clone(),
                });
            }
            "DeleteAccessKey" => key.deleted = Some(last),
            _ => {
                let active = request["status"].as_str() == Some("Active");
                key.status.push((first, active));
                if last != first {
                    key.status.push((last, active));
                }
            }
        }
        let named = match change {
            "CreateAccessKey" => row.issued_principal.as_deref(),
            _ => user,
        };
        // Without a name the call is about the caller's own key.
        let root = (row.user_identity_type.as_deref() == Some("Root")).then_some(ROOT);
        if let Some(name) = named.or(root).or(row.user_identity_user_name.as_deref()) {
            key.call_user(name, first);
        }
        if key.account.is_none() {
            key.account = changed_in;
        }
    }

    /// Follows the users of keys.
    fn change_users(
        &mut self,
        time: DateTime<Utc>,
        account: Option<AccountId>,
        change: &UserChange,
    ) {
        let of_user = |key: &TrailKey, name: &str| {
            key.account == account && key.user_name.as_deref() == Some(name)
        };
        for key in self.keys.values_mut() {
            match change {
                UserChange::Renamed { from, to } => {
                    if of_user(key, from) && key.named.is_none_or(|named| named <= time) {
                        key.call_user(to, time);
                    }
                }
                UserChange::Deleted { name } => {
                    let earlier = key
                        .last_sign()
                        .is_none_or(|sign| sign <= time + PROPAGATION);
                    if of_user(key, name) && earlier && key.deleted.is_none() {
                        key.deleted = Some(time);
                    }
                }
            }
        }
    }
}

fn account(text: Option<&str>) -> Option<AccountId> {
    text?.parse().ok()
}

fn long_term(id: &str) -> Option<AccessKeyId> {
    let id = AccessKeyId::new(id).ok()?;
    (id.kind() == AccessKeyKind::LongTerm).then_some(id)
}
