//! Which uses of one program at one place are of different consumers?
//!
//! In: the uses of a program at a place. Out: parts, each with what tells it apart. Promise: deterministic; parts that share calls stay
//! together; the routes of one host (a VPC endpoint, IPv6) are no other host.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::agent::Agent;
use super::uses::Use;
use crate::knowledge::AddressClass;

/// Calls without which nothing can be said about what an address does.
const TELLING_EVENTS: u64 = 20;

/// Addresses whose calls are less alike than this (cosine) do different things.
const ALIKE: f64 = 0.1;

/// So many days on which two versions of a program were used are no upgrade.
const SAME_DAYS: usize = 3;

/// What is known of the texts of a key's uses.
pub(super) struct Known<'a> {
    pub(super) agents: &'a HashMap<u32, Agent>,
    /// By address and whether the call went through a VPC endpoint.
    pub(super) classes: &'a HashMap<(u32, bool), AddressClass>,
    /// The addresses of IPv6.
    pub(super) ipv6: &'a HashSet<u32>,
}

/// A part of the uses, and what tells it apart; empty if there is only one part.
type Part = (String, Vec<usize>);

/// The ways that calls take from one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Route {
    Endpoint,
    Ipv6,
    Ipv4,
}

type Profile = BTreeMap<(u32, u32), f64>;

/// Parts whose addresses do entirely different things.
pub(super) fn by_behaviour(uses: &[Use], known: &Known<'_>, members: Vec<usize>) -> Vec<Part> {
    let mut by_address: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for index in members {
        by_address
            .entry(uses[index].address)
            .or_default()
            .push(index);
    }
    let mut atoms: Vec<(u64, Vec<usize>)> = by_address
        .into_values()
        .map(|members| (events(uses, &members), members))
        .collect();
    // The busiest first; they show best what they do. Ties in the order in which the addresses came up.
    atoms.sort_by_key(|(events, members)| (std::cmp::Reverse(*events), uses[members[0]].first));
    let mut parts: Vec<(Profile, Vec<usize>)> = Vec::new();
    for (events, members) in atoms {
        let own = profile(uses, &members);
        let nearest = parts
            .iter()
            .enumerate()
            .map(|(at, (part, _))| (at, cosine(part, &own)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        match nearest {
            Some((at, likeness)) if likeness >= ALIKE || events < TELLING_EVENTS => {
                let (part, held) = &mut parts[at];
                for (api, count) in own {
                    *part.entry(api).or_default() += count;
                }
                held.extend(members);
            }
            _ => parts.push((own, members)),
        }
    }
    let parts: Vec<Vec<usize>> = parts.into_iter().map(|(_, members)| members).collect();
    let one_host = |a: &[usize], b: &[usize]| is_one_host(uses, known, a, b);
    numbered(joined(parts, &one_host))
}

/// Whether two parts are one host's: each service has a route of its own, at the same hours. A host calls S3 through a VPC endpoint or
/// over IPv6, and what has neither over IPv4.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/aws-ipv6-support.html>
fn is_one_host(uses: &[Use], known: &Known<'_>, a: &[usize], b: &[usize]) -> bool {
    let of = |members: &[usize]| {
        let members = members.iter().map(|&index| &uses[index]);
        let (mut routes, mut services) = (BTreeSet::new(), BTreeSet::new());
        for used in members {
            routes.insert(route(used, known));
            services.insert(used.event_source);
        }
        (routes, services)
    };
    let ((routes, services), (others, other_services)) = (of(a), of(b));
    if !routes.is_disjoint(&others) || !services.is_disjoint(&other_services) {
        return false;
    }
    let (hours, other_hours) = (hours(uses, a), hours(uses, b));
    let same = hours.intersection(&other_hours).count();
    same * 2 >= hours.len().max(other_hours.len())
}

fn route(used: &Use, known: &Known<'_>) -> Route {
    match known.classes.get(&(used.address, used.vpc_endpoint)) {
        _ if used.vpc_endpoint => Route::Endpoint,
        Some(AddressClass::VpcEndpoint | AddressClass::Private) => Route::Endpoint,
        _ if known.ipv6.contains(&used.address) => Route::Ipv6,
        _ => Route::Ipv4,
    }
}

/// The hours of use: day, and hour of the day.
fn hours(uses: &[Use], members: &[usize]) -> BTreeSet<(i32, u32)> {
    let of = members.iter().map(|&index| &uses[index]);
    of.flat_map(|used| {
        let hours = (0..24).filter(move |hour| used.hours >> hour & 1 == 1);
        hours.map(move |hour| (used.day, hour))
    })
    .collect()
}

/// Parts of a program that says that it is a function: functions in other regions or of other runtimes, with no call and no address
/// in common. One function has one address for all calls of a run.
pub(super) fn by_function(uses: &[Use], known: &Known<'_>, members: Vec<usize>) -> Vec<Part> {
    let mut atoms: BTreeMap<(u32, &str), Vec<usize>> = BTreeMap::new();
    for index in members {
        let agent = known.agents.get(&uses[index].agent);
        let env = agent.and_then(|agent| agent.ua.exec_env.as_deref());
        let atom = (uses[index].region, env.unwrap_or_default());
        atoms.entry(atom).or_default().push(index);
    }
    let related = |a: &[usize], b: &[usize]| {
        share(uses, a, b, |used| (used.event_source, used.operation))
            || share(uses, a, b, |used| used.address)
    };
    let parts = joined(in_order(uses, atoms.into_values()), &related);
    numbered(with_small(uses, parts))
}

/// Parts of a program on machines that people sit at: other versions on the same days from other addresses are other machines. A
/// version that follows another is an upgrade.
pub(super) fn by_machine(uses: &[Use], known: &Known<'_>, members: Vec<usize>) -> Vec<Part> {
    type Version<'a> = [Option<&'a str>; 3];
    let mut atoms: BTreeMap<Version<'_>, Vec<usize>> = BTreeMap::new();
    for index in members {
        let version = known.agents.get(&uses[index].agent).map(|agent| {
            let ua = &agent.ua;
            [&ua.tool_version, &ua.sdk_version, &ua.os_version].map(Option::as_deref)
        });
        let version = version.unwrap_or_default();
        atoms.entry(version).or_default().push(index);
    }
    let share_address = |a: &[usize], b: &[usize]| share(uses, a, b, |used| used.address);
    let machines = joined(in_order(uses, atoms.into_values()), &share_address);
    let days = |members: &[usize]| -> BTreeSet<i32> {
        members.iter().map(|&index| uses[index].day).collect()
    };
    let may_be_one = |a: &[usize], b: &[usize]| {
        let (a, b) = (days(a), days(b));
        let same = a.intersection(&b).count();
        same < SAME_DAYS || same * 2 < a.len().min(b.len())
    };
    numbered(with_small(uses, joined(machines, &may_be_one)))
}

fn events(uses: &[Use], members: &[usize]) -> u64 {
    members.iter().map(|&index| uses[index].events).sum()
}

/// Whether two parts have something in common.
fn share<T: Ord>(uses: &[Use], a: &[usize], b: &[usize], of: impl Fn(&Use) -> T) -> bool {
    let seen: BTreeSet<T> = a.iter().map(|&index| of(&uses[index])).collect();
    b.iter().any(|&index| seen.contains(&of(&uses[index])))
}

/// In the order in which they came up: the numbers of texts are in no order.
fn in_order(uses: &[Use], atoms: impl Iterator<Item = Vec<usize>>) -> Vec<Vec<usize>> {
    let mut atoms: Vec<Vec<usize>> = atoms.collect();
    atoms.sort_by_key(|members| {
        let first = members.iter().map(|&index| (uses[index].first, index));
        (std::cmp::Reverse(events(uses, members)), first.min())
    });
    atoms
}

/// Joins parts that are related.
fn joined(atoms: Vec<Vec<usize>>, related: &dyn Fn(&[usize], &[usize]) -> bool) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for atom in atoms {
        let near = parts.iter().position(|part| related(part, &atom));
        let Some(near) = near else {
            parts.push(atom);
            continue;
        };
        parts[near].extend(atom.iter().copied());
        // What it has in common with others joins these, too.
        let mut at = near + 1;
        while at < parts.len() {
            match related(&parts[near], &parts[at]) {
                true => {
                    let other = parts.remove(at);
                    parts[near].extend(other);
                }
                false => at += 1,
            }
        }
    }
    parts
}

