//! One verdict for each story of a key: small logs that end on 2026-06-30, what IAM says where it is asked, and what is right.
//!
//! `silence.rs` has the stories in which a part of the log is missing.

use crate::silence::{ACCOUNT, KEY, LETS_GO, Log, OTHER, admin, call, created, day, end};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Calls of a key on these days before the end.
fn calls(log: Log, days: impl Iterator<Item = i64>, change: impl Fn(&mut Value)) -> Log {
    days.fold(log, |log, before| {
        let mut event = call(day(before), "PutItem", KEY);
        change(&mut event);
        log.with("us-east-1", event)
    })
}

fn log() -> Log {
    Log::new(0..131)
}

fn status(before: i64, status: &str) -> Value {
    let request = json!({"userName": "svc", "accessKeyId": KEY, "status": status});
    admin(before, "UpdateAccessKey", request, Value::Null)
}

fn as_root(event: &mut Value) {
    event["userIdentity"] = json!({"type": "Root", "accountId": ACCOUNT, "accessKeyId": KEY, "arn": "arn:aws:iam::111122223333:root"});
}

/// The program that a role's session runs at the same address.
fn with_role(log: Log, days: impl Iterator<Item = i64>, table: &str) -> Log {
    as_role(log, days, table, None)
}

fn as_role(log: Log, days: impl Iterator<Item = i64>, table: &str, error: Option<&str>) -> Log {
    days.fold(log, |log, before| {
        let mut event = call(day(before), "PutItem", "ASIARTX3GSDSZFPPRVQW");
        event["userIdentity"] = json!({
            "type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": "ASIARTX3GSDSZFPPRVQW",
            "arn": "arn:aws:sts::111122223333:assumed-role/orders-job/i-0a1b2c3d4e5f60718",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/orders-job", "userName": "orders-job"}},
        });
        event["requestParameters"]["tableName"] = table.into();
        event["errorCode"] = error.into();
        log.with("us-east-1", event)
    })
}

#[track_caller]
fn right(name: &str, log: &Log, verdicts: &[&str]) {
    with(name, log, &[], verdicts);
}

#[track_caller]
fn with(name: &str, log: &Log, args: &[&str], verdicts: &[&str]) {
    let row = log.ready(KEY, args);
    let verdict = row["verdict"].as_str().unwrap_or("no verdict");
    assert!(verdicts.contains(&verdict), "{name}: {row}");
}

#[test]
fn use_that_goes_on_keeps_a_key() {
    let through = |event: &mut Value| {
        event["userIdentity"]["invokedBy"] = "athena.amazonaws.com".into();
        event["sourceIPAddress"] = "athena.amazonaws.com".into();
        event["userAgent"] = "athena.amazonaws.com".into();
    };
    let on_behalf = calls(log(), 2..100, through);
    right(
        "on behalf only",
        &on_behalf,
        &["migrate first", "wait until"],
    );
    let denied = calls(log(), 1..100, |event| {
        event["errorCode"] = "AccessDenied".into()
    });
    right("denied every day", &denied, &["migrate first"]);
    let denied_lately = calls(log().used("us-east-1", 4..100), 1..4, |event| {
        event["errorCode"] = "AccessDenied".into()
    });
    right(
        "denied since three days",
        &denied_lately,
        &["migrate first"],
    );
    let root = calls(log(), 1..100, as_root);
    right("a root key in use", &root, &["migrate first"]);
    let monthly = log().used("us-east-1", [120, 90, 60, 30].into_iter());
    right(
        "monthly, 30 days ago",
        &monthly,
        &["migrate first", "wait until"],
    );
    let quarterly = Log::new(0..300).used("us-east-1", [274, 183, 92].into_iter());
    right(
        "three runs of every quarter",
        &quarterly,
        &["migrate first", "wait until"],
    );
    let half_yearly = Log::new(0..400).used("us-east-1", [366, 183].into_iter());
    right(
        "two runs of every half year",
        &half_yearly,
        &["migrate first", "wait until"],
    );
    let refused = admin(
        20,
        "DeleteAccessKey",
        json!({"userName": "svc", "accessKeyId": KEY}),
        Value::Null,
    );
    let mut refused = refused;
    refused["errorCode"] = "AccessDenied".into();
    let refused = log().used("us-east-1", 1..100).with("us-east-1", refused);
    right("its deletion was refused", &refused, &["migrate first"]);
    let moved = calls(log().used("us-east-1", 60..100), 1..60, |event| {
        event["sourceIPAddress"] = "203.0.113.99".into()
    });
    let mut once = call(day(50), "CreateUser", KEY);
    once["sourceIPAddress"] = "203.0.113.99".into();
    once["eventSource"] = "iam.amazonaws.com".into();
    let moved = moved.with("us-east-1", once);
    right("the server has another address", &moved, &["migrate first"]);
}

