//! Real CloudTrail records that others published, against what an independent program found in them.
//!
//! The records are not part of the project: `KEYTRAIL_CORPUS` names their folder. Every shape of record that occurs in them
//! has a small test of its own in `src/event/tests.rs`.

use crate::intruders::every_trace_agrees_with_itself;
use crate::needs;
use crate::program::{assert_adds_up, json, keytrail, number};
use crate::usage::{Usage, session};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder of the corpus and what an ingest of it said.
struct Read {
    home: TempDir,
    summary: Value,
}

impl Read {
    /// Ingests a folder.
    fn folder(name: &str) -> Self {
        let folder = needs::corpus().join(name);
        let home = tempfile::tempdir().unwrap();
        let lake = home.path().join("lake");
        let args = ["ingest", folder.to_str().unwrap(), "--format", "json", "-q"];
        let ingest = keytrail(&args).arg("--lake").arg(lake).output().unwrap();
        let summary: Value = serde_json::from_slice(&ingest.stdout).unwrap();
        // Every folder but one has a licence in it, which is no log file; some have nothing else that can be read.
        let code = match number(&summary, "/log_files/stored") {
            0 if number(&summary, "/events/read") == 0 => &[1][..],
            _ => &[0, 3],
        };
        assert!(code.contains(&ingest.status.code().unwrap()), "{ingest:?}");
        assert_adds_up(&summary);
        for place in ["rejected", "skipped"] {
            for (file, reason) in reasons(&summary, place) {
                println!("{place}: {file}: {reason}");
            }
        }
        Self { home, summary }
    }

    fn lake(&self) -> PathBuf {
        self.home.path().join("lake")
    }

    /// Records read, stored, known already and rejected.
    fn events(&self) -> [u64; 4] {
        ["read", "stored", "duplicates", "rejected"]
            .map(|name| number(&self.summary, &format!("/events/{name}")))
    }

    /// The reasons why records were rejected, and how often each.
    async fn record_reasons(&self) -> Vec<String> {
        let sql = "SELECT concat(count(*), ' × ', reason) AS reason FROM rejects GROUP BY reason ORDER BY reason";
        let session = session(&self.lake()).await;
        let (_, batches) = session.sql(sql, &Default::default()).await.unwrap();
        let mut reasons = Vec::new();
        for batch in batches {
            let column = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8);
            let column = arrow::array::AsArray::as_string::<i32>(&column.unwrap()).clone();
            reasons.extend(column.iter().flatten().map(str::to_owned));
        }
        reasons
    }
}

/// File names and reasons of a list in the summary; files that are no log files by their name alone are left out.
fn reasons(summary: &Value, list: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let files = summary[list].as_array().unwrap().iter();
    let named = files.map(|file| {
        let path = PathBuf::from(text(&file["log_file"]));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, text(&file["reason"]))
    });
    let beside = |name: &str| {
        name.starts_with("LICENSE")
            || ["NOTICE", "README.md"].contains(&name)
            || [".py", ".yaml"].iter().any(|end| name.ends_with(end))
    };
    named.filter(|(name, _)| !beside(name)).collect()
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn simulated_attacks_agree_with_their_truth() {
    let read = Read::folder("invictus");
    let truth = fs::read(needs::corpus().join("truth/invictus.keys.json")).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let events = number(&truth, "/records_unique");
    assert_eq!(read.events(), [events, events, 0, 0]);
    assert_eq!(read.summary["log_files"]["stored"], truth["files"]);
    assert_eq!(reasons(&read.summary, "rejected"), []);

    let lake = read.lake();
    let keys = json(
        &["keys", "--temporary", "--lake", lake.to_str().unwrap()],
        0,
    );
    let rows = keys["keys"].as_array().unwrap().iter();
    let found: BTreeMap<&str, u64> = rows
        .map(|row| {
            (
                row["access_key_id"].as_str().unwrap(),
                number(row, "/events"),
            )
        })
        .collect();
    let long_term = truth["long_term_keys"].as_object().unwrap();
    let temporary = truth["temporary_keys_events"].as_object().unwrap();
    let mut expected = BTreeMap::new();
    for (key, facts) in long_term {
        expected.insert(key.as_str(), number(facts, "/events"));
    }
    for (key, events) in temporary {
        expected.insert(key.as_str(), events.as_u64().unwrap());
    }
    assert_eq!(expected.len() as u64, number(&truth, "/distinct_keys"));
    assert_eq!(found, expected);

    let session = session(&lake).await;
    for (key, facts) in long_term {
        assert_eq!(
            Usage::asked(&session, key).await,
            Usage::of_truth(facts),
            "{key}"
        );
    }
}

