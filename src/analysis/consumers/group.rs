//! Which uses of a key belong together.
//!
//! In: the uses of one key. Out: [`Group`]s, one per consumer. Promise: deterministic; two programs are never one group; see
//! `docs/consumers.md` for the rules in words.
//!
//! ```text
//! uses ─▶ by program ─▶ does it say where it runs?  (Lambda, ECS, a Mac)   one place, whatever its addresses
//!                       does it change addresses all the time?             one pool
//!                       else                                               by the place of each address
//!      ─▶ within these: what does entirely different things is apart, see `apart`
//! ```

pub(super) use super::apart::Known;
use super::apart::{by_behaviour, by_function, by_machine};
use super::uses::Use;
use crate::knowledge::AddressClass;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The uses of one consumer.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) program: String,
    pub(super) place: String,
    /// Whether its addresses change all the time.
    pub(super) rotating: bool,
    /// What tells it from others of the same program and place; empty if there are none.
    pub(super) apart: String,
    /// Indices into the key's uses.
    pub(super) uses: Vec<usize>,
}

/// A program with as many addresses, none of which dominates, has no address of its own.
const MANY_ADDRESSES: usize = 8;

/// A program that comes from as few addresses has no address of its own if it left each after a call or two.
const FEW_ADDRESSES: usize = 3;

/// Groups the uses of one key.
pub(super) fn group(uses: &[Use], known: &Known<'_>) -> Vec<Group> {
    let mut programs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, used) in uses.iter().enumerate() {
        if let Some(agent) = known.agents.get(&used.agent) {
            programs.entry(&agent.program).or_default().push(index);
        }
    }
    // The addresses of pools: a program that is rarely seen there is of the pool, too.
    let pool: BTreeSet<u32> = programs
        .values()
        .filter(|members| rotates(uses, members))
        .flat_map(|members| members.iter().map(|&index| uses[index].address))
        .collect();
    let flavours = flavours(uses, known);
    let mut groups = Vec::new();
    for (program, members) in programs {
        let rotating = rotates(uses, &members) || lies_in(uses, &members, &pool);
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in members {
            let place = match (says_where(&uses[index], known), rotating) {
                (Some(place), _) => place,
                (None, true) => "pool".to_owned(),
                (None, false) => place(&uses[index], known, &flavours),
            };
            places.entry(place).or_default().push(index);
        }
        for (place, members) in joined_by_terminals(uses, known, places) {
            let parts = match place.strip_prefix(SAID) {
                Some("lambda") => by_function(uses, known, members),
                Some("desktop") => by_machine(uses, known, members),
                Some(_) => vec![(String::new(), members)],
                None if rotating => vec![(String::new(), members)],
                None => by_behaviour(uses, known, members),
            };
            groups.extend(parts.into_iter().map(|(apart, uses)| Group {
                program: program.to_owned(),
                place: place.clone(),
                rotating,
                apart,
                uses,
            }));
        }
    }
    groups
}

/// What places begin with that programs name themselves.
const SAID: &str = "says ";

/// Where the program itself says it runs.
fn says_where(used: &Use, known: &Known<'_>) -> Option<String> {
    let agent = known.agents.get(&used.agent)?;
    let env = agent.exec_env.clone();
    let desktop = agent.desktop.map(|_| "desktop".to_owned());
    let azure = (agent.flavour == Some("azure")).then(|| "azure".to_owned());
    env.or(desktop)
        .or(azure)
        .map(|place| format!("{SAID}{place}"))
}

/// Kernels seen at each address, by whichever program.
fn flavours(uses: &[Use], known: &Known<'_>) -> HashMap<u32, BTreeSet<&'static str>> {
    let mut found: HashMap<u32, BTreeSet<&'static str>> = HashMap::new();
    for used in uses {
        if let Some(flavour) = known
            .agents
            .get(&used.agent)
            .and_then(|agent| agent.flavour)
        {
            found.entry(used.address).or_default().insert(flavour);
        }
    }
    found
}

/// The place of an address: what the table of ranges says, unless a kernel of that cloud is seen behind it.
fn place(used: &Use, known: &Known<'_>, flavours: &HashMap<u32, BTreeSet<&'static str>>) -> String {
    let class = known.classes.get(&(used.address, used.vpc_endpoint));
    let seen = flavours.get(&used.address);
    let amazon = seen.is_some_and(|seen| seen.contains("amazon-linux") || seen.contains("aws"));
    match class.unwrap_or(&AddressClass::Unknown) {
        AddressClass::Own(name) => format!("network {name}"),
        // One machine calls S3 through an endpoint and everything else through a NAT gateway.
        AddressClass::Ours(_)
        | AddressClass::VpcEndpoint
        | AddressClass::Private
        | AddressClass::Aws { .. } => "aws".to_owned(),
        AddressClass::Cloud(_) if amazon => "aws".to_owned(),
        AddressClass::GitHub => "github".to_owned(),
        AddressClass::Cloud(provider) => format!("cloud {provider}"),
        AddressClass::AwsService(_) | AddressClass::AwsInternal => "aws service".to_owned(),
        AddressClass::Public | AddressClass::Unknown => "public".to_owned(),
    }
}

fn events_by_address(uses: &[Use], members: &[usize]) -> BTreeMap<u32, u64> {
    let mut events = BTreeMap::new();
    for used in members.iter().map(|&index| &uses[index]) {
        *events.entry(used.address).or_default() += used.events;
    }
    events
}

/// Whether a program has no address of its own.
fn rotates(uses: &[Use], members: &[usize]) -> bool {
    let by_address = events_by_address(uses, members);
    let mut counts: Vec<u64> = by_address.into_values().collect();
    counts.sort_unstable();
    let total: u64 = counts.iter().sum();
    let Some(&most) = counts.last() else {
        return false;
    };
    let fleeting = counts[counts.len() / 2] <= 2 && most <= 4;
    counts.len() >= MANY_ADDRESSES && most * 2 <= total || counts.len() >= FEW_ADDRESSES && fleeting
}

/// Whether most of a program's addresses are of the pool.
fn lies_in(uses: &[Use], members: &[usize], pool: &BTreeSet<u32>) -> bool {
    let addresses: BTreeSet<u32> = members.iter().map(|&index| uses[index].address).collect();
    let inside = addresses.intersection(pool).count();
    inside * 2 > addresses.len()
}

/// Joins places between which a terminal session of the command line moved.
fn joined_by_terminals(
    uses: &[Use],
    known: &Known<'_>,
    places: BTreeMap<String, Vec<usize>>,
) -> BTreeMap<String, Vec<usize>> {
    let mut home: HashMap<&str, String> = HashMap::new();
    let mut joined: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, members) in places {
        let sessions: Vec<&str> = members
            .iter()
            .filter_map(|&index| {
                known
                    .agents
                    .get(&uses[index].agent)?
                    .ua
                    .cli_session
                    .as_deref()
            })
            .collect();
        let target = sessions
            .iter()
            .find_map(|session| home.get(session))
            .cloned();
        let target = target.unwrap_or(place);
        for session in sessions {
            home.entry(session).or_insert_with(|| target.clone());
        }
        joined.entry(target).or_default().extend(members);
    }
    joined
}
