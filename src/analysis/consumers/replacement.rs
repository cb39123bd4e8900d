//! Is a consumer seen again, with a role?
//!
//! In: what roles' sessions do. Out: the [`Replacement`] of a consumer. Promise: the same program, at the same addresses or, if
//! it has none of its own, of the same kind of place, that makes most of the same calls on the same resources, and that began with
//! it or does more of it since the consumer stopped; a role that did the same all the time is another workload's.

use super::consumer::{Consumer, Workload};
use crate::analysis::AnalysisError;
use crate::analysis::rows::{Micros, each};
use crate::cloudtrail::UserAgent;
use crate::session::{Params, Session};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(in crate::analysis) const SESSIONS: &str =
    include_str!("../../../queries/consumers/role_sessions.sql");

/// The share of a consumer's calls that a role must make, too.
const ENOUGH: f64 = 0.5;

/// A role may be tried for so long beside the key.
const SETTING_UP: TimeDelta = TimeDelta::days(30);

/// A role that was there before must do so many times more since the consumer stopped, to have taken over its work.
const GROWTH: f64 = 1.5;

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
    /// The moment that divides what they did.
    since: DateTime<Utc>,
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
    resource: Option<String>,
    begins: DateTime<Utc>,
    before: u64,
    events: u64,
    /// Since the moment; none if there was no call.
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct RoleRow {
    session_issuer_arn: String,
    source_ip_address: Option<String>,
    user_agent: Option<String>,
    event_source: Option<String>,
    operation: Option<String>,
    resource: Option<String>,
    user_identity_arn: Option<String>,
    account_id: Option<String>,
    begins: Micros,
    events_before: i64,
    events: i64,
    first_seen: Option<Micros>,
    last_seen: Option<Micros>,
}

impl RoleSessions {
    /// Reads what roles do from a moment on.
    pub async fn read(session: &Session, since: DateTime<Utc>) -> Result<Self, AnalysisError> {
        let params = Self::params(Some(since));
        let mut sessions = RoleSessions {
            since,
            ..RoleSessions::default()
        };
        let mut programs = HashMap::new();
        let add = |row: RoleRow| sessions.add(row, &mut programs);
        each(session, (SESSIONS, &params), add).await?;
        Ok(sessions)
    }

    /// The parameters of [`SESSIONS`]; the moment is not known yet when none.
    pub(in crate::analysis) fn params(since: Option<DateTime<Utc>>) -> Params {
        let since = since.map(|since| since.timestamp_micros());
        let since = ScalarValue::TimestampMicrosecond(since, Some("UTC".into()));
        Params::from([("since".to_owned(), since)])
    }

    fn add(&mut self, row: RoleRow, programs: &mut HashMap<String, String>) {
        let agent = row.user_agent.unwrap_or_default();
        let program = programs
            .entry(agent)
            .or_insert_with_key(|agent| UserAgent::parse(agent).program());
        let of_program = self.programs.entry(program.clone()).or_default();
        let role = of_program.entry(row.session_issuer_arn).or_default();
        // The engine hands out rows in any order.
        role.begins = role.begins.into_iter().chain([row.begins.0]).min();
        role.account = row
            .account_id
            .unwrap_or_default()
            .max(std::mem::take(&mut role.account));
        role.session = row
            .user_identity_arn
            .unwrap_or_default()
            .max(std::mem::take(&mut role.session));
        role.uses.push(RoleUse {
            address: row.source_ip_address.unwrap_or_default(),
            api: (
                row.event_source.unwrap_or_default(),
                row.operation.unwrap_or_default(),
            ),
            resource: row.resource,
            begins: row.begins.0,
            before: row.events_before.unsigned_abs(),
            events: row.events.unsigned_abs(),
            first: row.first_seen.map(|time| time.0),
            last: row.last_seen.map(|time| time.0),
        });
    }

    /// The role with which a consumer is seen again, from a moment on.
    pub fn replacement(&self, consumer: &Consumer, since: DateTime<Utc>) -> Option<Replacement> {
        let roles = self.programs.get(&consumer.program)?;
        let found = roles
            .iter()
            .filter_map(|(arn, role)| role.replaces(consumer, (since, self.since), arn));
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
        (since, divide): (DateTime<Utc>, DateTime<Utc>),
        arn: &str,
    ) -> Option<Replacement> {
        let addresses: BTreeSet<&str> = consumer
            .source_ip_addresses
            .iter()
            .map(|used| used.source_ip_address.as_str())
            .collect();
        let resources: BTreeSet<&str> = consumer
            .resources
            .iter()
            .map(|counted| counted.name.as_str())
            .collect();
        // Of calls that name nothing the resource cannot be told; others must be on the same.
        let same_thing = |of: &&RoleUse| {
            let resource = of.resource.as_deref();
            resource.is_none_or(|resource| resources.is_empty() || resources.contains(resource))
        };
        let late = || {
            let uses = self.uses.iter().filter(same_thing);
            uses.filter(move |of| of.last.is_some_and(|last| last >= since))
        };
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
                format!("in the account's {}", consumer.workload),
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
        if share < ENOUGH || !takes_over(&uses, consumer, divide) {
            return None;
        }
        Some(Replacement {
            role_arn: arn.to_owned(),
            session_arn: self.session.clone(),
            first_seen: uses.iter().filter_map(|of| of.first).min()?,
            last_seen: uses.iter().filter_map(|of| of.last).max()?,
            events: uses.iter().map(|of| of.events).sum(),
            why: format!(
                "the same program {place}; its calls cover {:.0} % of this consumer's",
                100.0 * share
            ),
            share,
        })
    }
}

/// Whether the role began to do this after the consumer did, or does more of it since a moment.
fn takes_over(uses: &[&RoleUse], consumer: &Consumer, since: DateTime<Utc>) -> bool {
    let begins = uses.iter().map(|of| of.begins).min();
    let last = uses.iter().filter_map(|of| of.last).max();
    let (Some(begins), Some(last)) = (begins, last) else {
        return false;
    };
    let days = |span: TimeDelta| (span.num_minutes() as f64 / 1440.0).max(1.0);
    let sum = |events: fn(&RoleUse) -> u64| uses.iter().map(|of| events(of)).sum::<u64>() as f64;
    let before = sum(|of| of.before) / days(since - begins);
    let after = sum(|of| of.events) / days(last - since);
    // It was set up and tried while the consumer was still there.
    let began = begins >= consumer.last_seen - SETTING_UP && begins >= consumer.first_seen + LATER;
    began || after >= GROWTH * before
}
