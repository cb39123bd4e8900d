//! What is wrong with users and keys.
//!
//! In: an inventory joined to a trail, and thresholds. Out: [`Finding`]s. Promise: every finding is a row of [`FINDINGS`]
//! with a name, a severity and what to do; each says the figures it rests on. An inactive key and a key younger than the
//! threshold are not called unused.

use crate::cloudtrail::{day, minute};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::Credentials;
use super::join::Joined;
use crate::iam::{Key, Moment, User};

/// How much later than the last event of a key IAM's last use may be before something else must have used the key.
/// Events are stamped when a call ends, and both clocks are AWS's.
const SAME_USE: TimeDelta = TimeDelta::hours(1);

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingKind {
    /// Its name, stable.
    pub name: &'static str,
    /// `high`, `medium` or `low`.
    pub severity: &'static str,
    /// What to do.
    pub action: &'static str,
}

macro_rules! findings {
    ($($id:ident $name:literal $severity:literal $action:literal;)*) => {
        $(pub(super) const $id: FindingKind = FindingKind { name: $name, severity: $severity, action: $action };)*

        /// Every kind of finding, the most severe first.
        pub const FINDINGS: &[FindingKind] = &[$($id),*];
    };
}

findings! {
    ROOT_ACCESS_KEY "root-access-key" "high" "delete it: root needs no access key";
    INVISIBLE_USE "invisible-use" "high" "find the use that CloudTrail does not log (data events, SES SMTP) before you change the key";
    PASSWORD_WITHOUT_MFA "password-without-mfa" "high" "move the person to Identity Center, or set up MFA today";
    NEVER_USED_KEY "never-used-key" "medium" "deactivate it now, delete it after the waiting period";
    UNUSED_KEY "unused-key" "medium" "deactivate it now, delete it after the waiting period";
    TWO_ACTIVE_KEYS "two-active-keys" "medium" "finish the rotation: move the older key's consumers, then deactivate it";
    KEY_NOT_ROTATED "key-not-rotated" "medium" "replace it with a role; if that is not possible, rotate it";
    UNUSED_PASSWORD "unused-password" "medium" "delete the login profile";
    PASSWORD "password" "low" "move the person to Identity Center";
    USER_WITHOUT_CREDENTIALS "user-without-credentials" "low" "delete its inactive keys, then the user: nothing can sign in as it";
    INACTIVE_KEY "inactive-key" "low" "delete it once it is clear that nobody needs it";
    KEY_GONE_FROM_IAM "key-gone-from-iam" "low" "nothing to do: the key or its user was deleted";
}

/// Something found of a user or a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its kind, by name: see [`FINDINGS`].
    pub finding: &'static str,
    /// `high`, `medium` or `low`.
    pub severity: &'static str,
    /// The account.
    pub account_id: Option<String>,
    /// The user.
    pub user_name: Option<String>,
    /// The key's place in the credential report, 1 or 2.
    pub key: Option<i64>,
    /// The key's id, where it is known.
    pub access_key_id: Option<String>,
    /// The figures.
    pub detail: String,
    /// What to do.
    pub action: &'static str,
}

impl Finding {
    fn new(kind: FindingKind, detail: String) -> Self {
        Self {
            finding: kind.name,
            severity: kind.severity,
            account_id: None,
            user_name: None,
            key: None,
            access_key_id: None,
            detail,
            action: kind.action,
        }
    }

    fn of(user: &User, kind: FindingKind, detail: String) -> Self {
        Self {
            account_id: Some(user.account.to_string()),
            user_name: Some(user.name.clone()),
            ..Self::new(kind, detail)
        }
    }
}

