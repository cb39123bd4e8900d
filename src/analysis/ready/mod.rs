//! May a key be deactivated, or deleted?
//!
//! In: the consumers of keys, what the log shows of their state, and what IAM says of them if it was asked. Out: one
//! [`Readiness`] per key: a verdict, every rule with its value, and what was not checked. Promise: a rule is a row of a
//! table with a name; every threshold is an option; silence counts only where a call would have been seen, or where IAM says
//! that there was none.
//!
//! ```text
//! consumers, keys ─┐
//! what was logged ─┼─▶ key facts ─▶ rules ─▶ verdict ─▶ rows
//! marks, IAM ──────┘
//! ```

mod blind;
mod gather;
mod key_facts;
mod key_state;
mod marks;
mod rows;
mod rules;
mod signs;
mod silence;
mod unseen;
mod verdict;

use super::consumers::{Asked, ConsumerOptions, Consumers, KeyEvidence, RoleSessions, SESSIONS};
use super::credentials::{KEY_EVENTS, TrailKeys};
use super::logged::{self, Logged};
use super::{AnalysisError, begun_before};
use crate::cloudtrail::{AccessKeyId, AccountId, minute};
use crate::iam::Inventory;
use crate::report::Coverage;
use crate::session::{Params, Session};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join3;

pub(in crate::analysis) use blind::silence_seen;
pub(in crate::analysis) use key_state::{KeyState, KeyStateQuestions};
pub(in crate::analysis) use rules::narrowed;
pub use rules::{Decides, RULES, Rule, Said, names};
pub(in crate::analysis) use silence::due_after;
pub use silence::{Silence, State};
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
    pub silences: Vec<Silence>,
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
    /// What follows if it does not hold.
    pub decides: Decides,
    /// The figures.
    pub value: Said,
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
    /// What there is to say of intruders, before anything else.
    pub intruders: Vec<String>,
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
    let (trail_keys, evidence, logged) = try_join3(
        TrailKeys::read(session),
        KeyEvidence::read(session, keys, &options.consumers),
        Logged::read(session),
    )
    .await?;
    let latest = iam.and_then(Inventory::latest);
    let as_of = options.as_of.or(logged.end).or(latest);
    let marks = marks::Marks::read(session, as_of.unwrap_or_default()).await?;
    let signs = signs::signs(&evidence.attribution);
    let coverage = session.coverage().await?;
    if let Some(as_of) = options.as_of {
        begun_before(as_of, &coverage)?;
    }
    let mut gathered = gather::gather(&gather::Gathered {
        common: key_facts::Common {
            as_of: as_of.unwrap_or_default(),
            logged: &logged,
            marks: &marks,
            elsewhere: &evidence.elsewhere,
            coverage: &coverage,
            selection: session.selection(),
            other_accounts: session.other_accounts().await?,
            options,
        },
        keys,
        trail_keys: &trail_keys,
        consumers: &evidence.consumers,
        iam,
        signs: &signs,
    });
    if let Some(since) = gathered.silent_since() {
        let roles = RoleSessions::read(session, since).await?;
        gathered.look_for_replacements(&roles);
    }
    let mut judged: Vec<Readiness> = gathered.facts.iter().map(verdict::judge).collect();
    judged.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut notes = gathered.notes;
    notes.extend(as_of.map(|as_of| moment(as_of, &logged)));
    drop(gathered.facts);
    Ok(Ready {
        keys: judged,
        as_of,
        intruders: evidence.notes(),
        notes,
        coverage,
        consumers: evidence.consumers,
        asked: keys.to_vec(),
    })
}

/// Says all that is asked in the following, so that log files are read once for it.
async fn foresee(session: &Session, keys: &[AccessKeyId]) -> Result<(), AnalysisError> {
    let (none, asked) = (Params::new(), Asked::new(keys));
    let (marks, since) = (marks::Marks::params(None), RoleSessions::params(None));
    let mut questions = asked.questions();
    questions.extend([
        (KEY_EVENTS, &none),
        (logged::DAYS, &none),
        (logged::SELECTORS, &none),
        (marks::MARKS, &marks),
        (marks::ON_BEHALF, &none),
        (marks::ROLE_SESSIONS, &none),
        (SESSIONS, &since),
    ]);
    Ok(session.foresee(&questions).await?)
}

/// The moment of the verdicts, in words.
fn moment(as_of: DateTime<Utc>, logged: &Logged) -> String {
    let text = |time: DateTime<Utc>| format!("{} UTC", minute(time));
    let ahead = logged.dated_ahead.map_or_else(String::new, |ahead| {
        format!(
            "; an event dated {} is later than its log file and is ignored",
            text(ahead)
        )
    });
    match logged.end {
        Some(end) if end == as_of => format!("as of the end of the logs, {}{ahead}", text(as_of)),
        Some(end) => format!("as of {}; the logs end {}{ahead}", text(as_of), text(end)),
        None => format!("as of {}; the logs have no events", text(as_of)),
    }
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
