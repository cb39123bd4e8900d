//! The report `ready`.
//!
//! In: verdicts. Out: the sections of a report: keys, counts per verdict; where keys are named, their rules and consumers.
//! Promise: programs get every rule of every key; a planner of hundreds of keys sees first what can be done today.

use super::rules::{names, span};
use super::{Checked, Decides, Readiness, Ready, Silence, State, Verdict};
use crate::analysis::AnalysisError;
use crate::cloudtrail::{AccessKeyId, day};
use crate::report::table::{Column, Kind, section};
use crate::report::{Report, Section};
use serde::Serialize;
use serde_json::{Value, json};

const COUNT_COLUMNS: &[Column] = &[
    ("verdict", Kind::Text, Some("whole")),
    ("keys", Kind::Count, None),
    ("what_to_do", Kind::Text, Some("wrap")),
];

const KEY_COLUMNS: &[Column] = &[
    ("verdict", Kind::Text, Some("whole")),
    ("not_before", Kind::Time, Some("data")),
    ("access_key_id", Kind::Text, None),
    ("user_name", Kind::Text, Some("cut")),
    ("why", Kind::Text, Some("wrap")),
    ("consumers_left", Kind::Count, Some("detail")),
    ("account_id", Kind::Text, Some("detail")),
    ("last_used", Kind::Time, Some("detail")),
    ("active", Kind::Flag, Some("data")),
    ("key", Kind::Count, Some("data")),
    ("rules", Kind::Json, Some("data")),
    ("not_checked", Kind::Texts, Some("data")),
];

const RULE_COLUMNS: &[Column] = &[
    ("rule", Kind::Text, Some("whole")),
    ("holds", Kind::Text, Some("whole")),
    ("value", Kind::Text, Some("wrap")),
];

const SILENCE_COLUMNS: &[Column] = &[
    ("consumer_id", Kind::Text, Some("data")),
    ("state", Kind::Text, Some("whole")),
    ("name", Kind::Text, Some("wrap")),
    ("last_seen", Kind::Time, None),
    ("longest_gap_seconds", Kind::Count, Some("data")),
    ("silent_seconds", Kind::Count, Some("data")),
    ("silent_enough", Kind::Time, None),
    ("now_with", Kind::Text, Some("wrap")),
];

const OPEN_COLUMNS: &[Column] = &[("not_checked", Kind::Text, Some("wrap"))];

#[derive(Serialize)]
struct CountRow {
    verdict: &'static str,
    keys: usize,
    what_to_do: &'static str,
}

#[derive(Serialize)]
struct KeyRow<'a> {
    verdict: &'static str,
    not_before: Option<i64>,
    access_key_id: Option<&'a str>,
    user_name: Option<&'a str>,
    account_id: Option<String>,
    consumers_left: u64,
    why: String,
    last_used: Option<i64>,
    active: bool,
    key: Option<u8>,
    rules: String,
    not_checked: &'a [String],
}

#[derive(Serialize)]
struct RuleRow<'a> {
    access_key_id: Option<&'a str>,
    rule: &'static str,
    holds: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct SilenceRow<'a> {
    access_key_id: Option<&'a str>,
    consumer_id: Option<&'a str>,
    state: &'static str,
    name: &'a str,
    last_seen: i64,
    longest_gap_seconds: Option<i64>,
    silent_seconds: i64,
    silent_enough: i64,
    now_with: Option<&'a str>,
}

#[derive(Serialize)]
struct OpenRow<'a> {
    access_key_id: Option<&'a str>,
    not_checked: &'a str,
}

impl Ready {
    /// The report.
    pub fn report(&self) -> Result<Report, AnalysisError> {
        let keys = self.keys.iter().map(row).collect::<Vec<_>>();
        let rows = section(("ready", "Access keys"), KEY_COLUMNS, &keys)?;
        let mut sections = vec![rows];
        if self.asked.is_empty() {
            sections.insert(0, self.counts()?);
        } else {
            sections.extend(of_keys(&self.keys)?);
        }
        let mut notes = self.intruders.clone();
        notes.extend(self.notes.iter().cloned());
        notes.extend(self.unasked());
        Ok(Report {
            name: "ready".to_owned(),
            title: "Which keys can be deactivated or deleted".to_owned(),
            sections,
            notes,
            coverage: Some(self.coverage.clone()),
        })
    }

    fn counts(&self) -> Result<Section, AnalysisError> {
        let rows: Vec<CountRow> = Verdict::ALL
            .iter()
            .map(|verdict| {
                let keys = self.keys.iter().filter(|key| key.verdict == *verdict);
                (verdict, keys.count())
            })
            .filter(|(_, keys)| *keys > 0)
            .map(|(verdict, keys)| CountRow {
                verdict: verdict.as_str(),
                keys,
                what_to_do: verdict.action(),
            })
            .collect();
        Ok(section(("verdicts", "Verdicts"), COUNT_COLUMNS, &rows)?)
    }

    /// How many keys IAM was not asked about.
    fn unasked(&self) -> Option<String> {
        let unasked = self.keys.iter().filter(|key| {
            checked(key, names::NO_UNSEEN_USE).is_some_and(|rule| rule.holds.is_none())
        });
        let count = unasked.count();
        (count > 0).then(|| {
            format!(
                "IAM's last-used data is missing for {count} of {} keys; get it before you deactivate a key",
                self.keys.len()
            )
        })
    }
}

/// What a rule found, if it applies to the key.
fn checked<'a>(key: &'a Readiness, rule: &str) -> Option<&'a Checked> {
    key.rules.iter().find(|checked| checked.rule == rule)
}

