//! What may hide that a key is used, for a comparison of two times.
//!
//! In: the log and the consumers of keys. Out: a [`KeyState`] per key: whether it is inactive, and what must have been opened with it.
//! Promise: the same facts as for a verdict, without IAM's word.

use super::gather::{Gathered, gather};
use super::key_facts::Common;
use super::marks::{MARKS, Marks, ON_BEHALF, ROLE_SESSIONS};
use super::signs::Signs;
use super::{ReadyOptions, Silence};
use crate::analysis::AnalysisError;
use crate::analysis::consumers::KeyEvidence;
use crate::analysis::credentials::{KEY_EVENTS, TrailKeys};
use crate::analysis::logged::Logged;
use crate::cloudtrail::minute;
use crate::session::{Params, Session};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What is asked for the states of keys.
pub(in crate::analysis) struct KeyStateQuestions {
    none: Params,
    marks: Params,
}

impl KeyStateQuestions {
    pub(in crate::analysis) fn new() -> Self {
        Self {
            none: Params::new(),
            marks: Marks::params(None),
        }
    }

    pub(in crate::analysis) fn all(&self) -> [(&'static str, &Params); 4] {
        [
            (KEY_EVENTS, &self.none),
            (MARKS, &self.marks),
            (ON_BEHALF, &self.none),
            (ROLE_SESSIONS, &self.none),
        ]
    }
}

/// What may hide that a key is used.
#[derive(Debug, Default)]
pub(in crate::analysis) struct KeyState {
    /// Since when it is inactive, if the log shows it.
    inactive_since: Option<DateTime<Utc>>,
    /// Sessions and calls that only a key of the user can be behind.
    goes_on: Vec<Silence>,
}

impl KeyState {
    /// The states of all keys of the log, at its end.
    pub(in crate::analysis) async fn read(
        session: &Session,
        evidence: &KeyEvidence,
        logged: &Logged,
        options: &ReadyOptions,
    ) -> Result<BTreeMap<String, Self>, AnalysisError> {
        let as_of = logged.end.unwrap_or_default();
        let trail_keys = TrailKeys::read(session).await?;
        let marks = Marks::read(session, as_of).await?;
        let coverage = session.coverage().await?;
        let signs = Signs::new();
        let found = gather(&Gathered {
            common: Common {
                as_of,
                logged,
                marks: &marks,
                elsewhere: &evidence.elsewhere,
                coverage: &coverage,
                selection: session.selection(),
                other_accounts: None,
                options,
            },
            keys: &[],
            trail_keys: &trail_keys,
            consumers: &evidence.consumers,
            iam: None,
            signs: &signs,
        });
        let states = found.facts.iter().filter_map(|facts| {
            let state = KeyState {
                inactive_since: facts.inactive_since(),
                goes_on: facts.sessions_go_on(),
            };
            Some((facts.id.as_ref()?.to_string(), state))
        });
        Ok(states.collect())
    }

    /// Why a consumer that was due at a moment may go on unseen since a day; none if nothing says so.
    pub(in crate::analysis) fn hides(
        &self,
        due: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Option<String> {
        if let Some(off) = self.inactive_since.filter(|off| *off < due) {
            return Some(format!(
                "the key is inactive since {}, and calls with it leave no event: ask its owners",
                minute(off)
            ));
        }
        let last = self.goes_on.iter().max_by_key(|of| of.last_seen)?;
        (last.last_seen >= since).then(|| {
            format!(
                "{} (last {}): find out who opens them, or get IAM's last-used date",
                last.name,
                minute(last.last_seen)
            )
        })
    }
}
