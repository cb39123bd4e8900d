//! Whole log files through the decoder.

use super::*;
use arrow::array::{Array, AsArray, RecordBatch};

mod shapes;
mod spots;

fn decode(bytes: &[u8]) -> (Decoded, RecordBatch) {
    let mut builder = EventBuilder::new(Field::all());
    let decoded = Decoder::new(1 << 30).decode(bytes, "file", (&mut builder, &mut |_| ()));
    let (batch, keys) = builder.finish().expect("arrow");
    assert_eq!(batch.num_rows(), keys.len());
    (decoded, batch)
}

fn texts(batch: &RecordBatch, field: Field) -> Vec<Option<String>> {
    let column = batch.column_by_name(field.column().name).expect("column");
    column
        .as_string::<i32>()
        .iter()
        .map(|value| value.map(str::to_owned))
        .collect()
}

const EVENT: &str = r#"{"eventTime":"2025-03-05T02:17:31Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","eventID":"1e4b8c0a-0000-4000-a000-000000000001"}"#;

#[test]
fn every_shape_gives_the_same_event() {
    let quoted = serde_json::to_string(EVENT).expect("string");
    for text in [
        format!(r#"{{"Records":[{EVENT}]}}"#),
        format!(r#"{{"NextToken":"x" , "Records" : [ {EVENT} ] , "more" : [1] }}"#),
        format!("\u{feff}[{EVENT}]"),
        EVENT.to_owned(),
        format!("{EVENT}\n"),
        format!(r#"{{"Events":[{{"EventId":"x","CloudTrailEvent":{quoted}}}]}}"#),
        format!(r#"{{"EventId":"x","CloudTrailEvent":{quoted}}}"#),
        // All that LookupEvents gives, in the order and with the times of the AWS CLI.
        format!(
            r#"{{"Events":[{{"EventId":"x","EventName":"GetObject","ReadOnly":"true","AccessKeyId":"AKIA","EventTime":"2025-03-05T03:17:31+01:00","EventSource":"s3.amazonaws.com","Username":"u","Resources":[],"CloudTrailEvent":{quoted}}}]}}"#
        ),
        format!(
            r#"[{{"EventTime":1741141051.0,"EventName":"GetObject","CloudTrailEvent":{quoted}}}]"#
        ),
        format!(
            r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{EVENT}}}"#
        ),
        format!(
            r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","message":{quoted}}}]}}"#
        ),
        format!(r#"{{"events":[{{"message":{quoted}}}]}}"#),
        format!("2025-03-05T02:18:00.000Z {EVENT}"),
    ] {
        let (decoded, batch) = decode(text.as_bytes());
        assert_eq!(decoded.outcome, Outcome::Read, "{text}");
        assert_eq!(
            (decoded.records, decoded.rejects.len(), batch.num_rows()),
            (1, 0, 1),
            "{text}"
        );
        assert_eq!(
            texts(&batch, Field::EventName),
            [Some("GetObject".to_owned())]
        );
    }
}

#[test]
fn one_broken_line_costs_that_line() {
    let text = format!("{EVENT}\n{{\"eventTime\": oops}}\n{EVENT}\n{{\"eventName\":\"cut");
    let (decoded, batch) = decode(text.as_bytes());
    assert_eq!(
        (decoded.outcome, decoded.records, batch.num_rows()),
        (Outcome::Read, 4, 2)
    );
    assert_eq!(
        decoded
            .rejects
            .iter()
            .map(|reject| reject.record)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    assert!(
        decoded.rejects[0].reason.contains("broken JSON at byte"),
        "{}",
        decoded.rejects[0].reason
    );
}

#[test]
fn one_odd_record_costs_that_record() {
    let text =
        format!(r#"{{"Records":[{EVENT},7,{{"eventName":"X","eventTime":"soon"}},null,{EVENT}]}}"#);
    let (decoded, batch) = decode(text.as_bytes());
    assert_eq!(
        (decoded.records, decoded.rejects.len(), batch.num_rows()),
        (5, 3, 2)
    );
    assert_eq!(
        decoded.rejects[1].text,
        r#"{"eventName":"X","eventTime":"soon"}"#
    );
    assert_eq!(
        batch.column_by_name("log_file_record").map(|c| c.len()),
        Some(2)
    );
}

#[test]
fn a_record_that_is_not_utf8_is_rejected_alone() {
    let text = [
        br#"{"Records":["#,
        EVENT.as_bytes(),
        b",{\"a\":\"\xff\"},",
        EVENT.as_bytes(),
        b"]}",
    ]
    .concat();
    let (decoded, batch) = decode(&text);
    assert_eq!((decoded.outcome, batch.num_rows()), (Outcome::Read, 2));
    assert_eq!(decoded.rejects[0].reason, "not UTF-8 text");
}

#[test]
fn a_file_that_cannot_be_read_leaves_no_row() {
    let mut builder = EventBuilder::new(Field::all());
    let mut decoder = Decoder::new(1 << 30);
    let good = format!(r#"{{"Records":[{EVENT}]}}"#);
    let mut damaged = gzip(good.as_bytes());
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    for (bytes, reason) in [
        (b"<html>503 Slow Down</html>".to_vec(), "an HTML page"),
        (Vec::new(), "empty"),
        (b"  \n".to_vec(), "no JSON"),
        (b"{\"Records\":[".to_vec(), "ends too early"),
        (
            b"{\"test_events\":[1]}".to_vec(),
            "objects with the fields test_events",
        ),
        (b"PAR1....".to_vec(), "a Parquet file"),
        (damaged, "broken gzip data"),
    ] {
        decoder.decode(good.as_bytes(), "good", (&mut builder, &mut |_| ()));
        let before = builder.rows();
        let decoded = decoder.decode(&bytes, "bad", (&mut builder, &mut |_| ()));
        match decoded.outcome {
            Outcome::Rejected(found) => assert!(found.to_string().contains(reason), "{found}"),
            other => panic!("{reason}: {other:?}"),
        }
        assert_eq!((builder.rows(), decoded.records), (before, 0));
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("in memory");
    encoder.finish().expect("in memory")
}

#[test]
fn the_first_of_two_values_counts_in_a_record() {
    let text = EVENT.replacen(
        '{',
        r#"{"userIdentity":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","accessKeyId":"AKIAI44QH8DHBEXAMPLE"},"errorCode":null,"errorCode":"AccessDenied","eventName":"First","#,
        1,
    );
    let (decoded, batch) = decode(text.as_bytes());
    let remark = decoded.remark.expect("said");
    assert!(remark.contains("record 0 has "), "{remark}");
    assert!(
        remark.contains(" twice; the first value counts"),
        "{remark}"
    );
    let first = |field| texts(&batch, field)[0].clone();
    assert_eq!(first(Field::EventName).as_deref(), Some("First"));
    assert_eq!(
        first(Field::AccessKeyId).as_deref(),
        Some("AKIAIOSFODNN7EXAMPLE")
    );
    assert_eq!(first(Field::ErrorCode), None);
    // What was second is not lost.
    let others = first(Field::OtherFields).expect("kept");
    assert!(others.contains("AKIAI44QH8DHBEXAMPLE") && others.contains("AccessDenied"));
}

#[test]
fn what_is_no_log_file_of_events_is_skipped_with_its_name() {
    for (text, name) in [
        (
            r#"{"digestS3Object":"x","logFiles":[]}"#,
            "a CloudTrail digest file",
        ),
        (
            r#"{"Records":[{"eventType":"AwsCloudTrailInsight","eventTime":"2025-03-05T02:17:31Z","insightDetails":{}}]}"#,
            "CloudTrail Insights events",
        ),
        (
            r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2025-03-05T02:17:31Z","s3":{}}]}"#,
            "S3 event notifications",
        ),
        (
            r#"{"Records":[{"messageId":"1","receiptHandle":"x","eventSource":"aws:sqs"}]}"#,
            "SQS messages",
        ),
        (
            r#"{"records":[{"operationName":"x","resourceId":"/subscriptions/1"}]}"#,
            "Azure activity logs",
        ),
    ] {
        assert_eq!(
            decode(text.as_bytes()).0.outcome,
            Outcome::Skipped(name.to_owned()),
            "{text}"
        );
    }
    let (decoded, _) = decode(br#"{"Records":[]}"#);
    assert_eq!((decoded.outcome, decoded.records), (Outcome::Read, 0));
}

#[test]
fn identities_tell_copies_from_namesakes() {
    let key = |text: &str| {
        let mut builder = EventBuilder::new(&[Field::EventId, Field::ContentSha256]);
        Decoder::new(1 << 20).decode(text.as_bytes(), "f", (&mut builder, &mut |_| ()));
        let (batch, keys) = builder.finish().expect("arrow");
        let sha = texts(&batch, Field::ContentSha256)[0].clone();
        let id = texts(&batch, Field::EventId)[0].clone().expect("id");
        // What is read back from the lake gives the same key.
        assert_eq!(EventKey::new(keys[0].time, &id, sha.as_deref()), keys[0]);
        (keys[0], id)
    };
    let event = |id: &str, name: &str| {
        format!(r#"{{"eventTime":"2025-03-05T02:17:31Z","eventName":"{name}"{id}}}"#)
    };
    let guid = r#","eventID":"1e4b8c0a-0000-4000-a000-000000000001""#;
    assert_eq!(key(&event(guid, "A")).0, key(&event(guid, "B")).0);
    assert_ne!(
        key(&event(r#","eventID":"1""#, "A")).0,
        key(&event(r#","eventID":"1""#, "B")).0
    );
    assert_eq!(key(&event(r#","eventID":"1""#, "A")).1, "1");
    assert_eq!(key(&event("", "A")), key(&event("", "A")));
    assert!(key(&event("", "A")).1.starts_with("content-"));
}

/// A log file too long to be held: read in pieces, handed over in between, kept as far as it goes.
#[test]
fn a_long_file_is_read_in_pieces() {
    let event = EVENT.replace("GetObject", &"x".repeat(100_000));
    let mut text = String::from("{\"Records\":[");
    while text.len() < 70 << 20 {
        text.push_str(&event);
        text.push(',');
    }
    text.pop();
    let broken = text.clone();
    text.push_str("]}");
    let events = text.matches("eventID").count();
    let run = |text: &str| {
        let (mut builder, mut handed_over) = (EventBuilder::new(Field::all()), 0);
        let mut take = |builder: &mut EventBuilder| {
            handed_over += builder.finish().expect("arrow").0.num_rows()
        };
        let decoded =
            Decoder::new(1 << 30).decode(text.as_bytes(), "long", (&mut builder, &mut take));
        (decoded, handed_over + builder.rows())
    };
    let (decoded, rows) = run(&text);
    assert_eq!(
        (decoded.outcome, decoded.records as usize, rows),
        (Outcome::Read, events, events)
    );
    assert_eq!(decoded.json_bytes as usize, text.len());
    let (decoded, rows) = run(&broken);
    assert!(
        matches!(decoded.outcome, Outcome::Rejected(FileFault::CutOff { .. })),
        "{:?}",
        decoded.outcome
    );
    assert_eq!(rows, events);
}
