//! The timeline for other tools.
//!
//! In: a trace. Out: one table with Timesketch's mandatory columns `message`, `datetime` and `timestamp_desc` first, and the
//! event's own after them. Promise: each event is a row; the message reads without the other columns.

use super::{Kind, framed, section};
use crate::report::Report;
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
        ("message", Kind::Text),
        ("datetime", Kind::Text),
        ("timestamp_desc", Kind::Text),
        ("tag", Kind::Texts),
        ("event_id", Kind::Text),
        ("event_source", Kind::Text),
        ("event_name", Kind::Text),
        ("target", Kind::Text),
        ("access_key_id", Kind::Text),
        ("user_identity_arn", Kind::Text),
        ("account_id", Kind::Text),
        ("aws_region", Kind::Text),
        ("source_ip_address", Kind::Text),
        ("user_agent", Kind::Text),
        ("error_code", Kind::Text),
        ("error_message", Kind::Text),
        ("via_service", Kind::Text),
        ("relation", Kind::Text),
        ("origin", Kind::Text),
        ("confidence", Kind::Text),
        ("finding", Kind::Text),
        ("severity", Kind::Text),
        ("log_file", Kind::Text),
        ("log_file_record", Kind::Number),
    ];
    let timeline = section(("timeline", "Timeline"), &rows, &columns)?;
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
