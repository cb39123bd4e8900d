//! Silence counts only where a call would have been seen: small logs, each with one thing missing, and the verdict on the key.
//!
//! Every log ends on 2026-06-30 at 12:00. In two regions others call every hour of every third hour, and read an object every day,
//! so that a missing day shows; the key calls, or not.

use crate::program::{json as json_of, keytrail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

pub(crate) const KEY: &str = "AKIARTX3GSDSXQAMVEP7";
pub(crate) const OTHER: &str = "AKIARTX3GSDSWAB6NAEO";
/// Whoever has no key of interest.
const OTHERS: &str = "";
pub(crate) const ACCOUNT: &str = "111122223333";

/// Verdicts that let a key go.
pub(crate) const LETS_GO: [&str; 3] = ["unused", "deactivate", "delete"];

pub(crate) fn end() -> DateTime<Utc> {
    "2026-06-30T12:00:00Z".parse().unwrap()
}

/// So many days before the end, in the morning.
pub(crate) fn day(before: i64) -> DateTime<Utc> {
    end() - TimeDelta::days(before) - TimeDelta::hours(4)
}

/// A log, and what IAM says.
pub(crate) struct Log {
    events: Vec<(String, Value)>,
    /// Log files that cannot be read.
    broken: Vec<(String, NaiveDate)>,
    pub(crate) report: Vec<String>,
    pub(crate) reported: DateTime<Utc>,
}

impl Log {
    /// What others do on these days before the end.
    pub(crate) fn new(days: impl Iterator<Item = i64> + Clone) -> Self {
        let mut log = Log {
            events: Vec::new(),
            broken: Vec::new(),
            report: Vec::new(),
            reported: end(),
        };
        for region in ["us-east-1", "eu-west-1"] {
            log.others(region, days.clone());
        }
        log
    }

    fn others(&mut self, region: &str, days: impl Iterator<Item = i64>) {
        for before in days {
            for (name, read_only, data) in [
                ("UpdateInstanceInformation", false, false),
                ("DescribeInstances", true, false),
                ("GetObject", true, true),
            ] {
                let mut event = call(
                    end() - TimeDelta::days(before),
                    name,
                    "ASIARTX3GSDSW27X5M7P",
                );
                event["userIdentity"] = json!({
                    "type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": "ASIARTX3GSDSW27X5M7P",
                    "arn": "arn:aws:sts::111122223333:assumed-role/app/i-1",
                    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/app"}},
                });
                event["readOnly"] = read_only.into();
                if data {
                    event["eventSource"] = "s3.amazonaws.com".into();
                    event["eventCategory"] = "Data".into();
                }
                self.put(region, event);
            }
        }
    }

    fn put(&mut self, region: &str, mut event: Value) {
        event["awsRegion"] = place(region).1.into();
        event["eventID"] = format!("{:08}-0000-4000-8000-000000000000", self.events.len()).into();
        self.events.push((region.to_owned(), event));
    }

    /// The key writes an item on these days before the end.
    pub(crate) fn used(mut self, region: &str, days: impl Iterator<Item = i64>) -> Self {
        for before in days {
            self.put(region, call(day(before), "PutItem", KEY));
        }
        self
    }

    pub(crate) fn with(mut self, region: &str, event: Value) -> Self {
        self.put(region, event);
        self
    }

    pub(crate) fn without(mut self, gone: impl Fn(&Value, i64) -> bool) -> Self {
        self.events.retain(|(_, event)| {
            let time: DateTime<Utc> = event["eventTime"].as_str().unwrap().parse().unwrap();
            !gone(event, (end() - time).num_days())
        });
        self
    }

    /// A user with one key: active, rotated and used so many days before the end.
    pub(crate) fn says(mut self, user: &str, keys: &[(bool, i64, Option<i64>)]) -> Self {
        let time = |before: i64| (end() - TimeDelta::days(before)).to_rfc3339();
        let mut row = format!(
            "{user},arn:aws:iam::{ACCOUNT}:user/{user},{},false,N/A,N/A,N/A,false",
            time(500)
        );
        for slot in 0..2 {
            row += &match keys.get(slot) {
                Some((active, rotated, used)) => format!(
                    ",{active},{},{}",
                    time(*rotated),
                    used.map_or_else(
                        || "N/A,N/A,N/A".to_owned(),
                        |used| format!("{},us-east-1,dynamodb", time(used))
                    )
                ),
                None => ",false,N/A,N/A,N/A,N/A".to_owned(),
            };
        }
        self.report.push(row + ",false,N/A,false,N/A");
        self
    }

    pub(crate) fn write(&self, folder: &Path) {
        let mut files: BTreeMap<(String, NaiveDate), Vec<&Value>> = BTreeMap::new();
        for (region, event) in &self.events {
            let time: DateTime<Utc> = event["eventTime"].as_str().unwrap().parse().unwrap();
            // An event that is dated ahead is delivered with the others.
            let date = time.min(end()).date_naive();
            files.entry((region.clone(), date)).or_default().push(event);
        }
        for ((region, date), records) in &files {
            write_file(
                folder,
                (region, *date),
                &json!({ "Records": records }),
                false,
            );
        }
        for (region, date) in &self.broken {
            write_file(folder, (region, *date), &json!({"Records": []}), true);
        }
    }

    /// The row of a key.
    pub(crate) fn ready(&self, key: &str, args: &[&str]) -> Value {
        let answer = self.answer(args);
        let rows = answer["ready"].as_array().unwrap();
        let row = rows.iter().find(|row| row["access_key_id"] == key);
        row.cloned().unwrap_or(Value::Null)
    }

    /// What became of the consumers since a day.
    pub(crate) fn progress(&self, since: &str) -> Value {
        self.progress_of(since, &[])
    }

    pub(crate) fn progress_of(&self, since: &str, args: &[&str]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let trail = folder.path().join("AWSLogs").display().to_string();
        let all = ["progress", KEY, "--before", since, "--trail", &trail];
        json_of(&[&all, args].concat(), 0)
    }

    /// The answer of another command.
    pub(crate) fn told(&self, command: &[&str]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let trail = folder.path().join("AWSLogs").display().to_string();
        json_of(&[command, &["--trail", &trail]].concat(), 0)
    }

    /// What is missing in the log: where, what, from when to when.
    pub(crate) fn holes(&self) -> Vec<[String; 4]> {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let trail = folder.path().join("AWSLogs").display().to_string();
        let answer = json_of(&["coverage", "--trail", &trail], 0);
        let rows = answer["holes"].as_array().unwrap().iter();
        let names = ["region", "missing", "first_day", "last_day"];
        rows.map(|row| names.map(|name| row[name].as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    pub(crate) fn answer(&self, args: &[&str]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let trail = folder.path().join("AWSLogs").display().to_string();
        let report = folder.path().join("report.json");
        let mut all = vec!["ready", "--trail", &trail];
        let path = report.display().to_string();
        if !self.report.is_empty() {
            let header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
            let csv = format!("{header}\n{}\n", self.report.join("\n"));
            let content = base64(csv.as_bytes());
            let report_json = json!({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": self.reported.to_rfc3339()});
            fs::write(&report, report_json.to_string()).unwrap();
            all.extend(["--credential-report", &path]);
        }
        all.extend(args);
        all.extend(["--format", "json", "--quiet"]);
        let output = keytrail(&all).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{all:?}: {errors}"))
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut number = 0_u32;
        for place in 0..3 {
            number = number << 8 | u32::from(chunk.get(place).copied().unwrap_or(0));
        }
        for place in 0..4 {
            let digit = (number >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= chunk.len() {
                DIGITS[digit] as char
            } else {
                '='
            });
        }
    }
    text
}

/// A region, or `account/region`.
fn place(region: &str) -> (&str, &str) {
    region.split_once('/').unwrap_or((ACCOUNT, region))
}

fn write_file(folder: &Path, (region, date): (&str, NaiveDate), content: &Value, broken: bool) {
    let (account, region) = place(region);
    let place = folder.join(format!(
        "AWSLogs/{account}/CloudTrail/{region}/{}",
        date.format("%Y/%m/%d")
    ));
    fs::create_dir_all(&place).unwrap();
    let name = format!(
        "{account}_CloudTrail_{region}_{}T1205Z_{}.json.gz",
        date.format("%Y%m%d"),
        if broken {
            "aBrokenOne000000"
        } else {
            "aWholeOne0000000"
        }
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(content.to_string().as_bytes()).unwrap();
    let mut bytes = gzip.finish().unwrap();
    if broken {
        bytes.truncate(bytes.len() / 2);
    }
    fs::write(place.join(name), bytes).unwrap();
}

/// A call of the user `svc` with a key.
pub(crate) fn call(time: DateTime<Utc>, name: &str, key: &str) -> Value {
    json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser", "accountId": ACCOUNT, "userName": "svc", "accessKeyId": key,
            "arn": "arn:aws:iam::111122223333:user/svc", "principalId": "AIDAEXAMPLE",
        },
        "eventTime": time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": "dynamodb.amazonaws.com", "eventName": name, "readOnly": false,
        "sourceIPAddress": "203.0.113.10", "userAgent": "Boto3/1.34.69 md/Botocore#1.34.69 lang/python#3.11.6",
        "requestParameters": {"tableName": "orders"}, "responseElements": null,
        "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true,
        "recipientAccountId": ACCOUNT,
    })
}

/// A call of IAM by an administrator.
pub(crate) fn admin(before: i64, name: &str, request: Value, response: Value) -> Value {
    let mut event = call(day(before), name, "ASIARTX3GSDS6ZK6OZK4");
    event["userIdentity"] = json!({
        "type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": "ASIARTX3GSDS6ZK6OZK4",
        "arn": "arn:aws:sts::111122223333:assumed-role/admin/a",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/admin"}},
    });
    event["eventSource"] = "iam.amazonaws.com".into();
    event["requestParameters"] = request;
    event["responseElements"] = response;
    event
}

pub(crate) fn created(before: i64, key: &str, user: &str) -> Value {
    let answer = json!({"accessKey": {"accessKeyId": key, "userName": user, "status": "Active"}});
    admin(before, "CreateAccessKey", json!({"userName": user}), answer)
}

fn broken_rules(row: &Value) -> Vec<String> {
    let rules = row["rules"].as_array().unwrap().iter();
    let broken = rules.filter(|rule| rule["holds"] == false);
    broken
        .map(|rule| rule["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn keeps(row: &Value, rule: &str) {
    let verdict = row["verdict"].as_str().unwrap_or("no verdict");
    assert!(["wait until", "migrate first"].contains(&verdict), "{row}");
    assert!(
        broken_rules(row).iter().any(|broken| broken == rule),
        "{row}"
    );
}

#[test]
fn a_key_that_is_seen_to_be_silent_may_go() {
    let log = Log::new(0..131).used("us-east-1", 40..131);
    assert_eq!(log.ready(KEY, &[])["verdict"], "deactivate");
    let log = Log::new(0..131).used("us-east-1", 1..131);
    assert_eq!(log.ready(KEY, &[])["verdict"], "migrate first");
}

#[test]
fn silence_does_not_count_where_the_log_ends_or_has_a_gap() {
    // The region that the key used has no log any more; a region that it never used does not matter.
    let log = |region: &str| {
        let region = region.to_owned();
        Log::new(0..131)
            .used("eu-west-1", 40..131)
            .without(move |event, before| event["awsRegion"] == *region && before < 40)
    };
    keeps(&log("eu-west-1").ready(KEY, &[]), "silent-long-enough");
    assert_eq!(log("us-east-1").ready(KEY, &[])["verdict"], "deactivate");
    // An outage of 40 days, of which a key without a regular pattern is hidden.
    let log = Log::new(0..200)
        .used("us-east-1", [98, 99].into_iter())
        .without(|_, before| (30..70).contains(&before));
    keeps(&log.ready(KEY, &[]), "no-holes");
    // A day of maintenance may be allowed.
    let log = |gap: i64| {
        let log = Log::new(0..131).used("us-east-1", 70..131);
        log.without(move |_, before| before == gap)
    };
    keeps(&log(30).ready(KEY, &[]), "no-holes");
    let allowed = log(30).ready(KEY, &["--max-holes", "1"]);
    assert_eq!(allowed["verdict"], "deactivate", "{allowed}");
    let log = Log::new(0..200)
        .used("us-east-1", [98, 99].into_iter())
        .without(|_, before| (30..70).contains(&before));
    // IAM settles it.
    let log = log.says("svc", &[(true, 300, Some(98))]);
    assert_eq!(log.ready(KEY, &[])["verdict"], "deactivate");
}

#[test]
fn silence_does_not_count_when_the_kind_of_event_is_no_longer_logged() {
    let data = |mut event: Value| {
        event["eventSource"] = "s3.amazonaws.com".into();
        event["eventName"] = "GetObject".into();
        event["eventCategory"] = "Data".into();
        event["readOnly"] = true.into();
        event
    };
    let log = |off: fn(&Value) -> bool| {
        let uses = (40..131).map(|before| data(call(day(before), "GetObject", KEY)));
        let log = uses.fold(Log::new(0..131), |log, event| log.with("us-east-1", event));
        log.without(move |event, before| off(event) && before < 40)
    };
    assert_eq!(log(|_| false).ready(KEY, &[])["verdict"], "deactivate");
    keeps(
        &log(|event| event["eventCategory"] == "Data").ready(KEY, &[]),
        "silent-long-enough",
    );
    // A trail that logs writes only does not show a key that reads.
    let reads = (40..131).map(|before| {
        let mut event = call(day(before), "GetItem", KEY);
        event["readOnly"] = true.into();
        event
    });
    let log = reads.fold(Log::new(0..131), |log, event| log.with("us-east-1", event));
    let log = log.without(|event, before| {
        event["readOnly"] == true && event["eventCategory"] == "Management" && before < 40
    });
    keeps(&log.ready(KEY, &[]), "silent-long-enough");
}

#[test]
fn what_could_not_be_read_decides_against() {
    let mut log = Log::new(0..131).used("us-east-1", 40..131);
    log.broken
        .push(("eu-west-1".to_owned(), day(5).date_naive()));
    keeps(&log.ready(KEY, &[]), "log-files-read");
    let log = log.says("svc", &[(true, 300, Some(40))]);
    let row = log.ready(KEY, &[]);
    // IAM answers for that day: the file that was not read no longer counts against the key.
    let broken = broken_rules(&row);
    assert!(!broken.iter().any(|rule| rule == "log-files-read"), "{row}");
}

/// A folder, a link, an archived object: whatever the reason, calls of the key may be in it.
#[cfg(unix)]
#[test]
fn what_could_not_be_opened_decides_against() {
    let place = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/06/20/111122223333_CloudTrail_eu-west-1_20260620T1205Z_aGoneOne00000000.json.gz";
    let log = Log::new(0..131).used("us-east-1", 40..131);
    let folder = tempfile::tempdir().unwrap();
    log.write(folder.path());
    let link = folder.path().join(place);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("gone", link).unwrap();
    let trail = folder.path().join("AWSLogs").display().to_string();
    let lake = folder.path().join("lake").display().to_string();
    json_of(&["ingest", &trail, "--lake", &lake], 3);
    for input in [["--trail", &trail], ["--lake", &lake]] {
        let answer = json_of(&[&["ready"][..], &input].concat(), 3);
        let rows = answer["ready"].as_array().unwrap();
        let row = rows.iter().find(|row| row["access_key_id"] == KEY).unwrap();
        keeps(row, "log-files-read");
        assert!(row.to_string().contains("2026-06-20"), "{row}");
    }
}

#[test]
fn a_part_of_the_log_decides_nothing() {
    let log = Log::new(0..131)
        .used("us-east-1", 60..131)
        .used("eu-west-1", 1..60);
    keeps(&log.ready(KEY, &["--region", "us-east-1"]), "whole-log");
    keeps(&log.ready(KEY, &["--until", "2026-04-25"]), "whole-log");
    // Keys whose use is left out are listed all the same.
    let row = log.ready(KEY, &["--since", "2026-06-30"]);
    assert_eq!(row["verdict"], "migrate first", "{row}");
    let log = Log::new(0..131).used("us-east-1", 40..131);
    assert_eq!(
        log.ready(KEY, &["--account", ACCOUNT])["verdict"],
        "deactivate"
    );
}

#[test]
fn one_event_dated_ahead_does_not_move_the_end_of_the_log() {
    let ahead = call(end() + TimeDelta::days(100), "PutItem", OTHER);
    let log = Log::new(0..131)
        .used("us-east-1", 1..131)
        .with("us-east-1", ahead);
    let answer = log.answer(&[KEY]);
    assert_eq!(answer["ready"][0]["verdict"], "migrate first", "{answer}");
    let notes = answer["notes"].to_string();
    assert!(
        notes
            .contains("as of the end of the logs, 2026-06-30 12:00 UTC; an event dated 2026-10-08"),
        "{notes}"
    );
}

#[test]
fn iams_answer_holds_up_to_when_it_was_given() {
    let log = || {
        Log::new(0..221)
            .with("us-east-1", created(150, KEY, "svc"))
            .says("svc", &[(true, 150, None)])
    };
    // The report has the time of the call to the second.
    let exact = |mut log: Log| {
        let time = (day(150)).to_rfc3339();
        let wrong = (end() - TimeDelta::days(150)).to_rfc3339();
        log.report[0] = log.report[0].replace(&wrong, &time);
        log
    };
    assert_eq!(exact(log()).ready(KEY, &[])["verdict"], "unused");
    let mut old = exact(log());
    old.reported = end() - TimeDelta::days(100);
    keeps(&old.ready(KEY, &[]), "iam-asked");
    // Nobody asked.
    let log = Log::new(0..221).with("us-east-1", created(150, KEY, "svc"));
    keeps(&log.ready(KEY, &[]), "iam-asked");
}

#[test]
fn a_key_that_is_younger_than_iams_answer_is_not_gone() {
    let mut log = Log::new(0..131)
        .with("us-east-1", created(10, KEY, "svc"))
        .used("us-east-1", 1..9)
        .says("other", &[]);
    log.reported = end() - TimeDelta::days(20);
    assert_eq!(log.ready(KEY, &[])["verdict"], "migrate first");
    // A later answer without the key means that it is gone.
    log.reported = end();
    assert_eq!(log.ready(KEY, &[]), Value::Null);
}

#[test]
fn a_key_follows_its_user() {
    let rename = admin(
        60,
        "UpdateUser",
        json!({"userName": "svc", "newUserName": "new"}),
        Value::Null,
    );
    let log = Log::new(0..131)
        .used("us-east-1", 61..131)
        .with("us-east-1", rename)
        .says("new", &[(true, 300, Some(2))]);
    let row = log.ready(KEY, &[]);
    assert_eq!(
        (&row["verdict"], &row["user_name"]),
        (&"migrate first".into(), &"new".into()),
        "{row}"
    );
    // A renaming that the log did not see: the only key that IAM cannot place may be this one.
    let log = Log::new(0..131)
        .used("us-east-1", 61..131)
        .says("new", &[(true, 300, Some(2))]);
    keeps(&log.ready(KEY, &[]), "no-unseen-use");
    // A user without keys only can be deleted.
    let delete = admin(20, "DeleteUser", json!({"userName": "svc"}), Value::Null);
    let log = Log::new(0..131)
        .used("us-east-1", 21..131)
        .with("us-east-1", delete);
    assert_eq!(log.ready(KEY, &[]), Value::Null);
}

#[test]
fn of_two_keys_that_cannot_be_told_apart_the_later_use_counts_for_both() {
    let mut log = Log::new(0..221).used("us-east-1", 120..221);
    log = (100..150).fold(log, |log, before| {
        log.with("us-east-1", call(day(before), "PutItem", OTHER))
    });
    let log = log.says("svc", &[(true, 400, Some(100)), (true, 300, Some(1))]);
    keeps(&log.ready(KEY, &[]), "no-unseen-use");
}

/// What S3 decrypts for the user.
fn on_behalf(before: i64) -> Value {
    let mut event = call(day(before), "Decrypt", "ASIARTX3GSDS5GWWD4JC");
    event["eventSource"] = "kms.amazonaws.com".into();
    event["userIdentity"]["invokedBy"] = "s3.amazonaws.com".into();
    for field in ["sourceIPAddress", "userAgent"] {
        event[field] = "s3.amazonaws.com".into();
    }
    event
}

#[test]
fn calls_on_the_users_behalf_come_from_a_key_unless_a_session_explains_them() {
    let log = (1..131).fold(
        Log::new(0..131).used("us-east-1", 40..131),
        |log, before| log.with("us-east-1", on_behalf(before)),
    );
    keeps(&log.ready(KEY, &[]), "no-unseen-use");
    // The user works in the console on these days.
    let log = (1..131).fold(log, |log, before| {
        let mut event = call(day(before), "DescribeTable", "ASIARTX3GSDSCONSOLE0");
        event["readOnly"] = true.into();
        event["sessionCredentialFromConsole"] = "true".into();
        log.with("us-east-1", event)
    });
    assert_eq!(log.ready(KEY, &[])["verdict"], "deactivate");
}

/// A call of the key, or of others, to another service.
pub(crate) fn to(before: i64, (service, name): (&str, &str), key: &str, data: bool) -> Value {
    let mut event = match key {
        KEY => call(day(before), name, key),
        _ => admin(before, name, Value::Null, Value::Null),
    };
    event["eventSource"] = format!("{service}.amazonaws.com").into();
    event["eventCategory"] = if data { "Data" } else { "Management" }.into();
    event["readOnly"] = (!name.starts_with("Put")).into();
    event
}

#[test]
fn what_a_trail_can_leave_out_is_not_silent() {
    // The key calls until 40 days ago, others of the kind until a given day; everything else goes on.
    let log = |calls: (&str, &str), data: bool, others: i64| {
        let log = (40..131).fold(Log::new(0..131), |log, before| {
            log.with("us-east-1", to(before, calls, KEY, data))
        });
        (others..131).fold(log, |log, before| {
            log.with("us-east-1", to(before, calls, OTHERS, data))
        })
    };
    for (calls, data) in [
        (("kms", "Decrypt"), false),
        (("rdsdata", "ExecuteSql"), false),
        (("iam", "ListUsers"), false),
        (("dynamodb", "GetItem"), true),
    ] {
        let goes_on = log(calls, data, 0).ready(KEY, &[]);
        assert_eq!(goes_on["verdict"], "deactivate", "{calls:?}: {goes_on}");
        // Writes of items go on.
        let ends = (0..131).fold(log(calls, data, 39), |log, before| {
            log.with(
                "us-east-1",
                to(before, ("dynamodb", "PutItem"), OTHERS, true),
            )
        });
        keeps(&ends.ready(KEY, &[]), "no-holes");
        // Others use it once a week only.
        let weekly = |last: i64| {
            let weeks = (0..18)
                .map(|week| last + 7 * week)
                .filter(|before| *before < 131);
            weeks.fold(log(calls, data, 131), |log, before| {
                log.with("us-east-1", to(before, calls, OTHERS, data))
            })
        };
        if !data {
            keeps(&weekly(41).ready(KEY, &[]), "no-holes");
        }
        let goes_on = weekly(3).ready(KEY, &[]);
        assert_eq!(goes_on["verdict"], "deactivate", "{calls:?}: {goes_on}");
    }
}

#[test]
fn a_trail_that_was_told_to_leave_events_out_shows_no_silence() {
    let told = |request: Value| {
        let mut put = admin(39, "PutEventSelectors", request, Value::Null);
        put["eventSource"] = "cloudtrail.amazonaws.com".into();
        let log = (40..131).fold(Log::new(0..131), |log, before| {
            log.with("us-east-1", to(before, ("s3", "GetObject"), KEY, true))
        });
        log.with("us-east-1", put)
    };
    let objects = |arn: &str| json!({"eventSelectors": [{"readWriteType": "All", "dataResources": [{"type": "AWS::S3::Object", "values": [arn]}]}]});
    keeps(
        &told(objects("arn:aws:s3:::other/")).ready(KEY, &[]),
        "no-holes",
    );
    let whole = told(objects("arn:aws:s3")).ready(KEY, &[]);
    assert_eq!(whole["verdict"], "deactivate", "{whole}");
}

#[test]
fn a_trail_that_was_stopped_shows_no_silence() {
    let told = |before: i64, name: &str, request: Value| {
        let mut event = admin(before, name, request, Value::Null);
        event["eventSource"] = "cloudtrail.amazonaws.com".into();
        event
    };
    // Others call once a week, so that a week without a call is usual.
    let log = |last: i64| {
        let weekly = (0..24).map(move |week| last + 7 * week);
        Log::new(weekly).used("us-east-1", last + 10..last + 140)
    };
    let trail = || json!({"name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"});
    let management = |include: bool, kind: &str| json!({"trailName": "main", "eventSelectors": [{"readWriteType": kind, "includeManagementEvents": include}]});
    let days = |row: &Value, key: &str| row.to_string().contains(key);
    for (name, request) in [
        ("StopLogging", trail()),
        ("DeleteTrail", trail()),
        ("PutEventSelectors", management(false, "All")),
        ("PutEventSelectors", management(true, "ReadOnly")),
    ] {
        let stopped = log(5).with("us-east-1", told(11, name, request));
        let row = stopped.ready(KEY, &[]);
        assert!(
            !LETS_GO.contains(&row["verdict"].as_str().unwrap()),
            "{name}: {row}"
        );
        assert!(days(&row, "set not to log"), "{name}: {row}");
    }
    // Reads are no longer logged, and the key writes; or the trail is started again before anything is missed.
    let reads = told(11, "PutEventSelectors", management(true, "WriteOnly"));
    let row = log(5).with("us-east-1", reads).ready(KEY, &[]);
    assert!(!days(&row, "set not to log"), "{row}");
    let mut again = told(11, "StartLogging", trail());
    again["eventTime"] = (day(11) + TimeDelta::minutes(2))
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
        .into();
    let row = log(5)
        .with("us-east-1", told(11, "StopLogging", trail()))
        .with("us-east-1", again)
        .ready(KEY, &[]);
    // The day has two minutes without a log, and no other day has.
    assert!(
        days(&row, "set not to log (StopLogging) (2026-06-19)"),
        "{row}"
    );
}

#[test]
fn use_that_another_account_logs_is_not_silent() {
    let mut elsewhere = call(day(1), "PutObject", KEY);
    elsewhere["recipientAccountId"] = "444455556666".into();
    let log = Log::new(0..131)
        .used("us-east-1", 40..131)
        .with("444455556666/us-east-1", elsewhere);
    keeps(&log.ready(KEY, &["--account", ACCOUNT]), "whole-log");
    let alone = Log::new(0..131).used("us-east-1", 40..131);
    let alone = alone.ready(KEY, &["--account", ACCOUNT]);
    assert_eq!(alone["verdict"], "deactivate", "{alone}");
}

#[test]
fn sessions_that_programs_use_were_opened_with_a_key() {
    let session = |log: Log, from_console: bool| {
        (1..30).fold(log, |log, before| {
            let mut event = call(day(before), "PutItem", "ASIARTX3GSDSZFPPRVQW");
            if from_console {
                event["sessionCredentialFromConsole"] = "true".into();
            }
            log.with("us-east-1", event)
        })
    };
    let log = || Log::new(0..131).used("us-east-1", 40..131);
    keeps(&session(log(), false).ready(KEY, &[]), "no-unseen-use");
    let console = session(log(), true).ready(KEY, &[]);
    assert_eq!(console["verdict"], "deactivate", "{console}");
}

#[test]
fn sessions_of_a_role_that_nobody_is_seen_to_open_come_from_the_key() {
    let role = "arn:aws:iam::111122223333:role/etl";
    let session = |before: i64, key: &str, address: &str| {
        let mut event = call(day(before) + TimeDelta::minutes(1), "PutItem", key);
        event["userIdentity"] = json!({
            "type": "AssumedRole", "accountId": ACCOUNT, "accessKeyId": key,
            "arn": "arn:aws:sts::111122223333:assumed-role/etl/job",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "etl"}},
        });
        event["sourceIPAddress"] = address.into();
        event
    };
    let key_of = |before: i64| format!("ASIARTX3GSDSJOB{before:05}");
    // Until 40 days ago the key opens a session a day. Then it does so in a region that is not logged.
    let log = |address: &str, by_other: bool| {
        let log = (0..131).fold(Log::new(0..131), |log, before| {
            let mut assume = call(day(before), "AssumeRole", KEY);
            assume["eventSource"] = "sts.amazonaws.com".into();
            assume["requestParameters"] = json!({"roleArn": role, "roleSessionName": "job"});
            assume["responseElements"] = json!({"credentials": {"accessKeyId": key_of(before)},
                "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/etl/job"}});
            if before < 40 {
                assume["userIdentity"] =
                    json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
            }
            let log = match before >= 40 || by_other {
                true => log.with("us-east-1", assume),
                false => log,
            };
            let from = if before >= 40 {
                "203.0.113.10"
            } else {
                address
            };
            log.with("us-east-1", session(before, &key_of(before), from))
        });
        log.ready(KEY, &[])
    };
    keeps(&log("203.0.113.10", false), "no-unseen-use");
    // Nobody else is seen to assume the role, wherever it is used now.
    keeps(&log("198.51.100.20", false), "no-unseen-use");
    // Somebody else opens the role now.
    let opened = log("203.0.113.10", true);
    assert_eq!(opened["verdict"], "deactivate", "{opened}");
}

#[test]
fn what_services_did_on_the_users_behalf_and_is_no_longer_logged_may_go_on() {
    // One consumer calls every day; another one is seen only by what S3 decrypts for it every week.
    let log = |kms_of_others_until: i64| {
        let log = Log::new(0..131).used("us-east-1", 40..131);
        let log = (kms_of_others_until..131).fold(log, |log, before| {
            log.with("us-east-1", to(before, ("kms", "Decrypt"), OTHERS, false))
        });
        let weeks = (0..12).map(|week| 41 + 7 * week);
        weeks.fold(log, |log, before| log.with("us-east-1", on_behalf(before)))
    };
    let goes_on = log(0).ready(KEY, &[]);
    assert_eq!(goes_on["verdict"], "deactivate", "{goes_on}");
    keeps(&log(40).ready(KEY, &[]), "silent-long-enough");
}

#[test]
fn progress_does_not_know_what_the_log_would_not_have_shown() {
    let status = |answer: &Value| {
        let row = &answer["progress"][0];
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("status"), text("why"))
    };
    let log = || Log::new(0..131).used("eu-west-1", 40..131);
    assert_eq!(status(&log().progress("2026-05-25")).0, "gone");
    // The log of the region ends.
    let ends = log().without(|event, before| event["awsRegion"] == "eu-west-1" && before < 39);
    let (ended, why) = status(&ends.progress("2026-05-25"));
    assert_eq!(ended, "not known", "{why}");
    assert!(
        why.contains("eu-west-1") && why.contains("get IAM's last-used date"),
        "{why}"
    );
    // Data events were switched off.
    let data = (40..131).fold(Log::new(0..131), |log, before| {
        log.with("us-east-1", to(before, ("s3", "GetObject"), KEY, true))
    });
    let data = data.without(|event, before| event["eventCategory"] == "Data" && before < 39);
    let (off, why) = status(&data.progress("2026-05-25"));
    assert_eq!(off, "not known", "{why}");
    assert!(why.contains("data events of s3"), "{why}");
    // Only one region was read.
    let (narrow, why) = status(&log().progress_of("2026-05-25", &["--region", "eu-west-1"]));
    assert_eq!(narrow, "not known", "{why}");
    assert!(why.contains("only eu-west-1 was read"), "{why}");
}

#[test]
fn progress_and_ready_have_one_rule_for_what_is_due() {
    // Every 30 days: due after 60.
    let monthly =
        |last: i64| Log::new(0..221).used("us-east-1", (0..5).map(move |run| last + 30 * run));
    for (last, status, verdict) in [(45, "not due", "wait until"), (61, "gone", "deactivate")] {
        let log = monthly(last);
        let row = &log.progress("2026-06-01")["progress"][0];
        assert_eq!(row["status"], status, "{row}");
        let due = end() - TimeDelta::days(last) - TimeDelta::hours(4) + TimeDelta::days(60);
        let found: DateTime<Utc> = row["due"].as_str().unwrap().parse().unwrap();
        assert_eq!(found, due, "{row}");
        assert_eq!(log.ready(KEY, &[])["verdict"], verdict);
    }
}

#[test]
fn two_runs_ask_for_the_next_one() {
    let log = Log::new(0..221).used("us-east-1", [183, 92].into_iter());
    keeps(&log.ready(KEY, &[]), "silent-long-enough");
    // Three days in a row are no rhythm: the next run may be due next quarter.
    let log = Log::new(0..131).used("us-east-1", 30..33);
    keeps(&log.ready(KEY, &[]), "silent-long-enough");
}

#[test]
fn an_inactive_key_may_be_deleted_when_its_last_use_is_old() {
    let log = |active: bool, used: i64| {
        Log::new(0..221)
            .used("us-east-1", used..200)
            .says("svc", &[(active, 300, Some(used))])
    };
    assert_eq!(log(false, 150).ready(KEY, &[])["verdict"], "delete");
    assert_eq!(log(false, 20).ready(KEY, &[])["verdict"], "wait until");
    // Deactivated before our eyes; then the log of the calls that could activate it again ends.
    let status = json!({"userName": "svc", "accessKeyId": KEY, "status": "Inactive"});
    let off = || {
        let off = admin(20, "UpdateAccessKey", status.clone(), Value::Null);
        Log::new(0..131)
            .used("eu-west-1", 21..131)
            .with("us-east-1", off)
    };
    assert_eq!(off().ready(KEY, &[])["verdict"], "delete");
    let log = off().without(|event, before| event["awsRegion"] == "us-east-1" && before < 18);
    assert_eq!(log.ready(KEY, &[])["verdict"], "wait until");
}

#[test]
fn what_an_intruder_created_or_used_is_an_incident() {
    let theirs = |minutes: i64, name: &str, key: &str| {
        let mut event = call(day(2) + TimeDelta::minutes(minutes), name, key);
        event["sourceIPAddress"] = "45.148.10.94".into();
        event["userAgent"] = "aws-cli/2.15.10 Python/3.11.6 Windows/10".into();
        event["eventSource"] = "iam.amazonaws.com".into();
        event
    };
    let mut create = theirs(2, "CreateAccessKey", KEY);
    create["requestParameters"] = json!({"userName": "backup"});
    create["responseElements"] =
        json!({"accessKey": {"accessKeyId": OTHER, "userName": "backup", "status": "Active"}});
    let mut user = theirs(1, "CreateUser", KEY);
    user["requestParameters"] = json!({"userName": "backup"});
    let mut read = theirs(60, "GetObject", OTHER);
    read["userIdentity"]["userName"] = "backup".into();
    // A third key, used from the same address afterwards; a fourth one there before: it is its owner's place.
    let third = "AKIARTX3GSDSZPO323BB";
    let log = Log::new(0..41)
        .used("us-east-1", 1..41)
        .with("us-east-1", user)
        .with("us-east-1", create)
        .with("us-east-1", read)
        .with("us-east-1", theirs(90, "ListUsers", third));
    let log = (1..41).fold(log, |log, before| {
        let mut event = call(day(before), "PutItem", "AKIARTX3GSDSU2OAGIQK");
        event["sourceIPAddress"] = "45.148.10.94".into();
        log.with("us-east-1", event)
    });
    for key in [KEY, OTHER, third] {
        assert_eq!(log.ready(key, &[])["verdict"], "incident", "{key}");
    }
    let ties = broken_rules(&log.ready(OTHER, &[]));
    assert!(
        ties.iter().any(|rule| rule == "not-from-intruder"),
        "{ties:?}"
    );
    assert_eq!(
        log.ready("AKIARTX3GSDSU2OAGIQK", &[])["verdict"],
        "migrate first"
    );
}

#[test]
fn no_kind_of_key_goes_with_a_log_that_ends() {
    // Root's key, a key of another partition, a key that services alone use.
    let root = |mut event: Value| {
        event["userIdentity"]["type"] = "Root".into();
        event["userIdentity"]
            .as_object_mut()
            .unwrap()
            .remove("userName");
        event
    };
    let service = |mut event: Value| {
        event["userIdentity"]["invokedBy"] = "athena.amazonaws.com".into();
        event
    };
    let kinds: [(&str, &dyn Fn(Value) -> Value); 3] = [
        ("us-east-1", &root),
        ("us-gov-west-1", &|event| event),
        ("us-east-1", &service),
    ];
    for (region, kind) in kinds {
        let mut log = Log::new(0..131);
        log.others("us-gov-west-1", 0..131);
        let log = (40..131).fold(log, |log, before| {
            log.with(region, kind(call(day(before), "PutItem", KEY)))
        });
        let log = log.without(|event, before| event["awsRegion"] == region && before < 39);
        let row = log.ready(KEY, &[]);
        let verdict = row["verdict"].as_str().unwrap();
        assert!(!LETS_GO.contains(&verdict), "{region}: {row}");
    }
}
