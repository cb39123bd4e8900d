//! Users and keys as IAM lists them.
//!
//! In: rows of a credential report, answers of IAM. Out: [`Inventory`]. Promise: users are in order of account and name,
//! each once; a slot of the report that holds no key is no [`Key`].

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::cloudtrail::{AccessKeyId, AccountId, rfc3339};

/// The name by which a credential report calls the root user.
pub const ROOT: &str = "<root_account>";

/// Users of one or several accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// In order of account and name.
    pub users: Vec<User>,
    /// When IAM made the report or was asked, where that is known. A CSV file does not say it.
    pub taken: Option<DateTime<Utc>>,
}

/// A user, or root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account, from the ARN.
    pub account: AccountId,
    /// The friendly name; [`ROOT`] for root.
    pub name: String,
    /// The ARN, with the path.
    pub arn: String,
    /// `AIDA…`; only IAM's API tells it.
    pub id: Option<String>,
    /// When the user was made.
    pub created: Moment,
    /// The console password.
    pub password: Password,
    /// Whether there is an MFA device.
    pub mfa_active: Option<bool>,
    /// Access keys, at most two.
    pub keys: Vec<Key>,
    /// Active signing certificates (SOAP), at most two.
    pub active_certificates: u8,
    /// Columns of the report that this program does not know, by name.
    pub other: BTreeMap<String, String>,
    /// Where this is from: a file, or `IAM`.
    pub source: String,
    /// When IAM said this of the user, where that is known.
    pub taken: Option<DateTime<Utc>>,
}

/// A console password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Password {
    /// Whether there is one; for root, a report may not say.
    pub enabled: Option<bool>,
    /// The last sign-in with it.
    pub last_used: Moment,
    /// The last change.
    pub last_changed: Moment,
    /// When the account's rules want it changed.
    pub next_rotation: Moment,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its column in the report, 1 or 2; none where the report did not have the key yet.
    pub slot: Option<u8>,
    /// Its id; a report does not tell it, IAM's API does.
    pub id: Option<AccessKeyId>,
    /// Whether it works.
    pub active: bool,
    /// When it was made; only IAM's API tells it apart from `last_rotated`.
    pub created: Option<DateTime<Utc>>,
    /// When it was made, or its status last changed.
    pub last_rotated: Moment,
    /// Its last use. IAM counts several uses within 15 minutes as the first of them.
    pub last_used: Moment,
    /// The region of the last use.
    pub last_used_region: Option<String>,
    /// The service of the last use, e.g. `s3`.
    pub last_used_service: Option<String>,
}

/// A time, or AWS's reason why there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// `N/A`: never, or not since AWS keeps such times (keys: April 2015), or there is nothing to have one.
    #[default]
    NotApplicable,
    /// `no_information`: never, or not since AWS keeps such times (passwords: October 2014).
    NoInformation,
    /// `not_supported`: AWS does not say it for this user.
    NotSupported,
    /// The time.
    At(DateTime<Utc>),
}

impl Moment {
    /// The time, if there is one.
    pub fn time(self) -> Option<DateTime<Utc>> {
        match self {
            Moment::At(time) => Some(time),
            _ => None,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::NotApplicable => f.write_str("N/A"),
            Moment::NoInformation => f.write_str("no_information"),
            Moment::NotSupported => f.write_str("not_supported"),
            Moment::At(time) => f.write_str(&rfc3339(*time)),
        }
    }
}

impl User {
    /// Whether this is root.
    pub fn is_root(&self) -> bool {
        self.name == ROOT
    }

    /// The path in the ARN: `/` or e.g. `/service/`.
    pub fn path(&self) -> &str {
        let after = self.arn.split_once(":user").map_or("/", |(_, rest)| rest);
        after.rfind('/').map_or("/", |last| &after[..=last])
    }

    /// The latest time that IAM's answer for the user speaks of.
    fn latest(&self) -> Option<DateTime<Utc>> {
        let keys = self.keys.iter();
        let keys =
            keys.flat_map(|key| [key.created, key.last_rotated.time(), key.last_used.time()]);
        let password = &self.password;
        let own = [self.created, password.last_used, password.last_changed];
        keys.chain(own.map(Moment::time)).flatten().max()
    }

    /// The keys that work.
    pub fn active_keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.active)
    }
}

impl Key {
    /// The earliest time at which the key can have existed, as far as IAM says: its creation, or the last change of its
    /// status.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.created.or(self.last_rotated.time())
    }
}

impl Inventory {
    /// The users of several inventories. A user who is in two of them is taken from the later one in the list; returned
    /// beside are the ARNs for which that was so.
    pub fn merge(parts: impl IntoIterator<Item = Inventory>) -> (Inventory, Vec<String>) {
        let mut users = BTreeMap::new();
        let mut replaced = Vec::new();
        let mut taken = None;
        for part in parts {
            taken = taken.max(part.taken);
            for mut user in part.users {
                user.taken = user.taken.or(part.taken);
                if let Some(before) = users.insert((user.account, user.name.clone()), user) {
                    replaced.push(before.arn);
                }
            }
        }
        let users = users.into_values().collect();
        (Inventory { users, taken }, replaced)
    }

    /// The accounts that have a user here.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let mut last = None;
        let accounts = self.users.iter().map(|user| user.account);
        accounts.filter(move |account| last.replace(*account) != Some(*account))
    }

    /// The latest time that anything here speaks of: no earlier than that was it taken.
    pub fn latest(&self) -> Option<DateTime<Utc>> {
        self.taken
            .or(self.users.iter().filter_map(User::latest).max())
    }

    /// Up to when IAM's answer for an account holds: when it was given, or the latest time that it speaks of. Answers for
    /// several accounts may be of several times.
    pub fn latest_of(&self, account: AccountId) -> Option<DateTime<Utc>> {
        let users = || self.users.iter().filter(|user| user.account == account);
        // Of two answers the older one: it may be the one that says nothing of a later use.
        let taken = users().filter_map(|user| user.taken).min();
        taken.or_else(|| users().filter_map(User::latest).max())
    }
}
