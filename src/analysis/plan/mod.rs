//! What has to be done until a key can go, and in which order?
//!
//! In: what [`ready`](super::ready) found: keys with their verdicts, and their consumers. Out: a [`Plan`]: the keys in the order in
//! which they are to be worked on, and for each the steps for a person to take. Promise: nothing is changed in AWS; what a log
//! says stands in a command only if it is a name that AWS gives, and quoted.
//!
//! ```text
//! Ready ─▶ order: groups ─▶ runbook: steps/*.md, filled ─▶ Plan
//! ```

mod consumer;
mod order;
mod runbook;
mod words;

use super::consumers::Consumer;
use super::ready::{Readiness, Ready, State, Verdict};
use super::shell::option;
use crate::cloudtrail::{day, rfc3339};
use crate::iam::ROOT;
use crate::report::plan::{Plan, PlannedKey};
use chrono::{DateTime, Utc};
use consumer::{Names, planned};
use order::{Group, Way};
use runbook::Values;
use std::cmp::Reverse;
use std::collections::HashMap;

/// How a plan is written.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// What the plan was made of, as options of the command line: `--lake`, `--trail`. Commands of keytrail get them.
    pub trail: Vec<(&'static str, Option<String>)>,
    /// Those that say what is known of networks, for the commands that ask for consumers.
    pub networks: Vec<(&'static str, Option<String>)>,
}

/// A key with what is known of it.
struct Subject<'a> {
    ready: &'a Readiness,
    group: Group,
    consumers: Vec<(&'a Consumer, Option<State>)>,
}

/// Plans the removal of these keys.
pub fn plan(ready: &Ready, options: &PlanOptions) -> Plan {
    let mut consumers: HashMap<&str, Vec<&Consumer>> = HashMap::new();
    for consumer in &ready.consumers.consumers {
        let of_key = consumers.entry(&consumer.access_key_id).or_default();
        of_key.push(consumer);
    }
    let mut subjects: Vec<Subject<'_>> = ready
        .keys
        .iter()
        .map(|key| {
            let id = key.access_key_id.as_ref().map(|id| id.as_str());
            let of_key = id.and_then(|id| consumers.get(id));
            subject(key, of_key.map_or(&[], Vec::as_slice))
        })
        .collect();
    subjects.sort_by(|a, b| place(a).cmp(&place(b)));
    let values = base(options);
    let keys = (1..).zip(&subjects);
    let names = Names::of(
        subjects
            .iter()
            .filter(|subject| migrates(subject.ready))
            .flat_map(|subject| {
                let left = subject
                    .consumers
                    .iter()
                    .filter(|(_, state)| is_left(*state));
                let user = subject.ready.user_name.as_deref();
                left.map(move |(consumer, _)| (*consumer, user))
            }),
    );
    Plan {
        report: "plan".to_owned(),
        title: "Plan to remove access keys".to_owned(),
        as_of: ready.as_of.map(rfc3339),
        coverage: ready.coverage.clone(),
        notes: notes(ready, &subjects),
        first: values.steps("first"),
        keys: keys
            .map(|(number, subject)| planned_key((number, subject), &names, &values))
            .collect(),
        last: values.steps("last"),
    }
}

/// What is the same for every key.
fn base(options: &PlanOptions) -> Values {
    let words = |options: &[(&str, Option<String>)]| -> String {
        let words = options.iter().map(|(name, value)| match value {
            Some(value) => format!(" {}", option(name, value)),
            None => format!(" {name}"),
        });
        words.collect()
    };
    let trail = words(&options.trail);
    Values {
        input: trail.clone() + &words(&options.networks),
        trail,
        ..Values::default()
    }
}

fn is_root(key: &Readiness) -> bool {
    key.user_name.as_deref() == Some(ROOT)
}

/// Whether its consumers are to be moved now: an incident is traced first, and those that are waited for seem to have moved.
fn migrates(key: &Readiness) -> bool {
    key.verdict == Verdict::MigrateFirst
}

/// Whether a consumer has to be moved still.
fn is_left(state: Option<State>) -> bool {
    !matches!(state, Some(State::Gone | State::CutOff))
}

fn subject<'a>(ready: &'a Readiness, consumers: &[&'a Consumer]) -> Subject<'a> {
    let consumers: Vec<(&Consumer, Option<State>)> = consumers
        .iter()
        .map(|consumer| {
            let mut uses = ready.silences.iter();
            let id = Some(consumer.consumer_id.as_str());
            let found = uses.find(|used| used.consumer_id.as_deref() == id);
            (*consumer, found.map(|used| used.state))
        })
        .collect();
    let mut left = consumers
        .iter()
        .filter(|(_, state)| is_left(*state))
        .peekable();
    let group = match ready.verdict {
        Verdict::Incident => Group::Incident,
        _ if is_root(ready) => Group::Root,
        Verdict::Unused | Verdict::Deactivate | Verdict::Delete | Verdict::WaitUntil => {
            Group::Unused
        }
        // It can go when the last of its consumers has gone.
        Verdict::MigrateFirst => match left.peek() {
            Some(_) => left
                .map(|(consumer, _)| Way::to(consumer.move_to).group)
                .max()
                .unwrap_or(Group::Exceptions),
            None => Group::Exceptions,
        },
    };
    Subject {
        ready,
        group,
        consumers,
    }
}

type Rank<'a> = (
    Group,
    Option<DateTime<Utc>>,
    u64,
    Option<DateTime<Utc>>,
    Option<String>,
    Option<&'a str>,
    Option<&'a str>,
    Option<u8>,
);

/// Within a group: first what need not be waited for, then those with the fewest consumers left, then those that were used the
/// longest ago.
fn place<'a>(subject: &Subject<'a>) -> Rank<'a> {
    let key = subject.ready;
    (
        subject.group,
        key.not_before,
        key.consumers_left,
        key.last_used,
        key.account_id.map(|account| account.to_string()),
        key.user_name.as_deref(),
        key.access_key_id.as_ref().map(|id| id.as_str()),
        key.slot,
    )
}

