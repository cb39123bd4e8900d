//! What has to be done until a key can go.
//!
//! In: what the analysis `plan` found. Out: a [`Plan`], plain data from which JSON, the terminal, Markdown and the page are
//! made. Promise: keys stand in the order in which they are to be worked on; a command is for a person to run, with every
//! value of a log in it quoted for a shell; nothing else is escaped here.

use super::Coverage;
use serde::Serialize;
use serde_json::Value;

/// A runbook for the removal of access keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// `plan`, as in every other report.
    pub report: String,
    /// One line for people.
    pub title: String,
    /// The moment of the verdicts, RFC 3339 in UTC.
    pub as_of: Option<String>,
    /// What the plan rests on.
    pub coverage: Coverage,
    /// Remarks a reader must not miss, one sentence each.
    pub notes: Vec<String>,
    /// What to do before the first key.
    pub first: Vec<Step>,
    /// The keys, in the order in which they are to be worked on.
    pub keys: Vec<PlannedKey>,
    /// What to do when an account has no key left.
    pub last: Vec<Step>,
}

/// A key and what is to be done with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlannedKey {
    /// Its place in the plan, from 1.
    pub number: u64,
    /// What kind of key it is: `incident`, `unused`, `root`, `people`, `aws-compute`, `ci`, `outside`, `exceptions`.
    pub group: &'static str,
    /// The same for people.
    pub group_title: &'static str,
    /// The key; none where only a credential report lists it, which holds no ids.
    pub access_key_id: Option<String>,
    /// Its column in the credential report, 1 or 2.
    pub key: Option<u8>,
    /// Its user.
    pub user_identity_user_name: Option<String>,
    /// Its account.
    pub account_id: Option<String>,
    /// Whether it may go: the verdict of `ready`.
    pub verdict: &'static str,
    /// When it is time, if it has to be waited for.
    pub not_before: Option<String>,
    /// Consumers that still use it.
    pub consumers_left: u64,
    /// The last use that the trail or IAM knows of.
    pub last_used: Option<String>,
    /// Reasons against removing it: the rules of `ready` that do not hold.
    pub why: Vec<String>,
    /// What could not be checked.
    pub not_checked: Vec<String>,
    /// What to do first.
    pub first: Vec<Step>,
    /// Who uses it, and what to do for each.
    pub consumers: Vec<PlannedConsumer>,
    /// What to do then.
    pub steps: Vec<Step>,
}

/// A consumer and how it gets away from the key.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlannedConsumer {
    /// Its id, as in `consumers`.
    pub consumer_id: String,
    /// What it is, in words.
    pub name: String,
    /// What kind of workload it is.
    pub workload: &'static str,
    /// How sure that is.
    pub confidence: &'static str,
    /// Why.
    pub evidence: Vec<String>,
    /// What to look at before anything else.
    pub warnings: Vec<String>,
    /// Whether it is still there: `in use`, `silent`, `gone`, `cut off`.
    pub state: &'static str,
    /// Where it calls from: networks, and addresses that are alone in theirs.
    pub networks: Vec<String>,
    /// Where it finds the key.
    pub credential_sources: Vec<String>,
    /// Who may know it.
    pub owner_hints: Vec<String>,
    /// Its calls.
    pub events: u64,
    /// Those with an error code.
    pub errors: u64,
    /// The first.
    pub first_seen: String,
    /// The last.
    pub last_seen: String,
    /// How regularly it calls.
    pub cadence: &'static str,
    /// The longest time without a call between two calls, in seconds.
    pub longest_gap_seconds: i64,
    /// Its activity per day (UTC), days without calls left out.
    pub days: Vec<Day>,
    /// What it should use instead of the key.
    pub move_to: &'static str,
    /// What that is.
    pub about: String,
    /// The role that is proposed for it; none where it does not get one of its own.
    pub role_name: Option<String>,
    /// The trust policy of that role; words in capitals are for a person to fill in.
    pub trust_policy: Option<Value>,
    /// What to do.
    pub steps: Vec<Step>,
}

/// Activity of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day (UTC).
    pub date: String,
    /// Calls.
    pub events: u64,
    /// Those with an error code.
    pub errors: u64,
}

/// Something for a person to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `do`, `check`, `wait`, or `back`: how to undo what was done before.
    pub kind: &'static str,
    /// What, in a few words.
    pub what: String,
    /// What there is to know about it.
    pub detail: String,
    /// Commands for a shell. Words in capitals are for a person to fill in.
    pub commands: Vec<String>,
}
