//! Every way in which one credential gives birth to another, on the tiny trails of `testdata/lineage`.

use crate::intruders::agrees_with_itself;
use crate::program::json;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");

/// What a trace found, apart from where it started: credential, rule, confidence, parent, event.
fn found(trace: &Value) -> BTreeSet<[String; 5]> {
    let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let credentials = trace["credentials"].as_array().unwrap().iter();
    credentials
        .filter(|credential| credential["rule"] != "start")
        .map(|credential| {
            let key = &credential["access_key_id"];
            let name = if key.is_null() {
                &credential["principal_arn"]
            } else {
                key
            };
            [
                text(name),
                text(&credential["rule"]),
                text(&credential["confidence"]),
                text(&credential["parent_access_key_id"]),
                text(&credential["issued_by_event_name"]),
            ]
        })
        .collect()
}

fn expected(scenario: &Value) -> BTreeSet<[String; 5]> {
    let credentials = scenario["credentials"].as_array().unwrap().iter();
    let names = [
        "credential",
        "rule",
        "confidence",
        "parent_access_key_id",
        "issued_by_event_name",
    ];
    credentials
        .map(|credential| names.map(|name| credential[name].as_str().unwrap_or("–").to_owned()))
        .collect()
}

/// Changes of the owner that a trace did not follow: what, by which call, how many credentials.
fn not_followed(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        let fields = ["what", "event_name", "credentials"].map(|name| row[name].to_string());
        fields.join(" ")
    })
    .collect()
}

#[test]
fn every_birth_and_every_rule() {
    let folder = Path::new(TESTDATA).join("lineage");
    let scenarios = fs::read(folder.join("expected.json")).unwrap();
    let scenarios: Value = serde_json::from_slice(&scenarios).unwrap();
    let scenarios = scenarios.as_object().unwrap();
    assert!(scenarios.len() > 40);
    let mut wrong = Vec::new();
    for (name, scenario) in scenarios {
        let trail = folder.join(format!("{name}.jsonl"));
        let start = scenario["start"].as_str().unwrap();
        let mut args = vec!["trace", start, "--trail", trail.to_str().unwrap()];
        args.extend(
            scenario["args"]
                .as_array()
                .unwrap()
                .iter()
                .map(|arg| arg.as_str().unwrap()),
        );
        let trace = json(&args, 0);
        agrees_with_itself(&trace, name);
        let (found, expected) = (found(&trace), expected(scenario));
        if found != expected {
            wrong.push(format!(
                "{name}:\n  found    {found:?}\n  expected {expected:?}"
            ));
        }
        let (left, expected) = (&trace["not_followed"], &scenario["not_followed"]);
        if not_followed(left) != not_followed(expected) {
            wrong.push(format!(
                "{name}:\n  not followed {left}\n  expected     {expected}"
            ));
        }
        let unseen = trace["unseen"].as_array().unwrap().iter();
        let silence: Vec<&Value> = unseen
            .filter(|row| row["kind"] == "silence")
            .map(|row| &row["what"])
            .collect();
        let expected: Vec<&Value> = scenario["silence"].as_array().unwrap().iter().collect();
        assert_eq!(silence, expected, "{name}");
        let said = trace["notes"].to_string().contains("not followed:");
        assert_eq!(said, !left.as_array().unwrap().is_empty(), "{name}");
        let credentials = trace["credentials"].as_array().unwrap();
        for credential in credentials {
            let depth = credential["depth"].as_u64().unwrap();
            assert!(depth == 0 || credential["rule"] != "start", "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs python3"]
fn the_generator_makes_the_same_scenarios_again_with_python() {
    let again = tempfile::tempdir().unwrap();
    let out = again.path().join("lineage");
    let made = Command::new("python3")
        .arg(Path::new(TESTDATA).join("lineage.py"))
        .arg("--out")
        .arg(&out)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status();
    assert!(made.unwrap().success());
    let files = |folder: &Path| -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    assert_eq!(files(&out), files(&Path::new(TESTDATA).join("lineage")));
}
