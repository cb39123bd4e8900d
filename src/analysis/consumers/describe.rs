//! From a group of uses to a consumer in words.
//!
//! In: a group, and what is known of its texts. Out: a [`Consumer`]. Promise: everything in it comes from the uses of the group;
//! lists are in order of their calls, then of their names.

use super::agent::Agent;
use super::cadence::cadence;
use super::consumer::{AddressUse, ApiUse, Consumer, DayUse, Target, Workload, counted};
use super::context::Context;
use super::evidence::{Weighed, weigh};
use super::facts::{Facts, Origin};
use super::group::{Group, Known};
use super::name::Naming;
use super::uses::{KeyUses, Texts, Use};
use crate::cloudtrail::{Family, hex};
use crate::knowledge::{AddressBook, AddressClass, vendor, vendor_named_in};
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What describing a key's consumers needs.
pub(super) struct Surroundings<'a> {
    pub(super) key: &'a str,
    pub(super) uses: &'a KeyUses,
    pub(super) texts: &'a Texts,
    pub(super) known: Known<'a>,
    pub(super) book: &'a AddressBook,
    pub(super) context: &'a Context,
    /// Kernels at each address, by program.
    pub(super) kernels: HashMap<u32, BTreeMap<String, &'static str>>,
}

/// Digits of an id: enough that two consumers of an organization do not share one.
const ID_BYTES: usize = 6;

