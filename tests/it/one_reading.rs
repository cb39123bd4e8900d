//! One reading of JSON: of a key that stands twice the first value counts, and broken text has no value, whoever asks.

use crate::program::{json, ran};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Three calls of one key. Whoever reads the second value of a doubled key meets `second`.
const RECORDS: [&str; 3] = [
    r#""eventName":"CreateAccessKey","eventSource":"iam.amazonaws.com","eventTime":"2026-03-01T10:00:00Z","eventID":"00000000-0000-4000-8000-000000000001",
       "requestParameters":{"userName":"first-user","userName":"second-user"},
       "responseElements":{"accessKey":{"accessKeyId":"AKIAI44QH8DHBEXAMPLE","userName":"first-user","userName":"second-user","status":"Active"}}"#,
    r#""eventName":"PutUserPolicy","eventSource":"iam.amazonaws.com","eventTime":"2026-03-01T10:00:01Z","eventID":"00000000-0000-4000-8000-000000000002",
       "requestParameters":{"userName":"first-user","userName":"second-user","policyName":"p",
         "policyDocument":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"},"responseElements":null"#,
    r#""eventName":"GetObject","eventSource":"s3.amazonaws.com","eventTime":"2026-03-01T10:00:02Z","eventID":"00000000-0000-4000-8000-000000000003",
       "requestParameters":{"bucketName":"first-bucket","bucketName":"second-bucket","key":"a/b.csv"},"responseElements":null"#,
];

fn trail() -> TempDir {
    let folder = TempDir::new().unwrap();
    let identity = format!(
        r#""userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci","accountId":"111122223333","userName":"ci","accessKeyId":"{KEY}"}}"#
    );
    let records = RECORDS.map(|record| {
        format!(
            r#"{{"eventVersion":"1.11",{identity},"awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.15","recipientAccountId":"111122223333",{record}}}"#
        )
    });
    let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
    fs::write(folder.path().join("log.json"), text).unwrap();
    folder
}

fn sql(statement: &str, trail: &str) -> Vec<Value> {
    let answer = json(&["sql", statement, "--trail", trail], 0);
    let rows = answer["rows"].as_array().or_else(|| answer.as_array());
    rows.unwrap_or_else(|| panic!("{answer}")).clone()
}

#[test]
fn the_first_of_doubled_keys_counts_in_sql() {
    let folder = trail();
    let trail = folder.path().to_str().unwrap();
    let rows = sql(
        "SELECT json_get_str(request_parameters, 'userName') AS a, json_extract_scalar(request_parameters, '$.userName') AS b,
                request_parameters ->> 'userName' AS c, json_as_text(request_parameters, 'userName') AS d, issued_principal AS e
         FROM events WHERE event_name = 'CreateAccessKey'",
        trail,
    );
    assert_eq!(rows.len(), 1);
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(rows[0][name], "first-user", "{name}");
    }
    let rows = sql(
        "SELECT requestparameters.username AS a FROM cloudtrail_logs WHERE eventname = 'CreateAccessKey'",
        trail,
    );
    assert_eq!(rows[0]["a"], "first-user");
}

#[test]
fn the_first_of_doubled_keys_counts_in_trace_findings_and_policy() {
    let folder = trail();
    let trail = folder.path().to_str().unwrap();
    let trace = ran(&[
        "trace", KEY, "--trail", trail, "--format", "json", "--quiet",
    ]);
    assert!(trace.contains("first-user"), "{trace}");
    assert!(!trace.contains("second-"), "{trace}");
    let policy = ran(&["policy", KEY, "--trail", trail]);
    assert!(policy.contains("arn:aws:s3:::first-bucket"), "{policy}");
    assert!(!policy.contains("second-"), "{policy}");
}

#[test]
fn broken_text_has_no_value_for_any_function() {
    let folder = trail();
    let trail = folder.path().to_str().unwrap();
    for broken in [
        r#"{"a":"x""#,
        r#"{"a":"x"} y"#,
        r#"{"a":"x","b":NaN}"#,
        r#"{"a":"x",}"#,
    ] {
        let rows = sql(
            &format!(
                "SELECT json_get_str('{broken}', 'a') AS a, json_extract_scalar('{broken}', '$.a') AS b, '{broken}' ->> 'a' AS c,
                        json_get_json('{broken}', 'a') AS d, json_length('{broken}') AS e, json_as_text(text, 'a') AS f
                 FROM (SELECT '{broken}' AS text)"
            ),
            trail,
        );
        for name in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(rows[0][name], Value::Null, "{name} of {broken}");
        }
    }
    // What is sound is not touched.
    let rows = sql(
        r#"SELECT json_get_str('{"a":"x\ud800"}', 'a') AS a, json_extract_scalar('{"a":"x\ud800"}', '$.a') AS b,
                  json_get_int('{"a":12}', 'a') AS c, ('{"a":{"b":[1,2]}}' -> 'a' -> 'b') ->> 1 AS d"#,
        trail,
    );
    assert_eq!(rows[0]["a"], "x\u{fffd}");
    assert_eq!(rows[0]["b"], "x\u{fffd}");
    assert_eq!(rows[0]["c"], 12);
    assert_eq!(rows[0]["d"], "2");
}
