//! Calls that stop, start or change logging.
//!
//! In: the text of log files. Out: a [`LoggingChange`] for each such call. Promise: only files that hold one of the names are
//! parsed; calls that failed changed nothing and are left out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use memchr::memmem::Finder;

use crate::json::Value;

/// Calls of CloudTrail that can begin or end a chain of digests.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html>
const CALLS: [&str; 5] = [
    "StopLogging",
    "StartLogging",
    "UpdateTrail",
    "DeleteTrail",
    "CreateTrail",
];

/// The longest of them, less one: what may be cut in two by a piece's end.
const OVERLAP: usize = 11;

/// A call that stopped, started or changed logging.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoggingChange {
    /// When.
    pub time: DateTime<Utc>,
    /// `StopLogging`, `StartLogging`, `UpdateTrail`, `DeleteTrail` or `CreateTrail`.
    pub event_name: String,
    /// The trail, by name or ARN.
    pub trail: String,
    /// Who made the call.
    pub by: String,
    /// The region.
    pub region: String,
    /// The event.
    pub event_id: String,
}

impl LoggingChange {
    /// Whether it can end a chain of digests.
    pub(super) fn can_stop(&self) -> bool {
        ["StopLogging", "UpdateTrail", "DeleteTrail"].contains(&self.event_name.as_str())
    }

    /// Whether it is about the trail of this name.
    pub(super) fn is_about(&self, trail: &str) -> bool {
        self.trail.rsplit('/').next() == Some(trail)
    }
}

/// Looks for the calls in a text that comes in pieces.
#[derive(Debug)]
pub(super) struct Watch {
    finders: Vec<Finder<'static>>,
    tail: Vec<u8>,
    found: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            finders: CALLS.iter().map(|call| Finder::new(*call)).collect(),
            tail: Vec::new(),
            found: false,
        }
    }

    /// Looks at the next piece.
    pub(super) fn look(&mut self, piece: &[u8]) {
        if self.found {
            return;
        }
        let seam = &piece[..piece.len().min(OVERLAP)];
        self.tail.extend_from_slice(seam);
        let holds = |text: &[u8]| self.finders.iter().any(|it| it.find(text).is_some());
        self.found = holds(&self.tail) || holds(piece);
        if piece.len() > OVERLAP {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - OVERLAP..]);
        } else {
            let more = self.tail.len().saturating_sub(OVERLAP);
            self.tail.drain(..more);
        }
    }

    /// Whether the text held one of the names.
    pub(super) fn found(&self) -> bool {
        self.found
    }
}

/// The calls in a log file.
pub(super) fn changes(text: &[u8]) -> BTreeSet<LoggingChange> {
    let value = std::str::from_utf8(text).ok().and_then(Value::parse);
    let records = value.as_ref().and_then(|value| value["Records"].as_array());
    let records = records.into_iter().flatten();
    records.filter_map(change).collect()
}

fn change(record: &Value) -> Option<LoggingChange> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let event_name = record["eventName"].as_str()?;
    if record["eventSource"].as_str() != Some("cloudtrail.amazonaws.com")
        || !CALLS.contains(&event_name)
        || !record["errorCode"].is_null()
    {
        return None;
    }
    let identity = &record["userIdentity"];
    Some(LoggingChange {
        time: record["eventTime"].as_str()?.parse().ok()?,
        event_name: event_name.to_owned(),
        trail: text(&record["requestParameters"]["name"]).unwrap_or_default(),
        by: text(&identity["arn"])
            .or_else(|| text(&identity["invokedBy"]))
            .unwrap_or_default(),
        region: text(&record["awsRegion"]).unwrap_or_default(),
        event_id: text(&record["eventID"]).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_cut_in_two_is_seen() {
        for at in 1..CALLS[0].len() {
            let text = format!("xx{}yy", CALLS[0]);
            let mut watch = Watch::new();
            watch.look(&text.as_bytes()[..2 + at]);
            watch.look(&text.as_bytes()[2 + at..]);
            assert!(watch.found(), "{at}");
        }
        let mut watch = Watch::new();
        watch.look(b"StopLog");
        watch.look(b"ing");
        assert!(!watch.found());
        let mut watch = Watch::new();
        "StopLogging".bytes().for_each(|byte| watch.look(&[byte]));
        assert!(watch.found());
    }
}
