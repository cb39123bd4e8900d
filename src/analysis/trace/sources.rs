//! Where and with what the start was used, and who is behind it.
//!
//! In: the deeds of the start, networks that are known to be good, and the time from which on the incident runs, as far as given. Out: one
//! [`Source`] for each address and program, with a verdict and its reasons. Promise: behind one address there may be two; a program
//! whose addresses change within its provider's network stays the same; where nothing tells, that is said instead of guessed.

use super::TraceOptions;
use super::deeds::Deed;
use super::facts::SECOND;
use super::start::Start;
use crate::analysis::AnalysisError;
use crate::analysis::consumers::Agent;
use crate::cloudtrail::Family;
use crate::knowledge::Networks;
use crate::report::trace::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Services whose calls tell who one is and what one may do; programs with one task do not ask.
const RECONNAISSANCE: [&str; 8] = [
    "iam",
    "sts",
    "organizations",
    "secretsmanager",
    "guardduty",
    "cloudtrail",
    "ses",
    "account",
];

/// A key must have been in use for so long before a use counts as new.
const BASELINE: i64 = 86_400 * SECOND;

/// Reasons that are needed for a verdict; the name of an attack tool is one on its own.
const ENOUGH: u32 = 3;

/// A program may ask once who it is. So many different questions are a reason, and so many two.
const ASKS: (usize, usize) = (2, 5);

/// What came from one address by one program.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    pub(super) address: String,
    /// The same for every version of the program.
    pub(super) program: String,
    /// The program as people call it.
    pub(super) title: String,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) events: u64,
    pub(super) agents: BTreeSet<String>,
    calls: BTreeSet<String>,
    denied: u64,
    /// What says that it is made for attacks.
    tool: Option<String>,
    /// Whether it is a library that speaks HTTP and knows nothing of AWS.
    plain: bool,
    /// The provider's network that the address is in.
    network: Option<String>,
    pub(super) origin: Origin,
    pub(super) why: Vec<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// By first use.
    pub(super) all: Vec<Source>,
    /// By address and user agent.
    by: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Sources {
    /// Of the start's deeds, judged.
    pub(super) fn of(deeds: &[Deed], options: &TraceOptions) -> Result<Self, AnalysisError> {
        let mut all = collected(deeds);
        let addresses: BTreeSet<&str> = all.iter().map(|source| source.address.as_str()).collect();
        if addresses.len() > 1 {
            let networks = Networks::built_in()?;
            for source in &mut all {
                source.network = network(&networks, &source.address);
            }
        }
        judge(&mut all, options);
        let mut by: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (at, source) in all.iter().enumerate() {
            let agents = by.entry(source.address.clone()).or_default();
            agents.extend(source.agents.iter().map(|agent| (agent.clone(), at)));
        }
        Ok(Self { all, by })
    }

    /// The one that a use is of.
    pub(super) fn get(&self, address: &str, agent: &str) -> Option<&Source> {
        self.by.get(address)?.get(agent).map(|at| &self.all[*at])
    }

    /// Whether somebody else than the intruder is there, too.
    pub(super) fn is_shared(&self, address: &str) -> bool {
        let here = self.by.get(address).into_iter().flat_map(BTreeMap::values);
        here.into_iter()
            .any(|at| self.all[*at].origin == Origin::Consumer)
    }
}

/// Direct uses of the start. What AWS services did on its behalf comes from AWS's own addresses.
fn collected(deeds: &[Deed]) -> Vec<Source> {
    let mut programs: BTreeMap<&str, Agent> = BTreeMap::new();
    let mut sources: BTreeMap<(String, String), Source> = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| deed.depth == 0) {
        let event = &deed.event;
        let Some(address) = event.source_ip_address.as_deref() else {
            continue;
        };
        if event.via_service.is_some() || address.parse::<IpAddr>().is_err() {
            continue;
        }
        let text = event.user_agent.as_deref().unwrap_or_default();
        let agent = programs.entry(text).or_insert_with(|| Agent::new(text));
        let place = (address.to_owned(), agent.program.clone());
        let source = sources.entry(place).or_insert_with(|| Source {
            address: address.to_owned(),
            program: agent.program.clone(),
            title: agent.title(),
            first: deed.time,
            ..Source::default()
        });
        source.last = deed.time;
        source.events += 1;
        source.agents.insert(text.to_owned());
        source.calls.insert(deed.name());
        source.denied += u64::from(is_denied(event.error_code.as_deref()));
        source.plain |= agent.ua.family == Family::HttpLibrary;
        source.tool = source.tool.take().or_else(|| agent.suspicion());
    }
    let mut sources: Vec<Source> = sources.into_values().collect();
    sources
        .sort_by(|a, b| (a.first, &a.address, &a.program).cmp(&(b.first, &b.address, &b.program)));
    sources
}

/// The network of a provider, as far as it is told apart; AWS's by region.
fn network(networks: &Networks, address: &str) -> Option<String> {
    let found = networks.lookup(address.parse().ok()?)?;
    Some(match &found.region {
        Some(region) => format!("{} {region}", found.provider),
        None => found.provider.clone(),
    })
}

/// Whether an error is a lack of rights.
pub(super) fn is_denied(code: Option<&str>) -> bool {
    code.is_some_and(|code| {
        [
            "AccessDenied",
            "Unauthorized",
            "NotAuthorized",
            "Forbidden",
            "Denied",
        ]
        .iter()
        .any(|word| code.contains(word))
    })
}

/// What the owner's programs are known to do so far.
#[derive(Debug, Default)]
struct Usual {
    addresses: BTreeSet<String>,
    programs: BTreeSet<String>,
    /// Programs in networks of providers.
    places: BTreeSet<(String, String)>,
    calls: BTreeSet<String>,
}

