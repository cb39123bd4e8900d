//! May a key be deactivated, or deleted?
//!
//! In: the consumers of keys, what the trail shows of their state, and what IAM says of them if it was asked. Out: one
//! [`Readiness`] per key: a verdict, every rule with its value, and what was not checked. Promise: a rule is a row of a
//! table with a name; every threshold is an option; silence counts only where there is a log, or IAM's word.
//!
//! ```text
//! consumers ─┐
//! trail keys ┼─▶ facts ─▶ rules ─▶ verdict ─▶ rows
//! marks, days┤
//! IAM ───────┘
//! ```

mod facts;
mod gather;
mod rows;
mod rules;
mod signs;
mod silence;
mod trail;
mod verdict;

use super::AnalysisError;
use super::attribution;
use super::consumers::{
    CONTEXT, ConsumerOptions, Consumers, RoleSessions, SESSIONS, USES, bounds, consumers,
};
use super::credentials::{KEY_EVENTS, TrailKeys};
use crate::cloudtrail::{AccessKeyId, AccountId};
use crate::iam::Inventory;
use crate::report::Coverage;
use crate::session::{Params, Session};
use chrono::{DateTime, TimeDelta, Utc};

pub use rules::{Decides, RULES, Rule};
pub use silence::{State, Use};
pub use verdict::Verdict;

/// From when on a key is ready.
#[derive(Debug, Clone)]
pub struct ReadyOptions {
    /// The moment of the verdict; the trail's last event if none.
    pub as_of: Option<DateTime<Utc>>,
    /// How long the log must reach back, without a hole.
    pub window: TimeDelta,
    /// How long a consumer must be silent at least.
    pub quiet: TimeDelta,
    /// How many of its longest gaps a consumer must be silent for.
    pub gaps: i32,
    /// A key that was not used for longer is unused; a younger one is new.
    pub unused_after: TimeDelta,
    /// How long a key must be inactive before it is deleted.
    pub delete_after: TimeDelta,
    /// How many days without a log the window may have.
    pub most_holes: u64,
    /// How consumers are found.
    pub consumers: ConsumerOptions,
}

impl ReadyOptions {
    /// The thresholds of `docs/ready.md`.
    pub fn new(consumers: ConsumerOptions) -> Self {
        Self {
            as_of: None,
            window: TimeDelta::days(90),
            quiet: TimeDelta::days(14),
            gaps: 2,
            unused_after: TimeDelta::days(90),
            delete_after: TimeDelta::days(14),
            most_holes: 0,
            consumers,
        }
    }
}

/// Whether a key is ready to be deactivated or deleted, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    /// The key; none where only a credential report lists it, which holds no ids.
    pub access_key_id: Option<AccessKeyId>,
    /// Its account.
    pub account_id: Option<AccountId>,
    /// Its user; `<root_account>` for root.
    pub user_name: Option<String>,
    /// Its column in the credential report, 1 or 2.
    pub slot: Option<u8>,
    /// The verdict.
    pub verdict: Verdict,
    /// When it is time, for [`Verdict::WaitUntil`].
    pub not_before: Option<DateTime<Utc>>,
    /// Consumers that still use the key; use that nobody can see counts as one.
    pub consumers_left: u64,
    /// Every rule that applies to the key, in the order of [`RULES`].
    pub rules: Vec<Checked>,
    /// What was not checked, and how it could be.
    pub not_checked: Vec<String>,
    /// Each consumer and its silence.
    pub uses: Vec<Use>,
    /// The last use that the trail or IAM knows of.
    pub last_used: Option<DateTime<Utc>>,
    /// Whether the key works, as far as is known.
    pub active: bool,
}

/// A rule, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name: see [`RULES`].
    pub rule: &'static str,
    /// The figures.
    pub value: String,
    /// Whether it holds; none if that could not be told.
    pub holds: Option<bool>,
    /// When it will hold, if time alone will do it.
    pub not_before: Option<DateTime<Utc>>,
}

/// What was found of all keys.
#[derive(Debug, Clone, Default)]
pub struct Ready {
    /// In the order of what is to be done: see [`Verdict`]; then by user and key.
    pub keys: Vec<Readiness>,
    /// The moment of the verdicts; none if there is no event.
    pub as_of: Option<DateTime<Utc>>,
    /// Remarks on the whole.
    pub notes: Vec<String>,
    /// What the verdicts rest on.
    pub coverage: Coverage,
    /// The consumers that the verdicts rest on.
    pub consumers: Consumers,
    /// The keys that were asked for; every key if none.
    asked: Vec<AccessKeyId>,
}

/// Judges these keys; every long-term key of the trail and of IAM if none is named.
pub async fn ready(
    session: &Session,
    keys: &[AccessKeyId],
    iam: Option<&Inventory>,
    options: &ReadyOptions,
) -> Result<Ready, AnalysisError> {
    foresee(session, keys).await?;
    let trail_keys = TrailKeys::read(session).await?;
    let found = consumers(session, keys, &options.consumers).await?;
    let latest = iam.and_then(Inventory::latest);
    let last_event = trail_keys.span.map(|(_, last)| last);
    let as_of = options.as_of.or(last_event).or(latest);
    let trail = trail::Trail::read(session, as_of.unwrap_or_default()).await?;
    let signs = signs::read(session).await?;
    let mut gathered = gather::gather(&gather::Gathered {
        keys,
        trail_keys: &trail_keys,
        consumers: &found,
        iam,
        trail: &trail,
        signs: &signs,
        options,
    });
    if let Some(since) = gathered.silent_since() {
        let roles = RoleSessions::read(session, since).await?;
        gathered.look_for_replacements(&roles);
    }
    let mut judged: Vec<Readiness> = gathered.facts.iter().map(verdict::judge).collect();
    judged.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut notes = gathered.notes;
    notes.extend(as_of.map(|as_of| trail.note(as_of, last_event)));
    Ok(Ready {
        keys: judged,
        as_of,
        notes,
        coverage: trail.coverage,
        consumers: found,
        asked: keys.to_vec(),
    })
}

/// Says all that is asked in the following, so that log files are read once for it.
async fn foresee(session: &Session, keys: &[AccessKeyId]) -> Result<(), AnalysisError> {
    let (none, bounds) = (Params::new(), bounds(keys));
    let makers = attribution::params(None);
    let (marks, since) = (trail::Trail::params(None), RoleSessions::params(None));
    let questions = [
        (KEY_EVENTS, &none),
        (CONTEXT, &none),
        (USES, &bounds),
        (trail::DAYS, &none),
        (trail::MARKS, &marks),
        (attribution::USES, &makers),
        (attribution::ISSUED, &none),
        (attribution::SIGN_INS, &none),
        (SESSIONS, &since),
    ];
    Ok(session.foresee(&questions).await?)
}

type Order<'a> = (
    Verdict,
    Option<DateTime<Utc>>,
    Option<AccountId>,
    Option<&'a str>,
    Option<&'a AccessKeyId>,
    Option<u8>,
);

fn order(key: &Readiness) -> Order<'_> {
    (
        key.verdict,
        key.not_before,
        key.account_id,
        key.user_name.as_deref(),
        key.access_key_id.as_ref(),
        key.slot,
    )
}
