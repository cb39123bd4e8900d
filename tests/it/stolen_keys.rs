//! One judgement for every answer about keys: what an intruder did is left out and said first, what may be an intruder's is named.

use crate::intruders::{Caller, LOOKS_AROUND, Trail, origin, user};
use crate::program::json;
use crate::silence::{KEY, Log, call, day};
use chrono::TimeDelta;
use serde_json::{Value, json as value};
use std::fs;

const STRANGE: &str = "198.51.100.7";
const CLI: &str = "aws-cli/2.15.25 Python/3.11.8 Linux/6.1 exe/x86_64.amzn.2023 prompt/off";
const MAC: &str = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";

/// A key with a job, used by a stranger at the end.
fn stolen() -> (Trail, Caller) {
    let owner = user("svc", KEY);
    let mut trail = Trail::default();
    trail.job(&owner);
    trail.plain("28T12:00", &owner.from(STRANGE, CLI), &LOOKS_AROUND);
    (trail, owner)
}

fn asked(trail: &Trail, args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = trail.write(folder.path());
    json(&[args, &["--trail", &path]].concat(), 0)
}

fn first_note(answer: &Value) -> &str {
    answer["notes"][0].as_str().unwrap_or_default()
}

#[test]
fn every_answer_leaves_the_intruder_out_and_says_so_first() {
    let (trail, _) = stolen();
    let count = |answer: &Value, section: &str| answer[section].as_array().unwrap().len();
    for (args, section) in [
        (vec!["consumers", KEY], "consumers"),
        (vec!["progress", KEY, "--before", "2026-06-15"], "progress"),
    ] {
        let own = asked(&trail, &args);
        assert_eq!(count(&own, section), 1, "{own:#}");
        assert!(
            first_note(&own).contains("use by an intruder is excluded"),
            "{own:#}"
        );
        let all = asked(&trail, &[&args[..], &["--include", "intruder"]].concat());
        assert_eq!(count(&all, section), 2, "{all:#}");
    }
    let plan = asked(&trail, &["plan", KEY]);
    assert!(
        first_note(&plan).contains("use by an intruder is excluded"),
        "{plan:#}"
    );
    assert!(
        !plan["keys"][0]["consumers"].to_string().contains(STRANGE),
        "{plan:#}"
    );
    let all = asked(&trail, &["plan", KEY, "--include", "intruder"]);
    assert!(
        all["keys"][0]["consumers"].to_string().contains(STRANGE),
        "{all:#}"
    );
    let ready = asked(&trail, &["ready", KEY]);
    assert!(
        first_note(&ready).contains("use by an intruder is excluded"),
        "{ready:#}"
    );
    assert_eq!(ready["ready"][0]["verdict"], "incident");
}

#[test]
fn a_known_principal_s_unusual_use_is_expected_everywhere() {
    let (trail, _) = stolen();
    let folder = tempfile::tempdir().unwrap();
    let lists = |text: &str| {
        let path = folder.path().join("lists.txt");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let verdict = |lists: &str| {
        let answer = asked(&trail, &["ready", KEY, "--lists", lists]);
        answer["ready"][0]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&lists("known_principals svc\n")), "migrate first");
    // A list that nobody filled knows nobody.
    for empty in [
        "",
        "# known_principals\n",
        "known_principals somebody-else\n",
    ] {
        assert_eq!(verdict(&lists(empty)), "incident", "{empty:?}");
    }
    let path = lists("known_principals svc\n");
    let policy = asked(&trail, &["policy", KEY, "--lists", &path]);
    assert!(
        !first_note(&policy).contains("an intruder used"),
        "{policy:#}"
    );
}

