//! What did a compromised key do?
//!
//! In: a session and a start point. Out: a [`Trace`]. Promise: everything that came out of the start is found, to any depth and
//! across accounts, and each link names its rule, its event and how sure it is; what the logs do not show is named.
//!
//! ```text
//! graph        uses, issued, changes ──▶ nodes ──▶ joins ──▶ walk: the tree ──▶ its events: deeds
//!                                                             ▲                        │
//! attribution                    behind, follow: who is behind a change? ──────┤        ▼
//!                                                             └──────────── split: who is behind each deed?
//!                                                                                      │
//! report       credentials, cleanup, data, denied, pivot, unseen, steps, answers ◀─────┘
//! ```

mod attribution;
mod graph;
mod report;

pub use graph::start::Start;

use super::findings::{Lists, Rules};
use super::{AnalysisError, begun_before};
use crate::knowledge::AddressBook;
use crate::report::trace::{Confidence, Summary, Trace};
use crate::session::{Params, Session};
use attribution::follow::Followed;
use attribution::sources::Ground;
use attribution::{follow, hosts, split};
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use graph::deeds::Deed;
use graph::events::Events;
use graph::facts::{Facts, text, texts};
use graph::joins::{Evidence, Joins};
use graph::nodes::Nodes;
use graph::tree::Member;
use graph::{ascent, births, deeds, events};
use ipnet::IpNet;
use report::beside::Beside;
use report::renamed::Renames;
use report::{
    answers, cleanup, containment, credentials, data_access, denied, known, pivot, silence, steps,
    unseen,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is traced, and what is known beforehand.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// The start point.
    pub start: Start,
    /// Whether to find where it came from, instead of what followed.
    pub up: bool,
    /// The weakest links that are followed.
    pub weakest: Confidence,
    /// Whether what the owner made or changed is followed, too.
    pub follow_owner: bool,
    /// All of the owner's networks; any other address is the intruder's.
    pub known_networks: Vec<IpNet>,
    /// When the incident began, if that is known.
    pub incident_start: Option<DateTime<Utc>>,
    /// The moment that counts as now; the last event of the logs if not given.
    pub as_of: Option<DateTime<Utc>>,
    /// Attack rules.
    pub rules: Rules,
    /// What is ours and what is known; the accounts of the logs are ours anyway.
    pub lists: Lists,
    /// What is known of networks and places, the owner's networks among them; what the program itself knows if none.
    pub addresses: Option<Arc<AddressBook>>,
}

/// The tree, and what it was found in.
pub(crate) struct Lineage<'a> {
    joins: Joins<'a>,
    members: Vec<Member>,
}

impl Lineage<'_> {
    /// The id of the event that a link rests on.
    fn event_of(&self, evidence: Evidence) -> Option<&str> {
        let facts = self.joins.facts;
        match evidence {
            Evidence::Issued(row) => text(&facts.issued.event_id, row as usize),
            Evidence::Change(row) => text(&facts.changes.event_id, row as usize),
            Evidence::None => None,
        }
    }
}

