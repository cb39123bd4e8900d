//! Is a consumer seen again, with a role?
//!
//! In: what roles' sessions do. Out: the [`Replacement`] of a consumer. Promise: the same program, at the same addresses or, if
//! it has none of its own, of the same kind of place, that makes most of the same calls; a role of which less is known is none.

use super::consumer::{Consumer, Workload};
use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::cloudtrail::UserAgent;
use crate::session::{Params, Session};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(in crate::analysis) const SESSIONS: &str =
    include_str!("../../../queries/consumers/role_sessions.sql");

/// The share of a consumer's calls that a role must make, too.
const ENOUGH: f64 = 0.5;

/// A role that began so much later than a consumer did not run beside it from the beginning.
const LATER: TimeDelta = TimeDelta::days(1);

/// Kinds of workload that have no address of their own.
const ROAMING: [Workload; 7] = [
    Workload::Lambda,
    Workload::Ecs,
    Workload::Eks,
    Workload::CodeBuild,
    Workload::CloudShell,
    Workload::GitHubActions,
    Workload::Ci,
];

/// A role with which a consumer is seen again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// The role.
    pub role_arn: String,
    /// One of its sessions.
    pub session_arn: String,
    /// The first of its calls that was seen.
    pub first_seen: DateTime<Utc>,
    /// The last.
    pub last_seen: DateTime<Utc>,
    /// How many.
    pub events: u64,
    /// Why it is taken for the same workload.
    pub why: String,
    /// The share of the consumer's calls that it makes, too.
    pub share: f64,
}

/// What roles do, by program and role.
#[derive(Debug, Default)]
pub struct RoleSessions {
    programs: HashMap<String, BTreeMap<String, Role>>,
}

/// What one program does with one role.
#[derive(Debug, Default)]
struct Role {
    account: String,
    session: String,
    /// Its first call of all.
    begins: Option<DateTime<Utc>>,
    uses: Vec<RoleUse>,
}

#[derive(Debug)]
struct RoleUse {
    address: String,
    api: (String, String),
    events: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl RoleSessions {
    /// Reads what roles do from a moment on.
    pub async fn read(session: &Session, since: DateTime<Utc>) -> Result<Self, AnalysisError> {
        let params = Self::params(Some(since));
        let mut sessions = RoleSessions::default();
        let mut programs = HashMap::new();
        for batch in session.sql(SESSIONS, &params).await?.1 {
            sessions.add(&batch, &mut programs)?;
        }
        Ok(sessions)
    }

    /// The parameters of [`SESSIONS`]; the moment is not known yet when none.
    pub(in crate::analysis) fn params(since: Option<DateTime<Utc>>) -> Params {
        let since = since.map(|since| since.timestamp_micros());
        let since = ScalarValue::TimestampMicrosecond(since, Some("UTC".into()));
        Params::from([("since".to_owned(), since)])
    }

    fn add(
        &mut self,
        batch: &RecordBatch,
        programs: &mut HashMap<String, String>,
    ) -> Result<(), AnalysisError> {
        let columns = Columns(batch);
        let roles = columns.text("session_issuer_arn")?;
        let addresses = columns.text("source_ip_address")?;
        let agents = columns.text("user_agent")?;
        let sources = columns.text("event_source")?;
        let operations = columns.text("operation")?;
        let arns = columns.text("user_identity_arn")?;
        let accounts = columns.text("account_id")?;
        let events = columns.named("events")?.as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let text = |column| value(column, row).unwrap_or_default();
            let agent = text(&agents);
            let program = programs
                .entry(agent.to_owned())
                .or_insert_with(|| UserAgent::parse(agent).program());
            let of_program = self.programs.entry(program.clone()).or_default();
            let role = of_program.entry(text(&roles).to_owned()).or_default();
            // The engine hands out rows in any order.
            let begins = columns.time("begins", row)?;
            role.begins = role.begins.into_iter().chain(begins).min();
            role.account = text(&accounts).max(&role.account).to_owned();
            role.session = text(&arns).max(&role.session).to_owned();
            let (Some(first), Some(last)) = (
                columns.time("first_seen", row)?,
                columns.time("last_seen", row)?,
            ) else {
                continue;
            };
            role.uses.push(RoleUse {
                address: text(&addresses).to_owned(),
                api: (text(&sources).to_owned(), text(&operations).to_owned()),
                events: events.value(row).unsigned_abs(),
                first,
                last,
            });
        }
        Ok(())
    }

    /// The role with which a consumer is seen again, from a moment on.
    pub fn replacement(&self, consumer: &Consumer, since: DateTime<Utc>) -> Option<Replacement> {
        let roles = self.programs.get(&consumer.program)?;
        let found = roles
            .iter()
            .filter_map(|(arn, role)| role.replaces(consumer, since, arn));
        // Of several the one that does most of what the consumer did; then the busiest; then by name.
        found.max_by(|a, b| {
            let order = a.share.total_cmp(&b.share).then(a.events.cmp(&b.events));
            order.then_with(|| b.role_arn.cmp(&a.role_arn))
        })
    }
}

impl Role {
    fn replaces(
        &self,
        consumer: &Consumer,
        since: DateTime<Utc>,
        arn: &str,
    ) -> Option<Replacement> {
        let addresses: BTreeSet<&str> = consumer
            .source_ip_addresses
            .iter()
            .map(|used| used.source_ip_address.as_str())
            .collect();
        let late = || self.uses.iter().filter(|of| of.last >= since);
        let here = || late().filter(|of| addresses.contains(of.address.as_str()));
        let same: BTreeSet<&str> = here().map(|of| of.address.as_str()).collect();
        // Without an address to go by, a role that was there beside the key all along is another workload's.
        let came_later = self
            .begins
            .is_some_and(|begins| begins >= consumer.first_seen + LATER);
        let roams = ROAMING.contains(&consumer.workload)
            && consumer.account_id.as_deref() == Some(&self.account)
            && came_later;
        let (uses, place): (Vec<&RoleUse>, String) = match (same.len(), roams) {
            (0, false) => return None,
            (0, true) => (
                late().collect(),
                format!("in {} of the account", consumer.workload),
            ),
            (shared, _) => (
                here().collect(),
                format!("at {shared} of its {} addresses", addresses.len()),
            ),
        };
        let calls: BTreeSet<(&str, &str)> = uses
            .iter()
            .map(|of| (of.api.0.as_str(), of.api.1.as_str()))
            .collect();
        let again = consumer
            .api_calls
            .iter()
            .filter(|call| calls.contains(&(call.event_source.as_str(), call.operation.as_str())));
        let again: u64 = again.map(|call| call.events).sum();
        let share = again as f64 / consumer.events.max(1) as f64;
        if share < ENOUGH {
            return None;
        }
        Some(Replacement {
            role_arn: arn.to_owned(),
            session_arn: self.session.clone(),
            first_seen: uses.iter().map(|of| of.first).min()?,
            last_seen: uses.iter().map(|of| of.last).max()?,
            events: uses.iter().map(|of| of.events).sum(),
            why: format!(
                "the same program {place}, with calls that were {:.0} % of its",
                100.0 * share
            ),
            share,
        })
    }
}
