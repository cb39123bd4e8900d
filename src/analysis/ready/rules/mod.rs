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
    pub(super) value: Said,
    pub(super) holds: Option<bool>,
    pub(super) not_before: Option<DateTime<Utc>>,
}

/// The figures of a rule: in short, and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The figures.
    pub whole: String,
    /// How much of them says it in short.
    brief: usize,
}

impl Said {
    /// Figures that say it in short, and what is to be known besides.
    fn new(brief: &str, more: &str) -> Self {
        Self {
            whole: format!("{brief}{more}"),
            brief: brief.len(),
        }
    }

    /// Uses of a key, or what ties it to others: the first says it in short, without its event.
    fn evidence(of: &[String]) -> Self {
        let first = of.first().map_or("", String::as_str);
        Self {
            whole: of.join("; "),
            brief: first.find(" (event ").unwrap_or(first.len()),
        }
    }

    /// In short.
    pub fn brief(&self) -> &str {
        self.whole.get(..self.brief).unwrap_or(&self.whole)
    }
}

impl<T: Into<String>> From<T> for Said {
    fn from(text: T) -> Self {
        Self::new(&text.into(), "")
    }
}

fn holds(value: impl Into<Said>) -> Option<Found> {
    found(value, Some(true))
}

fn broken(value: impl Into<Said>) -> Option<Found> {
    found(value, Some(false))
}

fn open(value: impl Into<Said>) -> Option<Found> {
    found(value, None)
}

fn found(value: impl Into<Said>, holds: Option<bool>) -> Option<Found> {
    Some(Found {
        value: value.into(),
        holds,
        not_before: None,
    })
}

fn until(value: impl Into<Said>, time: DateTime<Utc>) -> Option<Found> {
    Some(Found {
        value: value.into(),
        holds: Some(false),
        not_before: Some(time),
    })
}

macro_rules! rules {
    ($($id:ident $name:literal $decides:ident $ask:path: $asks:literal;)*) => {
        /// The names of the rules.
        pub mod names {
            $(#[doc = $asks] pub const $id: &str = $name;)*
        }

        /// Every rule, in the order in which they are shown.
        pub const RULES: &[Rule] = &[
            $(Rule { name: $name, asks: $asks, decides: Decides::$decides, ask: $ask },)*
        ];
    };
}

rules! {
    NOT_QUARANTINED "not-quarantined" Incident signs::not_quarantined: "AWS has not attached AWSCompromisedKeyQuarantine to the user, and no call was denied by it";
    NO_ATTACK_TOOL "no-attack-tool" Incident signs::no_attack_tool: "no consumer is an attack tool or runs on a penetration-testing system";
    NO_STRANGER "no-stranger" Incident signs::no_stranger: "no use of the key, or of a session that it opened, looks like an intruder's: see docs/trace.md for the signs";
    NOT_FROM_INTRUDER "not-from-intruder" Incident signs::not_from_intruder: "the key was not created by an intruder, and not used from an address where an intruder used another key at the time or in the week before";
    CONSUMERS_SILENT "consumers-silent" Migrate usage::consumers_silent: "no consumer still calls, judged by its own usual gaps";
    NO_UNSEEN_USE "no-unseen-use" Migrate usage::no_unseen_use: "no sign of unlogged use: none in IAM's data, none by AWS services, none in the logs of other accounts";
    NO_CALL_SINCE_INACTIVE "no-call-since-inactive" Migrate usage::no_call_since_inactive: "no call since the key was deactivated";
    SILENT_LONG_ENOUGH "silent-long-enough" Wait usage::silent_long_enough: "every consumer has been silent for twice its longest gap and at least two weeks (a person 30 days); one without a regular pattern, for the whole window";
    WHOLE_LOG "whole-log" Wait log::whole_log: "the logs read were not limited to some regions, other accounts, or an earlier time";
    WINDOW_COVERED "window-covered" Wait log::window_covered: "the logs cover the whole window, or IAM shows no use in it";
    NO_HOLES "no-holes" Wait log::no_gaps: "no day of the window lacks logs in any account, region and kind of event that the key used, and the account's log has calls that read";
    LOG_IS_CURRENT "log-is-current" Wait log::is_current: "the logs of each account and region that the key used reach the moment of the verdict";
    LOG_FILES_READ "log-files-read" Wait log::files_read: "every log file and record of the key's account in the window could be read";
    IAM_ASKED "iam-asked" Wait usage::iam_asked: "IAM shows no use of a key that has no logged calls";
    DATA_EVENTS "data-events" Wait log::data_events: "data events (objects, items, messages, functions) are logged for S3, with reads, and for the services that the consumers called, or IAM shows no such use";
    SESSIONS_OVER "sessions-over" Wait state::sessions_over: "no session that the key opened can still be valid";
    PRESIGNED_URLS_OVER "presigned-urls-over" Wait state::presigned_urls_over: "no presigned URL of the key was used within the longest lifetime of such URLs";
    NOT_NEW "not-new" Wait state::not_new: "a key that was never used is old enough";
    NO_SUSPICIOUS_USE "no-suspicious-use" Wait signs::no_suspicious_use: "no use of the key or of its sessions is suspicious; suspicious use delays deletion, not deactivation";
    INACTIVE_LONG_ENOUGH "inactive-long-enough" Wait state::inactive_long_enough: "the key has been inactive for two weeks, and for its slowest consumer's longest gap; a consumer seen on fewer than seven days, without a regular pattern, has been silent for the whole window";
    NOT_DELETED "not-deleted" Nothing state::not_deleted: "the key signed no call after it was deleted";
    CALLS_SUCCEED "calls-succeed" Nothing usage::calls_succeed: "some of the consumers' calls succeed";
    CONSUMERS_KNOWN "consumers-known" Nothing usage::consumers_known: "the kind of every consumer is known";
    CONSUMERS_REPLACED "consumers-replaced" Nothing usage::consumers_replaced: "every silent consumer has since been seen with a role";
    ONE_KEY_PER_USER "one-key-per-user" Nothing state::one_key_per_user: "the user has no other active key";
    NOT_ROOT "not-root" Nothing state::not_root: "the key does not belong to root, which needs none";
}

/// A span, for people.
pub(super) fn span(span: TimeDelta) -> String {
    match span.num_hours() {
        0 => format!("{} min", span.num_minutes()),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} d", hours / 24),
    }
}
