//! The timeline for people: what matters in lines of its own, the rest counted.
//!
//! In: the events in order. Out: lines. Promise: a call that changed something, that fits a technique, or that others did stands alone
//! and ends what is being counted before it; calls that only read are counted by credential, call, address and
//! result, and what the owner's programs do between them is one line. Nothing is left out: the counts add up to the events.

use crate::report::trace::{Origin, Relation, TimelineEvent};
use serde::Serialize;
use std::collections::HashMap;

/// A line of the timeline.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) time: &'a str,
    pub(super) until: Option<&'a str>,
    pub(super) events: u64,
    pub(super) who: &'static str,
    /// The credential's position in the lineage.
    pub(super) by: Option<u32>,
    pub(super) access_key_id: Option<&'a str>,
    pub(super) call: String,
    pub(super) target: Option<String>,
    pub(super) result: Option<&'a str>,
    pub(super) source_ip_address: Option<&'a str>,
    pub(super) finding: Option<&'a str>,
    pub(super) aws_region: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) event_id: &'a str,
}

impl Line<'_> {
    /// Keeps of the line only what is the same of another event.
    fn add(&mut self, event: &TimelineEvent) {
        let other = line(event);
        if self.call != other.call {
            self.call = "several calls".to_owned();
        }
        if self.by != other.by {
            self.by = None;
        }
        if self.access_key_id != other.access_key_id {
            self.access_key_id = None;
        }
        if self.result != other.result {
            self.result = None;
        }
        if self.source_ip_address != other.source_ip_address {
            self.source_ip_address = Some("several");
        }
        if self.aws_region != other.aws_region {
            self.aws_region = None;
        }
    }
}

/// What is counted together.
type Alike<'a> = (
    Option<u32>,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Origin,
);

/// The lines; each event its own if `all`.
pub(super) fn lines(timeline: &[TimelineEvent], all: bool) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut targets: Vec<Vec<&str>> = Vec::new();
    let mut open: HashMap<Alike<'_>, usize> = HashMap::new();
    for event in timeline {
        let alone = all || notable(event);
        if alone {
            open.clear();
        } else {
            let alike = match event.origin {
                // The owner's calls between two of the intruder's are one line, whatever they are.
                Origin::Owner => (None, "", None, None, None, Origin::Owner),
                _ => (
                    event.credential,
                    event.event_name.as_str(),
                    event.event_source.as_deref(),
                    event.source_ip_address.as_deref(),
                    event.error_code.as_deref(),
                    event.origin,
                ),
            };
            if let Some(&at) = open.get(&alike) {
                lines[at].add(event);
                lines[at].events += 1;
                lines[at].until = Some(&event.event_time);
                let known = &mut targets[at];
                if let Some(target) = event
                    .target
                    .as_deref()
                    .filter(|target| !known.contains(target) && known.len() <= TARGETS)
                {
                    known.push(target);
                }
                continue;
            }
            open.insert(alike, lines.len());
        }
        targets.push(event.target.as_deref().into_iter().collect());
        lines.push(line(event));
    }
    for (line, targets) in lines.iter_mut().zip(targets) {
        line.target = match targets.as_slice() {
            [] => None,
            [only] => Some((*only).to_owned()),
            [first, ..] if targets.len() > TARGETS => Some(format!("{first} and others")),
            [first, rest @ ..] => Some(format!("{first} and {} more", rest.len())),
        };
    }
    lines
}

/// More distinct targets than this are not counted.
const TARGETS: usize = 20;

/// Whether an event stands alone.
fn notable(event: &TimelineEvent) -> bool {
    if event.relation == Relation::About {
        return true;
    }
    if event.origin == Origin::Owner {
        return false;
    }
    let changes = event.read_only == Some(false)
        && event.event_category.as_deref() != Some("Data")
        && event.via_service.is_none();
    let opens = event.event_name.starts_with("AssumeRole") || event.event_name.ends_with("Token");
    changes
        || opens
        || event
            .severity
            .as_deref()
            .is_some_and(|severity| severity == "high" || severity == "critical")
}

fn line(event: &TimelineEvent) -> Line<'_> {
    let service = event.event_source.as_deref().unwrap_or_default();
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    Line {
        time: &event.event_time,
        until: None,
        events: 1,
        who: match event.relation {
            Relation::About => "others",
            _ => event.origin.as_str(),
        },
        by: event.credential,
        access_key_id: event.access_key_id.as_deref(),
        call: format!("{service}:{}", event.event_name),
        target: None,
        result: event
            .error_code
            .as_deref()
            .or(event.error_message.as_deref()),
        source_ip_address: event.source_ip_address.as_deref(),
        finding: event.finding.as_deref(),
        aws_region: event.aws_region.as_deref(),
        user_agent: event.user_agent.as_deref(),
        event_id: &event.event_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, read_only: bool) -> TimelineEvent {
        TimelineEvent {
            event_name: name.to_owned(),
            read_only: Some(read_only),
            relation: Relation::By,
            target: Some(name.to_owned()),
            ..TimelineEvent::default()
        }
    }

    #[test]
    fn reads_are_counted_between_changes() {
        let timeline = [
            event("ListUsers", true),
            event("ListRoles", true),
            event("ListUsers", true),
            event("CreateUser", false),
            event("ListUsers", true),
        ];
        let folded = lines(&timeline, false);
        let counts: Vec<(&str, u64)> = folded
            .iter()
            .map(|line| (line.call.as_str(), line.events))
            .collect();
        assert_eq!(
            counts,
            [
                (":ListUsers", 2),
                (":ListRoles", 1),
                (":CreateUser", 1),
                (":ListUsers", 1)
            ]
        );
        assert_eq!(lines(&timeline, true).len(), timeline.len());
    }
}
