//! What somebody noted about an event.
//!
//! In: nothing. Out: a [`Note`], plain data. Promise: it says enough of its event to be read without the lake; nothing is escaped here.

use super::trace::Trace;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A note, tags or a bookmark on an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The time of the event.
    pub event_time: Option<DateTime<Utc>>,
    /// The call.
    pub event_name: Option<String>,
    /// Whether it is marked as one that matters.
    pub bookmark: bool,
    /// Short words to sort events by.
    pub tags: Vec<String>,
    /// The note itself, which may have several lines.
    pub note: String,
    /// The key that signed the call.
    pub access_key_id: Option<String>,
    /// From where.
    pub source_ip_address: Option<String>,
    /// The event.
    pub event_id: String,
    /// When the note was last changed.
    pub changed: DateTime<Utc>,
}

impl Note {
    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        !self.bookmark && self.tags.is_empty() && self.note.is_empty()
    }

    /// All of it in one line.
    pub fn in_short(&self) -> String {
        let star = self.bookmark.then_some("★");
        let tags = self.tags.join(", ");
        let parts = star
            .into_iter()
            .chain([tags.as_str(), self.note.as_str()])
            .filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" · ").replace('\n', " ")
    }
}

/// The notes about events of a trace, and those about others.
pub fn of_trace(notes: Vec<Note>, trace: &Trace) -> (Vec<Note>, Vec<Note>) {
    let events = trace.timeline.iter();
    let events: HashSet<&str> = events.map(|event| event.event_id.as_str()).collect();
    let notes = notes.into_iter();
    notes.partition(|note| events.contains(note.event_id.as_str()))
}
