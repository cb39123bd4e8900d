//! What IAM itself says of users and keys, joined to what the trail shows.
//!
//! In: an [`Inventory`], and a trail if there is one. Out: the report `credentials`: findings, keys, users. Promise: what
//! the join rests on is said per key; without a trail, nothing is said that needs one.

mod findings;
mod join;
mod trail_keys;

use crate::cloudtrail::minute;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::AnalysisError;
use crate::iam::{Inventory, Key, Moment, User};
use crate::report::table::{Column, Kind, section};
use crate::report::{Report, Section};
use crate::session::Session;

pub use findings::{FINDINGS, Finding, FindingKind};
pub use join::{Joined, join};
pub(super) use trail_keys::KEY_EVENTS;
pub(super) use trail_keys::PROPAGATION;
pub use trail_keys::{Creator, TrailKey, TrailKeys};

/// From when on a credential is old.
#[derive(Debug, Clone, Copy)]
pub struct CredentialOptions {
    /// The moment to which ages are counted.
    pub now: DateTime<Utc>,
    /// A key or password that was not used for longer is unused.
    pub unused_after: TimeDelta,
    /// A key older than this should be rotated.
    pub rotate_after: TimeDelta,
}

/// How old a credential report may be before it is said; IAM makes a new one every four hours.
const FRESH: TimeDelta = TimeDelta::days(2);

/// Users and keys of IAM, and what the trail shows of them.
#[derive(Debug)]
pub struct Credentials {
    /// What IAM says.
    pub inventory: Inventory,
    /// What the trail shows; none without a trail.
    pub trail: Option<TrailKeys>,
    /// From when on a credential is old.
    pub options: CredentialOptions,
}

impl Credentials {
    /// The keys, each with what the trail shows of it: see [`join`].
    pub fn keys(&self) -> Vec<Joined<'_>> {
        join(&self.inventory, self.trail.as_ref().unwrap_or(&EMPTY))
    }

    /// What is wrong, the most severe first.
    pub fn findings(&self) -> Vec<Finding> {
        findings::findings(self, &self.keys())
    }

    /// The report, with the coverage of the trail it was joined to.
    pub async fn report(&self, session: Option<&Session>) -> Result<Report, AnalysisError> {
        let coverage = match session {
            Some(session) => Some(session.coverage().await?),
            None => None,
        };
        Ok(Report {
            name: "credentials".to_owned(),
            title: "IAM credentials".to_owned(),
            sections: self.sections()?,
            notes: self.notes(),
            coverage,
        })
    }

    fn sections(&self) -> Result<Vec<Section>, AnalysisError> {
        let keys = self.keys();
        let findings = findings::findings(self, &keys);
        let keys: Vec<KeyRow> = keys.iter().map(|key| self.key_row(key)).collect();
        let users: Vec<UserRow> = self.inventory.users.iter().map(user_row).collect();
        Ok(vec![
            section(("findings", "Findings"), FINDING_COLUMNS, &findings)?,
            section(("keys", "Access keys"), KEY_COLUMNS, &keys)?,
            section(("users", "Users"), USER_COLUMNS, &users)?,
        ])
    }

    fn notes(&self) -> Vec<String> {
        let days = |limit: TimeDelta| limit.num_days();
        let mut notes = vec![format!(
            "unused: not used for more than {} days; not rotated: older than {} days; as of {} UTC",
            days(self.options.unused_after),
            days(self.options.rotate_after),
            minute(self.options.now)
        )];
        if let Some(latest) = self
            .inventory
            .latest()
            .filter(|latest| self.options.now - *latest > FRESH)
        {
            notes.push(format!(
                "IAM's data is from {} UTC: the credential report may be old",
                minute(latest)
            ));
        }
        match &self.trail {
            None => notes.push(
                "no logs given: cannot find use that IAM records but CloudTrail does not log"
                    .to_owned(),
            ),
            Some(trail) => notes.extend(self.unmatched(trail)),
        }
        notes
    }

    /// How many keys could not be told apart.
    fn unmatched(&self, trail: &TrailKeys) -> Option<String> {
        let keys = self.keys();
        let unmatched = keys
            .iter()
            .filter(|key| key.listed.is_some() && key.matched_by.is_none() && !key.absent);
        let open = unmatched.count();
        (open > 0).then(|| {
            format!(
                "{open} of the keys in IAM could not be matched to the {} keys in the logs: a credential report has no key ids",
                trail.keys.len()
            )
        })
    }

    fn key_row(&self, key: &Joined<'_>) -> KeyRow {
        let (user, listed) = key.listed.unzip();
        let seen = key.seen;
        let used = seen.and_then(|seen| seen.used);
        let last_use = listed
            .and_then(|key: &Key| key.last_used.time())
            .max(used.map(|(_, last)| last));
        KeyRow {
            access_key_id: key.id.as_ref().map(ToString::to_string),
            account_id: user
                .map(|user| user.account)
                .or_else(|| seen?.account)
                .map(|account| account.to_string()),
            user_name: user
                .map(|user| user.name.clone())
                .or_else(|| seen?.user_name.clone()),
            key: listed.and_then(|key| key.slot).map(i64::from),
            active: listed.map(|key| key.active),
            days_unused: last_use.map(|time| (self.options.now - time).num_days()),
            last_rotated: listed.and_then(|key| micros(key.last_rotated)),
            last_used: listed.and_then(|key| micros(key.last_used)),
            last_used_service: listed.and_then(|key| key.last_used_service.clone()),
            last_used_region: listed.and_then(|key| key.last_used_region.clone()),
            last_seen: used.map(|(_, last)| last.timestamp_micros()),
            events: seen.map(|seen| i64::try_from(seen.events).unwrap_or(i64::MAX)),
            matched_by: key.matched_by,
        }
    }
}

