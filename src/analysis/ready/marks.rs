//! What the log shows of keys besides the calls that they signed.
//!
//! In: a session. Out: [`Marks`]: quarantine, sessions and presigned URLs that may still work, calls of services on a user's behalf.
//! Promise: three narrow queries, whatever the number of keys; what is over by the longest life that AWS gives is not asked for.

use crate::analysis::AnalysisError;
use crate::analysis::rows::{Micros, each};
use crate::cloudtrail::answered_time;
use crate::iam::ROOT;
use crate::session::{Params, Session};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) const MARKS: &str = include_str!("../../../queries/ready/marks.sql");
pub(super) const ON_BEHALF: &str = include_str!("../../../queries/ready/on_behalf.sql");
pub(super) const ROLE_SESSIONS: &str = include_str!("../../../queries/ready/role_sessions.sql");

/// The longest lives of sessions: of GetSessionToken and GetFederationToken, and of AssumeRole.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html>
const TOKEN: TimeDelta = TimeDelta::hours(36);
pub(super) const ROLE: TimeDelta = TimeDelta::hours(12);

/// The longest life of a presigned URL.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html>
pub(super) const URL: TimeDelta = TimeDelta::days(7);

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// By account and user.
    pub(super) quarantine: BTreeMap<(String, String), Vec<Quarantine>>,
    /// Calls that a quarantine policy refused, by key.
    pub(super) refused: HashMap<String, Mark>,
    /// Sessions that a key opened and that may still live: how many, and until when.
    pub(super) sessions: HashMap<String, (u64, DateTime<Utc>)>,
    /// Use of presigned URLs, by key.
    pub(super) urls: HashMap<String, Mark>,
    /// By account and user.
    on_behalf: BTreeMap<(String, String), OnBehalf>,
    /// By the long-term key that assumed it: a role, and the last call of its sessions from the same place that the log shows nobody
    /// open.
    pub(super) role_sessions: HashMap<String, (String, DateTime<Utc>)>,
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

/// What AWS services called on a user's behalf with temporary credentials, and when the user had a session.
#[derive(Debug, Default)]
struct OnBehalf {
    services: BTreeMap<NaiveDate, BTreeMap<String, DateTime<Utc>>>,
    /// What they called, and in which region.
    called: BTreeSet<(String, String)>,
    sessions: BTreeSet<NaiveDate>,
    /// The last calls that programs made with sessions of the user, by day.
    programs: BTreeMap<NaiveDate, DateTime<Utc>>,
    /// The last calls that browsers made with sessions of the user, by day.
    browsers: BTreeMap<NaiveDate, DateTime<Utc>>,
    /// Whether the user is seen to sign in to the console, where sessions need no key.
    signs_in: bool,
    /// Those that name no key at all.
    without_key: BTreeMap<NaiveDate, DateTime<Utc>>,
}

#[derive(Deserialize)]
struct MarkRow {
    mark: String,
    access_key_id: Option<String>,
    account_id: Option<String>,
    user_name: Option<String>,
    detail: Option<String>,
    events: i64,
    first_seen: Micros,
    last_seen: Micros,
    event_id: String,
}

#[derive(Deserialize)]
struct OnBehalfRow {
    account_id: Option<String>,
    user_identity_type: String,
    user_name: Option<String>,
    via_service: Option<String>,
    called: Option<String>,
    called_region: Option<String>,
    last_event: Micros,
    last_of_program: Option<Micros>,
    last_of_browser: Option<Micros>,
    signs_in: bool,
    last_without_key: Option<Micros>,
}

#[derive(Deserialize)]
struct RoleSessionRow {
    access_key_id: String,
    role: String,
    last_event: Micros,
}

