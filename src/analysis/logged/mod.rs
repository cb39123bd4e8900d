//! Where, when and what was logged?
//!
//! In: events by day, and the ledger of log files. Out: [`Logged`]: for each account, region and kind of event the days on which a
//! call would have been seen. Promise: three narrow queries, whatever the number of keys; a key's own calls do not count as a sign
//! that others would have been logged; what could not be read counts as not logged.

mod data;
mod gaps;
mod kind;
mod missing;
mod selectors;

pub(super) use data::S3;
use gaps::{DayEvents, is_busy, is_regular, sight};
pub(super) use gaps::{Sight, midnight};
pub(super) use kind::{LoggedKind, is_apart, kind_of};
pub(super) use selectors::SELECTORS;
use selectors::{LeftOut, Selectors, left_out, stopped};

use super::AnalysisError;
use super::rows::{Micros, each, read};
use crate::report::counted;
use crate::session::{Params, Session};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

pub(super) const DAYS: &str = include_str!("../../../queries/logged/days.sql");
const UNREAD: &str = include_str!("../../../queries/logged/unread.sql");
const END: &str = include_str!("../../../queries/logged/end.sql");

/// What is logged in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stream {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) kind: LoggedKind,
}

type EventDays = BTreeMap<NaiveDate, DayEvents>;

/// The days of a stream, and whose events they are.
#[derive(Debug, Default)]
struct StreamDays {
    all: EventDays,
    /// Those of long-term keys.
    by_key: HashMap<String, EventDays>,
}

/// Log files and records that could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) log_files: u64,
    pub(super) records: u64,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |count: u64, what: &str| (count > 0).then(|| counted(count, what));
        let parts = [
            part(self.log_files, "log file"),
            part(self.records, "record"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(" and "))
    }
}

impl Unread {
    fn add(&mut self, other: Unread) {
        self.log_files += other.log_files;
        self.records += other.records;
    }

    pub(super) fn is_none(self) -> bool {
        self == Unread::default()
    }
}

/// What was logged.
#[derive(Debug, Default)]
pub(crate) struct Logged {
    streams: BTreeMap<Stream, StreamDays>,
    accounts: BTreeMap<String, EventDays>,
    /// By account and day.
    unread: BTreeMap<String, BTreeMap<NaiveDate, Unread>>,
    /// Of which nobody knows the account or the day.
    pub(super) unread_anywhere: Unread,
    /// The last event that is not dated later than its log file.
    pub(super) end: Option<DateTime<Utc>>,
    /// The last event of all, where it is dated later than that.
    pub(super) dated_ahead: Option<DateTime<Utc>>,
    /// Calls that say what trails log, in order.
    selectors: Vec<Selectors>,
}

#[derive(Deserialize)]
struct DayRow {
    account_id: String,
    aws_region: String,
    event_category: String,
    data_service: Option<String>,
    apart: Option<String>,
    read_only: bool,
    by_service: bool,
    access_key_id: Option<String>,
    event_date: NaiveDay,
    events: i64,
    last_event: Micros,
}

/// A day as the engine hands it out: days since 1970.
#[derive(Deserialize)]
#[serde(transparent)]
struct NaiveDay(i32);

#[derive(Deserialize)]
struct UnreadRow {
    account_id: Option<String>,
    accounts: Option<Vec<Option<String>>>,
    log_date: Option<NaiveDay>,
    first_event_time: Option<Micros>,
    last_event_time: Option<Micros>,
    whole: bool,
    records: i64,
}

#[derive(Deserialize)]
struct EndRow {
    last_event: Option<Micros>,
    latest: Option<Micros>,
}

