//! Calls that issued keys, and changes that let somebody in.
//!
//! In: a session. Out: [`Acts`]: who did each from where, and through which doors they may have come. Promise: of the texts that many
//! calls share, one copy is held.

use super::doors::{Assumed, Change, Door, Way, Who};
use super::known::SignIn;
use super::passages::{Doors, Passage};
use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::json::Value;
use crate::session::{Params, Session};
use arrow::array::{ArrayRef, RecordBatch};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The questions.
pub(in crate::analysis) const ISSUED: &str =
    include_str!("../../../queries/attribution/issued.sql");
pub(in crate::analysis) const DOORS: &str = include_str!("../../../queries/attribution/doors.sql");

/// Texts of which many are the same: each is kept once.
#[derive(Debug, Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn one(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// Who did something, from where.
#[derive(Debug)]
pub(super) struct Act {
    pub(super) by: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) agent: Arc<str>,
    pub(super) event_id: Box<str>,
    pub(super) time: i64,
    /// When the caller's session began.
    since: i64,
    /// Where the caller may have come in.
    passage: u32,
}

/// A call that issued a key.
#[derive(Debug)]
pub(super) struct Issue {
    pub(super) act: Act,
    pub(super) key: Arc<str>,
    /// By which trust the key's session may have been opened.
    assumed: u32,
}

impl Issue {
    /// Whether both issued long-term keys, or both sessions.
    fn is_of_kind(&self, other: &Issue) -> bool {
        self.key.starts_with("AKIA") == other.key.starts_with("AKIA")
    }
}

/// All of them, in order of time.
#[derive(Debug, Default)]
pub(super) struct Acts {
    pub(super) issues: Vec<Issue>,
    /// Each made the door of its place.
    pub(super) changes: Vec<Act>,
    doors: Doors,
    passages: Vec<Passage>,
}

/// Sign-ins to the console, by account and user.
pub(super) type SignIns = HashMap<(String, String), Vec<SignIn>>;

impl Acts {
    /// Reads them.
    pub(super) async fn read(session: &Session, sign_ins: &SignIns) -> Result<Self, AnalysisError> {
        let mut batches = Vec::new();
        let mut doors = Vec::new();
        let mut rows = session.rows(DOORS, &Params::new()).await?;
        while let Some(batch) = rows.next().await? {
            batches.push((doors_of(&batch, &mut doors)?, batch));
        }
        let mut acts = Self {
            doors: Doors::new(doors),
            ..Self::default()
        };
        let mut kept = KeptOnce::default();
        kept.passage(Passage::default());
        let mut rows = session.rows(ISSUED, &Params::new()).await?;
        while let Some(batch) = rows.next().await? {
            acts.add_issues(&batch, &mut kept)?;
        }
        for (rows, batch) in batches {
            acts.add_changes((&batch, &rows), &mut kept, sign_ins)?;
        }
        acts.passages = kept.passages;
        Ok(acts)
    }

    fn add_changes(
        &mut self,
        (batch, rows): (&RecordBatch, &[usize]),
        kept: &mut KeptOnce,
        sign_ins: &SignIns,
    ) -> Result<(), AnalysisError> {
        let callers = Callers::of(batch)?;
        let details = Columns(batch).text("additional_event_data")?;
        for &row in rows {
            let (mut act, mut who) = callers.row(row, &mut kept.texts)?;
            who.is_console = self.doors.is_console(&act.by);
            let details = value(&details, row)
                .and_then(Value::parse)
                .unwrap_or_default();
            // Who switches to a role is named beside it.
            let from = details.get("SwitchFrom").and_then(Value::as_str);
            if let Some((_, path)) = from.and_then(|arn| arn.split_once(":user/")) {
                let user = path.rsplit('/').next().unwrap_or_default();
                let user = (who.account, user);
                act.since = signed_in(&act, user, sign_ins).unwrap_or(act.since);
                who = Who {
                    account: user.0,
                    user: user.1,
                    is_console: true,
                    ..Who::default()
                };
            }
            act.passage = kept.passage(self.doors.of_caller(who));
            self.changes.push(act);
        }
        Ok(())
    }

