//! What a compromised key did.
//!
//! In: what the analysis `trace` found. Out: a [`Trace`], plain data from which JSON, the terminal, Markdown, timelines for
//! other tools and the page to hand over are made. Promise: every claim names the events it rests on; times are RFC 3339
//! in UTC, so that they sort as text; nothing is escaped here.

mod brief;
mod lists;
mod words;

pub(crate) use brief::ASKED;
pub use brief::{Brief, Fact, Part};
pub use lists::{
    Created, DataAccess, Denied, NotFollowed, Pivot, Secret, Step, TraceFinding, Unseen,
};

pub use words::{Asked, BlindSpot, Change, CredentialKind, Relation, Rule, State, UsedBy};

use super::Coverage;
use crate::json::Value;
use serde::{Serialize, Serializer};

/// Everything that one start point and what came out of it did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trace {
    /// `trace`, as in every other report.
    pub report: String,
    /// One line for people.
    pub title: String,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// Remarks a reader must not miss, one sentence each.
    pub notes: Vec<String>,
    /// The story in short, and the answers to a responder's questions.
    pub summary: Summary,
    /// Every credential of the tree, parents before children, as a walk of the tree: `depth` alone draws it.
    pub credentials: Vec<Credential>,
    /// Every event by the tree, and what others did to it, in order.
    pub timeline: Vec<TimelineEvent>,
    /// Events that fit a known technique.
    pub findings: Vec<TraceFinding>,
    /// Everything that was created or changed, and how to undo it.
    pub created: Vec<Created>,
    /// Secrets and data that were read, written or shared.
    pub data_access: Vec<DataAccess>,
    /// What was tried and refused: it shows the intention.
    pub denied: Vec<Denied>,
    /// Other credentials and principals seen from the intruder's addresses.
    pub pivot: Vec<Pivot>,
    /// What to do now, in order. A person runs these commands.
    pub containment: Vec<Step>,
    /// Secrets that have to be replaced.
    pub rotate: Vec<Secret>,
    /// What the owner's programs made or changed, which was not followed.
    pub not_followed: Vec<NotFollowed>,
    /// What the logs cannot tell.
    pub unseen: Vec<Unseen>,
}

impl Trace {
    /// Events that claims rest on, and then the rest of the timeline, up to this many; each once.
    pub fn events_by_weight(&self, most: usize) -> Vec<&str> {
        let summary = &self.summary;
        let first = summary.first_suspicious_use.iter().map(|of| &of.event_id);
        let answers = summary.answers.iter().flat_map(|of| &of.event_ids);
        let births = self
            .credentials
            .iter()
            .filter_map(|of| of.issued_by_event_id.as_ref());
        let made = self
            .created
            .iter()
            .flat_map(|of| std::iter::once(&of.event_id).chain(of.removed_by_event_id.as_ref()));
        let claims = first
            .chain(answers)
            .chain(made)
            .chain(self.rotate.iter().map(|of| &of.event_id))
            .chain(births)
            .chain(self.denied.iter().map(|of| &of.event_id))
            .chain(self.findings.iter().flat_map(|of| &of.event_ids));
        let others = self.timeline.iter();
        // What is not the owner's is of more interest.
        let others = others
            .clone()
            .filter(|event| event.origin != Origin::Owner)
            .chain(others.filter(|event| event.origin == Origin::Owner));
        let mut known = std::collections::HashSet::new();
        claims
            .chain(others.map(|event| &event.event_id))
            .map(String::as_str)
            .filter(|id| !id.is_empty() && known.insert(*id))
            .take(most)
            .collect()
    }
}

/// The story in short.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// What was asked for, as typed.
    pub start: String,
    /// Whether what followed was traced, or where it came from: `down` or `up`.
    pub direction: &'static str,
    /// The moment that counts as now.
    pub as_of: String,
    /// Accounts in whose logs the tree appears.
    pub accounts: Vec<String>,
    /// Regions that were called.
    pub regions: Vec<String>,
    /// Credentials of the tree.
    pub credentials: u64,
    /// Events by the tree.
    pub events: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Time of the first event.
    pub first_event: Option<String>,
    /// Time of the last event.
    pub last_event: Option<String>,
    /// The first use that does not look like the owner's.
    pub first_suspicious_use: Option<FirstUse>,
    /// Where the start point was used from, with a verdict on each.
    pub sources: Vec<UseSource>,
    /// The answers to a responder's questions.
    pub answers: Vec<Answer>,
}

/// The first use that does not look like the owner's.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FirstUse {
    /// The event.
    pub event_id: String,
    /// When.
    pub event_time: String,
    /// From where.
    pub source_ip_address: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// The call.
    pub event_name: String,
    /// The verdict: intruder or suspicious.
    pub origin: Origin,
    /// Why, one reason each.
    pub why: Vec<String>,
}

/// Who is behind a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody who should not have the credential.
    Intruder,
    /// It looks like an intruder, but not enough speaks for it.
    Suspicious,
    /// Nothing tells.
    #[default]
    Unknown,
    /// The owner, or the owner's programs.
    Owner,
}