impl Logged {
    /// Reads it.
    pub(super) async fn read(session: &Session) -> Result<Self, AnalysisError> {
        let mut logged = Logged::default();
        let none = Params::new();
        each::<DayRow>(session, (DAYS, &none), |row| logged.add(row)).await?;
        let add = |row| logged.selectors.extend(Selectors::of(row));
        each(session, (SELECTORS, &none), add).await?;
        logged.selectors.sort_by_key(Selectors::time);
        // After the days: log files without ingest are known when they have been read.
        each::<UnreadRow>(session, (UNREAD, &none), |row| logged.add_unread(&row)).await?;
        let newest = logged.accounts.values().flat_map(BTreeMap::values);
        let newest = newest.map(|day| day.last).max();
        let ends = read::<EndRow>(&session.sql(END, &none).await?.1)?;
        let (end, latest) = ends.into_iter().next().map_or((None, None), |row| {
            (
                row.last_event.map(|time| time.0),
                row.latest.map(|time| time.0),
            )
        });
        logged.end = newest.map(|newest| end.map_or(newest, |end| newest.min(end)));
        logged.dated_ahead =
            newest.filter(|newest| end < latest && end.is_some_and(|end| *newest > end));
        Ok(logged)
    }

    fn add(&mut self, row: DayRow) {
        let Some(day) = NaiveDate::from_epoch_days(row.event_date.0) else {
            return;
        };
        let events = DayEvents {
            events: row.events.unsigned_abs(),
            last: row.last_event.0,
        };
        let mut kinds = vec![LoggedKind::Any];
        let service = row.data_service.unwrap_or_default();
        let of_category = match (row.event_category.as_str(), row.read_only) {
            ("Management", true) => [LoggedKind::Management, LoggedKind::Reads],
            ("Management", false) => [LoggedKind::Management, LoggedKind::Writes],
            (_, true) => [
                LoggedKind::Data(service.clone()),
                LoggedKind::DataReads(service),
            ],
            (_, false) => [
                LoggedKind::Data(service.clone()),
                LoggedKind::DataWrites(service),
            ],
        };
        // What a service does by itself, such as delivering logs to their bucket, does not show that calls of others are logged.
        let shows = row.event_category == "Management" || !row.by_service;
        kinds.extend(of_category.into_iter().filter(|_| shows));
        kinds.extend(row.apart.map(LoggedKind::Apart));
        put(
            self.accounts.entry(row.account_id.clone()).or_default(),
            day,
            events,
        );
        for kind in kinds {
            let stream = Stream {
                account: row.account_id.clone(),
                region: row.aws_region.clone(),
                kind,
            };
            let days = self.streams.entry(stream).or_default();
            put(&mut days.all, day, events);
            if let Some(key) = &row.access_key_id {
                put(days.by_key.entry(key.clone()).or_default(), day, events);
            }
        }
    }

    fn add_unread(&mut self, row: &UnreadRow) {
        let unread = Unread {
            log_files: u64::from(row.whole),
            records: row.records.unsigned_abs(),
        };
        let accounts: BTreeSet<String> = match (&row.account_id, &row.accounts) {
            (Some(account), _) => BTreeSet::from([account.clone()]),
            (None, Some(accounts)) => accounts.iter().flatten().cloned().collect(),
            (None, None) => BTreeSet::new(),
        };
        let of_path = row
            .log_date
            .as_ref()
            .and_then(|day| NaiveDate::from_epoch_days(day.0));
        let of_events = |time: &Option<Micros>| time.as_ref().map(|time| time.0.date_naive());
        let days = of_path
            .map(|day| (day, day))
            .or_else(|| of_events(&row.first_event_time).zip(of_events(&row.last_event_time)));
        let (Some((first, last)), false) = (days, accounts.is_empty()) else {
            self.unread_anywhere.add(unread);
            return;
        };
        for account in accounts {
            let of_account = self.unread.entry(account).or_default();
            for day in first.iter_days().take_while(|day| *day <= last) {
                of_account.entry(day).or_default().add(unread);
            }
        }
    }

    /// When anything of an account would have been seen.
    pub(super) fn account(&self, account: &str, now: DateTime<Utc>) -> Option<Sight> {
        sight(self.accounts.get(account)?, now)
    }

    /// The regions of an account with events.
    pub(super) fn regions(&self, account: &str) -> BTreeSet<&str> {
        let streams = self.streams_in(account);
        streams.map(|(stream, _)| stream.region.as_str()).collect()
    }

    /// The streams of an account; they are in order of accounts.
    fn streams_in(&self, account: &str) -> impl Iterator<Item = (&Stream, &StreamDays)> {
        let first = Stream {
            account: account.to_owned(),
            region: String::new(),
            kind: LoggedKind::Any,
        };
        let from = self.streams.range(first..);
        from.take_while(move |(stream, _)| stream.account == account)
    }

