//! Consumers before and since a day: what became of each in a hand-made trail.

use crate::program::{json, ran};
use serde_json::Value;
use std::collections::BTreeMap;

const TRAIL: &str = "testdata/ready/trail.json.gz";
const EXPECTED: &str = "testdata/ready/expected-progress.csv";

fn asked(more: &[&str]) -> Value {
    json(&[&["progress", "--trail", TRAIL], more].concat(), 0)
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_became_of_each_consumer_is_right() {
    let answer = asked(&["--before", "2025-06-11"]);
    let mut found: Vec<[String; 3]> = answer["progress"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["access_key_id", "status", "now_with"].map(|name| text(row, name)))
        .collect();
    let mut table = csv::Reader::from_path(EXPECTED).unwrap();
    let mut expected: Vec<[String; 3]> = table
        .deserialize::<BTreeMap<String, String>>()
        .map(Result::unwrap)
        .map(|row| ["access_key_id", "status", "now_with"].map(|name| row[name].clone()))
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let windows = "before: 2025-03-03 up to 2025-06-11; since: 2025-06-11 to 2025-07-10";
    let notes = answer["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note == windows), "{notes:?}");
}

#[test]
fn what_a_consumer_moved_to_is_named_with_the_reasons() {
    let answer = asked(&["--before", "2025-06-11"]);
    let rows = answer["progress"].as_array().unwrap();
    let of = |user: &str| rows.iter().find(|row| row["user_name"] == user).unwrap();
    let moved = of("svc-moved");
    assert_eq!(moved["events_before"], 80);
    assert_eq!(moved["events_since"], 0);
    assert_eq!(
        moved["role_arn"],
        "arn:aws:iam::111122223333:role/orders-job"
    );
    assert_eq!(moved["role_events"], 60);
    assert_eq!(
        moved["why"],
        "the same program at 1 of its 1 addresses; its calls cover 100 % of this consumer's"
    );
    let thumbs = text(of("svc-thumbs"), "why");
    assert!(thumbs.ends_with("100 % of this consumer's"), "{thumbs}");
    let keys = answer["keys"].as_array().unwrap();
    let key = keys
        .iter()
        .find(|row| row["user_name"] == "svc-moved")
        .unwrap();
    assert_eq!((&key["moved"], &key["still_there"]), (&1.into(), &0.into()));
}

#[test]
fn where_one_part_of_the_log_is_empty_it_is_said() {
    let late = ran(&["progress", "--trail", TRAIL, "--before", "2025-08-01"]);
    assert!(late.starts_with("exit code: 2"), "{late}");
    assert!(
        late.contains("no events on or after 2025-08-01: the logs end 2025-07-10"),
        "{late}"
    );
    let early = asked(&["--before", "2025-03-03"]);
    assert!(
        early["notes"]
            .to_string()
            .contains("no events before 2025-03-03: every consumer is new")
    );
    let missing = ran(&["progress", "--trail", TRAIL]);
    assert!(missing.starts_with("exit code: 2"), "{missing}");
    assert!(missing.contains("--before <DATE>"), "{missing}");
}

#[test]
fn every_format_has_the_changes() {
    for (format, row) in [
        ("table", "moved"),
        ("markdown", "| moved |"),
        ("csv", ",moved,"),
        ("jsonl", r#""status":"moved""#),
    ] {
        let args = [
            "progress",
            "--before",
            "2025-06-11",
            "--trail",
            TRAIL,
            "--format",
            format,
        ];
        let answer = ran(&args);
        assert!(answer.starts_with("exit code: 0"), "{answer}");
        assert!(answer.contains(row), "{format}: {answer}");
    }
}
