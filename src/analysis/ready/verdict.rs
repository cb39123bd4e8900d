//! What the rules come to.
//!
//! In: the facts of a key. Out: its [`Readiness`]. Promise: the first kind of rule that does not hold decides, in the order
//! of [`Decides`]; what is not known decides against letting a key go, and the rule names what would settle it.

use super::key_facts::{Iam, KeyFacts};
use super::rules::{Decides, RULES};
use super::silence::State;
use super::{Checked, Readiness};
use chrono::{DateTime, Utc};
use std::fmt;

/// What to do with a key; in the order in which keys are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Somebody else seems to have it.
    Incident,
    /// Nobody uses it: it can be deactivated.
    Unused,
    /// Its consumers are gone: it can be deactivated.
    Deactivate,
    /// It has been inactive for long enough: it can be deleted.
    Delete,
    /// Consumers are left.
    MigrateFirst,
    /// Nobody seems to be left, but it is too early to say so.
    WaitUntil,
}

impl Verdict {
    /// Every verdict, in order.
    pub const ALL: [Verdict; 6] = [
        Verdict::Incident,
        Verdict::Unused,
        Verdict::Deactivate,
        Verdict::Delete,
        Verdict::MigrateFirst,
        Verdict::WaitUntil,
    ];

    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Incident => "incident",
            Verdict::Unused => "unused",
            Verdict::Deactivate => "deactivate",
            Verdict::Delete => "delete",
            Verdict::MigrateFirst => "migrate first",
            Verdict::WaitUntil => "wait until",
        }
    }

    /// What to do.
    pub fn action(self) -> &'static str {
        match self {
            Verdict::Incident => {
                "treat it as stolen: deactivate it, do not delete it, and run keytrail trace to see what it did"
            }
            Verdict::Unused => "deactivate it now, delete it after the waiting period",
            Verdict::Deactivate => {
                "deactivate it; it can be activated again if a consumer was missed"
            }
            Verdict::Delete => "delete it; this cannot be undone",
            Verdict::MigrateFirst => {
                "move its consumers: keytrail consumers names them and what each should use"
            }
            Verdict::WaitUntil => {
                "run this again on that day with newer log files, or resolve what the rule names"
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Judges a key.
pub(super) fn judge(facts: &KeyFacts<'_>) -> Readiness {
    let mut broken: Vec<(Decides, Option<DateTime<Utc>>)> = Vec::new();
    let mut rules = Vec::new();
    let mut not_checked = Vec::new();
    for rule in RULES {
        let Some(found) = (rule.ask)(facts) else {
            continue;
        };
        match found.holds {
            Some(false) => broken.push((rule.decides, found.not_before)),
            Some(true) => {}
            None => not_checked.push(format!("{}: {}", rule.name, found.value.whole)),
        }
        rules.push(Checked {
            rule: rule.name,
            decides: rule.decides,
            value: found.value,
            holds: found.holds,
            not_before: found.not_before.filter(|_| found.holds == Some(false)),
        });
    }
    not_checked.extend(never_checked(facts));
    let decided = |by: Decides| broken.iter().any(|(decides, _)| *decides == by);
    let verdict = if decided(Decides::Incident) {
        Verdict::Incident
    } else if decided(Decides::Migrate) {
        Verdict::MigrateFirst
    } else if decided(Decides::Wait) {
        Verdict::WaitUntil
    } else if !facts.active() {
        Verdict::Delete
    } else if facts.consumers.is_empty() {
        Verdict::Unused
    } else {
        Verdict::Deactivate
    };
    let waits = broken
        .iter()
        .filter(|(decides, _)| *decides == Decides::Wait);
    let until = waits.filter_map(|(_, until)| *until).max();
    let left = facts
        .silences
        .iter()
        .filter(|silence| silence.state == State::InUse);
    Readiness {
        access_key_id: facts.id.clone(),
        account_id: facts.account,
        user_name: facts.user_name.clone(),
        slot: facts.key().and_then(|key| key.slot),
        verdict,
        not_before: until.filter(|_| verdict == Verdict::WaitUntil),
        consumers_left: left.count() as u64,
        rules,
        not_checked,
        silences: facts.silences.clone(),
        last_used: facts.last_used(),
        active: facts.active(),
    }
}

/// What no rule can tell from logs.
fn never_checked(facts: &KeyFacts<'_>) -> Vec<String> {
    let mut open = Vec::new();
    if !facts.active() {
        open.push(
            "denied calls: calls with an inactive key leave no event; ask its owners, and look for InvalidAccessKeyId in S3's access logs"
                .to_owned(),
        );
    }
    let account = facts.account.map(|account| account.to_string());
    let regions = account.map(|account| facts.common.logged.regions(&account));
    let regions = regions.unwrap_or_default();
    open.push(match regions.is_empty() {
        true => "logs of the key's account were not read".to_owned(),
        false => {
            let regions: Vec<&str> = regions.into_iter().collect();
            format!(
                "other regions: the account's log has events in {} only",
                regions.join(", ")
            )
        }
    });
    if !matches!(facts.iam, Iam::Says(..)) && facts.active() {
        open.push(
            "current state of the key: changes before the logs begin are not visible".to_owned(),
        );
    }
    open
}
