//! Use of a key that only another account's log has: it names the user by its id, and no key.

use crate::silence::{ACCOUNT, KEY, Log, OTHER, admin, call, day, end};
use serde_json::{Value, json};

const PARTNER: &str = "999988887777";
const KEEPS: [&str; 2] = ["migrate first", "wait until"];

/// A day in the partner's log: its own program reads an object, and starts something.
fn of_partner(log: Log, days: impl Iterator<Item = i64>) -> Log {
    days.fold(log, |log, before| {
        let own = |name: &str, data: bool| {
            let mut event = call(end() - chrono::TimeDelta::days(before), name, "ASIAPARTNERROLE00001");
            event["userIdentity"] = json!({
                "type": "AssumedRole", "accountId": PARTNER, "accessKeyId": "ASIAPARTNERROLE00001",
                "principalId": "AROAPARTNERROLE000001:job", "arn": format!("arn:aws:sts::{PARTNER}:assumed-role/job/job"),
            });
            event["recipientAccountId"] = PARTNER.into();
            if data {
                event["eventSource"] = "s3.amazonaws.com".into();
                event["eventCategory"] = "Data".into();
                event["readOnly"] = true.into();
            }
            event
        };
        let region = format!("{PARTNER}/us-east-1");
        log.with(&region, own("StartTask", false))
            .with(&region, own("GetObject", true))
    })
}

/// An object of the partner's is read by a user of ours, as the partner's log has it.
fn read(before: i64, id: &str) -> Value {
    let mut event = call(day(before), "GetObject", "");
    event["userIdentity"] = json!({"type": "AWSAccount", "principalId": id, "accountId": ACCOUNT});
    event["eventSource"] = "s3.amazonaws.com".into();
    event["eventCategory"] = "Data".into();
    event["readOnly"] = true.into();
    event["requestParameters"] = json!({"bucketName": "shared", "key": "x"});
    event["resources"] = json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::shared/x"}]);
    event["recipientAccountId"] = PARTNER.into();
    event["sharedEventID"] = format!("00000000-0000-4000-9000-{before:012}").into();
    event
}

fn reads(log: Log, days: impl Iterator<Item = i64>, id: &str) -> Log {
    let region = format!("{PARTNER}/us-east-1");
    days.fold(log, |log, before| log.with(&region, read(before, id)))
}

fn value(row: &Value, rule: &str) -> String {
    let mut rules = row["rules"].as_array().unwrap().iter();
    rules.find(|one| one["rule"] == rule).unwrap()["value"].to_string()
}

/// Ours ended 40 days ago; the partner's log goes on.
fn silent() -> Log {
    of_partner(Log::new(0..131).used("us-east-1", 40..131), 0..131)
}

#[track_caller]
fn is(name: &str, row: &Value, verdicts: &[&str]) {
    let verdict = row["verdict"].as_str().unwrap_or("no verdict");
    assert!(verdicts.contains(&verdict), "{name}: {row}");
}

#[test]
fn calls_that_only_the_owner_of_the_resource_logs_are_use() {
    let log = reads(silent(), 1..131, "AIDAEXAMPLE");
    let row = log.ready(KEY, &[]);
    is("daily", &row, &["migrate first"]);
    assert_eq!(row["consumers_left"], 1);
    let why = value(&row, "no-unseen-use");
    assert!(
        why.contains(
            "s3:GetObject, logged only in account 999988887777, by user and without a key"
        ),
        "{why}"
    );
    // Every command about the key says so.
    let consumers = log.told(&["consumers", KEY])["notes"].to_string();
    assert!(
        consumers.contains(&format!(
            "possible use of these keys, not counted as consumers: {KEY} (s3:GetObject, logged only in account 999988887777"
        )),
        "{consumers}"
    );
    let policy = log.told(&["policy", KEY])["not_derived"].to_string();
    assert!(
        policy.contains(
            "logged only in account 999988887777 (130 times, e.g. on arn:aws:s3:::shared/*)"
        ),
        "{policy}"
    );
    let plan = log.told(&["plan", KEY])["keys"][0].clone();
    let steps = plan["first"].to_string();
    assert!(
        steps.contains("s3:GetObject, logged only in account 999988887777"),
        "{plan:#}"
    );
    let root = |event: &mut Value| {
        event["userIdentity"] = json!({"type": "Root", "principalId": ACCOUNT, "accountId": ACCOUNT, "accessKeyId": KEY, "arn": format!("arn:aws:iam::{ACCOUNT}:root")});
    };
    let log = (40..131).fold(Log::new(0..131), |log, before| {
        let mut event = call(day(before), "PutItem", KEY);
        root(&mut event);
        log.with("us-east-1", event)
    });
    let log = reads(of_partner(log, 0..131), 1..131, ACCOUNT);
    is("root", &log.ready(KEY, &[]), &["migrate first"]);
}

