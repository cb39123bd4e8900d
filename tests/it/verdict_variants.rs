//! Stories of keys by which a sceptic would try to get a used key removed, or an owner accused: places, rhythms, and addresses that change.

use crate::silence::{ACCOUNT, KEY, LETS_GO, Log, admin, call, day};
use chrono::TimeDelta;
use serde_json::{Value, json};

const CLI: &str =
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1016-azure exe/x86_64.ubuntu.22 prompt/off";
const BOTO: &str = "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10 lang/python#3.11.6";
const MAC: &str = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";

/// Verdicts that keep a key which somebody uses, or may use again.
const KEEPS: [&str; 2] = ["migrate first", "wait until"];

/// Calls of one run, a minute apart; `!` at the end: it was denied.
fn run(log: Log, before: i64, (address, agent): (&str, &str), names: &[&str]) -> Log {
    names.iter().enumerate().fold(log, |log, (minute, name)| {
        let (service, name) = name.split_once(':').unwrap();
        let mut event = call(
            day(before) + TimeDelta::minutes(minute as i64),
            name.trim_end_matches('!'),
            KEY,
        );
        event["eventSource"] = format!("{service}.amazonaws.com").into();
        event["sourceIPAddress"] = address.into();
        event["userAgent"] = agent.into();
        event["requestParameters"] = Value::Null;
        if name.ends_with('!') {
            event["errorCode"] = "AccessDenied".into();
        }
        log.with("us-east-1", event)
    })
}

#[track_caller]
fn is(name: &str, log: &Log, args: &[&str], verdicts: &[&str]) {
    let row = log.ready(KEY, args);
    let verdict = row["verdict"].as_str().unwrap_or("no verdict");
    assert!(verdicts.contains(&verdict), "{name}: {row}");
}

#[test]
fn a_key_behind_services_and_sessions_is_used() {
    // Athena goes on with a session of its own, in the user's name; the key asked for the last query 40 days ago.
    let forwarded = (1..131).fold(
        Log::new(0..131).used("us-east-1", 40..131),
        |log, before| {
            let mut event = call(day(before), "Decrypt", "ASIARTX3GSDSFORWARD1");
            event["eventSource"] = "kms.amazonaws.com".into();
            for field in ["sourceIPAddress", "userAgent"] {
                event[field] = "athena.amazonaws.com".into();
            }
            event["userIdentity"]["invokedBy"] = "athena.amazonaws.com".into();
            log.with("us-east-1", event)
        },
    );
    is("a session that goes on", &forwarded, &[], &KEEPS);
    // Its calls are only throttled since.
    let throttled = (0..40).fold(
        Log::new(0..131).used("us-east-1", 40..131),
        |log, before| {
            let mut event = call(day(before), "PutItem", KEY);
            event["errorCode"] = "ThrottlingException".into();
            log.with("us-east-1", event)
        },
    );
    is("throttled", &throttled, &[], &["migrate first"]);
}

#[test]
fn rhythms_of_quarters_ask_for_the_next_one() {
    // Three days in a row, once a quarter; the next run is due in 71 days.
    let bursts = [202, 111, 20].map(|last: i64| last..last + 3);
    let bursts = Log::new(0..300).used("us-east-1", bursts.into_iter().flatten());
    is("bursts", &bursts, &[], &KEEPS);
    let missed = [368, 277, 186, 95].map(|last: i64| last..last + 3);
    let missed = Log::new(0..400).used("us-east-1", missed.into_iter().flatten());
    is("a run that is five days late", &missed, &[], &KEEPS);
    let uneven = Log::new(0..400).used("us-east-1", [372, 282, 190, 100].into_iter());
    is("quarters have 90 to 92 days", &uneven, &[], &KEEPS);
    let skipped = Log::new(0..300).used("us-east-1", [254, 223, 192, 162, 101, 71, 40].into_iter());
    is("a month that was left out", &skipped, &[], &KEEPS);
}

