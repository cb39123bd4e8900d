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
        "ecs:UpdateService",
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

/// A key that wrote nothing but management events, and is silent for 40 days.
fn managed(log: Log, names: &[&str]) -> Log {
    (40..131).fold(log, |log, before| {
        run(log, before, ("203.0.113.10", BOTO), names)
    })
}

#[test]
fn calls_on_data_that_are_not_logged_decide_against() {
    let is_data = |event: &Value| event["eventCategory"] == "Data";
    let log = || {
        managed(
            Log::new(0..131),
            &["ec2:DescribeInstances", "ec2:CreateTags"],
        )
    };
    is("objects are logged", &log(), &[], &["deactivate"]);
    let without = || log().without(|event, _| is_data(event));
    let row = without().ready(KEY, &[]);
    assert_eq!(row["verdict"], "wait until", "{row}");
    assert!(
        row["why"]
            .to_string()
            .contains("get it (--live or --credential-report)"),
        "{row}"
    );
    // IAM's last use covers them, if it is new.
    let asked = without().says("svc", &[(true, 300, Some(41))]);
    is("IAM was asked", &asked, &[], &["deactivate"]);
    let mut long_ago = without().says("svc", &[(true, 300, Some(41))]);
    long_ago.reported = day(35);
    is("IAM was asked 35 days ago", &long_ago, &[], &KEEPS);
    // They are logged no longer.
    let ended = log().without(|event, before| is_data(event) && before < 30);
    is("until 30 days ago", &ended, &[], &["wait until"]);
    // Of an inactive key they fail.
    let off = json!({"userName": "svc", "accessKeyId": KEY, "status": "Inactive"});
    let off = without().with("us-east-1", admin(39, "UpdateAccessKey", off, Value::Null));
    is("inactive", &off, &[], &["delete"]);
}

#[test]
fn a_service_whose_data_is_not_logged_may_go_on_unseen() {
    for (names, service) in [
        (["lambda:GetFunction", "lambda:UpdateAlias"], "lambda"),
        (["sqs:GetQueueUrl", "sqs:SetQueueAttributes"], "sqs"),
        (
            ["dynamodb:DescribeTable", "dynamodb:UpdateTable"],
            "dynamodb",
        ),
        (["sns:GetTopicAttributes", "sns:CreateTopic"], "sns"),
        (["logs:DescribeLogStreams", "logs:CreateLogStream"], "logs"),
    ] {
        let row = managed(Log::new(0..131), &names).ready(KEY, &[]);
        let wanted = format!("data events of {service} are not logged");
        assert_eq!(row["verdict"], "wait until", "{row}");
        assert!(row["why"].to_string().contains(&wanted), "{row}");
    }
    // Others' calls on its data, in the region that the key used, show that they are logged.
    let invokes = |region: &str| {
        let log = managed(
            Log::new(0..131),
            &["lambda:GetFunction", "lambda:UpdateAlias"],
        );
        (0..131).fold(log, |log, before| {
            let mut event = call(day(before), "Invoke", "ASIARTX3GSDSW27X5M7P");
            event["userIdentity"] = json!({"type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": "ASIARTX3GSDSW27X5M7P",
                "arn": "arn:aws:sts::111122223333:assumed-role/app/i-1"});
            event["eventSource"] = "lambda.amazonaws.com".into();
            event["eventCategory"] = "Data".into();
            log.with(region, event)
        })
    };
    is("here", &invokes("us-east-1"), &[], &["deactivate"]);
    is("elsewhere", &invokes("eu-west-1"), &[], &["wait until"]);
}

#[test]
fn a_key_that_calls_after_it_was_deleted_is_not_gone_and_says_so() {
    let deleted = json!({"userName": "svc", "accessKeyId": KEY});
    let deleted = admin(20, "DeleteAccessKey", deleted, Value::Null);
    let log = Log::new(0..131)
        .used("us-east-1", 1..131)
        .with("us-east-1", deleted);
    let row = log.ready(KEY, &[]);
    assert_eq!(row["verdict"], "migrate first", "{row}");
    let said = "deleted 2026-06-10 08:00 (DeleteAccessKey), but it called until 2026-06-29 08:00";
    assert!(row["why"].to_string().contains(said), "{row}");
    let rules = row["rules"].as_array().unwrap();
    let rule = rules
        .iter()
        .find(|rule| rule["rule"] == "not-deleted")
        .unwrap();
    assert_eq!(rule["holds"], false);
}

