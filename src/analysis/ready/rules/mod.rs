//! The rules.
//!
//! In: the facts of a key. Out: for each rule that applies, its figures and whether it holds. Promise: [`RULES`] is the
//! whole truth: what decides, in which order, and in words; `docs/ready.md` has the same table (a test compares).

mod log;
mod signs;
mod state;
mod usage;

pub(in crate::analysis) use log::narrowed;

use super::key_facts::KeyFacts;
use chrono::{DateTime, TimeDelta, Utc};

/// What follows if a rule does not hold; the first that is broken decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decides {
    /// `incident`.
    Incident,
    /// `migrate first`.
    Migrate,
    /// `wait until`.
    Wait,
    /// Nothing: it is said.
    Nothing,
}

impl Decides {
    /// As the documentation writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Decides::Incident => "incident",
            Decides::Migrate => "migrate first",
            Decides::Wait => "wait until",
            Decides::Nothing => "–",
        }
    }
}

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, stable.
    pub name: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// What follows if it does not hold.
    pub decides: Decides,
    /// What it finds; none where it does not apply.
    pub(super) ask: fn(&KeyFacts<'_>) -> Option<Found>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a rule found.
pub(super) struct Found {
    pub(super) value: String,
    pub(super) holds: Option<bool>,
    pub(super) not_before: Option<DateTime<Utc>>,
}

fn holds(value: impl Into<String>) -> Option<Found> {
    found(value, Some(true))
}

fn broken(value: impl Into<String>) -> Option<Found> {
    found(value, Some(false))
}

fn open(value: impl Into<String>) -> Option<Found> {
    found(value, None)
}

fn found(value: impl Into<String>, holds: Option<bool>) -> Option<Found> {
    Some(Found {
        value: value.into(),
        holds,
        not_before: None,
    })
}

fn until(value: impl Into<String>, time: DateTime<Utc>) -> Option<Found> {
    Some(Found {
        value: value.into(),
        holds: Some(false),
        not_before: Some(time),
    })
}

macro_rules! rules {
    ($($name:literal $decides:ident $ask:path: $asks:literal;)*) => {
        /// Every rule, in the order in which they are shown.
        pub const RULES: &[Rule] = &[
            $(Rule { name: $name, asks: $asks, decides: Decides::$decides, ask: $ask },)*
        ];
    };
}

rules! {
    "not-quarantined" Incident signs::not_quarantined: "AWS has not attached AWSCompromisedKeyQuarantine to the user, and no call was denied by it";
    "no-attack-tool" Incident signs::no_attack_tool: "no consumer is an attack tool or runs on a penetration-testing system";
    "no-stranger" Incident signs::no_stranger: "no use of the key, or of a session that it opened, looks like an intruder's: see docs/trace.md for the signs";
    "not-from-intruder" Incident signs::not_from_intruder: "the key was not created by an intruder, and not used from an address where an intruder used another key at the time or in the week before";
    "consumers-silent" Migrate usage::consumers_silent: "no consumer still calls, judged by its own usual gaps";
    "no-unseen-use" Migrate usage::no_unseen_use: "no sign of unlogged use: none in IAM's data, none by AWS services, none in the logs of other accounts";
    "no-call-since-inactive" Migrate usage::no_call_since_inactive: "no call since the key was deactivated";
    "silent-long-enough" Wait usage::silent_long_enough: "every consumer has been silent for twice its longest gap and at least two weeks (a person 30 days); one without a regular pattern, for the whole window";
    "whole-log" Wait log::whole_log: "the logs read were not limited to some regions, other accounts, or an earlier time";
    "window-covered" Wait log::window_covered: "the logs cover the whole window, or IAM shows no use in it";
    "no-holes" Wait log::no_gaps: "no day of the window lacks logs in any account, region and kind of event that the key used, and the account's log has calls that read";
    "log-is-current" Wait log::is_current: "the logs of each account and region that the key used reach the moment of the verdict";
    "log-files-read" Wait log::files_read: "every log file and record of the key's account in the window could be read";
    "iam-asked" Wait usage::iam_asked: "IAM shows no use of a key that has no logged calls";
    "data-events" Wait log::data_events: "data events (objects, items, messages, functions) are logged for S3, with reads, and for the services that the consumers called, or IAM shows no such use";
    "sessions-over" Wait state::sessions_over: "no session that the key opened can still be valid";
    "presigned-urls-over" Wait state::presigned_urls_over: "no presigned URL of the key was used within the longest lifetime of such URLs";
    "not-new" Wait state::not_new: "a key that was never used is old enough";
    "no-suspicious-use" Wait signs::no_suspicious_use: "no use of the key or of its sessions is suspicious; suspicious use delays deletion, not deactivation";
    "inactive-long-enough" Wait state::inactive_long_enough: "the key has been inactive for two weeks, and for its slowest consumer's longest gap; a consumer seen on fewer than seven days, without a regular pattern, has been silent for the whole window";
    "not-deleted" Nothing state::not_deleted: "the key signed no call after it was deleted";
    "calls-succeed" Nothing usage::calls_succeed: "some of the consumers' calls succeed";
    "consumers-known" Nothing usage::consumers_known: "the kind of every consumer is known";
    "consumers-replaced" Nothing usage::consumers_replaced: "every silent consumer has since been seen with a role";
    "one-key-per-user" Nothing state::one_key_per_user: "the user has no other active key";
    "not-root" Nothing state::not_root: "the key does not belong to root, which needs none";
}

/// A time, for people.
pub(super) fn at(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// A span, for people.
pub(super) fn span(span: TimeDelta) -> String {
    match span.num_hours() {
        0 => format!("{} min", span.num_minutes()),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} d", hours / 24),
    }
}