impl Usual {
    fn learn(&mut self, source: &Source) {
        self.addresses.insert(source.address.clone());
        self.programs.insert(source.program.clone());
        self.places.extend(place(source));
        self.calls.extend(source.calls.iter().cloned());
    }
}

fn place(source: &Source) -> Option<(String, String)> {
    Some((source.program.clone(), source.network.clone()?))
}

/// Judges them, in order of first use.
fn judge(sources: &mut [Source], options: &TraceOptions) {
    let began = sources.first().map_or(0, |source| source.first);
    let mut usual = Usual::default();
    for source in sources.iter_mut() {
        let verdict = given(source, options).unwrap_or_else(|| judged(source, began, &usual));
        (source.origin, source.why) = verdict;
        if source.origin != Origin::Intruder {
            usual.learn(source);
        }
    }
    let first = |sources: &[Source]| {
        let intruder = sources
            .iter()
            .filter(|source| source.origin == Origin::Intruder);
        intruder.map(|source| source.first).min()
    };
    // Without an intruder among them there is nothing that the others were told from.
    let Some(begin) = first(sources) else {
        return;
    };
    let there: BTreeMap<String, i64> = sources
        .iter()
        .rev()
        .filter(|source| source.origin == Origin::Intruder)
        .map(|source| (source.address.clone(), source.first))
        .collect();
    let before = |address: &str, sources: &[Source]| {
        sources.iter().any(|source| {
            source.address == address && source.origin == Origin::Unknown && source.first < begin
        })
    };
    let mut owners = Usual::default();
    let earlier = sources.iter().filter(|source| {
        source.origin == Origin::Consumer
            || (source.origin == Origin::Unknown && source.first < begin)
    });
    earlier.for_each(|source| owners.learn(source));
    for at in 0..sources.len() {
        let source = &sources[at];
        if source.origin != Origin::Unknown {
            continue;
        }
        let (origin, why) = if source.first < begin {
            (Origin::Consumer, None)
        } else if there.contains_key(&source.address) && !before(&source.address, sources) {
            (
                Origin::Intruder,
                Some("from an address that only the intruder uses"),
            )
        } else if owners.programs.contains(&source.program)
            && owners.addresses.contains(&source.address)
        {
            (
                Origin::Consumer,
                Some("the owner's program, from one of the owner's addresses"),
            )
        } else if place(source).is_some_and(|place| owners.places.contains(&place)) {
            (
                Origin::Consumer,
                Some("the owner's program, from the same provider's network as before"),
            )
        } else {
            (Origin::Unknown, Some("first seen after the intruder"))
        };
        let source = &mut sources[at];
        source.origin = origin;
        source.why.extend(why.map(str::to_owned));
    }
}

/// The verdict that the options give.
fn given(source: &Source, options: &TraceOptions) -> Option<(Origin, Vec<String>)> {
    let why = |text: &str| vec![text.to_owned()];
    if let Start::SourceIp(start) = &options.start {
        return Some(match *start == source.address {
            true => (Origin::Intruder, why("the address that was asked for")),
            false => (
                Origin::Unknown,
                why("another address of the same credential"),
            ),
        });
    }
    let networks = &options.known_networks;
    let ip: IpAddr = source.address.parse().ok()?;
    if networks.iter().any(|network| network.contains(&ip)) {
        return Some((Origin::Consumer, why("in a known network")));
    }
    if !networks.is_empty() {
        return Some((Origin::Intruder, why("outside the known networks")));
    }
    let start = options.incident_start?.timestamp_micros();
    Some(match source.first >= start {
        true => (Origin::Intruder, why("first seen after the incident began")),
        false => (Origin::Consumer, why("seen before the incident began")),
    })
}

/// The verdict that the use itself suggests.
fn judged(source: &Source, began: i64, usual: &Usual) -> (Origin, Vec<String>) {
    let mut why = Vec::new();
    let mut weight = 0;
    if let Some(tool) = &source.tool {
        why.push(tool.clone());
        weight += ENOUGH;
    }
    if source.plain {
        why.push("no program of AWS's, but one that writes its requests itself".to_owned());
        weight += 1;
    }
    let after = source.first - began;
    if after < BASELINE {
        if weight < ENOUGH {
            why.push("in use since the key's first day in these logs".to_owned());
        }
    } else {
        if !usual.addresses.contains(&source.address) {
            match (&source.network, place(source)) {
                (Some(network), Some(place)) if usual.places.contains(&place) => {
                    why.push(format!(
                        "the same program as before, in the network of {network} as before"
                    ));
                }
                _ => {
                    why.push(match after / BASELINE {
                        1 => "first seen a day after the key's first use".to_owned(),
                        days => format!("first seen {days} days after the key's first use"),
                    });
                    weight += 1;
                }
            }
        }
        if !usual.programs.contains(&source.program) {
            why.push("a client program that the key was not used with before".to_owned());
            weight += 1;
        }
        let asked: Vec<&str> = source
            .calls
            .iter()
            .filter(|call| !usual.calls.contains(*call))
            .map(String::as_str)
            .filter(|call| {
                let service = call.split(':').next().unwrap_or_default();
                RECONNAISSANCE.contains(&service)
            })
            .collect();
        if asked.len() >= ASKS.0 {
            why.push(format!(
                "asks for what the key never did: {}",
                asked.join(", ")
            ));
            weight += if asked.len() >= ASKS.1 { 2 } else { 1 };
        }
        if source.denied > 0 {
            why.push(match source.denied {
                1 => "a call was refused".to_owned(),
                count => format!("{count} calls were refused"),
            });
            weight += 1;
        }
    }
    match weight >= ENOUGH {
        true => (Origin::Intruder, why),
        false => (Origin::Unknown, why),
    }
}

#[cfg(test)]
mod tests;
