//! Log files in other shapes, and log files that break off, through the program.

use crate::program::{json, keytrail, number};
use crate::trail::{gzip, record};
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

fn rows(statement: &str, source: &[&str]) -> Vec<serde_json::Value> {
    let args: Vec<&str> = ["sql", statement].iter().chain(source).copied().collect();
    let output = keytrail(&args)
        .args(["--format", "jsonl", "--quiet"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn an_archive_is_read_in_place_and_its_files_are_found_by_name() {
    let folder = TempDir::new().unwrap();
    let log = |n: u32| format!(r#"{{"Records":[{}]}}"#, record(n));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for n in 1..=3 {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("AWSLogs/{n}.json.gz"), options)
            .unwrap();
        zip.write_all(&gzip(&log(n))).unwrap();
    }
    fs::write(
        folder.path().join("evidence.zip"),
        zip.finish().unwrap().into_inner(),
    )
    .unwrap();
    let trail = folder.path().to_str().unwrap();
    let source = ["--trail", trail];
    let found = rows("SELECT log_file FROM events ORDER BY log_file", &source);
    let second = path(folder.path(), "evidence.zip/AWSLogs/2.json.gz");
    assert_eq!(found.len(), 3);
    assert_eq!(found[1]["log_file"], second.as_str());
    let statement = format!("SELECT event_id FROM events WHERE log_file = '{second}'");
    assert_eq!(rows(&statement, &source).len(), 1);
    let found = rows("SELECT outcome, events, stored FROM log_files", &source);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["outcome"], number(&found[0], "/stored")),
        (&"stored".into(), 3)
    );
}

#[test]
fn a_log_file_that_breaks_off_is_rejected_and_its_events_are_stored() {
    let folder = TempDir::new().unwrap();
    let (trail, lake) = (path(folder.path(), "trail"), path(folder.path(), "lake"));
    let records: Vec<String> = (1..=500).map(record).collect();
    let whole = gzip(&format!(r#"{{"Records":[{}]}}"#, records.join(",")));
    let file = folder.path().join("trail/log.json.gz");
    fs::create_dir(&trail).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let summary = json(&["ingest", &trail, "--lake", &lake], 3);
    let stored = number(&summary, "/events/stored");
    assert!((50..500).contains(&stored), "{summary}");
    assert_eq!(number(&summary, "/log_files/rejected"), 1);
    for source in [["--lake", lake.as_str()], ["--trail", trail.as_str()]] {
        let found = rows("SELECT outcome, reason, stored FROM log_files", &source);
        assert_eq!(found[0]["outcome"], "rejected");
        assert_eq!(number(&found[0], "/stored"), stored);
        let reason = found[0]["reason"].as_str().unwrap();
        assert!(reason.contains("the rest is missing"), "{reason}");
        let counted = rows("SELECT count(*) AS n FROM events", &source);
        assert_eq!(number(&counted[0], "/n"), stored);
    }
    // The rest comes when the file is whole.
    fs::write(&file, &whole).unwrap();
    let summary = json(&["ingest", &trail, "--lake", &lake], 0);
    assert_eq!(number(&summary, "/events/stored"), 500 - stored);
    assert_eq!(number(&summary, "/events/duplicates"), stored);
}

#[test]
fn what_powershell_saves_is_read() {
    let folder = TempDir::new().unwrap();
    let wide = |text: &str| -> Vec<u8> {
        let text = text.replace('\n', "\r\n");
        let bytes = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(bytes).collect()
    };
    let quoted = serde_json::to_string(&record(1)).unwrap();
    let around = "\"EventId\": \"x\", \"EventName\": \"GetUser\", \"EventTime\": \"2025-03-01T00:00:00+02:00\"";
    let lookup =
        format!("{{\n \"Events\": [\n {{ {around}, \"CloudTrailEvent\": {quoted} }}\n ]\n}}\n");
    fs::write(folder.path().join("events.json"), wide(&lookup)).unwrap();
    let trail = folder.path().to_str().unwrap();
    let asked = "SELECT event_id, access_key_id, other_fields FROM events";
    let read = rows(asked, &["--trail", trail]);
    let whole: serde_json::Value = serde_json::from_str(&record(1)).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0]["event_id"], whole["eventID"]);
    assert_eq!(
        read[0]["access_key_id"],
        whole["userIdentity"]["accessKeyId"]
    );
    assert_eq!(read[0]["other_fields"], serde_json::Value::Null);
}

/// Fields that are missing somewhere: all events are read, each with an account.
#[test]
fn fields_may_be_missing() {
    let whole = serde_json::json!({
        "eventVersion": "1.08", "eventTime": "2025-03-01T10:00:00Z", "eventSource": "iam.amazonaws.com", "eventName": "ListUsers",
        "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.1", "userAgent": "agent", "eventID": "00000000-0000-4000-8000-000000000000",
        "requestID": "r", "readOnly": true, "errorCode": "AccessDenied", "apiVersion": "2016_01_28", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "accountId": "444455556666", "arn": "arn:aws:iam::444455556666:user/a"},
    });
    let gone = [
        "recipientAccountId",
        "requestID",
        "userIdentity",
        "userAgent",
        "errorCode",
        "eventID",
        "readOnly",
        "apiVersion",
    ];
    let records = gone.iter().enumerate().map(|(n, field)| {
        let mut record = whole.clone();
        record["eventID"] = format!("{n:08}-0000-4000-8000-000000000000").into();
        record.as_object_mut().unwrap().remove(*field);
        record
    });
    let records: Vec<serde_json::Value> = records.collect();
    let folder = tempfile::tempdir().unwrap();
    let text = serde_json::json!({ "Records": records }).to_string();
    std::fs::write(folder.path().join("log.json"), text).unwrap();
    let path = folder.path().to_str().unwrap();
    let answer = crate::program::json(
        &[
            "sql",
            "SELECT account_id, count(*) AS n, count(event_id) AS ids FROM events GROUP BY 1 ORDER BY 1",
            "--trail",
            path,
        ],
        0,
    );
    // Without the recipient's account, it is the caller's.
    let expected = serde_json::json!([
        {"account_id": "111122223333", "n": 7, "ids": 7}, {"account_id": "444455556666", "n": 1, "ids": 1},
    ]);
    assert_eq!(answer["rows"], expected);
    assert_eq!(answer["coverage"]["records_rejected"], 0);
}

