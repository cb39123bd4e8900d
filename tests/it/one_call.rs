//! Several records of one call are one call: records that update others, and the copies that several accounts get.

use crate::program::{json, number};
use serde_json::{Value, json as object};
use std::fs;
use tempfile::TempDir;

const KEY: &str = "AKIA3EXAMPLE00000001";

fn id(n: u32) -> String {
    format!("{n:08}-0000-4000-8000-000000000000")
}

/// A download of 100 bytes, with what is different about this record.
fn record(n: u32, more: Value) -> Value {
    let mut record = object!({
        "eventVersion": "1.11", "eventID": id(n), "eventTime": "2025-03-01T10:00:00Z",
        "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "us-east-1",
        "userIdentity": {"type": "IAMUser", "accountId": "111111111111", "accessKeyId": KEY,
            "arn": "arn:aws:iam::111111111111:user/u", "userName": "u"},
        "sourceIPAddress": "192.0.2.1", "userAgent": "agent", "recipientAccountId": "111111111111",
        "requestParameters": {"bucketName": "b", "key": "k"}, "eventCategory": "Data", "readOnly": true,
        "managementEvent": false, "additionalEventData": {"bytesTransferredOut": 100.0},
    });
    let fields = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(fields);
    record
}

fn update(n: u32, of: u32) -> Value {
    let addendum = object!({"reason": "UPDATED_DATA", "originalEventID": id(of)});
    record(n, object!({ "addendum": addendum }))
}

/// The record of the bucket's owner.
fn owners(n: u32, shared: &str) -> Value {
    let identity =
        object!({"type": "AWSAccount", "accountId": "111111111111", "principalId": "AIDA1"});
    record(
        n,
        object!({"sharedEventID": shared, "recipientAccountId": "222222222222", "userIdentity": identity}),
    )
}

fn trail(records: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = object!({ "Records": records }).to_string();
    fs::write(folder.path().join("log.json"), text).unwrap();
    folder
}

fn answer(command: &[&str], records: &[Value]) -> Value {
    let folder = trail(records);
    let path = folder.path().to_str().unwrap();
    json(&[command, &["--trail", path]].concat(), 0)
}

#[test]
fn an_update_is_no_second_call_of_a_key() {
    let late = record(3, object!({"addendum": {"reason": "DELIVERY_DELAY"}}));
    for (records, calls) in [
        (vec![record(1, object!({})), update(2, 1)], 1),
        (vec![record(1, object!({})), update(2, 1), late], 2),
        // The record that these update is not there.
        (vec![update(2, 1), update(3, 1)], 1),
    ] {
        let keys = answer(&["keys"], &records);
        assert_eq!(number(&keys, "/keys/0/events"), calls, "{keys}");
    }
}

#[test]
fn all_records_of_a_call_are_one_transfer() {
    let records = [
        owners(1, "s"),
        record(2, object!({"sharedEventID": "s"})),
        record(3, object!({})),
        update(4, 3),
        // Of this call, only the owner's record is there.
        owners(5, "t"),
    ];
    let transfers = answer(&["run", "bucket-transfers"], &records);
    let by = |caller: &str| {
        let rows = transfers["rows"].as_array().unwrap().iter();
        let row = rows
            .filter(|row| row["caller"] == caller)
            .collect::<Vec<_>>();
        assert_eq!(row.len(), 1, "{transfers}");
        (number(row[0], "/bytes_out"), number(row[0], "/events"))
    };
    assert_eq!(by("arn:aws:iam::111111111111:user/u"), (200, 2));
    assert_eq!(by("AIDA1"), (100, 1));
}

