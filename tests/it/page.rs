//! The page of a trace, as its data: each claim's record is there, and it is the record of the log file.

use crate::program::{json, keytrail};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");
const KEY: &str = "AKIARTX3GSDS75MXKBSU";

/// The page's data.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"trace-data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

/// A column of the timeline, row by row.
fn column<'a>(timeline: &'a Value, name: &str) -> Vec<&'a Value> {
    let column = &timeline["columns"][name];
    let rows = column["rows"].as_array().unwrap().iter();
    rows.map(|at| &column["values"][at.as_u64().unwrap() as usize])
        .collect()
}

/// A record of a log file, without what nobody is to see.
fn original(log_file: &str, at: u64) -> Value {
    let file = File::open(log_file).unwrap();
    let log: Value = serde_json::from_reader(GzDecoder::new(file)).unwrap();
    log["Records"][at as usize].clone()
}

#[test]
fn the_record_behind_each_event_is_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let page = path.to_str().unwrap();
    let args = [
        "trace",
        KEY,
        "--trail",
        TRAIL,
        "--as-of",
        "2025-03-07T16:00:00Z",
    ];
    let run = keytrail(&[&args[..], &["--html", page, "-q"]].concat()).output();
    assert!(matches!(run.unwrap().status.code(), Some(0 | 3)));
    let page = fs::read_to_string(path).unwrap();
    assert!(
        !page.contains("EXAMPLETOKEN"),
        "a session token is in the page"
    );
    let data = data(&page);
    let timeline = &data["timeline"];
    let mut by_event: BTreeMap<&str, Value> = BTreeMap::new();
    let ids = column(timeline, "event_id");
    let records = column(timeline, "record");
    let (files, places) = (
        column(timeline, "log_file"),
        column(timeline, "log_file_record"),
    );
    for (row, id) in ids.iter().enumerate() {
        let record: Value = serde_json::from_str(records[row].as_str().unwrap()).unwrap();
        let file = files[row].as_str().unwrap();
        let file = match file.starts_with('/') {
            true => file.to_owned(),
            false => format!("{TRAIL}/{file}"),
        };
        let original = original(&file, places[row].as_u64().unwrap());
        for name in [
            "eventID",
            "eventTime",
            "eventSource",
            "eventName",
            "sourceIPAddress",
            "requestParameters",
            "readOnly",
        ] {
            assert_eq!(record[name], original[name], "{name} of {id}");
        }
        let arn = |of: &Value| of["userIdentity"]["arn"].clone();
        assert_eq!(arn(&record), arn(&original), "{id}");
        by_event.insert(id.as_str().unwrap(), record);
    }
    // Whatever is claimed has its record.
    let trace = json(&args, 0);
    for section in ["created", "rotate", "denied"] {
        for row in trace[section].as_array().unwrap() {
            let id = row["event_id"].as_str().unwrap();
            assert!(by_event.contains_key(id), "no record of {id} in {section}");
        }
    }
}