/// The same parameter is an object, a list, a text or a number; a whole field may be a text, or cut.
#[test]
fn a_parameter_has_many_shapes() {
    let shapes = [
        r#"{"result":{"a":1}}"#,
        r#"{"result":"text"}"#,
        r#"{"result":7}"#,
        r#"{"result":[1,2]}"#,
        r#"{"result":null}"#,
        r#""a text that was cut""#,
        "null",
    ];
    let records = shapes.iter().enumerate().map(|(n, shape)| {
        format!(
            r#"{{"eventVersion":"1.08","eventTime":"2025-03-01T10:00:0{n}Z","eventSource":"lambda.amazonaws.com","eventName":"Call{n}","awsRegion":"us-east-1",
            "recipientAccountId":"111122223333","eventID":"{n:08}-0000-4000-8000-000000000000","userIdentity":{{"type":"IAMUser"}},"requestParameters":{shape}}}"#
        )
    });
    let records: Vec<String> = records.collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("log.json"),
        format!(r#"{{"Records":[{}]}}"#, records.join(",")),
    )
    .unwrap();
    let path = folder.path().to_str().unwrap();
    let sql = "SELECT json_extract_scalar(requestparameters, '$.result') AS as_text, json_extract(requestparameters, '$.result') AS as_json, \
        requestparameters AS whole FROM cloudtrail_logs ORDER BY eventtime";
    let answer = crate::program::json(&["sql", sql, "--trail", path], 0);
    let rows = answer["rows"].as_array().unwrap();
    let texts: Vec<&serde_json::Value> = rows.iter().map(|row| &row["as_text"]).collect();
    assert_eq!(
        serde_json::json!(texts),
        serde_json::json!([null, "text", "7", null, null, null, null])
    );
    let jsons: Vec<&serde_json::Value> = rows.iter().map(|row| &row["as_json"]).collect();
    assert_eq!(
        serde_json::json!(jsons),
        serde_json::json!(["{\"a\":1}", "\"text\"", "7", "[1,2]", "null", null, null])
    );
    assert_eq!(answer["coverage"]["records_rejected"], 0);
}
