//! The report `ready`.
//!
//! In: verdicts. Out: the sections of a report: keys, counts per verdict; where keys are named, their rules and consumers.
//! Promise: programs get every rule of every key; a planner of hundreds of keys sees first what can be done today.

use super::rules::span;
use super::{Decides, RULES, Readiness, Ready, State, Verdict};
use crate::analysis::AnalysisError;
use crate::report::table::{Column, Kind, section};
use crate::report::{Report, Section};
use chrono::{DateTime, Utc};
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

impl Ready {
    /// The report.
    pub fn report(&self) -> Result<Report, AnalysisError> {
        let keys: Vec<Value> = self.keys.iter().map(row).collect();
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
        let rows: Vec<Value> = Verdict::ALL
            .iter()
            .map(|verdict| {
                let keys = self.keys.iter().filter(|key| key.verdict == *verdict);
                (verdict, keys.count())
            })
            .filter(|(_, keys)| *keys > 0)
            .map(|(verdict, keys)| {
                json!({"verdict": verdict.as_str(), "keys": keys, "what_to_do": verdict.action()})
            })
            .collect();
        Ok(section(("verdicts", "Verdicts"), COUNT_COLUMNS, &rows)?)
    }

    /// How many keys IAM was not asked about.
    fn unasked(&self) -> Option<String> {
        let unasked = self.keys.iter().filter(|key| {
            let rule = key.rules.iter().find(|rule| rule.rule == "no-unseen-use");
            rule.is_some_and(|rule| rule.holds.is_none())
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

/// Why, in a line; the rules have the whole of it.
fn why(key: &Readiness) -> String {
    let broken = |decides: Decides| {
        let of_kind = RULES.iter().filter(move |rule| rule.decides == decides);
        of_kind.filter_map(|rule| {
            let checked = key.rules.iter().find(|checked| checked.rule == rule.name)?;
            (checked.holds == Some(false)).then_some(checked)
        })
    };
    let value = |name: &str| {
        let rule = key.rules.iter().find(|checked| checked.rule == name)?;
        Some(rule.value.clone())
    };
    let slowest = key.silences.iter().max_by_key(|silence| silence.until);
    let silent = || slowest.map(|silence| format!("silent for {}", span(silence.silent)));
    let told = match key.verdict {
        Verdict::Incident => broken(Decides::Incident).next().map(|checked| {
            let told = checked.value.split(" (event ").next();
            told.unwrap_or_default().to_owned()
        }),
        Verdict::MigrateFirst => Some(left(key)),
        // The rule that takes longest.
        Verdict::WaitUntil => broken(Decides::Wait)
            .max_by_key(|checked| checked.not_before)
            .map(|checked| {
                let day = checked.not_before.map(day).unwrap_or_default();
                match (checked.rule, slowest) {
                    ("silent-long-enough", Some(silence)) => format!(
                        "{day}: {} silent for {}, needs {}",
                        silence.name,
                        span(silence.silent),
                        span(silence.needed)
                    ),
                    _ => format!("{day}: {}", checked.value),
                }
            }),
        Verdict::Unused => value("not-new").or_else(silent),
        Verdict::Deactivate => silent(),
        Verdict::Delete => value("inactive-long-enough")
            .map(|value| value.split(": ").next().unwrap_or_default().to_owned()),
    };
    let mut told = told.unwrap_or_default();
    // A key may be let go while an intruder may have it, but whoever does it is to know.
    let suspicious = key.rules.iter().find(|checked| {
        checked.rule == "no-suspicious-use"
            && checked.holds != Some(true)
            && key.verdict != Verdict::Incident
    });
    let revived = key.rules.iter();
    let mut revived = revived.filter(|rule| rule.rule == "not-deleted");
    if let Some(checked) = revived.next() {
        let deleted = checked.value.split(": ").next().unwrap_or_default();
        told += &format!("; {deleted}");
    }
    if let Some(checked) = suspicious {
        let uses = checked.value.split(" (event ").next().unwrap_or_default();
        told += &format!("; suspicious use {uses}");
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

fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}

fn row(key: &Readiness) -> Value {
    let rules: Vec<Value> = key
        .rules
        .iter()
        .map(
            |checked| json!({"rule": checked.rule, "value": checked.value, "holds": checked.holds}),
        )
        .collect();
    json!({
        "verdict": key.verdict.as_str(),
        "not_before": key.not_before.map(|time| time.to_rfc3339()),
        "access_key_id": key.access_key_id.as_ref().map(ToString::to_string),
        "user_name": key.user_name,
        "account_id": key.account_id.map(|account| account.to_string()),
        "consumers_left": key.consumers_left,
        "why": why(key),
        "last_used": key.last_used.map(|time| time.to_rfc3339()),
        "active": key.active,
        "key": key.slot,
        "rules": Value::from(rules).to_string(),
        "not_checked": key.not_checked,
    })
}

/// The rules and the consumers of keys, in full.
fn of_keys(keys: &[Readiness]) -> Result<Vec<Section>, AnalysisError> {
    let of = |rows: fn(&Readiness) -> Vec<Value>| -> Vec<Value> {
        let all = keys.iter().flat_map(|key| {
            let id = key.access_key_id.as_ref().map(ToString::to_string);
            rows(key).into_iter().map(move |mut row| {
                row["access_key_id"] = id.clone().into();
                row
            })
        });
        all.collect()
    };
    // One key needs no column that says which it is.
    let several = keys.len() > 1;
    let columns = |own: &[Column]| -> Vec<Column> {
        let fit = (!several).then_some("data");
        let id = ("access_key_id", Kind::Text, fit);
        [&[id], own].concat()
    };
    Ok(vec![
        section(("rules", "Rules"), &columns(RULE_COLUMNS), &of(rules))?,
        section(
            ("consumers", "Consumers"),
            &columns(SILENCE_COLUMNS),
            &of(silences),
        )?,
        section(
            ("open", "What this verdict does not cover"),
            &columns(OPEN_COLUMNS),
            &of(open),
        )?,
    ])
}

fn rules(key: &Readiness) -> Vec<Value> {
    let rows = key.rules.iter().map(|checked| {
        json!({
            "rule": checked.rule,
            "holds": match checked.holds {
                Some(true) => "yes",
                Some(false) => "no",
                None => "not checked",
            },
            "value": checked.value,
        })
    });
    rows.collect()
}

fn silences(key: &Readiness) -> Vec<Value> {
    let rows = key.silences.iter().map(|silence| {
        json!({
            "consumer_id": silence.consumer_id,
            "state": silence.state.as_str(),
            "name": silence.name,
            "last_seen": silence.last_seen.to_rfc3339(),
            "longest_gap_seconds": silence.longest_gap.map(|gap| gap.num_seconds()),
            "silent_seconds": silence.silent.num_seconds(),
            "silent_enough": silence.until.to_rfc3339(),
            "now_with": silence.replacement.as_ref().map(|role| role.role_arn.clone()),
        })
    });
    rows.collect()
}

fn open(key: &Readiness) -> Vec<Value> {
    let open = key.not_checked.iter();
    open.map(|text| json!({"not_checked": text})).collect()
}

const OPEN_COLUMNS: &[Column] = &[("not_checked", Kind::Text, Some("wrap"))];
