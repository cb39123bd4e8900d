//! The shapes in which CloudTrail records come, told apart by content.
//!
//! In: one JSON object that is no record itself. Out: the records inside it, or what it is instead. Promise: nothing is
//! guessed at; an object of unknown shape is named by its fields.

use super::record::Record;
use super::schema::Field;
use crate::json::scan::{self as json, Members};
use std::borrow::Cow;

/// What an object is.
#[derive(Debug, PartialEq)]
pub(crate) enum Shape<'a> {
    /// A wrapper: the JSON text of the record in it, or of a list of further objects.
    Inside(Cow<'a, str>),
    /// Base64 of JSON or of gzip, as CloudWatch Logs and Kinesis hand it on.
    Packed(Cow<'a, str>),
    /// Something else that is well known and holds no events.
    Foreign(&'static str),
    /// Something else: the names of its first fields.
    Unknown(String),
}

/// Fields in which records, or further wrappers, are handed on; the surest first.
///
/// LookupEvents, S3 and EventBridge; results of CloudTrail Lake and CloudWatch Logs; SQS and SNS; Splunk; Elastic, Logstash and
/// Beats; Kinesis and Firehose; Wazuh.
const WRAPPERS: [&str; 29] = [
    "Records",
    "records",
    "Events",
    "logEvents",
    "events",
    "QueryResultRows",
    "Messages",
    "hits",
    "results",
    "CloudTrailEvent",
    "eventJson",
    "eventjson",
    "@message",
    "Sns",
    "Message",
    "message",
    "Body",
    "body",
    "_raw",
    "_source",
    "result",
    "original",
    "event.original",
    "event",
    "kinesis",
    "awslogs",
    "data",
    "aws",
    "cloudtrail",
];

/// Fields by which objects that hold no events are told.
const MARKS: [&str; 19] = [
    "digestS3Object",
    "digestStartTime",
    "insightDetails",
    "configurationItems",
    "configSnapshotId",
    "operationName",
    "resourceId",
    "callerIpAddress",
    "messageType",
    "Event",
    "s3",
    "s3Bucket",
    "s3ObjectKey",
    "detail",
    "EventSubscriptionArn",
    "TopicArn",
    "MessageId",
    "receiptHandle",
    "ReceiptHandle",
];

/// No name of these is written in more bytes, even if every letter of it is an escape.
const LONGEST_NAME: usize = 6 * 20;

/// How many field names an unknown object is described by.
const NAMED_FIELDS: usize = 6;

/// Whether something that has the fields of an event is none: S3 notifications name `aws:s3` as their event source,
/// Insights events are statistics about calls.
pub(crate) fn is_foreign_record(record: &Record<'_>) -> bool {
    record.raw(Field::EventSource).starts_with("\"aws:")
        || record.raw(Field::EventType) == "\"AwsCloudTrailInsight\""
}

/// The fields of an object that tell what it is, found in one pass: the object may be as long as its log file.
struct Fields<'a> {
    marks: [Option<&'a str>; MARKS.len()],
    wrappers: [Option<&'a str>; WRAPPERS.len()],
    /// The first of all names, and one more.
    names: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        let mut fields = Self {
            marks: [None; MARKS.len()],
            wrappers: [None; WRAPPERS.len()],
            names: Vec::new(),
        };
        let Some(mut members) = Members::of(text) else {
            return fields;
        };
        while let Ok(Some((key, value))) = members.next() {
            if fields.names.len() <= NAMED_FIELDS {
                fields.names.push(key);
            }
            if key.len() > LONGEST_NAME {
                continue;
            }
            let known = |names: &[&str]| names.iter().position(|name| json::is_named(key, name));
            if let Some(at) = known(&MARKS) {
                fields.marks[at].get_or_insert(value);
            } else if let Some(at) = known(&WRAPPERS) {
                fields.wrappers[at].get_or_insert(value);
            }
        }
        fields
    }

    /// The value of a mark.
    fn mark(&self, name: &str) -> Option<&'a str> {
        let at = MARKS.iter().position(|mark| *mark == name)?;
        self.marks[at]
    }

    fn described(mut self) -> String {
        if self.names.len() > NAMED_FIELDS {
            self.names[NAMED_FIELDS] = "…";
        }
        self.names.join(", ")
    }
}

/// What the object `text` is.
pub(crate) fn of(text: &str) -> Shape<'_> {
    let fields = Fields::of(text);
    let has = |key: &str| fields.mark(key);
    let object = |key: &str| has(key).filter(|value| value.starts_with('{'));
    let string = |key: &str| has(key).and_then(json::string);

    if has("digestS3Object").is_some() || has("digestStartTime").is_some() {
        return Shape::Foreign("a CloudTrail digest file");
    }
    if has("insightDetails").is_some() {
        return Shape::Foreign("CloudTrail Insights events");
    }
    if has("configurationItems").is_some() || has("configSnapshotId").is_some() {
        return Shape::Foreign("an AWS Config file");
    }
    if has("operationName").is_some()
        && (has("resourceId").is_some() || has("callerIpAddress").is_some())
    {
        return Shape::Foreign("Azure activity logs");
    }
    if string("messageType").is_some_and(|kind| kind == "CONTROL_MESSAGE") {
        return Shape::Foreign("a CloudWatch Logs control message");
    }
    if string("Event").is_some_and(|event| event == "s3:TestEvent") || object("s3").is_some() {
        return Shape::Foreign("S3 event notifications");
    }
    if has("s3Bucket").is_some() && has("s3ObjectKey").is_some() {
        return Shape::Foreign("CloudTrail's notifications of delivered log files");
    }
    if let Some(detail) = object("detail") {
        return match json::member(detail, "eventName").is_some() {
            true => Shape::Inside(Cow::Borrowed(detail)),
            false => Shape::Foreign("an EventBridge event that is not from CloudTrail"),
        };
    }
    let mut wrapped = fields.wrappers.into_iter().flatten();
    if let Some(inside) = wrapped.find_map(inside) {
        return inside;
    }
    if has("EventSubscriptionArn").is_some()
        || (has("TopicArn").is_some() && has("MessageId").is_some())
    {
        return Shape::Foreign("SNS notifications");
    }
    if has("receiptHandle").is_some() || has("ReceiptHandle").is_some() {
        return Shape::Foreign("SQS messages");
    }
    Shape::Unknown(fields.described())
}