impl Origin {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Intruder => "intruder",
            Origin::Suspicious => "suspicious",
            Origin::Unknown => "unknown",
            Origin::Owner => "owner",
        }
    }
}

/// An address from which the start point was used by a program.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UseSource {
    /// The address.
    pub source_ip_address: String,
    /// The program, as people call it.
    pub program: String,
    /// The verdict.
    pub origin: Origin,
    /// Why.
    pub why: String,
    /// Events from there by the start point with that program.
    pub events: u64,
    /// Time of the first.
    pub first_seen: String,
    /// Time of the last.
    pub last_seen: String,
    /// The program's user agents.
    pub user_agents: Vec<String>,
}

/// The answer to one question.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Answer {
    /// The question.
    pub question: Asked,
    /// The answer, in a sentence or two.
    pub answer: String,
    /// Events it rests on; the sections have all of them.
    pub event_ids: Vec<String>,
}

/// How sure a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One record names both ends.
    #[default]
    Exact,
    /// The session is the same by principal and time, or runs in something that was made for it.
    Session,
    /// Only the principal is the same.
    Principal,
}

impl Confidence {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Exact => "exact",
            Confidence::Session => "session",
            Confidence::Principal => "principal",
        }
    }
}

/// A credential of the tree: a key with the principal it spoke for, or a session without a key.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Credential {
    /// The key; null for a console session that shows none.
    pub access_key_id: Option<String>,
    /// `long-term`, `temporary`, or `console`.
    pub kind: CredentialKind,
    /// Whom it spoke for.
    pub principal_arn: Option<String>,
    /// The account of that principal.
    pub account_id: Option<String>,
    /// The name of the role session.
    pub session_name: Option<String>,
    /// The key that it came from; null at the start, and where only the principal is known.
    pub parent_access_key_id: Option<String>,
    /// Whom that key spoke for, or the service that made the session.
    pub parent_principal_arn: Option<String>,
    /// The event that made it, or that made what it runs in.
    pub issued_by_event_id: Option<String>,
    /// The name of that event.
    pub issued_by_event_name: Option<String>,
    /// When.
    pub issued_at: Option<String>,
    /// Until when it is valid, as far as the logs tell.
    pub expires_at: Option<String>,
    /// Whether it can still be used at `as_of`: `true`, `false`, or null where the logs do not tell.
    pub live: Option<bool>,
    /// The rule that links it: `J1` to `J10`, `start`, or what kind of session of the same principal it is.
    pub rule: Rule,
    /// How sure that link is.
    pub confidence: Confidence,
    /// How sure the weakest link on the way from the start is.
    pub path_confidence: Confidence,
    /// Links from the start.
    pub depth: u32,
    /// Time of its first event.
    pub first_seen: Option<String>,
    /// Time of its last event.
    pub last_seen: Option<String>,
    /// Events by it.
    pub events: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Those of them that are the intruder's.
    pub intruder_events: u64,
    /// Who is behind it; the intruder, if any use of it is the intruder's.
    pub origin: Origin,
    /// Who used it: as `origin`, or `both`, if the intruder and others did.
    pub used_by: UsedBy,
    /// Addresses it was used from.
    pub source_ip_addresses: Vec<String>,
    /// AWS services that called on its behalf.
    pub via_services: Vec<String>,
}

/// An event of the timeline.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TimelineEvent {
    /// The event.
    pub event_id: String,
    /// When.
    pub event_time: String,
    /// `by` the tree, or `about` it: what others did to it.
    pub relation: Relation,
    /// The credential, as a position in `credentials`; null for events about the tree.
    pub credential: Option<u32>,
    /// The key.
    pub access_key_id: Option<String>,
    /// The principal.
    pub user_identity_arn: Option<String>,
    /// The service.
    pub event_source: Option<String>,
    /// The call.
    pub event_name: String,
    /// The call's object, in short.
    pub target: Option<String>,
    /// The region.
    pub aws_region: Option<String>,
    /// The account in whose log it is.
    pub account_id: Option<String>,
    /// From where.
    pub source_ip_address: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The failure in words.
    pub error_message: Option<String>,
    /// Whether the call changes nothing.
    pub read_only: Option<bool>,
    /// The AWS service that called on the credential's behalf.
    pub via_service: Option<String>,
    /// The category, e.g. `Data`.
    pub event_category: Option<String>,
    /// Bytes that S3 sent, where the log has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<i64>,
    /// Who is behind it.
    pub origin: Origin,
    /// How sure it is that it belongs to the tree.
    pub confidence: Confidence,
    /// The most severe technique that it fits.
    pub finding: Option<String>,
    /// The severity of that.
    pub severity: Option<String>,
    /// The parameters as JSON text, without session tokens.
    #[serde(serialize_with = "json")]
    pub request_parameters: Option<String>,
    /// The answer as JSON text, without session tokens.
    #[serde(serialize_with = "json")]
    pub response_elements: Option<String>,
    /// The log file it was read from.
    pub log_file: Option<String>,
    /// Its position there.
    pub log_file_record: Option<i64>,
}

/// Text that is JSON as what it is.
fn json<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        None => serializer.serialize_none(),
        Some(text) => match Value::parse(text) {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str(text),
        },
    }
}
