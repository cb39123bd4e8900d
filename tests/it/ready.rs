//! Keys that are ready to go, or not: a hand-made set with one key for each rule, and what must be said of each.

use crate::program::{json, ran};
use keytrail::analysis::ready::RULES;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const TRAIL: &str = "testdata/ready/trail.json.gz";
const REPORT: &str = "testdata/ready/credential-report.csv";
const EXPECTED: &str = "testdata/ready/expected.csv";

/// The answer with IAM's word on the first account.
fn asked(more: &[&str]) -> Value {
    let args = ["ready", "--trail", TRAIL, "--credential-report", REPORT];
    json(&[&args[..], more].concat(), 0)
}

/// The rows, by user and key.
fn rows(answer: &Value) -> BTreeMap<(String, String), &Value> {
    let rows = answer["ready"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.map(|row| ((text(&row["user_name"]), text(&row["access_key_id"])), row))
        .collect()
}

/// The only key of a user.
fn of<'a>(answer: &'a Value, user: &str) -> &'a Value {
    let rows = answer["ready"].as_array().unwrap().iter();
    let mut rows = rows.filter(|row| row["user_name"] == user);
    let row = rows.next().unwrap_or_else(|| panic!("no {user}"));
    assert_eq!(rows.next(), None, "{user}");
    row
}

/// Rules of a row that hold (or not, or were not checked), by name.
fn rules(row: &Value, holds: Option<bool>) -> String {
    let rules = row["rules"].as_array().unwrap().iter();
    let found = rules.filter(|rule| rule["holds"] == serde_json::to_value(holds).unwrap());
    let names: Vec<&str> = found.map(|rule| rule["rule"].as_str().unwrap()).collect();
    names.join(" ")
}

fn value<'a>(row: &'a Value, name: &str) -> &'a str {
    let mut rules = row["rules"].as_array().unwrap().iter();
    let rule = rules.find(|rule| rule["rule"] == name);
    rule.unwrap()["value"].as_str().unwrap()
}

#[test]
fn every_verdict_of_the_hand_made_keys_is_right() {
    let answer = asked(&[]);
    let mut rows = rows(&answer);
    let mut table = csv::Reader::from_path(EXPECTED).unwrap();
    let mut keys = 0;
    for record in table.deserialize::<BTreeMap<String, String>>() {
        let expected = record.unwrap();
        let text = |name: &str| expected[name].clone();
        let key = (text("user_name"), text("access_key_id"));
        let row = rows.remove(&key).unwrap_or_else(|| panic!("no {key:?}"));
        let time = row["not_before"].as_str().unwrap_or_default();
        let time = time.replace("+00:00", "Z");
        let found = [
            row["verdict"].as_str().unwrap().to_owned(),
            time.split('.').next().unwrap().to_owned(),
            row["consumers_left"].to_string(),
            rules(row, Some(false)),
            rules(row, None),
        ];
        let wanted = [
            "verdict",
            "not_before",
            "consumers_left",
            "rules_that_do_not_hold",
            "rules_not_checked",
        ];
        assert_eq!(found, wanted.map(text), "{}: {row}", text("story"));
        keys += 1;
    }
    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        Vec::<&(String, String)>::new()
    );
    assert!(keys >= 20, "{keys}");
}

#[test]
fn every_rule_is_broken_or_not_checked_by_one_of_the_keys() {
    let answer = asked(&["--as-of", "2025-07-20"]);
    let now = asked(&[]);
    let all: Vec<&Value> = [&answer, &now]
        .into_iter()
        .flat_map(|answer| answer["ready"].as_array().unwrap())
        .collect();
    for rule in RULES {
        // Each log file of the set can be read, and the log reaches back far enough; tests/it/silence.rs and
        // stolen_keys.rs have the others.
        if [
            "log-files-read",
            "window-covered",
            "whole-log",
            "not-from-intruder",
            "iam-asked",
            "consumers-known",
            "not-deleted",
        ]
        .contains(&rule.name)
        {
            continue;
        }
        let told = all.iter().any(|row| {
            let broken = format!(" {} ", rules(row, Some(false)));
            let open = format!(" {} ", rules(row, None));
            (broken + &open).contains(&format!(" {} ", rule.name))
        });
        assert!(told, "{}", rule.name);
    }
}

