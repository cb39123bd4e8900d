//! The timeline for other tools.
//!
//! In: a trace. Out: one table with Timesketch's mandatory columns `message`, `datetime` and `timestamp_desc` first, and the
//! event's own after them. Promise: each event is a row; the message reads without the other columns.

use super::framed;
use crate::report::Report;
use crate::report::table::{Kind, shown};
use crate::report::trace::{TimelineEvent, Trace};
use arrow::error::ArrowError;
use serde::Serialize;

/// What the time of a row is.
const TIMESTAMP_DESC: &str = "CloudTrail eventTime";

#[derive(Serialize)]
struct Row<'a> {
    message: String,
    datetime: String,
    timestamp_desc: &'static str,
    tag: Vec<&'a str>,
    #[serde(flatten)]
    event: &'a TimelineEvent,
}

pub(super) fn report(trace: &Trace) -> Result<Report, ArrowError> {
    let rows: Vec<Row<'_>> = trace
        .timeline
        .iter()
        .map(|event| Row {
            message: message(event),
            datetime: event.event_time.replace('Z', "+00:00"),
            timestamp_desc: TIMESTAMP_DESC,
            tag: [Some(event.origin.as_str()), event.severity.as_deref()]
                .into_iter()
                .flatten()
                .collect(),
            event,
        })
        .collect();
    let columns = [
        ("message", Kind::Text, None),
        ("datetime", Kind::Text, None),
        ("timestamp_desc", Kind::Text, None),
        ("tag", Kind::Texts, Some("detail")),
        ("event_id", Kind::Text, None),
        ("event_source", Kind::Text, None),
        ("event_name", Kind::Text, None),
        ("target", Kind::Text, None),
        ("access_key_id", Kind::Text, None),
        ("user_identity_arn", Kind::Text, None),
        ("account_id", Kind::Text, None),
        ("aws_region", Kind::Text, None),
        ("source_ip_address", Kind::Text, None),
        ("user_agent", Kind::Text, None),
        ("error_code", Kind::Text, None),
        ("error_message", Kind::Text, None),
        ("via_service", Kind::Text, None),
        ("relation", Kind::Text, None),
        ("origin", Kind::Text, None),
        ("confidence", Kind::Text, None),
        ("finding", Kind::Text, None),
        ("severity", Kind::Text, None),
        ("log_file", Kind::Text, None),
        ("log_file_record", Kind::Count, None),
    ];
    let timeline = shown(("timeline", "Timeline"), &columns, &rows)?;
    Ok(framed(trace, vec![timeline]))
}

/// Who did what on what from where, and how it ended.
fn message(event: &TimelineEvent) -> String {
    let service = event.event_source.as_deref().unwrap_or_default();
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let who = event
        .user_identity_arn
        .as_deref()
        .or(event.access_key_id.as_deref())
        .unwrap_or("somebody");
    let mut text = format!("{service}:{} by {who}", event.event_name);
    if let Some(target) = &event.target {
        text += &format!(" on {target}");
    }
    if let Some(address) = &event.source_ip_address {
        text += &format!(" from {address}");
    }
    match &event.error_code {
        Some(code) => text += &format!(": {code}"),
        None => text += ": succeeded",
    }
    text
}