#[test]
fn links_and_mail_count_as_use() {
    let browsers = |event: &mut Value| {
        event["eventSource"] = "s3.amazonaws.com".into();
        event["eventName"] = "GetObject".into();
        event["eventCategory"] = "Data".into();
        event["readOnly"] = true.into();
        event["requestParameters"] =
            json!({"bucketName": "b", "key": "k", "X-Amz-Expires": "604800"});
        event["additionalEventData"] = json!({"AuthenticationMethod": "QueryString"});
        event["userAgent"] = "[Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0]".into();
    };
    let links = calls(log(), 2..100, browsers);
    right(
        "presigned links, two days ago",
        &links,
        &["migrate first", "wait until"],
    );
    let mut mail = Log::new(0..221)
        .with("us-east-1", created(200, KEY, "svc"))
        .says("svc", &[(true, 200, Some(1))]);
    mail.report[0] = mail.report[0].replace("dynamodb", "ses");
    right(
        "mail, which leaves no event",
        &mail,
        &["migrate first", "wait until"],
    );
}

#[test]
fn a_new_or_a_second_key() {
    let new = log().with("us-east-1", created(10, KEY, "svc"));
    right("ten days old, never used", &new, &["wait until"]);
    // Rotated: the old key is silent, the new one is in use.
    let rotated = (1..31).fold(log().used("us-east-1", 31..131), |log, before| {
        log.with("us-east-1", call(day(before), "PutItem", OTHER))
    });
    let rotated = rotated.with("us-east-1", created(31, OTHER, "svc"));
    right(
        "the old key of a rotation",
        &rotated,
        &["deactivate", "wait until"],
    );
    assert_eq!(rotated.ready(OTHER, &[])["verdict"], "migrate first");
    // IAM has only the new key in the first column.
    let replaced = (1..60).fold(log().used("us-east-1", 100..131), |log, before| {
        log.with("us-east-1", call(day(before), "PutItem", OTHER))
    });
    let mut replaced = replaced
        .with("us-east-1", created(60, OTHER, "svc"))
        .says("svc", &[(true, 60, Some(1))]);
    // The report has the time of the call to the second.
    let wrong = (end() - TimeDelta::days(60)).to_rfc3339();
    replaced.report[0] = replaced.report[0].replace(&wrong, &day(60).to_rfc3339());
    right(
        "IAM's key is the other one",
        &replaced,
        &["no verdict", "deactivate", "wait until"],
    );
    // The user's second key is in use, the log and IAM tell them apart.
    let second = (1..131).fold(log().used("us-east-1", 100..131), |log, before| {
        log.with("us-east-1", call(day(before), "PutItem", OTHER))
    });
    let second = second.says("svc", &[(true, 400, Some(100)), (true, 300, Some(1))]);
    right(
        "one of two keys is silent; where IAM does not tell which, the later use counts for both",
        &second,
        &["deactivate", "wait until", "migrate first"],
    );
    assert_eq!(second.ready(OTHER, &[])["verdict"], "migrate first");
    // The user signs in to the console; the key is silent.
    let console = (1..40).fold(log().used("us-east-1", 100..131), |log, before| {
        let mut event = call(day(before), "ConsoleLogin", "");
        event["eventSource"] = "signin.amazonaws.com".into();
        event["eventType"] = "AwsConsoleSignIn".into();
        event["responseElements"] = json!({"ConsoleLogin": "Success"});
        event["userIdentity"]
            .as_object_mut()
            .unwrap()
            .remove("accessKeyId");
        log.with("us-east-1", event)
    });
    right("the user only signs in", &console, &["deactivate"]);
}

#[test]
fn what_iam_knows_of_a_key() {
    let newer = Log::new(0..131)
        .used("us-east-1", 100..131)
        .says("svc", &[(true, 300, Some(5))]);
    right("IAM saw it five days ago", &newer, &["migrate first"]);
    let unseen = Log::new(0..131)
        .with("us-east-1", created(120, KEY, "svc"))
        .says("svc", &[(true, 120, Some(3))]);
    right(
        "used by IAM's word alone",
        &unseen,
        &["migrate first", "wait until"],
    );
    let other = Log::new(0..131).used("us-east-1", 100..131);
    let mut other = other.says("svc", &[(true, 300, Some(2))]);
    other.report[0] = other.report[0].replace(ACCOUNT, "444455556666");
    right(
        "a report of another account",
        &other,
        &["deactivate", "wait until"],
    );
    // A report is the only sign of an inactive key that was last used before the log.
    let inactive = Log::new(0..131).says("svc", &[(false, 500, Some(300))]);
    let answer = inactive.answer(&[]);
    assert_eq!(answer["ready"][0]["verdict"], "delete", "{answer}");
}