/// Calls that somebody makes on each of the last 39 days.
fn goes_on(log: Log, name: &str, who: impl Fn(i64) -> Value, change: impl Fn(&mut Value)) -> Log {
    (1..40).fold(log, |log, before| {
        let mut event = call(day(before), name, "");
        event["userIdentity"] = who(before);
        event["eventSource"] = "ec2.amazonaws.com".into();
        change(&mut event);
        log.with("us-east-1", event)
    })
}

#[test]
fn what_only_the_key_can_have_opened_is_use_of_the_key() {
    let silent = || managed(Log::new(0..131), &["ec2:CreateTags", "ec2:DescribeTags"]);
    is("nothing goes on", &silent(), &[], &["deactivate"]);
    let nothing = |_: &mut Value| {};
    // GetFederationToken takes a long-term key, and lets its sessions live for 36 hours.
    let federated = |user: &'static str| {
        move |before: i64| {
            json!({"type": "FederatedUser", "accountId": ACCOUNT, "principalId": "111122223333:etl", "accessKeyId": format!("ASIARTX3GSDSFED{before:05}"),
                "arn": "arn:aws:sts::111122223333:federated-user/etl",
                "sessionContext": {"sessionIssuer": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT, "userName": user,
                    "arn": format!("arn:aws:iam::111122223333:user/{user}")}}})
        }
    };
    let log = goes_on(silent(), "RunInstances", federated("svc"), nothing);
    is("its federated user", &log, &[], &KEEPS);
    let log = goes_on(silent(), "RunInstances", federated("other"), nothing);
    is("another's federated user", &log, &[], &["deactivate"]);
    // Some records have no key's id.
    let nameless = |_| {
        json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": "svc", "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/svc"})
    };
    let log = goes_on(silent(), "CreateTags", nameless, nothing);
    is("no key in the record", &log, &[], &KEEPS);
    let row = log.ready(KEY, &[]).to_string();
    assert!(row.contains("calls of the user that name no key"), "{row}");
    let log = goes_on(silent(), "CreateTags", nameless, |event| {
        event["userAgent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0".into();
    });
    is("in the console", &log, &[], &["deactivate"]);
    let log = goes_on(silent(), "ConsoleLogin", nameless, |event| {
        event["eventSource"] = "signin.amazonaws.com".into();
    });
    is("a sign-in", &log, &[], &["deactivate"]);
}

#[test]
fn sessions_of_a_role_that_only_the_key_assumes_are_its_own_wherever_they_are_used() {
    let session = |before: i64| format!("ASIARTX3GSDSJOB{before:05}");
    let role = |before: i64| {
        json!({"type": "AssumedRole", "accountId": ACCOUNT, "principalId": "AROAJOB:job", "accessKeyId": session(before),
            "arn": "arn:aws:sts::111122223333:assumed-role/job/job",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/job", "userName": "job"}}})
    };
    let assumes = |log: Log, days: std::ops::Range<i64>, who: &dyn Fn() -> Value| {
        days.fold(log, |log, before| {
            let mut event = call(day(before), "AssumeRole", KEY);
            event["userIdentity"] = who();
            event["eventSource"] = "sts.amazonaws.com".into();
            event["requestParameters"] = json!({"roleArn": "arn:aws:iam::111122223333:role/job", "roleSessionName": "job"});
            event["responseElements"] = json!({"credentials": {"accessKeyId": session(before)},
                "assumedRoleUser": {"assumedRoleId": "AROAJOB:job", "arn": "arn:aws:sts::111122223333:assumed-role/job/job"}});
            log.with("eu-west-1", event)
        })
    };
    let key = || call(day(0), "", KEY)["userIdentity"].clone();
    let other = || json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
    let far = |event: &mut Value| event["sourceIPAddress"] = "198.51.100.44".into();
    let log = || assumes(Log::new(0..131), 40..131, &key);
    is("nothing goes on", &log(), &[], &["deactivate"]);
    is(
        "nobody else",
        &goes_on(log(), "RunInstances", role, far),
        &[],
        &KEEPS,
    );
    // Each session was opened by a service, as the log shows; or others assume the role, too.
    let moved = assumes(log(), 1..40, &other);
    is(
        "moved",
        &goes_on(moved, "RunInstances", role, far),
        &[],
        &["deactivate"],
    );
    let shared = assumes(log(), 39..40, &other);
    is(
        "others, too",
        &goes_on(shared, "RunInstances", role, far),
        &[],
        &["deactivate"],
    );
}