/// What a wrapper's field holds, if that can be a record.
fn inside(value: &str) -> Option<Shape<'_>> {
    if value.starts_with(['{', '[']) {
        return Some(Shape::Inside(Cow::Borrowed(value)));
    }
    let text = json::string(value)?;
    let start = text.trim_start();
    if start.starts_with(['{', '[']) {
        return Some(Shape::Inside(text));
    }
    // Of gzip, and of an object.
    let packed = start.starts_with("H4sI") || start.starts_with("ey") || start.starts_with("ewo");
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    (packed && text.bytes().all(base64)).then_some(Shape::Packed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_give_up_their_records() {
        let inside = |text: &'static str| Shape::Inside(Cow::Borrowed(text));
        assert_eq!(of(r#"{"NextToken":"x","Events":[1]}"#), inside("[1]"));
        assert_eq!(
            of(r#"{"detail":{"eventName":"X"}}"#),
            inside(r#"{"eventName":"X"}"#)
        );
        assert_eq!(
            of(r#"{"CloudTrailEvent":"{\"eventName\":\"X\"}"}"#),
            inside(r#"{"eventName":"X"}"#)
        );
        assert_eq!(
            of(r#"{"message":"no record","event":{"original":"{}"}}"#),
            inside(r#"{"original":"{}"}"#)
        );
        assert_eq!(
            of(r#"{"data":"H4sIAAA="}"#),
            Shape::Packed(Cow::Borrowed("H4sIAAA="))
        );
    }

    #[test]
    fn other_things_are_called_by_their_name() {
        for (text, name) in [
            (r#"{"digestS3Object":"x"}"#, "a CloudTrail digest file"),
            (r#"{"insightDetails":{}}"#, "CloudTrail Insights events"),
            (r#"{"configurationItems":[]}"#, "an AWS Config file"),
            (r#"{"s3":{}}"#, "S3 event notifications"),
            (
                r#"{"detail":{"bucket":{}}}"#,
                "an EventBridge event that is not from CloudTrail",
            ),
        ] {
            assert_eq!(of(text), Shape::Foreign(name));
        }
        assert_eq!(of(r#"{"a":1,"b":2}"#), Shape::Unknown("a, b".into()));
        let longest = MARKS.iter().chain(&WRAPPERS).map(|name| name.len());
        assert_eq!(longest.max(), Some(LONGEST_NAME / 6));
        assert_eq!(
            of(r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}"#),
            Shape::Unknown("a, b, c, d, e, f, …".into())
        );
        assert_eq!(
            of(r#"{"ReceiptHandle":"x","a":1}"#),
            Shape::Foreign("SQS messages")
        );
    }
}