#[test]
fn a_key_of_an_account_without_a_log() {
    let foreign = |kind: &'static str| {
        calls(Log::new(0..131), 110..131, move |event| {
            event["userIdentity"]["type"] = kind.into();
            event["userIdentity"]["accountId"] = "444455556666".into();
            event["userIdentity"]["arn"] = "arn:aws:iam::444455556666:user/svc".into();
        })
    };
    right(
        "another account's principal",
        &foreign("AWSAccount"),
        &["wait until", "no verdict"],
    );
    right(
        "another account's user",
        &foreign("IAMUser"),
        &["wait until"],
    );
    let report = foreign("IAMUser").says("somebody", &[(true, 300, Some(1))]);
    right("and a report of this one", &report, &["wait until"]);
}

#[test]
fn an_inactive_key() {
    let daily = |last: i64| log().used("us-east-1", last..131);
    let off = daily(21).with("us-east-1", status(20, "Inactive"));
    right(
        "daily until it was deactivated",
        &off,
        &["delete", "wait until"],
    );
    let monthly = log()
        .used("us-east-1", [120, 90, 60, 30].into_iter())
        .with("us-east-1", status(20, "Inactive"));
    right(
        "monthly until it was deactivated",
        &monthly,
        &["wait until"],
    );
    let again = daily(21)
        .with("us-east-1", status(20, "Inactive"))
        .with("us-east-1", status(5, "Active"));
    right(
        "activated again five days ago",
        &again,
        &["wait until", "deactivate"],
    );
    let used = daily(1).with("us-east-1", status(20, "Inactive"));
    right("called since it was deactivated", &used, &["migrate first"]);
    let ended = daily(21)
        .with("us-east-1", status(20, "Inactive"))
        .without(|_, before| before < 18);
    with(
        "the log ends after it was deactivated",
        &ended,
        &["--as-of", "2026-06-30T12:00:00Z"],
        &["wait until"],
    );
    let deleted = admin(
        20,
        "DeleteAccessKey",
        json!({"userName": "svc", "accessKeyId": KEY}),
        Value::Null,
    );
    let deleted = daily(21).with("us-east-1", deleted);
    right("deleted", &deleted, &["no verdict"]);
}

#[test]
fn a_verdict_for_another_day_than_the_log_s_last() {
    let silent = log().used("us-east-1", 40..131);
    let later = ["--as-of", "2026-09-01T00:00:00Z"];
    with(
        "two months after the log",
        &silent,
        &later,
        &["wait until", "migrate first"],
    );
    let in_use = log().used("us-east-1", 1..131);
    let narrow = ["--until", "2026-05-29", "--as-of", "2026-06-30T12:00:00Z"];
    with(
        "a log cut off a month ago",
        &in_use,
        &narrow,
        &["wait until", "migrate first"],
    );
    let hole = log()
        .used("us-east-1", 16..131)
        .without(|event, before| event["awsRegion"] == "us-east-1" && (2..16).contains(&before));
    right(
        "two weeks without logs",
        &hole,
        &["wait until", "migrate first"],
    );
    let half = log()
        .used("us-east-1", 30..131)
        .without(|_, before| before < 30);
    let half = {
        let mut log = half;
        // Another account's log goes on.
        for before in 0..30 {
            let mut event = call(day(before), "DescribeInstances", "ASIARTX3GSDSW27X5M7P");
            event["userIdentity"] = json!({"type": "AssumedRole", "accountId": "444455556666",
                "accessKeyId": "ASIARTX3GSDSW27X5M7P", "arn": "arn:aws:sts::444455556666:assumed-role/app/i-1"});
            event["recipientAccountId"] = "444455556666".into();
            log = log.with("eu-west-1", event);
        }
        log
    };
    right(
        "another account's log goes on",
        &half,
        &["wait until", "migrate first"],
    );
}

