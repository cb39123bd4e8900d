//! Machines that the intruder may have come into.
//!
//! In: the tree, and who is behind what it did. Out: the same, with what is new on a machine that was there before, since the intruder's command or
//! shell on it, called suspicious, and what came of it. Promise: what the machine did before stays what it was.

use super::super::Lineage;
use super::super::graph::deeds::Deed;
use super::super::graph::facts::list;
use super::super::graph::joins::Evidence;
use super::super::graph::tree::time_of;
use crate::analysis::AnalysisError;
use crate::analysis::attribution::doors::Way;
use crate::analysis::consumers::Agent;
use crate::analysis::rows::{Micros, read};
use crate::report::trace::Origin;
use crate::session::{Params, Session};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

const HABITS: &str = include_str!("../../../../queries/trace/habits.sql");

/// What sessions of one machine did until a moment.
#[derive(Debug)]
struct Habits {
    until: i64,
    addresses: HashSet<String>,
    programs: HashSet<String>,
    calls: HashSet<String>,
}

#[derive(Deserialize)]
struct Row {
    principal: String,
    source_ip_address: Option<String>,
    user_agent: Option<String>,
    event_source: Option<String>,
    operation: Option<String>,
    first_seen: Micros,
}

/// Where the intruder ran commands or had a shell, by the principal of the machine's sessions: from when on.
fn entered<'l>(lineage: &'l Lineage<'_>, deeds: &[Deed]) -> BTreeMap<&'l str, i64> {
    let strange = |deed: &&Deed| deed.event.origin <= Origin::Suspicious;
    let strange = deeds.iter().filter(strange);
    let strange: HashSet<&str> = strange.map(|deed| deed.event.event_id.as_str()).collect();
    let mut entered = BTreeMap::new();
    for member in &lineage.members {
        let evidence = member.link.evidence;
        let Evidence::Change(row) = evidence else {
            continue;
        };
        let door = lineage.joins.entries.door(row);
        let is_by_them = |id: &str| strange.contains(id);
        let (Some(principal), Some(time), true, true) = (
            lineage.joins.nodes.all[member.node].principal,
            time_of(&lineage.joins, evidence),
            door.is_some_and(|door| door.way == Way::Host),
            lineage.event_of(evidence).is_some_and(is_by_them),
        ) else {
            continue;
        };
        let first = entered.entry(principal).or_insert(time);
        *first = time.min(*first);
    }
    entered
}

async fn habits(
    session: &Session,
    lineage: &Lineage<'_>,
    entered: &BTreeMap<&str, i64>,
) -> Result<BTreeMap<String, Habits>, AnalysisError> {
    let nodes = lineage.joins.nodes;
    let sessions = entered.keys().flat_map(|who| nodes.by_principal.get(who));
    let keys: BTreeSet<&str> = sessions.filter_map(|n| nodes.all[n].key).collect();
    let params = Params::from([("access_key_ids".to_owned(), list(keys))]);
    let rows: Vec<Row> = read(&session.sql(HABITS, &params).await?.1)?;
    let none = |(who, until): (&&str, &i64)| {
        let habits = Habits {
            until: *until,
            addresses: HashSet::new(),
            programs: HashSet::new(),
            calls: HashSet::new(),
        };
        ((*who).to_owned(), habits)
    };
    let mut found: BTreeMap<String, Habits> = entered.iter().map(none).collect();
    for row in rows {
        let of = found.get_mut(&row.principal);
        let Some(habits) = of.filter(|of| row.first_seen.0.timestamp_micros() < of.until) else {
            continue;
        };
        let agent = row.user_agent.unwrap_or_default();
        let source = row.event_source.unwrap_or_default();
        let operation = row.operation.unwrap_or_default();
        habits.addresses.extend(row.source_ip_address);
        habits.programs.insert(Agent::new(&agent).program);
        habits.calls.insert(called(&source, &operation));
    }
    Ok(found)
}

fn called(source: &str, operation: &str) -> String {
    let service = source.strip_suffix(".amazonaws.com").unwrap_or(source);
    format!("{service}:{operation}")
}

impl Habits {
    /// Whether a call, its address or its program was never seen before.
    fn is_new(&self, deed: &Deed) -> bool {
        let event = &deed.event;
        let address = event.source_ip_address.as_deref().unwrap_or_default();
        let agent = event.user_agent.as_deref().unwrap_or_default();
        let is_direct = event.via_service.is_none() && address.parse::<IpAddr>().is_ok();
        is_direct
            && deed.time >= self.until
            && (!self.addresses.contains(address)
                || !self.programs.contains(&Agent::new(agent).program)
                || !self
                    .calls
                    .contains(&called(deed.service(), &deed.operation)))
    }
}

/// Doubts what is new on such machines.
pub(in crate::analysis::trace) async fn doubt(
    session: &Session,
    lineage: &Lineage<'_>,
    deeds: &mut [Deed],
    origins: &mut [Origin],
) -> Result<(), AnalysisError> {
    let entered = entered(lineage, deeds);
    if entered.is_empty() {
        return Ok(());
    }
    let habits = habits(session, lineage, &entered).await?;
    let mut of_member: Vec<Vec<usize>> = vec![Vec::new(); lineage.members.len()];
    for (at, deed) in deeds.iter().enumerate() {
        if let Some(member) = deed.member {
            of_member[member].push(at);
        }
    }
    let mut doubted: HashSet<String> = HashSet::new();
    for (at, member) in lineage.members.iter().enumerate() {
        let principal = lineage.joins.nodes.all[member.node].principal;
        let habits = principal.and_then(|who| habits.get(who));
        let birth = lineage.event_of(member.link.evidence);
        let comes_of_it = birth.is_some_and(|id| doubted.contains(id));
        if habits.is_none() && !comes_of_it {
            continue;
        }
        let mut is_doubted = comes_of_it;
        for &deed in &of_member[at] {
            let deed = &mut deeds[deed];
            let is_new = comes_of_it || habits.is_some_and(|habits| habits.is_new(deed));
            if is_new && deed.event.origin == Origin::Unknown {
                deed.event.origin = Origin::Suspicious;
                doubted.insert(deed.event.event_id.clone());
                is_doubted = true;
            }
        }
        if is_doubted && origins[at] == Origin::Unknown {
            origins[at] = Origin::Suspicious;
        }
    }
    Ok(())
}
