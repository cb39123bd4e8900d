//! What the trail shows besides the use of keys.
//!
//! In: a session. Out: [`Trail`]: days with a log, quarantine, sessions and presigned URLs that may still work. Promise: two
//! narrow queries, whatever the number of keys; what is over by the longest life that AWS gives is not asked for.

use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::cloudtrail::answered_time;
use crate::report::Coverage;
use crate::session::{Params, Session};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) const DAYS: &str = include_str!("../../../queries/ready/days.sql");
pub(super) const MARKS: &str = include_str!("../../../queries/ready/marks.sql");

/// The longest lives of sessions: of GetSessionToken and GetFederationToken, and of AssumeRole.
const TOKEN: TimeDelta = TimeDelta::hours(36);
const ROLE: TimeDelta = TimeDelta::hours(12);

/// The longest life of a presigned URL.
pub(super) const URL: TimeDelta = TimeDelta::days(7);

/// An account with events on a smaller share of its days is so quiet that a missing log cannot be told from a quiet day.
const BUSY: f64 = 0.9;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) as_of: DateTime<Utc>,
    pub(super) coverage: Coverage,
    /// The last event of all.
    pub(super) last_event: Option<DateTime<Utc>>,
    pub(super) accounts: BTreeMap<String, Days>,
    /// By account and user.
    pub(super) quarantine: BTreeMap<(String, String), Vec<Quarantine>>,
    /// Calls that a quarantine policy refused, by key.
    pub(super) refused: HashMap<String, Mark>,
    /// Sessions that a key opened and that may still live: how many, and until when.
    pub(super) sessions: HashMap<String, (u64, DateTime<Utc>)>,
    /// Use of presigned URLs, by key.
    pub(super) urls: HashMap<String, Mark>,
}

/// Days of an account with a log.
#[derive(Debug, Default)]
pub(super) struct Days {
    pub(super) all: BTreeSet<NaiveDate>,
    pub(super) regions: BTreeMap<String, BTreeSet<NaiveDate>>,
    pub(super) data_services: BTreeSet<String>,
    pub(super) last_event: Option<DateTime<Utc>>,
}

/// A quarantine policy was attached to a user, or detached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quarantine {
    pub(super) time: DateTime<Utc>,
    pub(super) attached: bool,
    pub(super) policy: String,
    pub(super) event_id: String,
}

/// Events of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) events: u64,
    pub(super) first: DateTime<Utc>,
    pub(super) last: DateTime<Utc>,
    pub(super) event_id: String,
}

/// Whether there is something on nearly every day between the first and the last.
pub(super) fn busy(days: &BTreeSet<NaiveDate>) -> bool {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return false;
    };
    let span = (*last - *first).num_days() + 1;
    days.len() as f64 >= BUSY * span as f64
}

/// The days without a log from the first day of `since` on, if the rest shows that there should be one.
pub(super) fn missing(days: &BTreeSet<NaiveDate>, since: NaiveDate) -> Vec<NaiveDate> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Vec::new();
    };
    let start = (*first).max(since);
    start
        .iter_days()
        .take_while(|day| day < last)
        .filter(|day| !days.contains(day))
        .collect()
}

impl Trail {
    /// Reads it.
    pub(super) async fn read(
        session: &Session,
        as_of: DateTime<Utc>,
    ) -> Result<Self, AnalysisError> {
        let mut trail = Trail {
            as_of,
            ..Trail::default()
        };
        for batch in session.sql(DAYS, &Params::new()).await?.1 {
            trail.add_days(&batch)?;
        }
        for batch in session.sql(MARKS, &Self::params(Some(as_of))).await?.1 {
            trail.add_marks(&batch)?;
        }
        for marks in trail.quarantine.values_mut() {
            marks.sort_unstable();
        }
        trail.coverage = session.coverage().await?;
        trail.last_event = trail
            .accounts
            .values()
            .filter_map(|days| days.last_event)
            .max();
        Ok(trail)
    }

    /// The parameters of [`MARKS`]; the moment is not known yet when none.
    pub(super) fn params(as_of: Option<DateTime<Utc>>) -> Params {
        let since = |life: TimeDelta| {
            let micros = as_of.map(|as_of| (as_of - life).timestamp_micros());
            ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
        };
        Params::from([
            ("sessions_since".to_owned(), since(TOKEN)),
            ("urls_since".to_owned(), since(URL)),
        ])
    }