/// What became of a folder, as lines.
async fn outcome(name: &str) -> String {
    let read = Read::folder(name);
    let [events, stored, duplicates, rejected] = read.events();
    let mut text = format!(
        "{events} read = {stored} stored + {duplicates} duplicates + {rejected} rejected\n"
    );
    for reason in read.record_reasons().await {
        text += &format!("record: {reason}\n");
    }
    for place in ["rejected", "skipped"] {
        for (file, reason) in reasons(&read.summary, place) {
            text += &format!("{place}: {file}: {reason}\n");
        }
    }
    text
}

/// One technique per file, pretty-printed arrays.
#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn arrays_are_read() {
    insta::assert_snapshot!(outcome("stratus-detonation").await, @r"
    310 read = 310 stored + 0 duplicates + 0 rejected
    ");
}

/// Partial records, one per line, some with the ids and times of others.
#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn partial_records_are_read_one_by_one() {
    insta::assert_snapshot!(outcome("panther-tests").await, @r#"
    453 read = 347 stored + 89 duplicates + 17 rejected
    record: 1 × eventTime "..." is not a time
    record: 1 × eventTime "redacted" is not a time
    record: 15 × no eventTime
    "#);
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn log_files_of_all_event_versions_are_read() {
    insta::assert_snapshot!(outcome("flaws-cloud-sample").await, @r"
    185 read = 185 stored + 0 duplicates + 0 rejected
    ");
    insta::assert_snapshot!(outcome("umccr-examples").await, @r"
    21 read = 21 stored + 0 duplicates + 0 rejected
    ");
}

/// `@timestamp` instead of `eventTime`.
#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn records_of_logstash_are_read() {
    insta::assert_snapshot!(outcome("otrf-ec2-proxy").await, @r"
    103 read = 103 stored + 0 duplicates + 0 rejected
    ");
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn event_bridge_details_are_read() {
    insta::assert_snapshot!(outcome("custodian-eventbridge").await, @r"
    20 read = 17 stored + 2 duplicates + 1 rejected
    record: 1 × no eventTime
    rejected: event-cloud-trail-bedrock-create-customization-jobs.json: its only record cannot be read: no eventTime
    ");
}

#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn other_shapes_are_read_or_refused_with_a_reason() {
    insta::assert_snapshot!(outcome("plaso").await, @r"
    6 read = 6 stored + 0 duplicates + 0 rejected
    ");
    insta::assert_snapshot!(outcome("cloudgrep").await, @"
    2 read = 2 stored + 0 duplicates + 0 rejected
    rejected: bad_cloudtrail.json: the JSON text ends too early, at byte 965, in record 0: the rest is missing
    ");
    insta::assert_snapshot!(outcome("trailscraper").await, @r"
    7 read = 3 stored + 4 duplicates + 0 rejected
    rejected: policy-to-guess.json: no CloudTrail event in it: objects with the fields Version, Statement
    ");
    insta::assert_snapshot!(outcome("fivexl").await, @r"
    0 read = 0 stored + 0 duplicates + 0 rejected
    rejected: test_events.json: no CloudTrail event in it: objects with the fields test_events
    ");
}

/// Envelopes of notifications name log files and are none.
#[tokio::test]
#[ignore = "needs KEYTRAIL_CORPUS"]
async fn notifications_are_skipped() {
    insta::assert_snapshot!(outcome("boogy-notifications").await, @"
    0 read = 0 stored + 0 duplicates + 0 rejected
    skipped: eventbridge-object-annotation-created.json: an EventBridge event that is not from CloudTrail
    skipped: eventbridge-object-created-plus-key.json: an EventBridge event that is not from CloudTrail
    skipped: eventbridge-object-created-unsupported-version.json: an EventBridge event that is not from CloudTrail
    skipped: eventbridge-object-created.json: an EventBridge event that is not from CloudTrail
    skipped: eventbridge-object-deleted.json: an EventBridge event that is not from CloudTrail
    skipped: eventbridge-object-restore-completed.json: an EventBridge event that is not from CloudTrail
    skipped: s3-event-object-created.json: S3 event notifications
    skipped: s3-event-urlencoded-key.json: S3 event notifications
    skipped: s3-test-event.json: S3 event notifications
    skipped: sns-s3-event.json: S3 event notifications
    skipped: sns-s3-test-event.json: S3 event notifications
    skipped: sqs-batch-partial-garbage.json: S3 event notifications
    skipped: sqs-s3-event.json: S3 event notifications
    skipped: sqs-sns-event.json: S3 event notifications
    ");
}

#[test]
#[ignore = "needs KEYTRAIL_CORPUS"]
fn no_trace_of_a_real_trail_contradicts_itself() {
    let mut traced = 0;
    for entry in fs::read_dir(needs::corpus()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !entry.file_type().unwrap().is_dir() || name == "truth" {
            continue;
        }
        let read = Read::folder(&name);
        if read.events()[1] > 0 {
            let lake = read.lake();
            traced += every_trace_agrees_with_itself(["--lake", lake.to_str().unwrap()]);
        }
    }
    assert!(traced > 150, "{traced} keys");
}