#[test]
fn one_of_two_consumers_has_moved() {
    let java = |event: &mut Value| {
        event["sourceIPAddress"] = "203.0.113.55".into();
        event["userAgent"] = "aws-sdk-java/1.12.681 Linux/3.10.0-1160.el7.x86_64 OpenJDK_64-Bit_Server_VM/25.402-b06".into();
        event["requestParameters"]["tableName"] = "exports".into();
    };
    let both = calls(log().used("us-east-1", 31..131), 1..131, java);
    let both = with_role(both, 1..31, "orders");
    let row = both.ready(KEY, &[]);
    assert_eq!(
        (&row["verdict"], &row["consumers_left"]),
        (&"migrate first".into(), &1.into()),
        "{row}"
    );
    // A role that was there all the time, for another table, is not what the program moved to.
    let there = with_role(log().used("us-east-1", 31..131), 0..131, "others");
    let row = there.ready(KEY, &[]);
    assert!(
        !row["rules"].to_string().contains("assumed-role/orders-job"),
        "{row}"
    );
    let changes = there.progress("2026-05-31");
    assert_ne!(changes["progress"][0]["status"], "moved", "{changes}");
    let moved = with_role(log().used("us-east-1", 31..131), 0..31, "orders");
    let changes = moved.progress("2026-05-31");
    assert_eq!(changes["progress"][0]["status"], "moved", "{changes}");
    let used = log().used("us-east-1", 31..131);
    let refused = as_role(used, 0..31, "orders", Some("AccessDenied"));
    let changes = refused.progress("2026-05-31");
    assert_ne!(changes["progress"][0]["status"], "moved", "{changes}");
}

#[test]
fn somebody_else_has_it() {
    let quarantine = admin(
        1,
        "AttachUserPolicy",
        json!({"userName": "svc", "policyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}),
        Value::Null,
    );
    let quarantined = log()
        .used("us-east-1", 1..131)
        .with("us-east-1", quarantine);
    right("quarantined by AWS", &quarantined, &["incident"]);
    // What AWS did before it had a policy of its own for this.
    let inline = |document: &str| {
        let request = json!({"userName": "svc", "policyName": "AWSExposedCredentialPolicy_DO_NOT_REMOVE", "policyDocument": document});
        let put = admin(1, "PutUserPolicy", request, Value::Null);
        log().used("us-east-1", 1..131).with("us-east-1", put)
    };
    let denies = inline(r#"{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#);
    right("quarantined by AWS in 2019", &denies, &["incident"]);
    let allows = inline(r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#);
    let row = allows.ready(KEY, &[]);
    assert!(
        !row["rules"].to_string().contains("DO_NOT_REMOVE attached"),
        "{row}"
    );
    let stranger = |log: Log, calls: &[(&str, &str, bool, Value)]| {
        let each = calls.iter().enumerate();
        each.fold(log, |log, (at, (service, name, denied, request))| {
            let minutes = TimeDelta::minutes(at as i64);
            let mut event = call(end() - TimeDelta::days(2) + minutes, name, KEY);
            event["sourceIPAddress"] = "45.148.10.94".into();
            event["userAgent"] = "aws-cli/2.15.25 Python/3.11.8 Windows/10 exe/AMD64".into();
            event["eventSource"] = format!("{service}.amazonaws.com").into();
            event["requestParameters"] = request.clone();
            if *denied {
                event["errorCode"] = "AccessDenied".into();
            }
            log.with("us-east-1", event)
        })
    };
    let itself = json!({"userName": "svc", "policyName": "p",
        "policyDocument": "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"});
    let escalates = stranger(
        log().used("us-east-1", 1..131),
        &[
            ("sts", "GetCallerIdentity", false, Value::Null),
            ("iam", "ListUsers", true, Value::Null),
            ("iam", "ListRoles", true, Value::Null),
            ("iam", "PutUserPolicy", false, itself),
            ("iam", "CreateAccessKey", false, json!({"userName": "svc"})),
        ],
    );
    right(
        "a stranger who gives himself rights",
        &escalates,
        &["incident"],
    );
    let read = (
        "s3",
        "GetObject",
        false,
        json!({"bucketName": "finance", "key": "k"}),
    );
    let downloads = stranger(log().used("us-east-1", 1..131), &vec![read; 59]);
    right(
        "a stranger who reads",
        &downloads,
        &["incident", "migrate first"],
    );
    // Nothing lets such a key go, silent or not.
    let silent = stranger(
        log().used("us-east-1", 60..131),
        &[
            ("sts", "GetCallerIdentity", false, Value::Null),
            ("iam", "ListUsers", true, Value::Null),
        ],
    );
    let verdict = silent.ready(KEY, &[])["verdict"].clone();
    assert!(!LETS_GO.contains(&verdict.as_str().unwrap()), "{verdict}");
}
