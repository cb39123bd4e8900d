//! The shapes in which CloudTrail records come, told apart by content.
//!
//! In: one JSON object that is no record itself. Out: the records inside it, or what it is instead. Promise: nothing is
//! guessed at; an object of unknown shape is named by its fields.

use super::excerpt::excerpt;
use super::gzip::ZSTD;
use super::input::is_list;
use super::record::Record;
use super::schema::Field;
use crate::json::scan::{self as json, Members};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// What an object is.
#[derive(Debug, PartialEq)]
pub(crate) enum Shape<'a> {
    /// A wrapper: the JSON text of the record in it, or of a list of further objects.
    Inside(Cow<'a, str>),
    /// Several lists of records, or of wrappers of them: the same key twice, say.
    Lists(Vec<&'a str>),
    /// The result of a query in Athena.
    Table(&'a str),
    /// A row of such a result.
    Row(&'a str),
    /// Base64 of JSON or of gzip, as CloudWatch Logs and Kinesis hand it on.
    Packed(Cow<'a, str>),
    /// Something else that is well known and holds no events.
    Foreign(&'static str),
    /// Something known that has an event, of which the record cannot be made: why, and what to do.
    Refused(&'static str),
    /// Something else: the names of its first fields.
    Unknown(String),
}

/// Fields in which records, or further wrappers, are handed on; the surest first.
///
/// LookupEvents, S3 and EventBridge; results of CloudTrail Lake and CloudWatch Logs; SQS and SNS; Splunk; Elastic, Logstash and
/// Beats; Kinesis and Firehose; Wazuh.
const WRAPPERS: [&str; 30] = [
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
    "Data",
    "aws",
    "cloudtrail",
];

/// Fields by which objects that hold no events are told.
const MARKS: [&str; 31] = [
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
    "ResultSet",
    "configurationItem",
    "schemaVersion",
    "severity",
    "Findings",
    "ProductArn",
    "webaclId",
    "query_name",
    "schemaType",
    "ReportFormat",
    "Content",
    "logFiles",
];

/// What Elastic makes of an event, where it does not keep the record.
const ELASTIC: &str = "an event in Elastic's own fields, without the record: export event.original too \
    (the integration's option to preserve the original event), or read the log files";

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
    /// Members that hold lists, by their names.
    lists: Vec<&'a str>,
    wrappers: [Option<&'a str>; WRAPPERS.len()],
    /// The first of all names, and one more.
    names: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        let mut fields = Self {
            marks: [None; MARKS.len()],
            lists: Vec::new(),
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
                if value.starts_with('[') && is_list(WRAPPERS[at]) {
                    fields.lists.push(value);
                }
            }
        }
        fields
    }

    /// The value of a mark.
    fn mark(&self, name: &str) -> Option<&'a str> {
        let at = MARKS.iter().position(|mark| *mark == name)?;
        self.marks[at]
    }

    /// The value of a wrapper.
    fn wrapper(&self, name: &str) -> Option<&'a str> {
        let at = WRAPPERS.iter().position(|wrapper| *wrapper == name)?;
        self.wrappers[at]
    }

    fn described(mut self) -> String {
        if self.names.len() > NAMED_FIELDS {
            self.names[NAMED_FIELDS] = "…";
        }
        let names: Vec<String> = self.names.iter().map(|name| excerpt(name)).collect();
        match names.is_empty() {
            true => "(none)".to_owned(),
            false => names.join(", "),
        }
    }
}

/// What the object `text` is.
pub(crate) fn of(text: &str) -> Shape<'_> {
    let mut fields = Fields::of(text);
    let lists = std::mem::take(&mut fields.lists);
    let has = |key: &str| fields.mark(key);
    let object = |key: &str| has(key).filter(|value| value.starts_with('{'));
    let string = |key: &str| has(key).and_then(json::string);

    if string("messageType").is_some_and(|kind| kind == "CONTROL_MESSAGE") {
        return Shape::Foreign("a CloudWatch Logs control message");
    }
    // Nothing that stands beside records hides them.
    let detail = object("detail").filter(|it| json::member(it, "eventName").is_some());
    let mut lists: Vec<&str> = lists.into_iter().filter(|list| !is_empty(list)).collect();
    if !lists.is_empty() {
        lists.extend(detail);
        return match lists[..] {
            [list] => Shape::Inside(Cow::Borrowed(list)),
            _ => Shape::Lists(lists),
        };
    }
    if let Some(result) = object("ResultSet") {
        return Shape::Table(result);
    }
    let cells = fields.wrapper("Data");
    if let Some(cells) = cells.filter(|cells| cells.starts_with('[')) {
        return Shape::Row(cells);
    }
    if has("digestS3Object").is_some() || has("digestStartTime").is_some() {
        return Shape::Foreign("a CloudTrail digest file");
    }
    if has("insightDetails").is_some() {
        return Shape::Foreign("CloudTrail Insights events");
    }
    if has("configurationItems").is_some()
        || has("configSnapshotId").is_some()
        || object("configurationItem").is_some()
    {
        return Shape::Foreign("an AWS Config file");
    }
    if let Some(what) = of_another_service(&fields) {
        return what;
    }
    if has("operationName").is_some()
        && (has("resourceId").is_some() || has("callerIpAddress").is_some())
    {
        return Shape::Foreign("Azure activity logs");
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
    if is_elastic(&fields) {
        return Shape::Refused(ELASTIC);
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

/// Whether a list has no element.
fn is_empty(list: &str) -> bool {
    let inner = list.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

/// What other services write, if the object is of them.
fn of_another_service<'a>(fields: &Fields<'a>) -> Option<Shape<'a>> {
    let has = |key: &str| fields.mark(key).is_some();
    // https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html
    if (has("schemaVersion") && has("severity")) || has("Findings") || has("ProductArn") {
        return Some(Shape::Foreign("findings of GuardDuty or Security Hub"));
    }
    // https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
    if has("webaclId") {
        return Some(Shape::Foreign("logs of AWS WAF"));
    }
    // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
    if has("query_name") {
        return Some(Shape::Foreign("query logs of Route 53"));
    }
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    let kind = fields.mark("schemaType").and_then(json::string);
    if kind.is_some_and(|kind| kind == "ModelInvocationLog") {
        return Some(Shape::Foreign("logs of model invocations in Bedrock"));
    }
    (has("ReportFormat") && has("Content")).then_some(Shape::Refused(
        "a credential report of IAM, not a log: give it with --credential-report",
    ))
}

/// Whether the object is an event that Elastic took apart and kept no record of.
fn is_elastic(fields: &Fields<'_>) -> bool {
    let taken_apart = fields
        .wrapper("aws")
        .and_then(|aws| json::member(aws, "cloudtrail"))
        .is_some_and(|event| {
            ["event_version", "user_identity", "event_type"]
                .iter()
                .any(|name| json::member(event, name).is_some())
        });
    let whole = |name: &str| {
        let text = fields.wrapper(name).and_then(json::string);
        text.is_some_and(|text| text.trim_start().starts_with('{'))
    };
    let event = fields.wrapper("event").unwrap_or_default();
    taken_apart
        && json::member(event, "original").is_none()
        && !["message", "_raw", "original", "event.original"]
            .into_iter()
            .any(whole)
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
    is_packed(start).then_some(Shape::Packed(text))
}

/// Whether a text is base64 of gzip, of Zstandard, or of JSON.
pub(super) fn is_packed(text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    text.bytes().all(base64)
        && STANDARD
            .decode(text.get(..BLOCK).unwrap_or_default())
            .is_ok_and(|begin| {
                begin.starts_with(&[0x1f, 0x8b]) || begin.starts_with(&ZSTD) || {
                    let text = begin.trim_ascii_start();
                    text.starts_with(b"{") || text.starts_with(b"[")
                }
            })
}

/// So many characters of base64 tell what is in it.
const BLOCK: usize = 8;

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