#[test]
fn the_rules_name_what_they_rest_on() {
    let answer = asked(&[]);
    let stolen = value(of(&answer, "svc-stolen"), "not-quarantined");
    assert!(
        stolen.starts_with("AWSCompromisedKeyQuarantineV3 attached 2025-07-08 06:00 (event "),
        "{stolen}"
    );
    let scanned = value(of(&answer, "svc-scanned"), "no-attack-tool");
    assert!(
        scanned.starts_with("TruffleHog is an attack tool; ") && scanned.contains("(event "),
        "{scanned}"
    );
    assert!(
        scanned.contains("sts:GetCallerIdentity from 198.51.100.201"),
        "{scanned}"
    );
    let mailer = value(of(&answer, "svc-mailer"), "no-unseen-use");
    assert!(
        mailer.contains(
            "use that CloudTrail does not log: ses (IAM's last use) (last 2025-07-10 08:30)"
        ),
        "{mailer}"
    );
    let gap = value(of(&answer, "svc-gap"), "no-holes");
    assert_eq!(
        gap,
        "91 days without logs: eu-west-1 (2025-06-11 to 2025-06-13); eu-west-1, data events of s3 that read (only this key called there, so logging cannot be confirmed)"
    );
    let quiet = value(of(&answer, "svc-quiet"), "data-events");
    assert!(
        quiet.starts_with("none logged in the account; data events of ")
            && quiet.ends_with("get it (--live or --credential-report)"),
        "{quiet}"
    );
    let legacy = of(&answer, "svc-legacy")["not_checked"].to_string();
    assert!(legacy.contains("InvalidAccessKeyId"), "{legacy}");
}

#[test]
fn without_iam_it_is_said_that_iam_was_not_asked() {
    let answer = json(&["ready", "--trail", TRAIL], 0);
    // Only IAM knows of its mail.
    let mailer = of(&answer, "svc-mailer");
    assert_eq!(mailer["verdict"], "wait until");
    assert_eq!(mailer["consumers_left"], 0);
    assert_eq!(rules(mailer, None), "no-unseen-use");
    let notes = answer["notes"].to_string();
    assert!(
        notes.contains("IAM's last-used data is missing for 26 of 27 keys"),
        "{notes}"
    );
}

#[test]
fn thresholds_are_options() {
    for (options, user, verdict) in [
        (["--window", "131d"], "svc-quiet", "wait until"),
        (["--gaps", "1"], "svc-invoices", "wait until"),
        (["--silence", "121d"], "svc-archive", "wait until"),
        (["--delete-after", "30d"], "svc-legacy", "wait until"),
        (["--unused-after", "4d"], "svc-fresh", "unused"),
        (["--unused-after", "100d"], "svc-spare", "wait until"),
        (["--window", "19d"], "svc-once", "deactivate"),
    ] {
        let answer = asked(&options);
        assert_eq!(of(&answer, user)["verdict"], verdict, "{options:?} {user}");
    }
}

#[test]
fn silence_counts_only_where_there_is_a_log() {
    // Ten days after the last event: what happened since, nobody knows.
    let answer = asked(&["--as-of", "2025-07-20T00:00:00Z"]);
    let archive = of(&answer, "svc-archive");
    assert_eq!(archive["verdict"], "wait until");
    assert_eq!(
        rules(archive, Some(false)),
        "no-holes log-is-current consumers-replaced"
    );
    assert_eq!(archive["not_before"], "2025-07-20T00:00:00Z");
}

#[test]
fn of_a_named_key_every_rule_is_shown() {
    let answer = asked(&["AKIARTX3GSDSVARYPABK"]);
    assert_eq!(answer["ready"].as_array().unwrap().len(), 1);
    let shown = answer["rules"].as_array().unwrap();
    assert_eq!(
        shown.len(),
        answer["ready"][0]["rules"].as_array().unwrap().len()
    );
    assert_eq!(answer["consumers"].as_array().unwrap().len(), 2);
    assert_eq!(answer["consumers"][0]["state"], "in use");
}

#[test]
fn a_key_that_nobody_knows_is_no_unused_key() {
    let answer = asked(&["AKIAIOSFODNN7EXAMPLE"]);
    assert_eq!(answer["ready"].as_array().unwrap().len(), 0);
    let notes = answer["notes"].to_string();
    assert!(
        notes.contains("AKIAIOSFODNN7EXAMPLE: not found in the log or in IAM's answer"),
        "{notes}"
    );
}

#[test]
fn every_format_has_the_verdicts() {
    for (format, row) in [
        (
            "table",
            "deactivate     AKIARTX3GSDSQ2NI67DS  svc-archive     silent for 120 d",
        ),
        (
            "markdown",
            "| deactivate | AKIARTX3GSDSQ2NI67DS | svc-archive | silent for 120 d |",
        ),
        ("csv", "ready,deactivate,,"),
        (
            "jsonl",
            r#"{"section":"ready","verdict":"deactivate","not_before":null,"access_key_id":"AKIARTX3GSDSQ2NI67DS""#,
        ),
    ] {
        let answer = ran(&[
            "ready",
            "--trail",
            TRAIL,
            "--credential-report",
            REPORT,
            "--format",
            format,
        ]);
        assert!(answer.starts_with("exit code: 0"), "{answer}");
        assert!(answer.contains(row), "{format}: {answer}");
    }
}

#[test]
fn the_rules_are_documented() {
    let text = fs::read_to_string("docs/ready.md").unwrap();
    let rows: Vec<String> = RULES
        .iter()
        .map(|rule| {
            format!(
                "| `{}` | {} | {} |",
                rule.name,
                rule.asks,
                rule.decides.as_str()
            )
        })
        .collect();
    let table = rows.join("\n");
    assert!(text.contains(&table), "docs/ready.md lacks:\n{table}");
}