/// Traces.
pub async fn trace(session: &Session, options: &TraceOptions) -> Result<Trace, AnalysisError> {
    // What the tree's events are is known only in the end, and the pages show them whole.
    events::foresee(session).await?;
    let mut options = options.clone();
    let mut asked = options.start.clone();
    let mut notes = Vec::new();
    if let Start::Event(id) = &asked {
        match behind(session, id).await? {
            Some(start) => options.start = start,
            None => notes.push(format!("event {id} is not in the logs read")),
        }
    }
    let operations: BTreeSet<&'static str> = births::BIRTHS
        .iter()
        .map(|birth| birth.operation)
        .chain(cleanup::removals())
        .chain([
            "UpdateAccessKey",
            "DeleteAccessKey",
            "SwitchRole",
            "AssumeRoleWithSAML",
            "CreatePermissionSet",
            "ExecuteChangeSet",
            "UpdateUser",
        ])
        .collect();
    let operations: Vec<&'static str> = operations.into_iter().collect();
    let facts = Facts::read(session, &operations, &births::SESSION_CALLS).await?;
    let nodes = Nodes::of(&facts);
    options.start = options.start.named(&nodes);
    if let Start::Role(_) = options.start {
        asked = options.start.clone();
    }
    let start = options.start.nodes(&facts, &nodes);
    let ground = Ground::read(session, (&facts, &nodes), &start, &options).await?;
    let joins = Joins::new(&facts, &nodes);
    let mut events = Events::default();
    let followed = match options.up {
        true => Followed {
            members: ascent::up(&joins, &start),
            ..Followed::default()
        },
        false => follow::follow(session, &joins, &start, (&options, &ground), &mut events).await?,
    };
    events.read(session, &nodes, &followed.members).await?;
    let mut deeds = events.deeds(&nodes, &followed.members, options.start.address())?;
    let left_out = follow::said(&followed);
    let lineage = Lineage {
        joins,
        members: followed.members,
    };
    let about = containment::about(&lineage, &facts.changes);
    add_about(&mut deeds, &about, &facts);
    deeds::sort(&mut deeds);
    let coverage = session.coverage().await?;
    if let Some(as_of) = options.as_of {
        begun_before(as_of, &coverage)?;
    }
    let last = coverage
        .last_event
        .as_deref()
        .and_then(|time| DateTime::parse_from_rfc3339(time).ok());
    let last = last.map(|time| time.timestamp_micros());
    let as_of = options
        .as_of
        .map_or(last, |time| Some(time.timestamp_micros()));
    let as_of = as_of.unwrap_or_default();
    if start.is_empty() && notes.is_empty() {
        notes.push(format!(
            "no events for {} in these logs. This does not prove that it was never used; check the coverage below",
            options.start
        ));
    }

    notes.push(as_of_note(options.as_of.is_some(), (as_of, last)));
    notes.extend(
        left_out
            .as_ref()
            .map(|row| format!("{}; {}", row.what, row.meaning)),
    );
    let (split, mut origins) = split::split(&mut deeds, &lineage, &ground, &options);
    hosts::doubt(session, &lineage, &mut deeds, &mut origins).await?;
    let findings = known::findings(&mut deeds, &events.batches, &coverage, &options)?;
    drop(events);
    let credentials = credentials::credentials(&lineage, &deeds, (&origins, &about), as_of);
    let renames = Renames::of(&facts.changes);
    let created = cleanup::created(&deeds, &facts.changes, &renames);
    let data_access = data_access::data_access(&deeds);
    let denied = denied::denied(&deeds);
    let tree: BTreeSet<usize> = lineage.members.iter().map(|member| member.node).collect();
    let searched = split.searched();
    let pivot = pivot::pivot((&facts, &nodes), &tree, &searched);
    let was_intruders = |node: usize| {
        let rows = nodes.all[node].rows.iter();
        let mut addresses =
            rows.filter_map(|row| text(&facts.uses.source_ip_address, *row as usize));
        addresses.any(|address| split.addresses.contains_key(address))
    };
    let beside = Beside::new(
        &created,
        (&facts.changes, renames),
        (&nodes, &credentials),
        was_intruders,
    );
    let keys: Vec<&str> = start.iter().filter_map(|n| nodes.all[*n].key).collect();
    let mut unseen = unseen::unseen(&coverage, &lineage, &deeds, left_out);
    unseen.extend(silence::silence(session, &deeds).await?);
    let mut trace = Trace {
        report: "trace".to_owned(),
        title: match options.up {
            true => format!("Where {asked} came from"),
            false => format!("What {asked} did"),
        },
        notes,
        summary: Summary {
            start: asked.as_str().to_owned(),
            direction: if options.up { "up" } else { "down" },
            as_of: deeds::rfc3339(as_of),
            first_suspicious_use: split.first,
            sources: split.sources,
            ..Summary::default()
        },
        rotate: data_access::rotate(&deeds, &created, &keys),
        not_followed: followed.not_followed,
        unseen,
        containment: steps::steps(&credentials, &about, &beside),
        timeline: Vec::new(),
        findings,
        credentials,
        created,
        data_access,
        denied,
        pivot,
        coverage,
    };
    answers::summarize(&mut trace, &deeds, (&about, &facts.changes));
    trace.timeline = deeds.into_iter().map(|deed| deed.event).collect();
    Ok(trace)
}

/// What counts as now, in words.
fn as_of_note(is_given: bool, (as_of, last): (i64, Option<i64>)) -> String {
    let moment = deeds::short(as_of);
    match (is_given, last) {
        (_, None) => "these logs have no events".to_owned(),
        (false, _) => format!("status as of {moment} UTC, the last logged event"),
        (true, Some(last)) => format!(
            "status as of {moment} UTC; the last logged event is at {} UTC",
            deeds::short(last)
        ),
    }
}

/// Whoever is behind an event.
async fn behind(session: &Session, id: &str) -> Result<Option<Start>, AnalysisError> {
    let params = Params::from([("event_id".to_owned(), ScalarValue::from(id))]);
    let sql = include_str!("../../../queries/trace/event.sql");
    let (_, batches) = session.sql(sql, &params).await?;
    for batch in &batches {
        for (name, start) in [
            ("access_key_id", Start::AccessKey as fn(String) -> Start),
            ("principal", Start::Principal),
            ("issued_access_key_id", Start::AccessKey),
        ] {
            let column = texts(batch, name)?;
            if let Some(found) = (0..batch.num_rows()).find_map(|row| text(&column, row)) {
                return Ok(Some(start(found.to_owned())));
            }
        }
    }
    Ok(None)
}

/// Adds what others did about the tree.
fn add_about(deeds: &mut Vec<Deed>, about: &containment::About, facts: &Facts) {
    let known: std::collections::HashSet<String> = deeds
        .iter()
        .map(|deed| deed.event.event_id.clone())
        .collect();
    let others = about
        .rows
        .iter()
        .map(|row| deeds::about(&facts.changes, *row));
    let others: Vec<Deed> = others
        .filter(|deed| !known.contains(&deed.event.event_id))
        .collect();
    deeds.extend(others);
}
