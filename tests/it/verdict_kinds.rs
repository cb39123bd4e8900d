//! Stories of keys that were let go although they were used, or may have been: what is not logged, what goes on, who pauses. Each with a
//! control, a story nearly the same in which the key may go.

use crate::silence::{ACCOUNT, KEY, Log, OTHER, admin, call, day, end};
use chrono::{Datelike, TimeDelta};
use serde_json::{Value, json};

const BOTO: &str = "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10 lang/python#3.11.6";
const JAVA: &str = "aws-sdk-java/1.12.681 Linux/3.10.0-1160.el7.x86_64 OpenJDK_64-Bit_Server_VM/25.402-b06 java/1.8.0_402";
const GO: &str = "aws-sdk-go-v2/1.25.3 os/linux lang/go#1.22.1 md/GOOS#linux md/GOARCH#amd64";
const MAC: &str = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";
const RUNNER: &str =
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1016-azure exe/x86_64.ubuntu.22 prompt/off";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0";

/// Verdicts that keep a key which somebody uses, or may use again.
const KEEPS: [&str; 2] = ["migrate first", "wait until"];

fn log() -> Log {
    Log::new(0..131)
}

#[track_caller]
fn is(name: &str, log: &Log, verdicts: &[&str]) {
    let row = log.ready(KEY, &[]);
    let verdict = row["verdict"].as_str().unwrap_or("no verdict");
    assert!(verdicts.contains(&verdict), "{name}: {row}");
}

/// What a key calls on these days, changed.
fn calls(
    log: Log,
    days: impl Iterator<Item = i64>,
    name: &str,
    change: impl Fn(&mut Value),
) -> Log {
    days.fold(log, |log, before| {
        let (service, name) = name.split_once(':').unwrap();
        let mut event = call(day(before), name, KEY);
        event["eventSource"] = format!("{service}.amazonaws.com").into();
        event["readOnly"] = ["Get", "Describe", "Decrypt"]
            .iter()
            .any(|begin| name.starts_with(begin))
            .into();
        change(&mut event);
        log.with("us-east-1", event)
    })
}

fn nothing(_: &mut Value) {}

fn as_data(event: &mut Value) {
    event["eventCategory"] = "Data".into();
}

/// The call is a role's, at another place.
fn as_role(event: &mut Value) {
    event["userIdentity"] = json!({"type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": "ASIARTX3GSDSW27X5M7P",
        "arn": "arn:aws:sts::111122223333:assumed-role/app/i-1"});
    event["sourceIPAddress"] = "10.1.2.4".into();
}

fn status(before: i64, status: &str) -> Value {
    let request = json!({"userName": "svc", "accessKeyId": KEY, "status": status});
    admin(before, "UpdateAccessKey", request, Value::Null)
}

#[test]
fn a_key_that_iam_lists_as_active_was_activated_again() {
    let off = || {
        log()
            .used("us-east-1", 60..131)
            .with("us-east-1", status(59, "Inactive"))
    };
    let used = off().says("svc", &[(true, 59, Some(2))]);
    is("used two days ago", &used, &["migrate first"]);
    let used = off().says("svc", &[(true, 10, Some(1))]);
    is("and a change of ten days ago", &used, &["migrate first"]);
    let unused = off().says("svc", &[(true, 10, Some(61))]);
    is("activated ten days ago", &unused, &["wait until"]);
    let unused = off().says("svc", &[(true, 30, Some(61))]);
    is("activated thirty days ago", &unused, &["deactivate"]);
    let still_off = off().says("svc", &[(false, 59, Some(61))]);
    is("still inactive", &still_off, &["delete"]);
}

#[test]
fn the_silence_of_an_inactive_key_is_none() {
    let again = |days: i64| {
        log()
            .used("us-east-1", 60..131)
            .with("us-east-1", status(59, "Inactive"))
            .with("us-east-1", status(days, "Active"))
    };
    is("active since yesterday", &again(1), &["wait until"]);
    let row = again(1).ready(KEY, &[]);
    let said = "the key was inactive until 2026-06-29 08:00";
    assert!(row["rules"].to_string().contains(said), "{row}");
    is("active for thirty days", &again(30), &["deactivate"]);
}

#[test]
fn what_was_seen_at_work_once_is_not_deleted_before_the_window_is_over() {
    let off = |days: &[i64]| {
        log()
            .used("us-east-1", days.iter().copied())
            .with("us-east-1", status(15, "Inactive"))
    };
    is("one day, 47 days ago", &off(&[47]), &["wait until"]);
    is("one day, 100 days ago", &off(&[100]), &["delete"]);
    let daily: Vec<i64> = (16..131).collect();
    is("every day", &off(&daily), &["delete"]);
}

