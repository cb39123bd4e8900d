//! What a log file holds, in a few words.
//!
//! In: the events of one log file. Out: a [`Summary`]. Promise: small, whatever the file's size, so that the ledger can
//! answer what is covered without reading events.

use super::record::Record;
use super::schema::Field;
use super::time::day;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Times, places and kinds of the events in a log file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The earliest event, in microseconds.
    pub first: Option<i64>,
    /// The latest event, in microseconds.
    pub last: Option<i64>,
    /// Days with events, counted from 1970.
    pub days: BTreeSet<i32>,
    /// Accounts whose log it is.
    pub accounts: BTreeSet<String>,
    /// Regions that were called.
    pub regions: BTreeSet<String>,
    /// Event categories.
    pub event_categories: BTreeSet<String>,
    /// Services that data events are about.
    pub data_event_services: BTreeSet<String>,
}

impl Summary {
    /// Takes an event into account.
    pub(crate) fn add(&mut self, record: &Record<'_>, time: i64) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        self.days.insert(day(time));
        insert(
            &mut self.accounts,
            super::derive::account_id(record).as_deref(),
        );
        insert(&mut self.regions, record.text(Field::AwsRegion).as_deref());
        let category = category(record);
        insert(&mut self.event_categories, category);
        if category == Some("Data") {
            insert(
                &mut self.data_event_services,
                record.text(Field::EventSource).as_deref(),
            );
        }
    }

    /// Takes another file's summary into account.
    pub fn merge(&mut self, other: &Summary) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        self.days.extend(&other.days);
        for (mine, theirs) in [
            (&mut self.accounts, &other.accounts),
            (&mut self.regions, &other.regions),
            (&mut self.event_categories, &other.event_categories),
            (&mut self.data_event_services, &other.data_event_services),
        ] {
            mine.extend(theirs.iter().cloned());
        }
    }
}

/// The event's category. Records before version 1.07 have none but say whether they are management events, and before
/// 1.06 there is no telling.
fn category<'a>(record: &Record<'a>) -> Option<&'a str> {
    match record.raw(Field::EventCategory) {
        "" => record
            .bool(Field::ManagementEvent)
            .map(|management| if management { "Management" } else { "Data" }),
        raw => Some(raw.trim_matches('"')),
    }
}

fn insert(set: &mut BTreeSet<String>, value: Option<&str>) {
    if let Some(value) = value
        && !set.contains(value)
    {
        set.insert(value.to_owned());
    }
}