pub(super) fn id(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    format!("{prefix}-{}", hex(&digest[..ID_BYTES]))
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

impl Surroundings<'_> {
    /// The consumer that a group is.
    pub(super) fn describe(&self, group: &Group) -> Option<Consumer> {
        let uses: Vec<&Use> = group
            .uses
            .iter()
            .map(|&index| &self.uses.uses[index])
            .collect();
        let text = |id: u32| self.texts.get(id);
        let events: u64 = uses.iter().map(|used| used.events).sum();
        let user_agents = counted(uses.iter().map(|used| (text(used.agent), used.events)));
        let agents = self.agents(&uses);
        let main = *agents.first()?;
        let (facts, addresses) = self.facts(group, &uses, &agents);
        let Weighed {
            workload,
            confidence,
            evidence,
        } = weigh(&facts);
        let api_calls = self.api_calls(&uses);
        let resources = counted(
            uses.iter()
                .filter_map(|used| Some((text(used.resource?), used.events))),
        );
        let days = days(&uses);
        let regions = counted(uses.iter().map(|used| (text(used.region), used.events)));
        let networks = self.home_regions(&uses);
        let mut suspicions: Vec<String> = agents
            .iter()
            .filter_map(|agent| agent.suspicion())
            .collect();
        suspicions.dedup();
        let sources: BTreeSet<&String> = agents
            .iter()
            .flat_map(|agent| &agent.ua.credential_sources)
            .collect();
        let name = Naming {
            workload,
            agent: main,
            home: &networks,
            regions: &regions,
            api_calls: &api_calls,
            resources: &resources,
        };
        Some(Consumer {
            access_key_id: self.key.to_owned(),
            consumer_id: id("c", &[self.key, &group.program, &group.place, &group.apart]),
            name: name.name(),
            workload,
            confidence,
            evidence,
            warnings: suspicions,
            source_ip_addresses: addresses,
            user_agents,
            api_calls,
            regions: regions.into_iter().map(|region| region.name).collect(),
            resources,
            events,
            errors: uses.iter().map(|used| used.errors).sum(),
            first_seen: time(uses.iter().map(|used| used.first).min()?),
            last_seen: time(uses.iter().map(|used| used.last).max()?),
            cadence: cadence(&days),
            days,
            move_to: target(workload, main),
            program: group.program.clone(),
            site: String::new(),
            credential_sources: sources.into_iter().cloned().collect(),
            owner_hints: self.hints(&uses, &agents),
            user_name: self.uses.user_name.clone(),
            account_id: self.uses.account_id.clone(),
        })
    }

    /// The user agents of some uses, the most used first.
    fn agents(&self, uses: &[&Use]) -> Vec<&Agent> {
        let mut events: BTreeMap<u32, u64> = BTreeMap::new();
        for used in uses {
            *events.entry(used.agent).or_default() += used.events;
        }
        let mut ranked: Vec<(u32, u64)> = events.into_iter().collect();
        ranked.sort_by_key(|&(agent, events)| (Reverse(events), self.texts.get(agent)));
        let agents = ranked.into_iter();
        agents
            .filter_map(|(agent, _)| self.known.agents.get(&agent))
            .collect()
    }

    fn class(&self, used: &Use) -> &AddressClass {
        let found = self.known.classes.get(&(used.address, used.vpc_endpoint));
        found.unwrap_or(&AddressClass::Unknown)
    }

    fn facts<'a>(
        &'a self,
        group: &Group,
        uses: &[&Use],
        agents: &[&'a Agent],
    ) -> (Facts<'a>, Vec<AddressUse>) {
        let mut facts = Facts {
            agents: agents.to_vec(),
            rotating: group.rotating,
            user_name: self.uses.user_name.as_deref(),
            ..Facts::default()
        };
        let mut addresses: BTreeMap<u32, AddressUse> = BTreeMap::new();
        let mut operations = BTreeSet::new();
        for used in uses {
            let class = self.class(used);
            facts.events += used.events;
            *facts.origins.entry(origin(class)).or_default() += used.events;
            if let AddressClass::Own(name) | AddressClass::Ours(name) = class {
                facts.named_network.get_or_insert_with(|| name.clone());
            }
            let others = self.kernels.get(&used.address).into_iter().flatten();
            let others = others.filter(|(program, _)| **program != group.program);
            facts.neighbours.extend(others.map(|(_, kernel)| *kernel));
            operations.insert((used.event_source, used.operation));
            let address = addresses
                .entry(used.address)
                .or_insert_with(|| self.address(used, class));
            address.events += used.events;
            address.first_seen = address.first_seen.min(time(used.first));
            address.last_seen = address.last_seen.max(time(used.last));
        }
        let mut addresses: Vec<AddressUse> = addresses.into_values().collect();
        addresses.sort_by(|a, b| {
            let order = b.events.cmp(&a.events);
            order.then_with(|| a.source_ip_address.cmp(&b.source_ip_address))
        });
        facts.addresses = addresses.len();
        facts.operations = operations.len();
        let sessions: BTreeSet<&str> = agents
            .iter()
            .filter_map(|agent| agent.ua.cli_session.as_deref())
            .collect();
        facts.sessions = sessions.len();
        let account = self.uses.account_id.as_deref().and_then(vendor);
        let named = agents
            .iter()
            .find_map(|agent| vendor_named_in(agent.ua.tool.as_deref()?));
        facts.vendor = account
            .filter(|vendor| !vendor.aws)
            .or(named)
            .map(|vendor| vendor.name.to_owned());
        (facts, addresses)
    }

    fn address(&self, used: &Use, class: &AddressClass) -> AddressUse {
        let address = self.texts.get(used.address);
        AddressUse {
            source_ip_address: address.to_owned(),
            network: self.book.describe(address, class),
            events: 0,
            first_seen: time(used.first),
            last_seen: time(used.last),
        }
    }

    fn api_calls(&self, uses: &[&Use]) -> Vec<ApiUse> {
        let mut calls: BTreeMap<(&str, &str), ApiUse> = BTreeMap::new();
        for used in uses {
            let (source, operation) = (
                self.texts.get(used.event_source),
                self.texts.get(used.operation),
            );
            let call = calls.entry((source, operation)).or_insert_with(|| ApiUse {
                event_source: source.to_owned(),
                operation: operation.to_owned(),
                events: 0,
                errors: 0,
                read_only: used.read_only,
            });
            call.events += used.events;
            call.errors += used.errors;
        }
        let mut calls: Vec<ApiUse> = calls.into_values().collect();
        calls.sort_by_key(|call| Reverse(call.events));
        calls
    }

    /// The regions of AWS that the addresses are in.
    fn home_regions(&self, uses: &[&Use]) -> BTreeSet<String> {
        let regions = uses.iter().filter_map(|used| match self.class(used) {
            AddressClass::Aws { region, .. } => Some(region.clone()),
            _ => None,
        });
        regions.collect()
    }

    fn hints(&self, uses: &[&Use], agents: &[&Agent]) -> Vec<String> {
        let mut hints = self.context.hints(self.key, self.uses.user_name.as_deref());
        hints.extend(
            self.uses
                .user_name
                .iter()
                .map(|name| format!("user {name}")),
        );
        let path = self
            .uses
            .user_arn
            .as_deref()
            .and_then(|arn| arn.split_once(":user/"));
        let path = path.and_then(|(_, name)| name.rsplit_once('/'));
        hints.extend(path.map(|(path, _)| format!("path /{path}/")));
        let sessions = uses.iter().filter_map(|used| used.session);
        hints.extend(sessions.map(|session| format!("session {}", self.texts.get(session))));
        let apps = agents.iter().filter_map(|agent| agent.ua.app_id.as_deref());
        hints.extend(apps.map(|app| format!("application {app}")));
        hints.into_iter().collect()
    }
}