#[test]
fn reads_that_nobody_s_calls_show_may_go_on_unseen() {
    let writes = || calls(log(), 40..131, "ec2:CreateTags", nothing);
    is("reads are logged", &writes(), &["deactivate"]);
    let is_read =
        |event: &Value| event["readOnly"] == true && event["eventCategory"] == "Management";
    let never = writes().without(|event, _| is_read(event));
    is("a trail of writes", &never, &["wait until"]);
    let why = never.ready(KEY, &[])["why"].to_string();
    assert!(why.contains("management events that read"), "{why}");
    // The key was nearly the only one that read; since it stopped, nobody does.
    let reads = calls(log(), 100..131, "ec2:DescribeInstances", nothing);
    is("others go on reading", &reads, &["deactivate"]);
    let ended = reads.without(|event, before| is_read(event) && before < 100);
    is("nobody reads any more", &ended, &["wait until"]);
}

#[test]
fn writes_of_objects_do_not_show_that_reads_are_logged() {
    let object = |event: &Value| event["eventCategory"] == "Data";
    let puts = |log: Log| {
        calls(log, 0..131, "s3:PutObject", |event| {
            as_data(event);
            as_role(event);
        })
    };
    let key = || calls(log(), 40..131, "s3:GetBucketLocation", nothing);
    is("both", &puts(key()), &["deactivate"]);
    let writes = puts(key().without(|event, _| object(event)));
    is("writes only", &writes, &["wait until"]);
    let ended = puts(key().without(|event, before| object(event) && before < 30));
    is("writes only, for a month", &ended, &["wait until"]);
    // CloudTrail delivers its log files.
    let delivered = calls(
        key().without(|event, _| object(event)),
        0..131,
        "s3:PutObject",
        |event| {
            as_data(event);
            event["userIdentity"] =
                json!({"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"});
            for field in ["sourceIPAddress", "userAgent"] {
                event[field] = "cloudtrail.amazonaws.com".into();
            }
        },
    );
    is("deliveries only", &delivered, &["wait until"]);
    let row = delivered.ready(KEY, &[]);
    let said = "none logged in the account";
    assert!(row["rules"].to_string().contains(said), "{row}");
}

#[test]
fn a_quarter_s_job_with_another_program_each_time_has_the_rhythm_of_all() {
    let runs = |days: [i64; 4]| {
        let programs = [
            (BOTO, "203.0.113.10"),
            (JAVA, "198.51.100.7"),
            (GO, "192.0.2.77"),
            (RUNNER, "203.0.113.99"),
        ];
        let runs = days.into_iter().zip(programs);
        runs.fold(Log::new(0..400), |log, (before, (agent, address))| {
            calls(
                log,
                [before].into_iter(),
                "ec2:DescribeInstances",
                |event| {
                    event["userAgent"] = agent.into();
                    event["sourceIPAddress"] = address.into();
                },
            )
        })
    };
    let quarterly = runs([365, 274, 183, 92]);
    is("every quarter", &quarterly, &["wait until"]);
    let row = quarterly.ready(KEY, &[]);
    let said = "all consumers together: longest gap 91 d";
    assert!(row["rules"].to_string().contains(said), "{row}");
    is("at no rhythm", &runs([365, 300, 130, 92]), &["deactivate"]);
}

#[test]
fn people_go_on_holiday() {
    let weekdays = |last: i64| {
        let days = (last..131).filter(|before| day(*before).weekday().num_days_from_monday() < 5);
        calls(log(), days, "ec2:DescribeInstances", |event| {
            event["userAgent"] = MAC.into();
        })
    };
    is("for 16 days", &weekdays(16), &["wait until"]);
    is("for 35 days", &weekdays(35), &["deactivate"]);
    is(
        "a program, for 16 days",
        &log().used("us-east-1", 16..131),
        &["deactivate"],
    );
}

#[test]
fn what_only_the_key_did_may_be_left_out_of_the_log() {
    let decrypts = || calls(log(), 100..131, "kms:Decrypt", nothing);
    is("the only user of KMS", &decrypts(), &["wait until"]);
    let others = calls(decrypts(), 0..131, "kms:Decrypt", as_role);
    is("others use KMS", &others, &["deactivate"]);
    let items = |log: Log, days: std::ops::Range<i64>, name: &str, is_own: bool| {
        calls(log, days, name, |event| {
            as_data(event);
            if !is_own {
                as_role(event);
            }
        })
    };
    let reads = || items(log(), 100..131, "dynamodb:GetItem", true);
    let writes = items(reads(), 0..131, "dynamodb:PutItem", false);
    is("others only write items", &writes, &["wait until"]);
    let both = items(writes, 0..131, "dynamodb:GetItem", false);
    is("others read items", &both, &["deactivate"]);
}

/// Sessions of the user `svc` call on these days.
fn sessions(log: Log, days: std::ops::Range<i64>, agent: &str) -> Log {
    days.fold(log, |log, before| {
        let mut event = call(day(before), "DescribeTable", "");
        event["userIdentity"]["accessKeyId"] = format!("ASIARTX3GSDSUSR{before:05}").into();
        event["readOnly"] = true.into();
        event["userAgent"] = agent.into();
        log.with("us-east-1", event)
    })
}