    fn add_issues(
        &mut self,
        batch: &RecordBatch,
        kept: &mut KeptOnce,
    ) -> Result<(), AnalysisError> {
        let callers = Callers::of(batch)?;
        let columns = Columns(batch);
        let keys = columns.text("issued_access_key_id")?;
        let principals = columns.text("issued_principal")?;
        let operations = columns.text("operation")?;
        for row in 0..batch.num_rows() {
            let (mut act, mut who) = callers.row(row, &mut kept.texts)?;
            let key = value(&keys, row).unwrap_or_default();
            if value(&operations, row) == Some("GetSessionToken") {
                self.doors.learn_token(key);
            }
            who.is_console = self.doors.is_console(&act.by);
            let role = value(&principals, row).and_then(Assumed::of);
            let assumed = role.map(|role| self.doors.of_assumed(role, who, act.time));
            act.passage = kept.passage(self.doors.of_caller(who));
            self.issues.push(Issue {
                act,
                key: kept.texts.one(key),
                assumed: kept.passage(assumed.unwrap_or_default()),
            });
        }
        Ok(())
    }

    /// The intruder's door that whoever did this came in through.
    pub(super) fn came_through(&self, act: &Act, opened: &[bool]) -> Option<(&Door, &Act)> {
        let began = self.door((act.passage, act.since), opened, |way| {
            !matches!(way, Way::Host | Way::Stack)
        });
        // What a service does for somebody else, it does in a session that may be older.
        began.or_else(|| self.door((act.passage, act.time), opened, |way| way == Way::Stack))
    }

    /// The intruder's call by which whoever did this may have come into a machine that never did the like before.
    pub(super) fn may_have_come(&self, issue: &Issue, opened: &[bool]) -> Option<(&Door, &Act)> {
        let act = &issue.act;
        let (door, change) = self.door((act.passage, act.time), opened, |way| way == Way::Host)?;
        let mut before = self
            .issues
            .iter()
            .take_while(|of| of.act.time < change.time);
        let is_usual = before.any(|of| of.act.passage == act.passage && of.is_of_kind(issue));
        (!is_usual).then_some((door, change))
    }

    /// The intruder's change by which the session could be opened.
    pub(super) fn opened_by(&self, issue: &Issue, opened: &[bool]) -> Option<(&Door, &Act)> {
        self.door((issue.assumed, issue.act.time), opened, |_| true)
    }

    /// The intruder's door that a user's key came from.
    pub(super) fn of_user(
        &self,
        user: (&str, &str),
        first: i64,
        opened: &[bool],
    ) -> Option<(&Door, &Act)> {
        let passage = self.doors.of_caller(Who {
            account: user.0,
            user: user.1,
            ..Who::default()
        });
        self.of_passage(&passage, first, |door| opened[door])
    }

    /// The intruder's door, among those of some ways.
    fn door(
        &self,
        (passage, since): (u32, i64),
        opened: &[bool],
        of: impl Fn(Way) -> bool,
    ) -> Option<(&Door, &Act)> {
        self.of_passage(&self.passages[passage as usize], since, |door| {
            opened[door] && of(self.doors.all[door].way)
        })
    }

    fn of_passage(
        &self,
        passage: &Passage,
        since: i64,
        is_intruders: impl Fn(usize) -> bool,
    ) -> Option<(&Door, &Act)> {
        let at = self.doors.through(passage, since, is_intruders)?;
        Some((&self.doors.all[at], &self.changes[at]))
    }
}

