//! How far has the migration come?
//!
//! In: the consumers of keys, and a day that cuts the log in two. Out: for each consumer whether it is gone, moved to a role,
//! still there, or new. Promise: a consumer that was not due again since that day is not called gone; what it moved to is
//! named, with the reasons.

mod rows;

use super::AnalysisError;
use super::consumers::{
    Asked, Consumer, ConsumerOptions, KeyEvidence, Replacement, RoleSessions, SESSIONS,
};
use crate::cloudtrail::AccessKeyId;
use crate::report::Coverage;
use crate::session::Session;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::cmp::Reverse;

/// What became of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It calls with the key before and since.
    StillThere,
    /// It calls with the key only since.
    New,
    /// It has not called since, and need not have: its longest gap is longer.
    NotDue,
    /// It has not called since.
    Gone,
    /// It has not called since, and is seen with a role.
    Moved,
}

impl Status {
    /// Every status, in the order of what is left to do.
    pub const ALL: [Status; 5] = [
        Status::StillThere,
        Status::New,
        Status::NotDue,
        Status::Gone,
        Status::Moved,
    ];

    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::StillThere => "still there",
            Status::New => "new",
            Status::NotDue => "not due",
            Status::Gone => "gone",
            Status::Moved => "moved",
        }
    }
}

/// A consumer, before and since.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The consumer.
    pub consumer: Consumer,
    /// What became of it.
    pub status: Status,
    /// Its calls before the day.
    pub before: u64,
    /// Its calls since.
    pub since: u64,
    /// The role it is seen with, also if it still uses the key.
    pub moved_to: Option<Replacement>,
    /// Another key with which the same program is seen at the same addresses since.
    pub other_key: Option<String>,
}

/// The two windows of the log, and what changed between them.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The day that cuts the log: the first of the second window.
    pub day: NaiveDate,
    /// By user and key, then by what is left to do.
    pub changes: Vec<Change>,
    /// What it rests on.
    pub coverage: Coverage,
    /// What there is to say of intruders, before anything else.
    pub intruders: Vec<String>,
    /// The last event.
    pub end: Option<DateTime<Utc>>,
}

/// Compares the consumers of these keys before and since a day; of every long-term key if none is named.
pub async fn progress(
    session: &Session,
    keys: &[AccessKeyId],
    day: NaiveDate,
    options: &ConsumerOptions,
) -> Result<Progress, AnalysisError> {
    let moment = day.and_time(NaiveTime::MIN).and_utc();
    let (asked, since) = (Asked::new(keys), RoleSessions::params(Some(moment)));
    let mut questions = asked.questions();
    questions.push((SESSIONS, &since));
    session.foresee(&questions).await?;
    let evidence = KeyEvidence::read(session, keys, options).await?;
    let found = &evidence.consumers;
    let sessions = RoleSessions::read(session, moment).await?;
    let coverage = session.coverage().await?;
    let end = coverage
        .last_event
        .as_ref()
        .and_then(|time| time.parse().ok());
    if end.is_none_or(|end: DateTime<Utc>| end < moment) {
        return Err(AnalysisError::DayAfterEnd {
            day,
            end: end.map_or_else(|| "before it begins".to_owned(), |end| end.to_rfc3339()),
        });
    }
    let mut changes: Vec<Change> = found
        .consumers
        .iter()
        .map(|consumer| change(consumer, (day, end), &sessions))
        .collect();
    let also: Vec<Option<String>> = changes
        .iter()
        .map(|change| other_key(change, &changes))
        .collect();
    for (change, other) in changes.iter_mut().zip(also) {
        change.other_key = other;
    }
    changes.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(Progress {
        day,
        intruders: evidence.notes(),
        changes,
        coverage,
        end,
    })
}

type Order<'a> = (Option<&'a str>, &'a str, Status, Reverse<u64>, &'a str);

fn order(change: &Change) -> Order<'_> {
    let consumer = &change.consumer;
    (
        consumer.user_name.as_deref(),
        &consumer.access_key_id,
        change.status,
        Reverse(consumer.events),
        &consumer.consumer_id,
    )
}

fn change(
    consumer: &Consumer,
    (day, end): (NaiveDate, Option<DateTime<Utc>>),
    sessions: &RoleSessions,
) -> Change {
    let events = |since: bool| {
        let days = consumer.days.iter();
        let of_window = days.filter(|(date, _)| (**date >= day) == since);
        of_window.map(|(_, used)| used.events).sum::<u64>()
    };
    let (before, since) = (events(false), events(true));
    // A role that does the same in parallel to the key before the day is none that it moved to.
    let moment = day.and_time(NaiveTime::MIN).and_utc();
    let moved_to = sessions
        .replacement(consumer, moment)
        .filter(|_| before > 0);
    let silent = end.map(|end| end - consumer.last_seen);
    let not_due = consumer
        .rhythm()
        .zip(silent)
        .is_some_and(|(gap, silent)| silent < gap);
    let status = match (before, since, &moved_to) {
        (0, ..) => Status::New,
        (_, 0, Some(_)) => Status::Moved,
        (_, 0, None) if not_due => Status::NotDue,
        (_, 0, None) => Status::Gone,
        _ => Status::StillThere,
    };
    Change {
        consumer: consumer.clone(),
        status,
        before,
        since,
        moved_to,
        other_key: None,
    }
}

/// The key with which the same program is seen at the same addresses since, if it calls no more with this one.
fn other_key(change: &Change, all: &[Change]) -> Option<String> {
    if !matches!(change.status, Status::Gone | Status::NotDue) {
        return None;
    }
    let addresses = |consumer: &Consumer| -> Vec<String> {
        let used = consumer.source_ip_addresses.iter();
        used.map(|used| used.source_ip_address.clone()).collect()
    };
    let own = addresses(&change.consumer);
    let others = all.iter().filter(|other| {
        other.consumer.access_key_id != change.consumer.access_key_id
            && other.consumer.program == change.consumer.program
            && other.status == Status::New
            && addresses(&other.consumer)
                .iter()
                .any(|address| own.contains(address))
    });
    others
        .map(|other| other.consumer.access_key_id.clone())
        .min()
}