static EMPTY: TrailKeys = TrailKeys {
    keys: std::collections::BTreeMap::new(),
    span: None,
};

const FINDING_COLUMNS: &[Column] = &[
    ("severity", Kind::Text, None),
    ("finding", Kind::Text, Some("whole")),
    ("user_name", Kind::Text, None),
    ("key", Kind::Count, Some("detail")),
    ("access_key_id", Kind::Text, None),
    ("account_id", Kind::Text, Some("whole")),
    ("detail", Kind::Text, Some("wrap")),
    ("action", Kind::Text, Some("detail")),
];

const KEY_COLUMNS: &[Column] = &[
    ("access_key_id", Kind::Text, None),
    ("user_name", Kind::Text, None),
    ("account_id", Kind::Text, Some("whole")),
    ("key", Kind::Count, Some("detail")),
    ("active", Kind::Flag, None),
    ("days_unused", Kind::Count, None),
    ("last_rotated", Kind::Time, None),
    ("last_used", Kind::Time, None),
    ("last_used_service", Kind::Text, Some("detail")),
    ("last_used_region", Kind::Text, Some("detail")),
    ("last_seen", Kind::Time, None),
    ("events", Kind::Count, None),
    ("matched_by", Kind::Text, Some("detail")),
];

const USER_COLUMNS: &[Column] = &[
    ("user_name", Kind::Text, None),
    ("account_id", Kind::Text, Some("whole")),
    ("created", Kind::Time, None),
    ("password_enabled", Kind::Flag, None),
    ("password_last_used", Kind::Time, None),
    ("mfa_active", Kind::Flag, None),
    ("keys", Kind::Count, None),
    ("active_keys", Kind::Count, None),
    ("arn", Kind::Text, Some("detail")),
    ("source", Kind::Text, Some("detail")),
];

#[derive(Serialize)]
struct KeyRow {
    access_key_id: Option<String>,
    account_id: Option<String>,
    user_name: Option<String>,
    key: Option<i64>,
    active: Option<bool>,
    days_unused: Option<i64>,
    last_rotated: Option<i64>,
    last_used: Option<i64>,
    last_used_service: Option<String>,
    last_used_region: Option<String>,
    last_seen: Option<i64>,
    events: Option<i64>,
    matched_by: Option<&'static str>,
}

#[derive(Serialize)]
struct UserRow<'a> {
    user_name: &'a str,
    account_id: String,
    created: Option<i64>,
    password_enabled: Option<bool>,
    password_last_used: Option<i64>,
    mfa_active: Option<bool>,
    keys: i64,
    active_keys: i64,
    arn: &'a str,
    source: &'a str,
}

fn user_row(user: &User) -> UserRow<'_> {
    UserRow {
        user_name: &user.name,
        account_id: user.account.to_string(),
        created: micros(user.created),
        password_enabled: user.password.enabled,
        password_last_used: micros(user.password.last_used),
        mfa_active: user.mfa_active,
        keys: user.keys.len() as i64,
        active_keys: user.active_keys().count() as i64,
        arn: &user.arn,
        source: &user.source,
    }
}

fn micros(moment: Moment) -> Option<i64> {
    moment.time().map(|time| time.timestamp_micros())
}