/// What these changes open or shut, and in which rows.
fn doors_of(batch: &RecordBatch, doors: &mut Vec<Door>) -> Result<Vec<usize>, AnalysisError> {
    const TEXTS: [&str; 7] = [
        "event_source",
        "operation",
        "account_id",
        "user_identity_arn",
        "user_identity_user_name",
        "request_parameters",
        "response_elements",
    ];
    let columns = Columns(batch);
    let texts: Result<Vec<ArrayRef>, _> = TEXTS.iter().map(|name| columns.text(name)).collect();
    let texts = texts?;
    let mut rows = Vec::new();
    for row in 0..batch.num_rows() {
        let text = |at: usize| value(&texts[at], row).unwrap_or_default();
        let time = columns.time("event_time", row)?;
        let door = Door::of(Change {
            service: text(0).trim_end_matches(".amazonaws.com"),
            operation: text(1),
            account: text(2),
            caller: (text(3), text(4)),
            request: text(5),
            response: text(6),
            time: time.map_or(i64::MIN, |time| time.timestamp_micros()),
        });
        rows.extend(door.is_some().then_some(row));
        doors.extend(door);
    }
    Ok(rows)
}

/// When somebody who switches to a role first signed in from where they are.
fn signed_in(act: &Act, (account, user): (&str, &str), sign_ins: &SignIns) -> Option<i64> {
    let user = (account.to_owned(), user.to_owned());
    let from_here = sign_ins.get(&user)?.iter();
    let times = from_here.filter(|sign_in| *sign_in.address == *act.address);
    times.map(|sign_in| sign_in.time).min()
}

/// What is kept once while rows are read.
#[derive(Debug, Default)]
struct KeptOnce {
    texts: Texts,
    passages: Vec<Passage>,
    known: HashMap<Passage, u32>,
}

impl KeptOnce {
    fn passage(&mut self, passage: Passage) -> u32 {
        let next = self.passages.len() as u32;
        let at = *self.known.entry(passage.clone()).or_insert(next);
        if at == next {
            self.passages.push(passage);
        }
        at
    }
}

/// Columns that say who calls.
struct Callers<'a> {
    columns: Columns<'a>,
    texts: Vec<ArrayRef>,
}

/// Those of text.
const CALLER: [&str; 13] = [
    "access_key_id",
    "source_ip_address",
    "user_agent",
    "event_id",
    "user_identity_type",
    "user_identity_account_id",
    "user_identity_arn",
    "user_identity_principal_id",
    "user_identity_user_name",
    "session_issuer_arn",
    "in_scope_of_credentials_issued_to",
    "user_identity_invoked_by",
    "user_identity_identity_provider",
];

impl<'a> Callers<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, AnalysisError> {
        let columns = Columns(batch);
        let texts: Result<Vec<ArrayRef>, _> =
            CALLER.iter().map(|name| columns.text(name)).collect();
        Ok(Self {
            texts: texts?,
            columns,
        })
    }

    fn row(&self, row: usize, texts: &mut Texts) -> Result<(Act, Who<'_>), AnalysisError> {
        let micros = |name| -> Result<Option<i64>, AnalysisError> {
            let time = self.columns.time(name, row)?;
            Ok(time.map(|time| time.timestamp_micros()))
        };
        let time = micros("event_time")?.unwrap_or(i64::MIN);
        let since = micros("session_creation_time")?.unwrap_or(time);
        let mut all = self
            .texts
            .iter()
            .map(|column| value(column, row).unwrap_or_default());
        let mut next = || all.next().unwrap_or_default();
        let (by, address, agent, event_id) = (next(), next(), next(), next());
        let kind = next();
        let (account, arn, id, user) = (next(), next(), next(), next());
        let (role, function, service, provider) = (next(), next(), next(), next());
        let who = Who {
            account,
            arn,
            id,
            user,
            role,
            function,
            service,
            provider,
            ..Who::default()
        };
        let act = Act {
            by: texts.one(by),
            address: texts.one(address),
            agent: texts.one(agent),
            event_id: event_id.into(),
            time,
            since,
            passage: 0,
        };
        Ok((act, who.of_kind(kind)))
    }
}