fn origin(class: &AddressClass) -> Origin {
    match class {
        AddressClass::Own(_) => Origin::OwnNetwork,
        AddressClass::Ours(_) => Origin::Ours,
        AddressClass::VpcEndpoint | AddressClass::Private => Origin::Vpc,
        AddressClass::Aws { service, .. } => match service.as_str() {
            "CODEBUILD" => Origin::AwsCodeBuild,
            "CLOUD9" => Origin::AwsCloudShell,
            _ => Origin::Aws,
        },
        AddressClass::GitHub => Origin::GitHub,
        AddressClass::Cloud(provider) if provider == "microsoft" => Origin::Microsoft,
        AddressClass::Cloud(_) => Origin::OtherCloud,
        AddressClass::Public => Origin::Public,
        _ => Origin::Other,
    }
}

fn days(uses: &[&Use]) -> BTreeMap<NaiveDate, DayUse> {
    let mut days: BTreeMap<NaiveDate, DayUse> = BTreeMap::new();
    for used in uses {
        let date = NaiveDate::from_epoch_days(used.day).unwrap_or_default();
        let day = days.entry(date).or_insert_with(|| DayUse {
            events: 0,
            errors: 0,
            hours: 0,
            first_seen: time(used.first),
            last_seen: time(used.last),
        });
        day.events += used.events;
        day.errors += used.errors;
        day.hours |= used.hours;
        day.first_seen = day.first_seen.min(time(used.first));
        day.last_seen = day.last_seen.max(time(used.last));
    }
    days
}

fn target(workload: Workload, agent: &Agent) -> Target {
    match workload {
        Workload::Ec2 => Target::InstanceProfile,
        Workload::Lambda => Target::ExecutionRole,
        Workload::Ecs => Target::TaskRole,
        Workload::Eks => Target::PodIdentity,
        Workload::CodeBuild => Target::ServiceRole,
        Workload::GitHubActions => Target::GitHubOidc,
        Workload::Ci => Target::Oidc,
        Workload::OnPremises => Target::RolesAnywhere,
        Workload::OtherCloud => Target::OidcOrRolesAnywhere,
        Workload::Person if agent.ua.family == Family::S3Tool => Target::IdentityCenterOrException,
        Workload::Person | Workload::CloudShell => Target::IdentityCenter,
        Workload::ThirdParty => Target::CrossAccountRole,
        Workload::Unknown => Target::Investigate,
    }
}
