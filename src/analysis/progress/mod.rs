//! How far has the migration come?
//!
//! In: the consumers of keys, and a day that cuts the log in two. Out: for each consumer whether it is gone, moved to a role,
//! still there, or new. Promise: a consumer that was not due again since that day, or whose calls would not have been seen, is not
//! called gone; what it moved to is named, with the reasons.

mod regions;
mod rows;
mod upgrade;

use super::AnalysisError;
use super::consumers::{
    Asked, Consumer, ConsumerOptions, KeyEvidence, Replacement, RoleSessions, SESSIONS,
};
use super::logged::{self, Logged};
use super::ready::{KeyState, KeyStateQuestions, ReadyOptions, due_after, narrowed, silence_seen};
use crate::cloudtrail::{AccessKeyId, minute};
use crate::report::Coverage;
use crate::session::{Params, Session};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use regions::{ROLE_REGIONS, RoleRegions};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What became of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It calls with the key before and since.
    StillThere,
    /// It calls with the key only since.
    New,
    /// No call was seen since, and one would not have been, or not for long enough.
    NotKnown,
    /// It has not called since, and need not have: it is silent for less than two of its longest gaps.
    NotDue,
    /// It has not called since.
    Gone,
    /// It has not called since, and is seen with a role.
    Moved,
}

impl Status {
    /// Every status, in the order of what is left to do.
    pub const ALL: [Status; 6] = [
        Status::StillThere,
        Status::New,
        Status::NotKnown,
        Status::NotDue,
        Status::Gone,
        Status::Moved,
    ];

    /// Whether no call was seen since, and nothing tells what it moved to.
    fn is_silent(self) -> bool {
        matches!(self, Status::NotKnown | Status::NotDue | Status::Gone)
    }

    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::StillThere => "still there",
            Status::New => "new",
            Status::NotKnown => "not known",
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
    /// When its next call is due at the latest, if it did not call since the day.
    pub due: Option<DateTime<Utc>>,
    /// Why its calls would not have been seen, and what would settle it.
    pub not_seen: Option<String>,
    /// The program that does the same in its place since: another version, on another system.
    pub upgraded_to: Option<String>,
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
    let none = Params::new();
    questions.extend([
        (SESSIONS, &since),
        (logged::DAYS, &none),
        (logged::SELECTORS, &none),
        (ROLE_REGIONS, &none),
    ]);
    let states = KeyStateQuestions::new();
    questions.extend(states.all());
    session.foresee(&questions).await?;
    let evidence = KeyEvidence::read(session, keys, options).await?;
    let found = &evidence.consumers;
    let sessions = RoleSessions::read(session, moment).await?;
    let logged = Logged::read(session).await?;
    let coverage = session.coverage().await?;
    let end = logged.end;
    if end.is_none_or(|end: DateTime<Utc>| end < moment) {
        return Err(AnalysisError::DayAfterEnd {
            day,
            end: end.map_or_else(
                || "have no events".to_owned(),
                |end| format!("end {} UTC", minute(end)),
            ),
        });
    }
    let options = ReadyOptions::new(options.clone());
    let watch = Watch {
        states: KeyState::read(session, &evidence, &logged, &options).await?,
        regions: RoleRegions::read(session).await?,
        day: moment,
        session,
        logged: &logged,
        other_accounts: session.other_accounts().await?,
        now: end.unwrap_or(moment),
        options,
    };
    let mut changes: Vec<Change> = found
        .consumers
        .iter()
        .map(|consumer| change(consumer, day, &sessions, &watch))
        .collect();
    upgrade::join(&mut changes);
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

/// What silence is judged by: the same as for [`super::ready`].
struct Watch<'a> {
    /// By key.
    states: BTreeMap<String, KeyState>,
    regions: RoleRegions,
    /// The day that cuts the log.
    day: DateTime<Utc>,
    session: &'a Session,
    logged: &'a Logged,
    other_accounts: Option<u64>,
    now: DateTime<Utc>,
    options: ReadyOptions,
}

impl Watch<'_> {
    /// Whether a consumer that does not call is not due, not seen, or gone; and why it was not seen.
    fn silent(&self, consumer: &Consumer, due: DateTime<Utc>) -> (Status, Option<String>) {
        if self.now < due {
            return (Status::NotDue, None);
        }
        let account = consumer
            .account_id
            .as_deref()
            .and_then(|id| id.parse().ok());
        let narrowed = narrowed(self.session.selection(), account, self.other_accounts);
        let (seen, places) = silence_seen(self.logged, consumer, self.now);
        let why = match (narrowed.is_empty(), seen < due - consumer.last_seen) {
            (false, _) => format!("{}: run again without these options", narrowed.join("; ")),
            (true, true) => format!(
                "calls are not logged in {}: read those logs, or get IAM's last-used date",
                places.join("; ")
            ),
            (true, false) => {
                let state = self.states.get(&consumer.access_key_id);
                match state.and_then(|state| state.hides(due, self.day)) {
                    None => return (Status::Gone, None),
                    Some(why) => why,
                }
            }
        };
        (Status::NotKnown, Some(why))
    }
}

fn change(
    consumer: &Consumer,
    day: NaiveDate,
    sessions: &RoleSessions,
    watch: &Watch<'_>,
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
        .filter(|role| before > 0 && watch.regions.meet(role, consumer));
    let due = consumer.last_seen + due_after(consumer, &watch.options);
    let (status, not_seen) = match (before, since, &moved_to) {
        (0, ..) => (Status::New, None),
        (_, 0, Some(_)) => (Status::Moved, None),
        (_, 0, None) => watch.silent(consumer, due),
        _ => (Status::StillThere, None),
    };
    Change {
        consumer: consumer.clone(),
        status,
        before,
        since,
        moved_to,
        other_key: None,
        due: (before > 0 && since == 0).then_some(due),
        not_seen,
        upgraded_to: None,
    }
}

/// The key with which the same program is seen at the same addresses since, if it calls no more with this one.
fn other_key(change: &Change, all: &[Change]) -> Option<String> {
    if !change.status.is_silent() {
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