    fn add_days(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let columns = Columns(batch);
        let accounts = columns.text("account_id")?;
        let regions = columns.text("aws_region")?;
        let services = columns.text("data_service")?;
        let dates = columns.named("event_date")?.as_primitive::<Date32Type>();
        for row in 0..batch.num_rows() {
            let (Some(account), Some(day)) = (
                value(&accounts, row),
                NaiveDate::from_epoch_days(dates.value(row)),
            ) else {
                continue;
            };
            let days = self.accounts.entry(account.to_owned()).or_default();
            days.all.insert(day);
            let region = value(&regions, row).unwrap_or_default();
            days.regions
                .entry(region.to_owned())
                .or_default()
                .insert(day);
            days.data_services
                .extend(value(&services, row).map(str::to_owned));
            days.last_event = days.last_event.max(columns.time("last_event", row)?);
        }
        Ok(())
    }

    fn add_marks(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let columns = Columns(batch);
        let marks = columns.text("mark")?;
        let keys = columns.text("access_key_id")?;
        let accounts = columns.text("account_id")?;
        let users = columns.text("user_name")?;
        let details = columns.text("detail")?;
        let ids = columns.text("event_id")?;
        let events = columns.named("events")?.as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let (Some(first), Some(last)) = (
                columns.time("first_seen", row)?,
                columns.time("last_seen", row)?,
            ) else {
                continue;
            };
            let text = |column| value(column, row).unwrap_or_default().to_owned();
            let events = events.value(row).unsigned_abs();
            let mark = Mark {
                events,
                first,
                last,
                event_id: text(&ids),
            };
            match text(&marks).as_str() {
                "refused" => add(&mut self.refused, text(&keys), mark),
                "url" => add(&mut self.urls, text(&keys), mark),
                "session" => {
                    let end = end_of(&text(&details), last);
                    if end > self.as_of && first <= self.as_of {
                        let open = self.sessions.entry(text(&keys)).or_insert((0, end));
                        *open = (open.0 + events, open.1.max(end));
                    }
                }
                attached => self
                    .quarantine
                    .entry((text(&accounts), text(&users)))
                    .or_default()
                    .push(Quarantine {
                        time: first,
                        attached: attached == "attached",
                        policy: text(&details),
                        event_id: mark.event_id,
                    }),
            }
        }
        Ok(())
    }

    /// Until when silence in the trail says something of an account: a log that breaks off says nothing afterwards.
    pub(super) fn seen_until(&self, account: Option<&str>) -> Option<DateTime<Utc>> {
        let days = account.and_then(|account| self.accounts.get(account));
        let own = days
            .filter(|days| busy(&days.all))
            .and_then(|days| days.last_event);
        own.or(self.last_event).map(|end| end.min(self.as_of))
    }

    /// From when the verdicts are.
    pub(super) fn note(&self, as_of: DateTime<Utc>, last: Option<DateTime<Utc>>) -> String {
        let moment = as_of.format("%Y-%m-%d %H:%M UTC");
        match last {
            Some(last) if last == as_of => format!("as of the trail's last event, {moment}"),
            Some(last) => format!(
                "as of {moment}; the trail's last event is of {}",
                last.format("%Y-%m-%d %H:%M UTC")
            ),
            None => format!("as of {moment}; there is no event"),
        }
    }
}

/// When a session ends: as its birth says, or after the longest life that AWS gives.
fn end_of(detail: &str, opened: DateTime<Utc>) -> DateTime<Utc> {
    let (call, expiration) = detail.split_once(' ').unwrap_or((detail, ""));
    let longest = if call.starts_with("AssumeR") {
        ROLE
    } else {
        TOKEN
    };
    answered_time(expiration).unwrap_or(opened + longest)
}

fn add(marks: &mut HashMap<String, Mark>, key: String, mark: Mark) {
    match marks.get_mut(&key) {
        None => {
            marks.insert(key, mark);
        }
        Some(held) => {
            held.events += mark.events;
            if mark.first < held.first {
                held.event_id = mark.event_id;
            }
            held.first = held.first.min(mark.first);
            held.last = held.last.max(mark.last);
        }
    }
}