    /// Days of an account with log files or records that could not be read.
    pub(super) fn unread(&self, account: &str) -> impl Iterator<Item = (NaiveDate, Unread)> {
        let days = self.unread.get(account).into_iter().flatten();
        days.map(|(day, unread)| (*day, *unread))
    }

    /// Where a key called.
    pub(super) fn streams_of(&self, key: &str) -> Vec<&Stream> {
        let used = self.streams.iter().filter(|(stream, days)| {
            stream.kind.whole().is_some() && days.by_key.contains_key(key)
        });
        used.map(|(stream, _)| stream).collect()
    }

    /// Days on which a key called, anywhere.
    pub(super) fn days_of(&self, key: &str) -> BTreeSet<NaiveDate> {
        let days = self
            .streams
            .values()
            .filter_map(|days| days.by_key.get(key));
        days.flat_map(BTreeMap::keys).copied().collect()
    }

    /// When anything in the region of a stream would have been seen.
    pub(super) fn region(&self, of: &Stream, now: DateTime<Utc>) -> Option<Sight> {
        let kind = LoggedKind::Any;
        let stream = Stream { kind, ..of.clone() };
        sight(&self.streams.get(&stream)?.all, now)
    }

    /// The last call of a key in a stream.
    pub(super) fn last_call(&self, stream: &Stream, key: &str) -> Option<DateTime<Utc>> {
        let days = self.streams.get(stream)?.by_key.get(key)?;
        let (_, last) = days.last_key_value()?;
        Some(last.last)
    }

    /// When calls of others than a key would have been seen in a stream of it; none where there are no others, so that the
    /// end of the key's calls cannot be told from the end of the log.
    pub(super) fn sight_beside(
        &self,
        stream: &Stream,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<Sight> {
        let own = self.beside(stream, key);
        // Where events of a kind come every day or week, their end is seen; where they are rare, others that are logged with them do.
        let whole = match stream.kind.whole() {
            // What nobody else does, a trail may leave out without anybody's calls showing it.
            Some(_) if own.is_empty() && stream.kind.is_left_out_alone() => own,
            Some(_) if (is_busy(&own) && own.len() > 1) || is_regular(&own) => own,
            Some(kind) => self.beside(
                &Stream {
                    kind,
                    ..stream.clone()
                },
                key,
            ),
            None => own,
        };
        sight(&whole, now)
    }

    /// The times in which trails were told to leave out events of a stream, or to log nothing.
    pub(super) fn left_out(&self, stream: &Stream, now: DateTime<Utc>) -> Vec<LeftOut> {
        let mut found = left_out(&self.selectors, &stream.kind, now);
        let stopped = stopped(&self.selectors, stream, now).into_iter();
        // What is seen later shows that another trail logs it, or that this one does again.
        found.extend(stopped.map(|span| {
            LeftOut {
                to: self
                    .next_event(stream, span.from)
                    .map_or(span.to, |next| next.min(span.to)),
                ..span
            }
        }));
        found
    }

    /// The next event of a stream after a moment; of a day with several the last one.
    fn next_event(&self, stream: &Stream, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = self.streams.get(stream)?.all.range(moment.date_naive()..);
        let mut later = days.map(|(_, events)| events.last);
        later.find(|last| *last > moment)
    }

    /// The days of a stream with events of others than a key.
    fn beside(&self, stream: &Stream, key: Option<&str>) -> EventDays {
        let Some(days) = self.streams.get(stream) else {
            return EventDays::new();
        };
        let own = key.and_then(|key| days.by_key.get(key));
        let others = days.all.iter().filter(|(day, events)| {
            own.and_then(|own| own.get(day))
                .is_none_or(|own| own.events < events.events)
        });
        others.map(|(day, events)| (*day, *events)).collect()
    }
}

fn put(days: &mut EventDays, day: NaiveDate, events: DayEvents) {
    let held = days.entry(day).or_insert(DayEvents {
        events: 0,
        ..events
    });
    held.events += events.events;
    held.last = held.last.max(events.last);
}
