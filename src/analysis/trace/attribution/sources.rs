//! Where and with what the start was used, and who is behind it.
//!
//! In: the deeds of the start, and what is known of its owner. Out: verdicts on each address and program. Promise: judged by the
//! same judge as every other answer.

use super::super::TraceOptions;
use super::super::graph::deeds::Deed;
use super::super::graph::facts::{Facts, SECOND, number, text};
use super::super::graph::nodes::{Node, Nodes};
use super::super::graph::start::Start;
use crate::analysis::AnalysisError;
use crate::analysis::attribution::{Known, SignIn, Sources, Use, colleagues, judge, sign_ins};
use crate::analysis::findings::ListName;
use crate::knowledge::Networks;
use crate::session::Session;
use std::collections::{BTreeMap, BTreeSet};

/// A session of the same role that began so long before is not the intruder's of today.
const EARLIER: i64 = 86_400 * SECOND;

/// What is known of the start's owner, besides the start's own use.
#[derive(Debug)]
pub(in crate::analysis::trace) struct Ground {
    networks: Networks,
    sign_ins: Vec<SignIn>,
    colleagues: Vec<SignIn>,
    usual_addresses: BTreeSet<String>,
    /// What AWS gave the start to.
    workload: Option<String>,
    made: Option<i64>,
    is_session: bool,
    is_break_glass: bool,
}

impl Ground {
    /// Reads it.
    pub(in crate::analysis::trace) async fn read(
        session: &Session,
        (facts, nodes): (&Facts, &Nodes<'_>),
        start: &[usize],
        options: &TraceOptions,
    ) -> Result<Self, AnalysisError> {
        let starts = || start.iter().map(|n| &nodes.all[*n]);
        let users: BTreeSet<(String, String)> = starts()
            .filter_map(|node| Some((node.account?.to_owned(), node.user_name?.to_owned())))
            .collect();
        let mut known = match users.is_empty() {
            true => Default::default(),
            false => sign_ins(session).await?,
        };
        let colleagues = users
            .iter()
            .flat_map(|user| {
                let all = known.iter();
                colleagues(
                    all.flat_map(|(of, all)| all.iter().map(move |one| (of, one))),
                    user,
                )
            })
            .collect();
        let sign_ins = users
            .iter()
            .flat_map(|user| known.remove(user).unwrap_or_default());
        let sign_ins = sign_ins.collect();
        let names = || {
            starts().flat_map(|node| {
                node.user_name
                    .into_iter()
                    .chain(node.principal)
                    .chain(node.role_arn)
            })
        };
        Ok(Self {
            networks: Networks::built_in()?,
            sign_ins,
            colleagues,
            usual_addresses: usual_addresses(facts, nodes, start),
            workload: starts().find_map(|node| workload(facts, node)),
            made: starts().find_map(|node| made(facts, node.key?)),
            is_session: start.len() == 1
                && starts().all(|node| !node.is_long_term() && node.key.is_some()),
            is_break_glass: names().any(|name| options.lists.has(ListName::KnownPrincipals, name)),
        })
    }

    /// Judges the start's own deeds.
    pub(in crate::analysis::trace) fn judge(
        &self,
        deeds: &[Deed],
        options: &TraceOptions,
    ) -> Sources {
        let known = Known {
            networks: &options.known_networks,
            incident_start: options.incident_start.map(|time| time.timestamp_micros()),
            address: match &options.start {
                Start::SourceIp(address) => Some(address),
                _ => None,
            },
            usual_addresses: self.usual_addresses.clone(),
            sign_ins: self.sign_ins.clone(),
            colleagues: self.colleagues.clone(),
            made: self.made,
            book: options.addresses.as_deref(),
            is_session: self.is_session,
            is_break_glass: self.is_break_glass,
        };
        judge(&self.uses(deeds), &known, &self.networks)
    }

    /// Direct uses of the start. What AWS services did on its behalf comes from AWS's own addresses.
    fn uses(&self, deeds: &[Deed]) -> Vec<Use> {
        let mut uses: BTreeMap<UseKey<'_>, Use> = BTreeMap::new();
        for deed in deeds.iter().filter(|deed| deed.depth == 0) {
            let event = &deed.event;
            let Some(address) = event.source_ip_address.as_deref() else {
                continue;
            };
            if event.via_service.is_some() {
                continue;
            }
            let agent = event.user_agent.as_deref().unwrap_or_default();
            let region = event.aws_region.as_deref().unwrap_or_default();
            let error = event.error_code.as_deref();
            let (about_itself, is_quarantine) =
                match deed.service() == "iam" && event.read_only != Some(true) {
                    true => (deed.is_about_itself(), deed.is_quarantine()),
                    false => (false, false),
                };
            let call = (deed.service(), deed.operation.as_str());
            let place = (
                address,
                agent,
                call,
                (region, error),
                (about_itself, is_quarantine),
            );
            let one = uses.entry(place).or_insert_with(|| Use {
                address: address.to_owned(),
                agent: agent.to_owned(),
                service: call.0.to_owned(),
                operation: call.1.to_owned(),
                region: region.to_owned(),
                error_code: error.map(str::to_owned),
                about_itself,
                is_quarantine,
                workload: self.workload.clone(),
                event_id: event.event_id.clone(),
                events: 0,
                first: deed.time,
                last: deed.time,
            });
            one.events += 1;
            one.first = one.first.min(deed.time);
            one.last = one.last.max(deed.time);
        }
        uses.into_values().collect()
    }
}

/// Address, user agent, call, region and error, kind of change.
type UseKey<'a> = (
    &'a str,
    &'a str,
    (&'a str, &'a str),
    (&'a str, Option<&'a str>),
    (bool, bool),
);