#[test]
fn sessions_in_a_browser_of_a_user_who_never_signs_in_are_a_program_s() {
    let goes_on = || sessions(log().used("us-east-1", 40..131), 0..35, BROWSER);
    is("never signs in", &goes_on(), &KEEPS);
    let mut sign_in = call(day(36), "ConsoleLogin", "");
    sign_in["eventSource"] = "signin.amazonaws.com".into();
    sign_in["eventType"] = "AwsConsoleSignIn".into();
    sign_in["userAgent"] = BROWSER.into();
    sign_in["userIdentity"]
        .as_object_mut()
        .unwrap()
        .remove("accessKeyId");
    let signs_in = goes_on().with("us-east-1", sign_in);
    is("signs in", &signs_in, &["deactivate"]);
    let console = sessions(log().used("us-east-1", 40..131), 0..35, BROWSER);
    let mut marked = call(day(30), "DescribeTable", "ASIARTX3GSDSUSR99999");
    marked["userAgent"] = BROWSER.into();
    marked["sessionCredentialFromConsole"] = "true".into();
    let console = console.with("us-east-1", marked);
    is("marked as the console's", &console, &["deactivate"]);
}

#[track_caller]
fn became(name: &str, log: &Log, status: &str) -> Value {
    let answer = log.progress("2026-06-10");
    let row = answer["progress"][0].clone();
    assert_eq!(row["status"], status, "{name}: {answer}");
    row
}

#[test]
fn a_consumer_is_not_gone_while_the_user_s_sessions_go_on() {
    let used = || log().used("us-east-1", 21..131);
    became("nothing goes on", &used(), "gone");
    let row = became("sessions", &sessions(used(), 0..21, BOTO), "not known");
    let why = row["why"].to_string();
    assert!(why.contains("the user's sessions"), "{why}");
    became("until it stopped", &sessions(used(), 21..60, BOTO), "gone");
}

#[test]
fn a_consumer_of_an_inactive_key_is_not_gone() {
    let off = |last: i64| {
        let used = log().used("us-east-1", last..131);
        used.with("us-east-1", status(20, "Inactive"))
    };
    let row = became("cut off", &off(21), "not known");
    let why = row["why"].to_string();
    assert!(
        why.contains("the key is inactive since 2026-06-10"),
        "{why}"
    );
    became("gone before", &off(60), "gone");
}

#[test]
fn a_role_in_another_region_is_no_replacement() {
    let with_role = |region: &str| {
        (0..23).fold(log().used("us-east-1", 21..131), |log, before| {
            let mut event = call(day(before), "PutItem", "ASIARTX3GSDSZFPPRVQW");
            event["userIdentity"] = json!({
                "type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": "ASIARTX3GSDSZFPPRVQW",
                "arn": "arn:aws:sts::111122223333:assumed-role/orders-job/i-0a1b2c3d4e5f60718",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/orders-job", "userName": "orders-job"}},
            });
            log.with(region, event)
        })
    };
    became("here", &with_role("us-east-1"), "moved");
    became("elsewhere", &with_role("eu-west-1"), "gone");
}

#[test]
fn an_address_that_an_intruder_left_long_ago_is_somebody_else_s() {
    let address = "20.61.7.7";
    let ci = |met: i64| {
        let daily = (0..131).fold(log().used("us-east-1", 1..131), |log, before| {
            let mut event = call(day(before), "UpdateService", OTHER);
            event["userIdentity"]["userName"] = "ci".into();
            event["userIdentity"]["arn"] = "arn:aws:iam::111122223333:user/ci".into();
            event["eventSource"] = "ecs.amazonaws.com".into();
            event["userAgent"] = RUNNER.into();
            event["requestParameters"] = json!({"service": "s"});
            event["sourceIPAddress"] = match before == met {
                true => address.into(),
                false => format!("20.{}.{}.7", before * 7 % 200 + 20, before * 13 % 250).into(),
            };
            log.with("us-east-1", event)
        });
        let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
        let theft = [
            ("sts", "GetCallerIdentity", Value::Null),
            ("iam", "ListUsers", Value::Null),
            ("s3", "ListBuckets", Value::Null),
            ("iam", "ListAttachedUserPolicies", Value::Null),
            ("iam", "CreateUser", json!({"userName": "bk"})),
            (
                "iam",
                "AttachUserPolicy",
                json!({"userName": "bk", "policyArn": admin}),
            ),
        ];
        let theft = theft.into_iter().enumerate();
        theft.fold(daily, |log, (minute, (service, name, request))| {
            let time = end() - TimeDelta::days(20) + TimeDelta::minutes(minute as i64);
            let mut event = call(time, name, KEY);
            event["eventSource"] = format!("{service}.amazonaws.com").into();
            event["sourceIPAddress"] = address.into();
            event["userAgent"] = RUNNER.into();
            event["requestParameters"] = request;
            event["readOnly"] = (!name.contains("User")).into();
            log.with("us-east-1", event)
        })
    };
    let stolen = ci(5);
    is("stolen", &stolen, &["incident"]);
    let row = stolen.ready(OTHER, &[]);
    assert_eq!(row["verdict"], "migrate first", "{row}");
    let row = ci(18).ready(OTHER, &[]);
    assert_eq!(row["verdict"], "incident", "{row}");
}