#[test]
fn copies_of_what_our_own_log_has_are_no_other_use() {
    // The key's own call, in both logs.
    let log = (40..131).fold(of_partner(Log::new(0..131), 0..131), |log, before| {
        let mut own = read(before, "");
        own["userIdentity"] = call(day(before), "GetObject", KEY)["userIdentity"].clone();
        own["recipientAccountId"] = ACCOUNT.into();
        log.with("us-east-1", own)
    });
    let log = reads(log, 40..131, "AIDAEXAMPLE");
    is("both", &log.ready(KEY, &[]), &["deactivate"]);
    let notes = log.told(&["consumers", KEY])["notes"].to_string();
    assert!(!notes.contains("possible use"), "{notes}");
    // Three more calls, which only the partner logged.
    let log = reads(log, 1..5, "AIDAEXAMPLE");
    is("and more", &log.ready(KEY, &[]), &["migrate first"]);
}

#[test]
fn another_key_of_the_user_explains_what_came_from_its_place() {
    let other = |log: Log, agent: &str| {
        (1..40).fold(log, |log, before| {
            let mut event = call(day(before), "PutItem", OTHER);
            event["userAgent"] = agent.into();
            log.with("us-east-1", event)
        })
    };
    let boto = call(day(1), "x", KEY)["userAgent"]
        .as_str()
        .unwrap()
        .to_owned();
    let log = reads(other(silent(), &boto), 1..40, "AIDAEXAMPLE");
    is("the old key", &log.ready(KEY, &[]), &["deactivate"]);
    is("the new one", &log.ready(OTHER, &[]), &["migrate first"]);
    // Another program does not.
    let log = reads(other(silent(), "rclone/v1.66.0"), 1..40, "AIDAEXAMPLE");
    is("another program", &log.ready(KEY, &[]), &["migrate first"]);
}

#[test]
fn only_the_keys_of_the_user_are_kept() {
    let log = reads(silent(), 2..131, "AIDASOMEBODYELSE");
    is("another user", &log.ready(KEY, &[]), &["deactivate"]);
    let log = reads(silent(), 2..131, "AROAEXAMPLE:job");
    is("a role", &log.ready(KEY, &[]), &["deactivate"]);
    // Whose id is not known, may be the user of a key that never signed; so may whoever has none.
    let made = || {
        let answer =
            json!({"accessKey": {"accessKeyId": OTHER, "userName": "new", "status": "Active"}});
        let off = json!({"userName": "new", "accessKeyId": OTHER, "status": "Inactive"});
        silent()
            .with(
                "us-east-1",
                admin(120, "CreateAccessKey", json!({"userName": "new"}), answer),
            )
            .with("us-east-1", admin(60, "UpdateAccessKey", off, Value::Null))
    };
    is("an inactive key", &made().ready(OTHER, &[]), &["delete"]);
    let used = reads(made(), 2..50, "AIDANEWUSER");
    is("and its user's calls", &used.ready(OTHER, &[]), &KEEPS);
    let nameless = reads(silent(), 2..50, "");
    is("without an id", &nameless.ready(KEY, &[]), &KEEPS);
    // IAM knows of which key it was.
    let used =
        |last| reads(silent(), 1..131, "AIDAEXAMPLE").says("svc", &[(true, 300, Some(last))]);
    is(
        "IAM: not this one",
        &used(41).ready(KEY, &[]),
        &["deactivate"],
    );
    is(
        "IAM: this one",
        &used(1).ready(KEY, &[]),
        &["migrate first"],
    );
    let never = reads(silent(), 2..131, "AIDANEWUSER").says("new", &[(true, 300, None)]);
    let row = &never.answer(&[])["ready"];
    let mut rows = row.as_array().unwrap().iter();
    let new = rows.find(|row| row["user_name"] == "new").unwrap();
    is("IAM: never used", new, &["unused"]);
}

#[test]
fn silence_in_the_partners_log_counts_where_it_was_logged() {
    let ended = |log: Log| reads(log, 45..131, "AIDAEXAMPLE");
    is("over", &ended(silent()).ready(KEY, &[]), &["deactivate"]);
    let cut = ended(silent())
        .without(|event, before| event["recipientAccountId"] == PARTNER && before < 35);
    is(
        "the partner's log ends",
        &cut.ready(KEY, &[]),
        &["wait until"],
    );
}