fn notes(ready: &Ready, subjects: &[Subject<'_>]) -> Vec<String> {
    let mut notes = ready.intruders.clone();
    notes.push(
        "keytrail changes nothing in AWS: run these commands yourself, each with the credentials of the key's account; replace words in capitals"
            .to_owned(),
    );
    let odd = subjects.iter().filter_map(|subject| {
        let name = subject.ready.user_name.as_deref()?;
        (name != ROOT && !words::is_user_name(name)).then_some(name)
    });
    let odd = odd.count();
    if odd > 0 {
        notes.push(format!(
            "{odd} keys belong to users whose names IAM does not allow; commands have USER_NAME instead: find out who wrote that log"
        ));
    }
    notes.extend(ready.notes.iter().cloned());
    notes
}

/// Use that the trail does not show, in words.
fn unseen(key: &Readiness) -> String {
    let uses = key
        .silences
        .iter()
        .filter(|used| used.consumer_id.is_none());
    let left = uses.filter(|used| is_left(Some(used.state)));
    let names: Vec<&str> = left.map(|used| used.name.as_str()).collect();
    names.join("; ")
}

/// The chapters of a verdict: before the consumers, and after them.
fn chapters(key: &Readiness) -> (Option<&'static str>, Option<&'static str>) {
    match key.verdict {
        Verdict::Incident if is_root(key) => (Some("key-root-incident"), None),
        Verdict::Incident => (Some("key-incident"), None),
        _ if is_root(key) => (Some("key-root-first"), Some("key-root")),
        Verdict::Unused => (None, Some("key-unused")),
        Verdict::MigrateFirst => (None, Some("key-migrate")),
        Verdict::WaitUntil => (None, Some("key-wait")),
        Verdict::Deactivate => (None, Some("key-deactivate")),
        Verdict::Delete => (None, Some("key-delete")),
    }
}

fn planned_key(
    (number, subject): (u64, &Subject<'_>),
    names: &Names<'_>,
    base: &Values,
) -> PlannedKey {
    let key = subject.ready;
    let id = key.access_key_id.as_ref().map(|id| id.as_str());
    let account = key.account_id.map(|account| account.to_string());
    let mut values = base.clone();
    values.set("key", words::id(id, "ACCESS_KEY_ID"));
    values.set("user", words::user_name(key.user_name.as_deref()));
    values.set("account", account.as_deref().unwrap_or("ACCOUNT_ID"));
    let gaps = subject.consumers.iter();
    let gap = gaps
        .map(|(consumer, _)| consumer.cadence.longest_gap_seconds)
        .max();
    values.set(
        "gap",
        gap.map_or_else(|| "not known".to_owned(), words::span),
    );
    let until = key.not_before.map(day);
    values.set("not_before", until.as_deref().unwrap_or("that day"));
    if key.active {
        values.facts.insert("active".to_owned());
    }
    // What an intruder's uses leave: nothing of a key that an intruder created.
    if !subject.consumers.is_empty() {
        values.facts.insert("used-by-owner".to_owned());
    }
    let (before, after) = chapters(key);
    let migrates = migrates(key);
    let unseen = unseen(key);
    if !unseen.is_empty() {
        let mut words = unseen.split(|c: char| !c.is_ascii_alphanumeric());
        values.facts.insert(match words.any(|word| word == "ses") {
            true => "ses".to_owned(),
            false => "data".to_owned(),
        });
        values.set("unseen", unseen.as_str());
    }
    let mut consumers: Vec<_> = subject.consumers.iter().collect();
    // Those that are left first, the busiest of them first.
    consumers.sort_by_key(|(consumer, state)| (!is_left(*state), Reverse(consumer.events)));
    let steps = |chapter: Option<&str>| chapter.map_or_else(Vec::new, |name| values.steps(name));
    let broken = key.rules.iter().filter(|rule| rule.holds == Some(false));
    PlannedKey {
        number,
        group: subject.group.name(),
        group_title: subject.group.title(),
        access_key_id: id.map(str::to_owned),
        key: key.slot,
        user_identity_user_name: key.user_name.clone(),
        account_id: account,
        verdict: key.verdict.as_str(),
        not_before: key.not_before.map(rfc3339),
        consumers_left: key.consumers_left,
        last_used: key.last_used.map(rfc3339),
        why: broken
            .map(|rule| format!("{}: {}", rule.rule, rule.value.whole))
            .collect(),
        not_checked: key.not_checked.clone(),
        first: match unseen.is_empty() || !migrates {
            true => steps(before),
            false => [steps(before), steps(Some("key-unseen"))].concat(),
        },
        consumers: consumers
            .into_iter()
            .map(|(consumer, state)| planned((consumer, *state), migrates, (names, &values)))
            .collect(),
        steps: steps(after),
    }
}
