//! The lists of a trace: findings, clean-up, data, failures, others, steps, blind spots.
//!
//! In: what the analysis `trace` found. Out: plain rows. Promise: every row names the events it rests on.

use super::{BlindSpot, Change, Origin, State};
use serde::Serialize;

/// Events that fit a known technique.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TraceFinding {
    /// `critical`, `high`, `medium`, `low`, `info`; of failed calls one step lower than of the others.
    pub severity: String,
    /// ATT&CK's tactic.
    pub tactic: String,
    /// ATT&CK's technique, today's id.
    pub technique_id: String,
    /// The id it had before, where it was another.
    pub technique_id_before: Option<String>,
    /// Its name.
    pub technique_name: String,
    /// The service.
    pub event_source: String,
    /// The call.
    pub event_name: String,
    /// Why it matters, one sentence.
    pub why: String,
    /// The row of knowledge that says so: `FILE:LINE`.
    pub rule: String,
    /// Whether these events failed.
    pub failed: bool,
    /// How many they are.
    pub events: u64,
    /// Time of the first.
    pub first_seen: String,
    /// Time of the last.
    pub last_seen: String,
    /// The events.
    pub event_ids: Vec<String>,
}

/// Something that was created or changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Created {
    /// What it is, e.g. `user`, `access_key`, `instance`.
    pub kind: String,
    /// Its id: a key, a name, an ARN.
    pub id: String,
    /// What it was done to, where that is something else: the user of a key, the role of a policy.
    pub on: Option<String>,
    /// `created` or `changed`.
    pub change: Change,
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// When.
    pub event_time: String,
    /// The account.
    pub account_id: Option<String>,
    /// The region.
    pub aws_region: Option<String>,
    /// The credential that did it.
    pub by_access_key_id: Option<String>,
    /// Who is behind it.
    pub origin: Origin,
    /// `there`, `removed by the tree`, or `removed by others`.
    pub state: State,
    /// The event that removed it.
    pub removed_by_event_id: Option<String>,
    /// The command that undoes it; where there is none, a comment that says what a person has to do.
    pub undo: String,
}

/// Secrets or data that were touched.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DataAccess {
    /// What it is: `bucket`, `secret`, `parameter`, `table`, `snapshot`, …
    pub kind: &'static str,
    /// Which: a bucket, a secret, an ARN.
    pub resource: String,
    /// `read`, `written`, `deleted`, `shared`, `listed` and so on, those that happened.
    pub actions: Vec<&'static str>,
    /// Requests.
    pub requests: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Distinct objects that were asked for.
    pub objects: u64,
    /// Distinct objects that were read.
    pub objects_read: u64,
    /// Bytes that left, by requests that succeeded.
    pub bytes_out: u64,
    /// Bytes that were sent with answers of requests that failed.
    pub bytes_out_failed: u64,
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Time of the first request.
    pub first_seen: String,
    /// Time of the last.
    pub last_seen: String,
    /// The calls, and how often each.
    pub calls: Vec<(String, u64)>,
    /// The credentials.
    pub access_key_ids: Vec<String>,
    /// Who is behind it.
    pub origin: Origin,
}

/// A call that was refused.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Denied {
    /// The credential.
    pub access_key_id: Option<String>,
    /// The service.
    pub event_source: String,
    /// The call.
    pub event_name: String,
    /// Why.
    pub error_code: String,
    /// Whether that is a lack of rights, and not another failure.
    pub access_denied: bool,
    /// How often.
    pub events: u64,
    /// Regions.
    pub regions: Vec<String>,
    /// Time of the first.
    pub first_seen: String,
    /// Time of the last.
    pub last_seen: String,
    /// Who is behind it.
    pub origin: Origin,
    /// The failure in words, of the first.
    pub error_message: Option<String>,
    /// The first such event.
    pub event_id: String,
}

/// A credential outside the tree that was seen from an address of the tree that is not surely the owner's.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Pivot {
    /// The key.
    pub access_key_id: Option<String>,
    /// The principal.
    pub principal_arn: Option<String>,
    /// The account.
    pub account_id: Option<String>,
    /// The address that it shares with the tree.
    pub source_ip_address: String,
    /// Who is behind the tree's use of that address.
    pub origin: Origin,
    /// Rounds from the tree: 1 for what shares an address with it.
    pub round: u32,
    /// Events from there.
    pub events: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Time of the first.
    pub first_seen: String,
    /// Time of the last.
    pub last_seen: String,
}

/// Something to do now.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Step {
    /// What it achieves.
    pub what: String,
    /// The command; where there is none, a comment that says what a person has to do.
    pub command: String,
}

/// A secret that has to be replaced.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Secret {
    /// What it is.
    pub kind: &'static str,
    /// Which.
    pub id: String,
    /// Why.
    pub why: String,
    /// The first event that exposed it.
    pub event_id: String,
}

/// Something the logs cannot tell.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Unseen {
    /// What kind of blind spot: `regions`, `days`, `data events`, `orphan`, `possible credential` …
    pub kind: BlindSpot,
    /// What is not seen.
    pub what: String,
    /// What that means.
    pub meaning: &'static str,
}

/// What the owner's programs made or changed, and what came of it, which was not followed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NotFollowed {
    /// What was made or changed: the role, user, function … by name.
    pub what: String,
    /// The account.
    pub account_id: Option<String>,
    /// The call.
    pub event_name: String,
    /// Such calls.
    pub events: u64,
    /// Time of the first.
    pub first_seen: String,
    /// Time of the last.
    pub last_seen: String,
    /// Credentials that these calls lead to and that are not in the tree; these may lead on to others.
    pub credentials: u64,
    /// The keys that made the calls.
    pub access_key_ids: Vec<String>,
    /// From where.
    pub source_ip_addresses: Vec<String>,
    /// The events.
    pub event_ids: Vec<String>,
}