/// A dry run that would have succeeded: the caller has the permission.
#[test]
fn a_dry_run_is_no_error() {
    let dry = object!({"eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstanceTypes", "eventCategory": "Management",
        "managementEvent": true, "requestParameters": {"instanceTypeSet": {}}, "additionalEventData": null,
        "errorCode": "Client.DryRunOperation", "errorMessage": "Request would have succeeded, but DryRun flag is set."});
    let keys = answer(&["keys"], &[record(1, dry.clone())]);
    assert_eq!(number(&keys, "/keys/0/errors"), 0, "{keys}");
    let policy = answer(&["policy", KEY], &[record(1, dry)]);
    let permissions = policy["permissions"].as_array().unwrap();
    let needs = |action: &str| permissions.iter().any(|p| p["action"] == action);
    assert!(needs("ec2:DescribeInstanceTypes"), "{policy}");
}

/// Two keys' worth of copies: every question that counts calls counts each once.
#[test]
fn every_saved_query_counts_calls() {
    let records = [
        owners(1, "s"),
        record(2, object!({"sharedEventID": "s"})),
        record(3, object!({})),
        update(4, 3),
    ];
    let folder = trail(&records);
    let path = folder.path().to_str().unwrap();
    let ask = |command: &[&str]| json(&[command, &["--trail", path]].concat(), 0);
    let key = format!("access_key_id={KEY}");
    let sum = |answer: &Value| -> u64 {
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|row| row["events"].as_u64().unwrap_or(0)).sum()
    };
    for query in [
        "overview-apis",
        "overview-users",
        "overview-regions",
        "bucket-transfers",
        "data-events",
        "public-calls",
        "top-actions",
    ] {
        let answer = ask(&["run", query]);
        assert_eq!(sum(&answer), 2, "{query}: {answer}");
    }
    for query in [
        "key-addresses",
        "key-successes",
        "key-data-read",
        "addresses",
        "user-agents",
        "key-hours",
        "key-days",
    ] {
        let answer = ask(&["run", query, "--param", &key]);
        assert_eq!(sum(&answer), 2, "{query}: {answer}");
    }
    let timeline = ask(&["run", "key-timeline", "--param", &key]);
    assert_eq!(timeline["rows"].as_array().unwrap().len(), 2, "{timeline}");
    let address = ask(&["run", "address", "--param", "source_ip_address=192.0.2.1"]);
    assert_eq!(sum(&address), 2, "{address}");
    let objects = ask(&["run", "object-access", "--param", "bucket=b"]);
    assert_eq!(objects["rows"].as_array().unwrap().len(), 2, "{objects}");
    // The dossier, the consumers, the trace.
    let dossier = ask(&["key", KEY]);
    assert_eq!(number(&dossier, "/summary/0/events"), 2, "{dossier}");
    let consumers = ask(&["consumers", KEY]);
    assert_eq!(number(&consumers, "/consumers/0/events"), 2, "{consumers}");
    let trace = ask(&["trace", KEY]);
    assert_eq!(trace["timeline"].as_array().unwrap().len(), 2, "{trace}");
    // Views count calls, and the copies are still there.
    for (sql, n) in [
        ("SELECT count(*) AS n FROM events", 4),
        ("SELECT count(*) AS n FROM first_records", 3),
        ("SELECT count(*) AS n FROM calls", 2),
        ("SELECT sum(events) AS n FROM key_usage", 2),
        ("SELECT sum(events) AS n FROM principals", 2),
        ("SELECT count(*) AS n FROM s3_object_access", 2),
        ("SELECT sum(bytes_out) AS n FROM s3_object_access", 200),
        ("SELECT count(*) AS n FROM failures", 0),
        // As in an account's own table, both accounts' records; no record that updates another.
        ("SELECT count(*) AS n FROM cloudtrail_logs", 3),
        ("SELECT count(*) AS n FROM cloudtrail", 3),
        ("SELECT count(*) AS n FROM event_data_store", 3),
    ] {
        let answer = ask(&["sql", sql]);
        assert_eq!(number(&answer, "/rows/0/n"), n, "{sql}");
    }
}