/// Everything found, the most severe first.
pub(super) fn findings(credentials: &Credentials, keys: &[Joined<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for user in &credentials.inventory.users {
        of_user(credentials, user, &mut found);
    }
    for joined in keys {
        match joined.listed {
            Some((user, key)) => of_key(credentials, (user, key), joined, &mut found),
            None => found.extend(gone(credentials, joined)),
        }
    }
    let place = |finding: &Finding| {
        FINDINGS
            .iter()
            .position(|kind| kind.name == finding.finding)
    };
    // Stable: within a kind, in the order of the inventory.
    found.sort_by_key(place);
    found
}

fn of_user(credentials: &Credentials, user: &User, found: &mut Vec<Finding>) {
    let active = user.active_keys().count();
    if active == 2 {
        let since = user
            .keys
            .iter()
            .map(|key| day_of(key.last_rotated))
            .collect::<Vec<_>>()
            .join(" and ");
        found.push(Finding::of(
            user,
            TWO_ACTIVE_KEYS,
            format!("both active, created or rotated {since}"),
        ));
    }
    if user.is_root() {
        return;
    }
    let password = &user.password;
    if password.enabled == Some(true) {
        let used = match password.last_used {
            Moment::At(time) => format!("last sign-in {}", day(time)),
            _ => "no sign-in known".to_owned(),
        };
        let mfa = user.mfa_active == Some(true);
        let kind = if mfa { PASSWORD } else { PASSWORD_WITHOUT_MFA };
        found.push(Finding::of(
            user,
            kind,
            format!("{used}, {} MFA", if mfa { "with" } else { "without" }),
        ));
        let since = password
            .last_used
            .time()
            .or(password.last_changed.time())
            .or(user.created.time());
        if let Some(days) = credentials.longer_than(since, credentials.options.unused_after) {
            found.push(Finding::of(
                user,
                UNUSED_PASSWORD,
                format!("{used}, unused for {days} days"),
            ));
        }
    }
    // What a report cannot say of a password is no reason to call it absent.
    if password.enabled == Some(false) && active == 0 && user.active_certificates == 0 {
        let inactive = match user.keys.len() {
            0 => "no password, no key".to_owned(),
            keys => format!(
                "no password, {keys} inactive {}",
                if keys == 1 { "key" } else { "keys" }
            ),
        };
        found.push(Finding::of(user, USER_WITHOUT_CREDENTIALS, inactive));
    }
}

fn of_key(
    credentials: &Credentials,
    (user, key): (&User, &Key),
    joined: &Joined<'_>,
    found: &mut Vec<Finding>,
) {
    let mut push = |kind, detail| {
        found.push(Finding {
            key: key.slot.map(i64::from),
            access_key_id: joined.id.as_ref().map(ToString::to_string),
            ..Finding::of(user, kind, detail)
        });
    };
    let rotated = day_of(key.last_rotated);
    if user.is_root() {
        push(
            ROOT_ACCESS_KEY,
            format!(
                "{}, created or rotated {rotated}",
                if key.active { "active" } else { "inactive" }
            ),
        );
    }
    if let Some(detail) = invisible(credentials, key, joined) {
        push(INVISIBLE_USE, detail);
    }
    if !key.active {
        push(
            INACTIVE_KEY,
            format!("inactive; last use {}", day_of(key.last_used)),
        );
        return;
    }
    let unused_after = credentials.options.unused_after;
    match key.last_used.time() {
        None => {
            if let Some(days) = credentials.longer_than(key.since(), unused_after) {
                push(
                    NEVER_USED_KEY,
                    format!("created or rotated {rotated}, {days} days ago, and never used"),
                );
            }
        }
        Some(used) => {
            // A key that was made since is fresh, whatever was used before it.
            let since = key.since().map_or(used, |since| since.max(used));
            if let Some(days) = credentials.longer_than(Some(since), unused_after) {
                let place = key
                    .last_used_service
                    .as_deref()
                    .map_or_else(String::new, |service| format!(" ({service})"));
                push(
                    UNUSED_KEY,
                    format!("last used {}{place}, {days} days ago", day(used)),
                );
            }
        }
    }
    if let Some(days) =
        credentials.longer_than(key.last_rotated.time(), credentials.options.rotate_after)
    {
        push(
            KEY_NOT_ROTATED,
            format!("{days} days old (since {rotated})"),
        );
    }
}

/// IAM knows of a use within the time of the trail of which the trail has no event.
fn invisible(credentials: &Credentials, key: &Key, joined: &Joined<'_>) -> Option<String> {
    let (first, last) = credentials.trail.as_ref()?.span?;
    let used = key.last_used.time()?;
    // Where it could be one of several keys nothing can be compared.
    if joined.matched_by.is_none() && !joined.absent {
        return None;
    }
    // Before and after the trail nothing can be seen.
    if used < first || used > last + SAME_USE {
        return None;
    }
    let service = key
        .last_used_service
        .as_deref()
        .unwrap_or("an unnamed service");
    let used_text = minute(used);
    match joined.seen.and_then(|seen| seen.used) {
        Some((_, newest)) if used <= newest + SAME_USE => None,
        Some((_, newest)) => Some(format!(
            "IAM: last used {used_text} for {service}; the key's last event in the logs: {}",
            minute(newest)
        )),
        None => Some(format!(
            "IAM: last used {used_text} for {service}; the key has no events in the logs"
        )),
    }
}

/// A key of the trail that IAM does not list. Without ids it may be one of the report's that could not be told apart.
fn gone(credentials: &Credentials, joined: &Joined<'_>) -> Option<Finding> {
    let (id, seen) = (joined.id.as_ref()?, joined.seen?);
    let of_user = |user: &&User| {
        Some(user.account) == seen.account && Some(user.name.as_str()) == seen.user_name.as_deref()
    };
    let user = credentials.inventory.users.iter().find(of_user);
    let unsure = user.is_some_and(|user| user.keys.iter().any(|key| key.id.is_none()));
    if unsure && seen.deleted.is_none() {
        return None;
    }
    let detail = match (seen.deleted, user) {
        (Some(time), _) => format!("deleted {}", minute(time)),
        (None, Some(_)) => "IAM lists no such key for the user".to_owned(),
        (None, None) => "IAM lists no such user".to_owned(),
    };
    Some(Finding {
        account_id: seen.account.map(|account| account.to_string()),
        user_name: seen.user_name.clone(),
        access_key_id: Some(id.to_string()),
        ..Finding::new(KEY_GONE_FROM_IAM, detail)
    })
}

fn day_of(moment: Moment) -> String {
    match moment {
        Moment::At(time) => day(time),
        _ => "at an unknown time".to_owned(),
    }
}

impl Credentials {
    /// The days since a time, if they are more than the limit.
    fn longer_than(&self, since: Option<DateTime<Utc>>, limit: TimeDelta) -> Option<i64> {
        let age = self.options.now - since?;
        (age > limit).then(|| age.num_days())
    }
}