/// Why, in a line; the rules have the whole of it.
fn why(key: &Readiness) -> String {
    let broken = |decides: Decides| {
        let rules = key.rules.iter();
        rules.filter(move |rule| rule.decides == decides && rule.holds == Some(false))
    };
    let brief = |checked: &Checked| checked.value.brief().to_owned();
    let slowest = key.silences.iter().max_by_key(|silence| silence.until);
    let silent = || slowest.map(|silence| format!("silent for {}", span(silence.silent)));
    let told = match key.verdict {
        Verdict::Incident => broken(Decides::Incident).next().map(brief),
        Verdict::MigrateFirst => Some(left(key)),
        // The rule that takes longest.
        Verdict::WaitUntil => broken(Decides::Wait)
            .max_by_key(|checked| checked.not_before)
            .map(|checked| {
                let day = checked.not_before.map(day).unwrap_or_default();
                match (checked.rule, slowest) {
                    (names::SILENT_LONG_ENOUGH, Some(silence)) => format!(
                        "{day}: {} silent for {}, needs {}",
                        silence.name,
                        span(silence.silent),
                        span(silence.needed)
                    ),
                    _ => format!("{day}: {}", checked.value.whole),
                }
            }),
        Verdict::Unused => checked(key, names::NOT_NEW).map(brief).or_else(silent),
        Verdict::Deactivate => silent(),
        Verdict::Delete => checked(key, names::INACTIVE_LONG_ENOUGH).map(brief),
    };
    let mut told = told.unwrap_or_default();
    if key.verdict == Verdict::Incident && !key.active {
        told += "; already inactive";
    }
    if let Some(deleted) = checked(key, names::NOT_DELETED) {
        told += &format!("; {}", deleted.value.brief());
    }
    // A key may be let go while an intruder may have it, but whoever does it is to know.
    let suspicious = checked(key, names::NO_SUSPICIOUS_USE)
        .filter(|checked| checked.holds != Some(true) && key.verdict != Verdict::Incident);
    if let Some(suspicious) = suspicious {
        told += &format!("; suspicious use {}", suspicious.value.brief());
    }
    told
}

/// So many consumers are named; the others are counted.
const NAMED: usize = 3;

fn left(key: &Readiness) -> String {
    let left = key
        .silences
        .iter()
        .filter(|silence| silence.state == State::InUse);
    let names: Vec<&str> = left.map(|silence| silence.name.as_str()).collect();
    let mut text = names[..names.len().min(NAMED)].join("; ");
    if names.len() > NAMED {
        text += &format!("; {} more", names.len() - NAMED);
    }
    text
}

fn row(key: &Readiness) -> KeyRow<'_> {
    let rules = key.rules.iter();
    let rules = rules.map(|checked| {
        json!({"rule": checked.rule, "value": checked.value.whole, "holds": checked.holds})
    });
    KeyRow {
        verdict: key.verdict.as_str(),
        not_before: key.not_before.map(|time| time.timestamp_micros()),
        access_key_id: id(key),
        user_name: key.user_name.as_deref(),
        account_id: key.account_id.map(|account| account.to_string()),
        consumers_left: key.consumers_left,
        why: why(key),
        last_used: key.last_used.map(|time| time.timestamp_micros()),
        active: key.active,
        key: key.slot,
        rules: Value::from_iter(rules).to_string(),
        not_checked: &key.not_checked,
    }
}

fn id(key: &Readiness) -> Option<&str> {
    key.access_key_id.as_ref().map(AccessKeyId::as_str)
}

/// The rules and the consumers of keys, in full.
fn of_keys(keys: &[Readiness]) -> Result<Vec<Section>, AnalysisError> {
    // One key needs no column that says which it is.
    let fit = (keys.len() == 1).then_some("data");
    let columns = |own: &[Column]| [&[("access_key_id", Kind::Text, fit)], own].concat();
    let rules: Vec<RuleRow<'_>> = keys.iter().flat_map(rules).collect();
    let silences: Vec<SilenceRow<'_>> = keys.iter().flat_map(silences).collect();
    let open: Vec<OpenRow<'_>> = keys.iter().flat_map(open).collect();
    Ok(vec![
        section(("rules", "Rules"), &columns(RULE_COLUMNS), &rules)?,
        section(
            ("consumers", "Consumers"),
            &columns(SILENCE_COLUMNS),
            &silences,
        )?,
        section(
            ("open", "What this verdict does not cover"),
            &columns(OPEN_COLUMNS),
            &open,
        )?,
    ])
}

fn rules(key: &Readiness) -> impl Iterator<Item = RuleRow<'_>> {
    key.rules.iter().map(|checked| RuleRow {
        access_key_id: id(key),
        rule: checked.rule,
        holds: match checked.holds {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not checked",
        },
        value: &checked.value.whole,
    })
}

fn silences(key: &Readiness) -> impl Iterator<Item = SilenceRow<'_>> {
    key.silences.iter().map(|silence: &Silence| SilenceRow {
        access_key_id: id(key),
        consumer_id: silence.consumer_id.as_deref(),
        state: silence.state.as_str(),
        name: &silence.name,
        last_seen: silence.last_seen.timestamp_micros(),
        longest_gap_seconds: silence.longest_gap.map(|gap| gap.num_seconds()),
        silent_seconds: silence.silent.num_seconds(),
        silent_enough: silence.until.timestamp_micros(),
        now_with: silence
            .replacement
            .as_ref()
            .map(|role| role.role_arn.as_str()),
    })
}

fn open(key: &Readiness) -> impl Iterator<Item = OpenRow<'_>> {
    key.not_checked.iter().map(|not_checked| OpenRow {
        access_key_id: id(key),
        not_checked,
    })
}