#[test]
fn suspicious_use_is_named_and_holds_up_deletion() {
    let home = |log: Log| {
        let names = ["GetCallerIdentity", "DescribeTable", "Scan"];
        names.iter().enumerate().fold(log, |log, (at, name)| {
            let minutes = TimeDelta::minutes(at as i64);
            let mut event = call(day(100) + minutes, name, KEY);
            event["sourceIPAddress"] = "86.12.13.14".into();
            event["userAgent"] = MAC.into();
            event["readOnly"] = true.into();
            if at == 0 {
                event["eventSource"] = "sts.amazonaws.com".into();
            }
            log.with("us-east-1", event)
        })
    };
    let log = || home(Log::new(0..221).used("us-east-1", 101..221));
    let row = log().ready(KEY, &[]);
    assert_eq!(row["verdict"], "deactivate", "{row}");
    let why = row["why"].as_str().unwrap();
    assert!(why.contains("suspicious use from 86.12.13.14"), "{row}");
    assert!(
        row["not_checked"].to_string().contains("no-suspicious-use"),
        "{row}"
    );
    // Who deletes the key of an intruder takes it from IAM's lists before anybody looked.
    let inactive = log().says("svc", &[(false, 300, Some(100))]);
    let row = inactive.ready(KEY, &[]);
    assert_eq!(row["verdict"], "wait until", "{row}");
    assert!(
        row["why"].as_str().unwrap().contains("86.12.13.14"),
        "{row}"
    );
}

#[test]
fn a_stolen_session_of_a_key_is_an_incident_of_the_key() {
    let session = |before: i64, minutes: i64, name: &str, key: &str| {
        let mut event = call(day(before) + TimeDelta::minutes(minutes), name, key);
        event["userIdentity"] = value!({
            "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": key,
            "arn": "arn:aws:sts::111122223333:assumed-role/etl/job",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/etl", "userName": "etl"}},
        });
        event
    };
    let key_of = |before: i64| format!("ASIARTX3GSDSJOB{before:05}");
    let log = (1..60).fold(Log::new(0..61), |log, before| {
        let mut assume = call(day(before), "AssumeRole", KEY);
        assume["eventSource"] = "sts.amazonaws.com".into();
        assume["requestParameters"] =
            value!({"roleArn": "arn:aws:iam::111122223333:role/etl", "roleSessionName": "job"});
        assume["responseElements"] = value!({"credentials": {"accessKeyId": key_of(before)}});
        log.with("us-east-1", assume)
            .with("us-east-1", session(before, 1, "PutItem", &key_of(before)))
    });
    let row = log.ready(KEY, &[]);
    assert_eq!(row["verdict"], "migrate first", "{row}");
    let calls = [
        ("sts", "GetCallerIdentity", false),
        ("iam", "ListUsers", true),
        ("iam", "ListRoles", true),
        ("s3", "ListBuckets", true),
        ("secretsmanager", "ListSecrets", true),
    ];
    let log = calls
        .iter()
        .enumerate()
        .fold(log, |log, (at, (service, name, denied))| {
            let mut event = session(1, 10 + at as i64, name, &key_of(1));
            event["sourceIPAddress"] = STRANGE.into();
            event["userAgent"] = CLI.into();
            event["eventSource"] = format!("{service}.amazonaws.com").into();
            if *denied {
                event["errorCode"] = "AccessDenied".into();
            }
            log.with("us-east-1", event)
        });
    let answer = log.answer(&[KEY]);
    assert_eq!(answer["ready"][0]["verdict"], "incident", "{answer:#}");
    assert!(
        answer["ready"][0]["rules"].to_string().contains(STRANGE),
        "{answer:#}"
    );
    assert!(first_note(&answer).contains(STRANGE), "{answer:#}");
}

#[test]
fn a_key_that_only_scanners_use_is_an_incident() {
    let (requests, other) = ("python-requests/2.31.0", "AKIARTX3GSDSWAB6NAEO");
    let leaked = user("release", KEY);
    let mut trail = Trail::default();
    trail.job(&user("svc", other));
    for (time, agent) in [("20T12:00", requests), ("20T12:05", CLI)] {
        trail.plain(time, &leaked.from(STRANGE, agent), &LOOKS_AROUND);
    }
    assert_eq!(trail.verdict(KEY), "incident");
    assert_ne!(trail.verdict(other), "incident");
    assert_eq!(origin(&trail.trace(&[KEY]), STRANGE), "intruder");
    // The engineer of the team, once, from home: one program, three calls.
    let mut trail = Trail::default();
    trail.job(&user("svc", other));
    trail.plain("20T12:00", &leaked.from(STRANGE, MAC), &LOOKS_AROUND[..3]);
    assert_ne!(trail.verdict(KEY), "incident");
    assert_ne!(origin(&trail.trace(&[KEY]), STRANGE), "intruder");
}