impl Marks {
    /// Reads them.
    pub(super) async fn read(
        session: &Session,
        as_of: DateTime<Utc>,
    ) -> Result<Self, AnalysisError> {
        let mut marks = Marks::default();
        let params = Self::params(Some(as_of));
        each::<MarkRow>(session, (MARKS, &params), |row| marks.add(row, as_of)).await?;
        for policies in marks.quarantine.values_mut() {
            policies.sort_unstable();
        }
        let on_behalf = (ON_BEHALF, &Params::new());
        each::<OnBehalfRow>(session, on_behalf, |row| marks.add_on_behalf(row, as_of)).await?;
        let role_sessions = (ROLE_SESSIONS, &Params::new());
        each::<RoleSessionRow>(session, role_sessions, |row| {
            let here = (row.role, row.last_event.0);
            let held = marks.role_sessions.entry(row.access_key_id);
            let held = held.or_insert_with(|| here.clone());
            if here.1 > held.1 {
                *held = here;
            }
        })
        .await?;
        Ok(marks)
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

    fn add(&mut self, row: MarkRow, as_of: DateTime<Utc>) {
        let key = row.access_key_id.unwrap_or_default();
        let detail = row.detail.unwrap_or_default();
        let mark = Mark {
            events: row.events.unsigned_abs(),
            first: row.first_seen.0,
            last: row.last_seen.0,
            event_id: row.event_id,
        };
        match row.mark.as_str() {
            "refused" => add(&mut self.refused, key, mark),
            "url" => add(&mut self.urls, key, mark),
            "session" => {
                let end = end_of(&detail, mark.last);
                if end > as_of && mark.first <= as_of {
                    let open = self.sessions.entry(key).or_insert((0, end));
                    *open = (open.0 + mark.events, open.1.max(end));
                }
            }
            attached => {
                let owner = (
                    row.account_id.unwrap_or_default(),
                    row.user_name.unwrap_or_default(),
                );
                self.quarantine.entry(owner).or_default().push(Quarantine {
                    time: mark.first,
                    attached: attached == "attached",
                    policy: detail,
                    event_id: mark.event_id,
                });
            }
        }
    }

    fn add_on_behalf(&mut self, row: OnBehalfRow, as_of: DateTime<Utc>) {
        let root = (row.user_identity_type == "Root").then(|| ROOT.to_owned());
        let (Some(account), Some(user)) = (row.account_id, root.or(row.user_name)) else {
            return;
        };
        let time = row.last_event.0;
        if time > as_of {
            return;
        }
        let user = self.on_behalf.entry((account, user)).or_default();
        match row.via_service {
            Some(service) => {
                let services = user.services.entry(time.date_naive()).or_default();
                let last = services.entry(service).or_insert(time);
                *last = time.max(*last);
                user.called.extend(row.called.zip(row.called_region));
            }
            None => {
                user.sessions.insert(time.date_naive());
                let day = |last: Option<Micros>| last.map(|last| (last.0.date_naive(), last.0));
                user.programs.extend(day(row.last_of_program));
                user.browsers.extend(day(row.last_of_browser));
                user.signs_in |= row.signs_in;
                user.without_key.extend(day(row.last_without_key));
            }
        }
    }

    /// The last call that services made on a user's behalf with temporary credentials and that nothing else explains: no session
    /// of the user's, no other key of the user's on these days. Such calls carry no key's id; the key behind them may be this one.
    pub(super) fn on_behalf(
        &self,
        owner: &(String, String),
        other_keys: &BTreeSet<NaiveDate>,
    ) -> Option<(Vec<&str>, DateTime<Utc>)> {
        let user = self.on_behalf.get(owner)?;
        let explained = |day: NaiveDate| {
            other_keys.contains(&day) || session_days(day).any(|day| user.sessions.contains(&day))
        };
        let mut days = user.services.iter().rev();
        let (_, services) = days.find(|(day, _)| !explained(**day))?;
        let last = services.values().max()?;
        Some((services.keys().map(String::as_str).collect(), *last))
    }

    /// What services called on a user's behalf, and in which region.
    pub(super) fn called_on_behalf(
        &self,
        owner: &(String, String),
    ) -> impl Iterator<Item = &(String, String)> {
        let user = self.on_behalf.get(owner).into_iter();
        user.flat_map(|user| &user.called)
    }

    /// The last call that a program made with a session of the user's, which only a key can have opened, and no other key of the
    /// user's on these days. The sessions of a user who never signs in to the console are all opened with a key, in browsers, too.
    pub(super) fn session_of_program(
        &self,
        owner: &(String, String),
        other_keys: &BTreeSet<NaiveDate>,
    ) -> Option<DateTime<Utc>> {
        let by_other = |day| session_days(day).any(|day| other_keys.contains(&day));
        let user = self.on_behalf.get(owner)?;
        let programs = last_unless(&user.programs, by_other);
        let browsers = last_unless(&user.browsers, by_other).filter(|_| !user.signs_in);
        programs.max(browsers)
    }

    /// The last call of a program of the user's that names no key, on a day on which no other key of the user called.
    pub(super) fn without_key(
        &self,
        owner: &(String, String),
        other_keys: &BTreeSet<NaiveDate>,
    ) -> Option<DateTime<Utc>> {
        let by_other = |day| other_keys.contains(&day);
        last_unless(&self.on_behalf.get(owner)?.without_key, by_other)
    }
}

/// The last call on a day that something else does not explain.
fn last_unless(
    days: &BTreeMap<NaiveDate, DateTime<Utc>>,
    is_explained: impl Fn(NaiveDate) -> bool,
) -> Option<DateTime<Utc>> {
    let mut days = days.iter().rev();
    let (_, last) = days.find(|(day, _)| !is_explained(**day))?;
    Some(*last)
}

/// The days on which a session may have been opened that was used on a day: it lives for 36 hours at most.
fn session_days(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let before = [Days::new(0), Days::new(1), Days::new(2)];
    before
        .into_iter()
        .filter_map(move |days| day.checked_sub_days(days))
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