/// Parts with too few calls to tell anything belong to the first, which has the most.
fn with_small(uses: &[Use], mut parts: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    parts.sort_by_key(|members| std::cmp::Reverse(events(uses, members)));
    let mut kept: Vec<Vec<usize>> = Vec::new();
    for part in parts {
        match kept.first_mut() {
            Some(first) if events(uses, &part) < TELLING_EVENTS => first.extend(part),
            _ => kept.push(part),
        }
    }
    kept
}

/// The parts, with their numbers if there are several.
fn numbered(parts: Vec<Vec<usize>>) -> Vec<Part> {
    let single = parts.len() == 1;
    let named = parts.into_iter().enumerate();
    named
        .map(|(at, mut members)| {
            members.sort_unstable();
            let apart = if single {
                String::new()
            } else {
                format!("part {at}")
            };
            (apart, members)
        })
        .collect()
}

fn profile(uses: &[Use], members: &[usize]) -> Profile {
    let mut profile = Profile::new();
    for used in members.iter().map(|&index| &uses[index]) {
        *profile
            .entry((used.event_source, used.operation))
            .or_default() += used.events as f64;
    }
    profile
}

fn cosine(a: &Profile, b: &Profile) -> f64 {
    let norm = |profile: &Profile| {
        profile
            .values()
            .map(|count| count * count)
            .sum::<f64>()
            .sqrt()
    };
    let shared = a
        .iter()
        .filter_map(|(api, count)| Some(count * b.get(api)?));
    shared.sum::<f64>() / (norm(a) * norm(b)).max(f64::MIN_POSITIVE)
}