#[test]
fn a_region_whose_log_begins_late_proves_nothing_before_it() {
    // In eu-west-1 the log begins 50 days ago, and the key was used there for five days.
    let begins = |event: &Value, before: i64| event["awsRegion"] == "eu-west-1" && before > 50;
    let log = Log::new(0..131)
        .used("us-east-1", 100..131)
        .used("eu-west-1", 46..51)
        .without(begins);
    is("five days of a region", &log, &[], &KEEPS);
    // With IAM's word up to the end there is nothing left to see.
    let log = log.says("svc", &[(true, 400, Some(46))]);
    is("and IAM's word", &log, &[], &KEEPS);
}

#[test]
fn an_owner_on_holiday_is_no_intruder() {
    let looks = [
        "sts:GetCallerIdentity",
        "ec2:DescribeInstances",
        "s3:ListBuckets",
    ];
    let home = ("86.4.20.11", MAC);
    let vpn = ("185.159.157.20", MAC);
    let at_home = |log: Log| {
        (15..131).fold(log, |log, before| {
            run(log, before, home, &["ec2:DescribeInstances"])
        })
    };
    let away = (1..12).fold(at_home(Log::new(0..131)), |log, before| {
        run(log, before, vpn, &looks)
    });
    is("at work through a VPN", &away, &[], &["migrate first"]);
    let denied = [
        "sts:GetCallerIdentity",
        "ec2:DescribeInstances",
        "s3:ListBuckets!",
    ];
    let denied = run(at_home(Log::new(0..131)), 3, vpn, &denied);
    is("a try through a VPN", &denied, &[], &["migrate first"]);
}

#[test]
fn runners_with_another_address_each_day_are_one_job() {
    let runner = |before: i64| format!("20.{}.{}.7", before * 7 % 200 + 20, before * 13 % 250);
    let deploys = [
        "sts:GetCallerIdentity",
        "cloudformation:DescribeStacks",
        "lambda:UpdateFunctionCode20150331v2",
    ];
    let job = |days: std::ops::Range<i64>, agents: &[&str], names: &[&str]| {
        days.fold(Log::new(0..131), |log, before| {
            agents.iter().fold(log, |log, agent| {
                run(log, before, (&runner(before), agent), names)
            })
        })
    };
    is(
        "in use",
        &job(0..131, &[CLI], &deploys),
        &[],
        &["migrate first"],
    );
    is(
        "silent for five days",
        &job(5..131, &[CLI], &deploys),
        &[],
        &KEEPS,
    );
    is(
        "gone",
        &job(40..131, &[CLI], &deploys),
        &[],
        &["deactivate"],
    );
    // It lost its permissions, and goes on to try: with two programs, from a new address each day.
    let denied = [
        "sts:GetCallerIdentity",
        "cloudformation:DescribeStacks!",
        "lambda:ListFunctions20150331!",
        "ecr:DescribeRepositories!",
    ];
    let denied = job(0..131, &[CLI, BOTO], &denied);
    is("denied every day", &denied, &[], &["migrate first"]);
}

#[test]
fn another_moment_and_another_account() {
    // Silent until the day of the question, and used again since.
    let again = Log::new(0..131).used("us-east-1", (60..131).chain(0..20));
    let past = ["--as-of", "2026-06-05T00:00:00Z"];
    let row = again.ready(KEY, &past);
    assert!(
        !LETS_GO.contains(&row["verdict"].as_str().unwrap()),
        "{row}"
    );
    // Deactivated 35 days ago; the calls since show that somebody activated it again.
    let status = json!({"userName": "svc", "accessKeyId": KEY, "status": "Inactive"});
    let active = Log::new(0..131)
        .used("us-east-1", (40..131).chain([20, 2]))
        .with(
            "us-east-1",
            admin(35, "UpdateAccessKey", status, Value::Null),
        );
    is("active again", &active, &[], &["migrate first"]);
    // Another account has a user of the same name, of whose key IAM says that it was not used.
    let other = Log::new(0..131).used("us-east-1", 0..131);
    let mut other = other.says("svc", &[(true, 400, Some(100))]);
    for row in &mut other.report {
        *row = row.replace(ACCOUNT, "444455556666");
    }
    is("a namesake", &other, &[], &["migrate first"]);
}
