//! What IAM says of users and keys, joined to the test data's trail.

use crate::program::{json, ran};
use serde_json::Value;

const MAIN: &str = "testdata/credential-report-111122223333.csv";
const DATA: &str = "testdata/credential-report-444455556666.csv";

/// The answer on both reports, as of the day they were made.
fn asked(more: &[&str]) -> Value {
    let mut args = vec![
        "credentials",
        "--credential-report",
        MAIN,
        "--credential-report",
        DATA,
    ];
    args.extend(["--as-of", "2025-03-07T16:00:00Z"]);
    args.extend(more);
    json(&args, 0)
}

/// Who has a finding of this name.
fn found<'a>(answer: &'a Value, name: &str) -> Vec<&'a str> {
    let findings = answer["findings"].as_array().unwrap().iter();
    let named = findings.filter(|finding| finding["finding"] == name);
    named
        .map(|finding| finding["user_name"].as_str().unwrap())
        .collect()
}

fn key<'a>(answer: &'a Value, user: &str, slot: u64) -> &'a Value {
    let mut keys = answer["keys"].as_array().unwrap().iter();
    keys.find(|key| key["user_name"] == user && key["key"] == slot)
        .unwrap()
}

#[test]
fn findings_are_those_of_the_report() {
    let answer = asked(&["--trail", "testdata/trail"]);
    let root = "<root_account>";
    for (name, users) in [
        ("root-access-key", vec![root]),
        ("invisible-use", vec!["svc-mailer"]),
        ("password-without-mfa", vec!["bob"]),
        ("password", vec!["alice"]),
        ("unused-password", vec!["bob"]),
        ("never-used-key", vec![root, "svc-trial"]),
        ("unused-key", vec!["carol"]),
        ("two-active-keys", vec!["svc-orders"]),
        (
            "user-without-credentials",
            vec!["svc-backup-sync", "svc-export", "dora"],
        ),
        ("inactive-key", vec!["bob", "svc-backup-sync", "svc-export"]),
        ("key-gone-from-iam", vec![]),
    ] {
        assert_eq!(found(&answer, name), users, "{name}");
    }
    // Neither the key of five days nor inactive ones are unused, at any threshold above their age.
    let strict = asked(&["--trail", "testdata/trail", "--unused-after", "6d"]);
    assert!(!found(&strict, "never-used-key").contains(&"svc-new"));
    assert!(!found(&strict, "unused-key").contains(&"bob"));
    let strictest = asked(&["--trail", "testdata/trail", "--unused-after", "4d"]);
    assert!(found(&strictest, "never-used-key").contains(&"svc-new"));
}

#[test]
fn keys_of_the_report_are_found_in_the_trail() {
    let answer = asked(&["--trail", "testdata/trail"]);
    for (user, slot, id, matched_by) in [
        ("alice", 1, "AKIARTX3GSDSYSEXEVUR", "only key of the user"),
        (
            "svc-orders",
            1,
            "AKIAWO645SY5GR7BCNFK",
            "only key of the user",
        ),
        ("svc-orders", 2, "AKIAWO645SY5PJD4OYL5", "creation time"),
        ("svc-export", 1, "AKIARTX3GSDS75MXKBSU", "status change"),
        (
            "svc-backup-sync",
            1,
            "AKIARTX3GSDS4J6SD2VQ",
            "status change",
        ),
    ] {
        let key = key(&answer, user, slot);
        assert_eq!(key["access_key_id"], id, "{user}");
        assert_eq!(key["matched_by"], matched_by, "{user}");
    }
    assert_eq!(key(&answer, "svc-mailer", 1)["access_key_id"], Value::Null);
    assert_eq!(key(&answer, "ci-deploy", 1)["events"], 75);
}

#[test]
fn without_a_trail_the_report_alone_speaks() {
    let folder = tempfile::tempdir().unwrap();
    let report = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let (main, data) = (report(MAIN), report(DATA));
    let args = [
        "credentials",
        "--credential-report",
        &main,
        "--credential-report",
        &data,
        "--format",
        "json",
    ];
    let output = crate::program::keytrail(&args)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer.get("coverage"), None);
    assert_eq!(found(&answer, "invisible-use"), Vec::<&str>::new());
    assert_eq!(answer["keys"].as_array().unwrap().len(), 14);
    let notes = answer["notes"].to_string();
    assert!(notes.contains("no logs given"), "{notes}");
    assert!(
        notes.contains("the credential report may be old"),
        "{notes}"
    );
}

#[test]
fn wrong_use_is_explained() {
    let nothing = ran(&["credentials"]);
    assert!(nothing.starts_with("exit code: 2"), "{nothing}");
    let no_report = ran(&["credentials", "--credential-report", "testdata/truth.json"]);
    assert!(no_report.starts_with("exit code: 1"), "{no_report}");
    assert!(
        no_report.contains("testdata/truth.json is not a credential report"),
        "{no_report}"
    );
    assert!(
        no_report.contains("aws iam get-credential-report > report.json"),
        "{no_report}"
    );
    if !keytrail::iam::LIVE {
        let live = ran(&["credentials", "--live"]);
        assert!(live.starts_with("exit code: 2"), "{live}");
        assert!(live.contains("built without the feature `live`"), "{live}");
    }
}
