//! The report `progress`.
//!
//! In: changes. Out: the sections of a report: counts per key, and one row per consumer. Promise: the two windows are said,
//! with their days, so that nobody takes a short second one for proof.

use super::{Change, Progress, Status};
use crate::analysis::AnalysisError;
use crate::analysis::consumers::{Target, Workload};
use crate::report::table::{Column, Kind, section};
use crate::report::{Report, Section};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use serde::Serialize;

const KEY_COLUMNS: &[Column] = &[
    ("access_key_id", Kind::Text, None),
    ("user_name", Kind::Text, Some("cut")),
    ("still_there", Kind::Count, None),
    ("new", Kind::Count, None),
    ("not_known", Kind::Count, None),
    ("not_due", Kind::Count, None),
    ("gone", Kind::Count, None),
    ("moved", Kind::Count, None),
    ("account_id", Kind::Text, Some("detail")),
];

#[derive(Serialize)]
struct KeyRow<'a> {
    access_key_id: &'a str,
    user_name: Option<&'a str>,
    still_there: usize,
    new: usize,
    not_known: usize,
    not_due: usize,
    gone: usize,
    moved: usize,
    account_id: Option<&'a str>,
}

const CONSUMER_COLUMNS: &[Column] = &[
    ("access_key_id", Kind::Text, None),
    ("status", Kind::Text, Some("whole")),
    ("name", Kind::Text, Some("wrap")),
    ("events_before", Kind::Count, None),
    ("events_since", Kind::Count, None),
    ("now_with", Kind::Text, Some("wrap")),
    ("last_seen", Kind::Time, Some("detail")),
    ("due", Kind::Time, Some("detail")),
    ("why", Kind::Text, Some("detail")),
    ("consumer_id", Kind::Text, Some("data")),
    ("user_name", Kind::Text, Some("data")),
    ("account_id", Kind::Text, Some("data")),
    ("workload", Kind::Text, Some("data")),
    ("move_to", Kind::Text, Some("data")),
    ("first_seen", Kind::Time, Some("data")),
    ("role_arn", Kind::Text, Some("data")),
    ("session_arn", Kind::Text, Some("data")),
    ("role_first_seen", Kind::Time, Some("data")),
    ("role_last_seen", Kind::Time, Some("data")),
    ("role_events", Kind::Count, Some("data")),
    ("other_access_key_id", Kind::Text, Some("data")),
];

#[derive(Serialize)]
struct ConsumerRow<'a> {
    access_key_id: &'a str,
    status: &'static str,
    name: &'a str,
    events_before: u64,
    events_since: u64,
    now_with: Option<String>,
    last_seen: DateTime<Utc>,
    due: Option<DateTime<Utc>>,
    why: Option<&'a str>,
    consumer_id: &'a str,
    user_name: Option<&'a str>,
    account_id: Option<&'a str>,
    workload: Workload,
    move_to: Target,
    first_seen: DateTime<Utc>,
    role_arn: Option<&'a str>,
    session_arn: Option<&'a str>,
    role_first_seen: Option<DateTime<Utc>>,
    role_last_seen: Option<DateTime<Utc>>,
    role_events: Option<u64>,
    other_access_key_id: Option<&'a str>,
}

impl Progress {
    /// The report.
    pub fn report(&self) -> Result<Report, AnalysisError> {
        let rows: Vec<ConsumerRow<'_>> = self.changes.iter().map(row).collect();
        Ok(Report {
            name: "progress".to_owned(),
            title: "Progress of the migration".to_owned(),
            sections: vec![
                self.keys()?,
                section(("progress", "Consumers"), CONSUMER_COLUMNS, &rows)?,
            ],
            notes: self.notes(),
            coverage: Some(self.coverage.clone()),
        })
    }

    fn keys(&self) -> Result<Section, ArrowError> {
        let keys = self
            .changes
            .chunk_by(|a, b| a.consumer.access_key_id == b.consumer.access_key_id);
        let rows = keys.map(|changes| {
            let consumer = &changes[0].consumer;
            let count = |status| {
                let of_status = changes.iter().filter(|change| change.status == status);
                of_status.count()
            };
            KeyRow {
                access_key_id: &consumer.access_key_id,
                user_name: consumer.user_name.as_deref(),
                still_there: count(Status::StillThere),
                new: count(Status::New),
                not_known: count(Status::NotKnown),
                not_due: count(Status::NotDue),
                gone: count(Status::Gone),
                moved: count(Status::Moved),
                account_id: consumer.account_id.as_deref(),
            }
        });
        let rows: Vec<_> = rows.collect();
        section(("keys", "Keys"), KEY_COLUMNS, &rows)
    }

    fn notes(&self) -> Vec<String> {
        let day = |time: &Option<String>| {
            let time = time.as_deref().unwrap_or("?");
            time.get(..10).unwrap_or(time).to_owned()
        };
        let mut notes = self.intruders.clone();
        if self.changes.is_empty() {
            notes.push("no events by these keys in the logs read; this does not prove that they have no consumers: check the coverage".to_owned());
        }
        notes.push(format!(
            "before: {} up to {}; since: {} to {}",
            day(&self.coverage.first_event),
            self.day,
            self.day,
            day(&self.coverage.last_event),
        ));
        let first = &self.coverage.first_event;
        if first
            .as_ref()
            .is_some_and(|_| day(first) >= self.day.to_string())
        {
            notes.push(format!(
                "no events before {}: every consumer is new",
                self.day
            ));
        }
        notes
    }
}

/// Why two programs are one consumer.
const UPGRADED: &str = "the same calls on the same resources from the same addresses, by a program that came when this one ended";

/// A session without partition and account: `assumed-role/ROLE/SESSION`.
fn session(arn: &str) -> &str {
    arn.rfind(':').map_or(arn, |colon| &arn[colon + 1..])
}

fn row(change: &Change) -> ConsumerRow<'_> {
    let consumer = &change.consumer;
    let role = change.moved_to.as_ref();
    let other = change.other_key.as_deref();
    let upgraded = change.upgraded_to.as_ref();
    ConsumerRow {
        access_key_id: &consumer.access_key_id,
        status: change.status.as_str(),
        name: &consumer.name,
        events_before: change.before,
        events_since: change.since,
        now_with: role
            .map(|role| session(&role.session_arn).to_owned())
            .or_else(|| other.map(|key| format!("another key: {key}")))
            .or_else(|| upgraded.map(|name| format!("another version: {name}"))),
        last_seen: consumer.last_seen,
        due: change.due,
        why: role
            .map(|role| role.why.as_str())
            .or(change.not_seen.as_deref())
            .or(upgraded.map(|_| UPGRADED)),
        consumer_id: &consumer.consumer_id,
        user_name: consumer.user_name.as_deref(),
        account_id: consumer.account_id.as_deref(),
        workload: consumer.workload,
        move_to: consumer.move_to,
        first_seen: consumer.first_seen,
        role_arn: role.map(|role| role.role_arn.as_str()),
        session_arn: role.map(|role| role.session_arn.as_str()),
        role_first_seen: role.map(|role| role.first_seen),
        role_last_seen: role.map(|role| role.last_seen),
        role_events: role.map(|role| role.events),
        other_access_key_id: other,
    }
}
