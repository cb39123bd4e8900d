//! Rules on whole events.

mod language;
mod meaning;

use super::*;
use crate::event::{Decoder, EventBuilder, Field};
use arrow::array::RecordBatch;
use serde_json::{Value, json};

const KEY: &str = "AKIARTX3GSDS75MXKBSU";

/// An event of `svc:Name` at a second of an hour; `more` replaces fields of the record.
fn event(at: u32, what: &str, more: Value) -> Value {
    let (service, name) = what.split_once(':').unwrap();
    let mut record = json!({
        "eventTime": format!("2025-03-06T15:{:02}:{:02}Z", at / 60, at % 60),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15",
        "userIdentity": {"type": "IAMUser", "accessKeyId": KEY, "userName": "svc", "accountId": "111122223333",
            "arn": "arn:aws:iam::111122223333:user/svc"},
        "recipientAccountId": "111122223333", "requestParameters": null, "responseElements": null,
        "eventID": format!("00000000-0000-4000-a000-{at:08}{:04x}", name.len()),
    });
    let fields = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(fields);
    record
}

fn batch(records: &[Value]) -> RecordBatch {
    let text = json!({"Records": records}).to_string();
    let mut builder = EventBuilder::new(Field::all());
    Decoder::new(1 << 30).decode(
        text.as_bytes(),
        "s3://trail-bucket/x",
        (&mut builder, &mut |_| ()),
    );
    assert_eq!(builder.rows(), records.len());
    builder.finish().unwrap().0
}

/// Whether a condition holds for each of some events.
fn holds_with(condition: &str, records: &[Value], before: &[Value], lists: &Lists) -> Vec<bool> {
    let quoted = condition.replace('"', "\"\"");
    let names: Vec<String> = records
        .iter()
        .map(|r| r["eventName"].as_str().unwrap().to_owned())
        .collect();
    let mut text =
        "eventSource,eventName,tactic,technique_id,technique_name,severity,why,condition\n"
            .to_owned();
    let mut sources: Vec<(String, String)> = records
        .iter()
        .map(|r| {
            (
                r["eventSource"].as_str().unwrap().to_owned(),
                r["eventName"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    sources.sort();
    sources.dedup();
    for (source, name) in sources {
        text +=
            &format!("{source},{name},impact,T1485,Data Destruction,high,Because,\"{quoted}\"\n");
    }
    let rules = Rules::default().with_file("rules.csv", &text).unwrap();
    let mut baseline = Baseline::default();
    baseline.learn(&rules, &batch(before));
    let findings = find((&rules, lists), &[batch(records)], &baseline);
    assert_eq!(names.len(), records.len());
    let found = |record: &Value| {
        findings
            .iter()
            .any(|finding| record["eventID"] == finding.event_id.as_str())
    };
    records.iter().map(found).collect()
}

fn holds(condition: &str, more: Value) -> bool {
    holds_with(
        condition,
        &[event(0, "iam:CreateUser", more)],
        &[],
        &Lists::default(),
    )[0]
}
