//! Where and with what a credential was used.
//!
//! In: uses. Out: one [`Source`] for each address and program, by first use. Promise: two programs at one address stay two; the same
//! uses give the same sources, in whatever order they come.

use super::calls::{CallKind, kind};
use super::place::Place;
use super::sign::Sign;
use super::used::Use;
use crate::analysis::consumers::Agent;
use crate::cloudtrail::Family;
use crate::knowledge::{Coordinates, Networks};
use crate::report::trace::Origin;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// What came from one address by one program.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis) struct Source {
    pub(in crate::analysis) address: String,
    /// The same for every version of the program.
    pub(in crate::analysis) program: String,
    /// The program as people call it.
    pub(in crate::analysis) title: String,
    pub(in crate::analysis) first: i64,
    pub(in crate::analysis) last: i64,
    pub(in crate::analysis) events: u64,
    pub(in crate::analysis) agents: BTreeSet<String>,
    /// Who is behind it.
    pub(in crate::analysis) origin: Origin,
    /// What speaks for an intruder, and against.
    pub(in crate::analysis) signs: Vec<Sign>,
    pub(super) place: Option<Place>,
    pub(super) coordinates: Option<Coordinates>,
    /// What says that it is made for attacks.
    pub(super) tool: Option<String>,
    /// Whether it is a library that speaks HTTP and knows nothing of AWS.
    pub(super) plain: bool,
    /// Whether it is a program with windows, or runs on a machine that somebody sits at.
    pub(super) desktop: bool,
    /// Whether it deploys infrastructure as code.
    pub(super) deploys: bool,
    /// What AWS gave the credential to.
    pub(super) workload: Option<String>,
    pub(super) uses: Vec<Use>,
    /// Whether it is of a scanner's visit; set by the judge.
    pub(super) scans: bool,
    /// Whether the network or the program was new when it came; set by the judge.
    pub(super) is_new: bool,
    /// Whether the program was; set by the judge.
    pub(super) has_new_program: bool,
    /// Whether it is an intruder's because of where the intruder used another key before.
    pub(in crate::analysis) is_tied: bool,
    /// Whether it is of sessions that the credential opened, not of its own use.
    pub(in crate::analysis) is_by_session: bool,
}

impl Source {
    /// The reasons in words, the heaviest first.
    pub(in crate::analysis) fn why(&self) -> Vec<String> {
        self.signs.iter().map(Sign::words).collect()
    }

    /// Whether it is made for attacks.
    pub(in crate::analysis) fn is_attack_tool(&self) -> bool {
        self.tool.is_some()
    }

    /// The first use.
    pub(in crate::analysis) fn first_use(&self) -> Option<&Use> {
        self.uses.first()
    }

    /// From when on something speaks for an intruder: the same address and program may have been the owner's before.
    pub(in crate::analysis) fn strange_since(&self) -> i64 {
        let signs = self.signs.iter().filter(|sign| sign.weight > 0);
        let since = signs.map(|sign| sign.since.unwrap_or(self.first)).min();
        since.unwrap_or(self.first)
    }

    /// The first use that is strange.
    pub(in crate::analysis) fn first_strange_use(&self) -> Option<&Use> {
        let since = self.strange_since();
        let mut strange = self.uses.iter().filter(|one| one.first >= since);
        strange.next().or(self.first_use())
    }

    /// Different calls.
    pub(super) fn calls(&self) -> impl Iterator<Item = String> + '_ {
        self.uses.iter().map(Use::call)
    }

    /// Uses of a kind.
    pub(super) fn of_kind(&self, wanted: CallKind) -> impl Iterator<Item = &Use> {
        let uses = self.uses.iter();
        uses.filter(move |one| kind(&one.service, &one.operation) == Some(wanted))
    }
}

/// All sources of a credential.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Sources {
    /// By first use.
    pub(in crate::analysis) all: Vec<Source>,
    /// By address and user agent.
    by: HashMap<String, HashMap<String, usize>>,
}

impl Sources {
    pub(super) fn new(all: Vec<Source>) -> Self {
        let mut by: HashMap<String, HashMap<String, usize>> = HashMap::new();
        for (at, source) in all.iter().enumerate() {
            let agents = by.entry(source.address.clone()).or_default();
            agents.extend(source.agents.iter().map(|agent| (agent.clone(), at)));
        }
        Self { all, by }
    }

    /// The one that a use is of.
    pub(in crate::analysis) fn get(&self, address: &str, agent: &str) -> Option<&Source> {
        self.by.get(address)?.get(agent).map(|at| &self.all[*at])
    }

    /// Whether somebody else than an intruder is there, too.
    pub(in crate::analysis) fn is_shared(&self, address: &str) -> bool {
        let here = self.by.get(address).into_iter().flat_map(HashMap::values);
        here.into_iter()
            .any(|at| self.all[*at].origin == Origin::Owner)
    }

    /// Addresses that the intruder alone used, with the first use from each.
    pub(in crate::analysis) fn addresses(&self) -> BTreeMap<String, i64> {
        let mut addresses: BTreeMap<String, i64> = BTreeMap::new();
        let intruders = self
            .all
            .iter()
            .filter(|source| source.origin == Origin::Intruder && !self.is_shared(&source.address));
        for source in intruders {
            let first = addresses
                .entry(source.address.clone())
                .or_insert(source.first);
            *first = source.first.min(*first);
        }
        addresses
    }
}

/// Collects the uses that came from an address. What AWS services did on somebody's behalf has none.
pub(super) fn collected(uses: &[Use], networks: &Networks) -> Vec<Source> {
    let mut programs: HashMap<&str, Agent> = HashMap::new();
    let mut sources: BTreeMap<(&str, String), Source> = BTreeMap::new();
    for one in uses {
        if one.address.parse::<IpAddr>().is_err() {
            continue;
        }
        let agent = programs
            .entry(&one.agent)
            .or_insert_with(|| Agent::new(&one.agent));
        let source = sources
            .entry((&one.address, agent.program.clone()))
            .or_insert_with(|| Source {
                address: one.address.clone(),
                program: agent.program.clone(),
                title: agent.title(),
                first: one.first,
                place: Place::of(networks, &one.address),
                ..Source::default()
            });
        source.first = source.first.min(one.first);
        source.last = source.last.max(one.last);
        source.events += one.events;
        source.agents.insert(one.agent.clone());
        source.plain |= agent.ua.family == Family::HttpLibrary;
        source.desktop |= agent.desktop.is_some() && agent.ua.family != Family::Browser;
        source.deploys |= agent.ua.family == Family::Iac;
        source.tool = source.tool.take().or_else(|| agent.suspicion());
        source.workload = source.workload.take().or_else(|| one.workload.clone());
        source.uses.push(one.clone());
    }
    let mut sources: Vec<Source> = sources.into_values().collect();
    for source in &mut sources {
        source
            .uses
            .sort_by(|a, b| (a.first, &a.operation).cmp(&(b.first, &b.operation)));
    }
    sources
        .sort_by(|a, b| (a.first, &a.address, &a.program).cmp(&(b.first, &b.address, &b.program)));
    sources
}