/// What AWS gave a session to. An instance's says so itself, a function's, too; of others the call that opened them does.
fn workload(facts: &Facts, node: &Node<'_>) -> Option<String> {
    if let Some(function) = node.issued_to {
        return Some(function.to_owned());
    }
    if let Some(instance) = node.session_name().filter(|name| name.starts_with("i-")) {
        return Some(format!("instance {instance}"));
    }
    let issued = &facts.issued;
    let key = node.key.filter(|key| key.starts_with("ASIA"))?;
    let mut births =
        (0..issued.len()).filter(|row| text(&issued.issued_access_key_id, *row) == Some(key));
    let service = births.find_map(|row| text(&issued.user_identity_invoked_by, row))?;
    WORKLOADS.contains(&service).then(|| service.to_owned())
}

/// When a key was made, if the log shows it.
fn made(facts: &Facts, key: &str) -> Option<i64> {
    let issued = &facts.issued;
    let rows = 0..issued.len();
    let of_key = rows.filter(|row| text(&issued.issued_access_key_id, *row) == Some(key));
    of_key
        .filter_map(|row| number(&issued.event_time, row))
        .min()
}

/// Services that hand sessions to programs that run in AWS.
const WORKLOADS: [&str; 9] = [
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "codebuild.amazonaws.com",
    "glue.amazonaws.com",
    "sagemaker.amazonaws.com",
    "tasks.apprunner.amazonaws.com",
];

/// Addresses that earlier sessions of the start's roles were used from.
fn usual_addresses(facts: &Facts, nodes: &Nodes<'_>, start: &[usize]) -> BTreeSet<String> {
    let uses = &facts.uses;
    let mut found = BTreeSet::new();
    for node in start.iter().map(|n| &nodes.all[*n]) {
        let (Some(role), Some(begins)) = (node.role_name(), node.begins()) else {
            continue;
        };
        let others = nodes.by_role.get(role).map(|n| &nodes.all[n]);
        for other in others.filter(|other| other.account == node.account) {
            if other.begins().is_none_or(|other| other > begins - EARLIER) {
                continue;
            }
            let rows = other.rows.iter().map(|row| *row as usize);
            let direct = rows.filter(|row| text(&uses.via_service, *row).is_none());
            let there = direct.filter(|row| {
                number(&uses.first_seen, *row).is_some_and(|first| first <= begins - EARLIER)
            });
            found.extend(
                there
                    .filter_map(|row| text(&uses.source_ip_address, row))
                    .map(str::to_owned),
            );
        }
    }
    found
}