/// A dry run is no failure in any count.
#[test]
fn a_dry_run_is_no_error_anywhere() {
    let dry = object!({"eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "eventCategory": "Management",
        "managementEvent": true, "readOnly": false, "requestParameters": {}, "additionalEventData": null,
        "errorCode": "Client.DryRunOperation", "errorMessage": "Request would have succeeded, but DryRun flag is set."});
    let folder = trail(&[record(1, dry)]);
    let path = folder.path().to_str().unwrap();
    let ask = |command: &[&str]| json(&[command, &["--trail", path]].concat(), 0);
    for query in ["overview-apis", "overview-users", "overview-regions"] {
        let answer = ask(&["run", query]);
        assert_eq!(number(&answer, "/rows/0/errors"), 0, "{query}: {answer}");
    }
    let dossier = ask(&["key", KEY]);
    assert_eq!(number(&dossier, "/summary/0/errors"), 0, "{dossier}");
    assert_eq!(dossier["errors"].as_array().unwrap().len(), 0, "{dossier}");
    let refused = ask(&[
        "run",
        "key-refused",
        "--param",
        &format!("access_key_id={KEY}"),
    ]);
    assert_eq!(refused["rows"].as_array().unwrap().len(), 0, "{refused}");
    let key = format!("access_key_id={KEY}");
    let days = ask(&["run", "key-days", "--param", &key]);
    assert_eq!(number(&days, "/rows/0/errors"), 0, "{days}");
    let trace = ask(&["trace", KEY]);
    assert_eq!(number(&trace, "/summary/failed"), 0, "{trace}");
    assert_eq!(number(&trace, "/credentials/0/errors"), 0, "{trace}");
    assert_eq!(trace["denied"].as_array().unwrap().len(), 0, "{trace}");
    assert_eq!(trace["created"].as_array().unwrap().len(), 0, "{trace}");
    // It did nothing, either.
    let created = ask(&["run", "created-resources"]);
    assert_eq!(created["rows"].as_array().unwrap().len(), 0, "{created}");
}

/// A role of another account that a key assumes: both accounts have the call.
#[test]
fn a_role_of_another_account_is_assumed_once() {
    const ROLE: &str = "arn:aws:iam::222222222222:role/r";
    let assumed = object!({
        "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "eventCategory": "Management",
        "managementEvent": true, "requestParameters": {"roleArn": ROLE, "roleSessionName": "s"},
        "responseElements": {"credentials": {"accessKeyId": "ASIA3EXAMPLE00000009", "expiration": "Mar 1, 2025, 11:00:00 AM"},
            "assumedRoleUser": {"arn": "arn:aws:sts::222222222222:assumed-role/r/s", "assumedRoleId": "AROA1:s"}},
        "additionalEventData": null, "sharedEventID": "s",
    });
    let resources = object!({"resources": [{"accountId": "222222222222", "type": "AWS::IAM::Role", "ARN": ROLE}]});
    let with = |record: Value, more: &[&Value]| {
        let mut record = record;
        let fields = record.as_object_mut().unwrap();
        for more in more {
            fields.extend(more.as_object().unwrap().clone());
        }
        record
    };
    // The caller's record names no resource.
    let callers = with(record(1, object!({})), &[&assumed]);
    let roles = with(owners(2, "s"), &[&assumed, &resources]);
    let folder = trail(&[callers, roles]);
    let path = folder.path().to_str().unwrap();
    let ask = |command: &[&str]| json(&[command, &["--trail", path]].concat(), 0);
    let births = ask(&["run", "credential-births"]);
    assert_eq!(number(&births, "/rows/0/events"), 1, "{births}");
    let issued = ask(&[
        "sql",
        "SELECT access_key_id, issued_access_key_id FROM issued_credentials",
    ]);
    let rows = object!([{"access_key_id": KEY, "issued_access_key_id": "ASIA3EXAMPLE00000009"}]);
    assert_eq!(issued["rows"], rows, "{issued}");
    let calls = ask(&[
        "sql",
        "SELECT direction, owner_account_id, resource_arn, access_key_id FROM cross_account_calls",
    ]);
    let rows = object!([{"direction": "outgoing", "owner_account_id": "222222222222", "resource_arn": ROLE, "access_key_id": KEY}]);
    assert_eq!(calls["rows"], rows, "{calls}");
}
