//! Who is behind a use: the owner's programs, or somebody else?
//!
//! In: the deeds, the networks that are known to be good, and the time from which on the incident runs, as far as given. Out: a
//! verdict on every address of the start, and on every deed. Promise: every verdict has its reasons; where nothing tells,
//! it says so instead of guessing.

use super::behind::{Behind, Seen, Verdicts};
use super::deeds::{Deed, rfc3339};
use super::facts::SECOND;
use super::start::Start;
use super::{Lineage, TraceOptions};
use crate::report::trace::{FirstUse, Origin, UseSource};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Programs that attackers and penetration testers use, as parts of a user agent in small letters.
const ATTACK_TOOLS: [&str; 12] = [
    "kali",
    "parrot",
    "pentoo",
    "trufflehog",
    "stratus-red-team",
    "pacu",
    "python-requests/",
    "curl/",
    "grimoire",
    "nuclei",
    "aws_consoler",
    "cloudfox",
];

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

/// A key must have been in use for so long before an address counts as new.
const BASELINE: i64 = 86_400 * SECOND;

/// Reasons that are needed for a verdict; the name of an attack tool is one on its own.
const ENOUGH: u32 = 3;

/// The verdicts.
#[derive(Debug, Default)]
pub(super) struct Split {
    pub(super) sources: Vec<UseSource>,
    pub(super) first: Option<FirstUse>,
    /// Addresses of the intruder, with the first use from each.
    pub(super) addresses: BTreeMap<String, i64>,
}

/// What came from one address.
#[derive(Debug, Default)]
struct Source {
    first: i64,
    last: i64,
    events: u64,
    agents: BTreeSet<String>,
    calls: BTreeSet<String>,
    denied: u64,
}

/// Judges the addresses that the start was used from.
pub(super) fn behind(deeds: &[Deed], options: &TraceOptions) -> Behind {
    let sources = sources(deeds);
    Behind::new(verdicts(&sources, options), |address| {
        sources.get(address).map(|source| source.first)
    })
}

/// Judges all deeds; `event.origin` is set in each. Also says who is behind each credential.
pub(super) fn split(
    deeds: &mut [Deed],
    lineage: &Lineage<'_>,
    options: &TraceOptions,
) -> (Split, Vec<Origin>) {
    let mut behind = behind(deeds, options);
    let origins = spread(deeds, lineage, &mut behind);
    let verdicts = &behind.verdicts;
    let intruder = |deed: &&Deed| deed.event.origin == Origin::Intruder && deed.member.is_some();
    let first = deeds.iter().find(intruder).map(|deed| {
        let event = &deed.event;
        let address = event.source_ip_address.clone();
        let why = address.as_ref().and_then(|address| verdicts.get(address));
        FirstUse {
            event_id: event.event_id.clone(),
            event_time: event.event_time.clone(),
            source_ip_address: address.clone(),
            user_agent: event.user_agent.clone(),
            event_name: event.event_name.clone(),
            why: why.map(|(_, why)| why.clone()).unwrap_or_default(),
        }
    });
    let sources = sources(deeds).into_iter().map(|(address, source)| {
        let (origin, why) = verdicts.get(&address).cloned().unwrap_or_default();
        UseSource {
            source_ip_address: address,
            origin,
            why: why.join("; "),
            events: source.events,
            first_seen: rfc3339(source.first),
            last_seen: rfc3339(source.last),
            user_agents: source.agents.into_iter().collect(),
        }
    });
    let mut sources: Vec<UseSource> = sources.collect();
    sources.sort_by(|a, b| {
        (&a.first_seen, &a.source_ip_address).cmp(&(&b.first_seen, &b.source_ip_address))
    });
    let split = Split {
        sources,
        first,
        addresses: behind.addresses,
    };
    (split, origins)
}

/// Spreads the verdicts over the tree, and says who is behind each credential.
fn spread(deeds: &mut [Deed], lineage: &Lineage<'_>, behind: &mut Behind) -> Vec<Origin> {
    let members = &lineage.members;
    let born = behind.births(&lineage.joins, members);
    let mut worst: Vec<Option<Origin>> = vec![None; members.len()];
    for deed in deeds {
        let event = &mut deed.event;
        let Some(at) = deed.member else { continue };
        let seen = Seen {
            address: event.source_ip_address.as_deref(),
            by_service: event.via_service.is_some(),
        };
        event.origin = behind.of((members[at].depth, born[at]), seen);
        worst[at] = Some(worst[at].map_or(event.origin, |worst| worst.min(event.origin)));
    }
    let origins = worst.into_iter().zip(born);
    origins.map(|(worst, born)| worst.unwrap_or(born)).collect()
}

/// Direct uses of the start, by address. What AWS services did on its behalf comes from AWS's own addresses.
fn sources(deeds: &[Deed]) -> BTreeMap<String, Source> {
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| deed.depth == 0) {
        let event = &deed.event;
        let Some(address) = event.source_ip_address.as_deref() else {
            continue;
        };
        if event.via_service.is_some() || address.parse::<IpAddr>().is_err() {
            continue;
        }
        let source = sources.entry(address.to_owned()).or_insert_with(|| Source {
            first: deed.time,
            ..Source::default()
        });
        source.last = deed.time;
        source.events += 1;
        source.agents.extend(event.user_agent.clone());
        source.calls.insert(deed.name());
        source.denied += u64::from(is_denied(event.error_code.as_deref()));
    }
    sources
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

fn verdicts(sources: &BTreeMap<String, Source>, options: &TraceOptions) -> Verdicts {
    let began = sources
        .values()
        .map(|source| source.first)
        .min()
        .unwrap_or_default();
    let mut in_order: Vec<(&String, &Source)> = sources.iter().collect();
    in_order.sort_by_key(|(address, source)| (source.first, *address));
    // What consumers are known to do so far.
    let mut families: BTreeSet<String> = BTreeSet::new();
    let mut calls: BTreeSet<&str> = BTreeSet::new();
    let mut verdicts = Verdicts::new();
    for (address, source) in in_order {
        let verdict = given(address, source, options)
            .unwrap_or_else(|| judged(source, began, &families, &calls));
        if verdict.0 != Origin::Intruder {
            families.extend(source.agents.iter().map(|agent| family(agent)));
            calls.extend(source.calls.iter().map(String::as_str));
        }
        verdicts.insert(address.clone(), verdict);
    }
    // Without an intruder among them there is nothing that the others were told from.
    let told = verdicts
        .values()
        .any(|(origin, _)| *origin == Origin::Intruder);
    for (origin, _) in verdicts.values_mut().filter(|_| told) {
        if *origin == Origin::Unknown {
            *origin = Origin::Consumer;
        }
    }
    verdicts
}

/// The verdict that the options give.
fn given(address: &str, source: &Source, options: &TraceOptions) -> Option<(Origin, Vec<String>)> {
    let why = |text: &str| vec![text.to_owned()];
    if let Start::SourceIp(start) = &options.start {
        return Some(match start == address {
            true => (Origin::Intruder, why("the address that was asked for")),
            false => (
                Origin::Unknown,
                why("another address of the same credential"),
            ),
        });
    }
    let networks = &options.known_networks;
    let ip: IpAddr = address.parse().ok()?;
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
fn judged(
    source: &Source,
    began: i64,
    families: &BTreeSet<String>,
    known_calls: &BTreeSet<&str>,
) -> (Origin, Vec<String>) {
    let mut why = Vec::new();
    let mut weight = 0;
    let tools: BTreeSet<&str> = source
        .agents
        .iter()
        .filter_map(|agent| attack_tool(agent))
        .collect();
    if !tools.is_empty() {
        let tools: Vec<&str> = tools.into_iter().collect();
        why.push(format!("the client names itself {}", tools.join(", ")));
        weight += ENOUGH;
    }
    let after = source.first - began;
    if after >= BASELINE {
        why.push(match after / BASELINE {
            1 => "first seen a day after the key's first use".to_owned(),
            days => format!("first seen {days} days after the key's first use"),
        });
        weight += 1;
        if !source
            .agents
            .iter()
            .any(|agent| families.contains(&family(agent)))
        {
            why.push("a client program that the key was not used with before".to_owned());
            weight += 1;
        }
        let new: Vec<&str> = source
            .calls
            .iter()
            .map(String::as_str)
            .filter(|call| !known_calls.contains(call))
            .filter(|call| {
                RECONNAISSANCE
                    .iter()
                    .any(|service| call.split(':').next() == Some(service))
            })
            .collect();
        if !new.is_empty() {
            why.push(format!(
                "asks for what the key never did: {}",
                new.join(", ")
            ));
            weight += 1;
        }
        if source.denied > 0 {
            why.push(match source.denied {
                1 => "a call was refused".to_owned(),
                count => format!("{count} calls were refused"),
            });
            weight += 1;
        }
    } else if weight == 0 {
        return (
            Origin::Unknown,
            vec!["in use since the key's first day in these logs".to_owned()],
        );
    }
    match weight >= ENOUGH {
        true => (Origin::Intruder, why),
        false => (Origin::Unknown, why),
    }
}

/// The attack tool that a user agent names.
fn attack_tool(agent: &str) -> Option<&'static str> {
    let agent = agent.to_lowercase();
    let found = ATTACK_TOOLS.into_iter().find(|tool| agent.contains(tool))?;
    Some(found.trim_end_matches('/'))
}

/// The kind of program and system: what stays when versions change.
fn family(agent: &str) -> String {
    let agent = agent.trim_start_matches('[').trim_end_matches(']');
    let product = agent.split(['/', ' ']).next().unwrap_or_default();
    let small = agent.to_lowercase();
    let system = ["windows", "darwin", "mac os", "amzn", "linux"]
        .into_iter()
        .find(|system| small.contains(system));
    format!("{product} {}", system.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_kind_and_system() {
        assert_eq!(
            family("[Boto3/1.9.201 Python/2.7.12 Linux/4.4.0-159-generic Botocore/1.12.201]"),
            family("Boto3/1.34.0 md/Botocore#1.34.69 ua/2.0 os/linux#6.1")
        );
        assert_ne!(
            family("aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0"),
            family("aws-cli/2.15.25 Python/3.11.8 Windows/10")
        );
        assert_eq!(
            attack_tool("aws-cli/2 source/x86_64.kali.2024"),
            Some("kali")
        );
        assert_eq!(attack_tool("aws-cli/2 Darwin"), None);
    }

    fn source(day: i64, agent: &str, calls: &[&str]) -> Source {
        Source {
            first: day * BASELINE,
            last: day * BASELINE,
            events: 1,
            agents: BTreeSet::from([agent.to_owned()]),
            calls: calls.iter().map(|call| (*call).to_owned()).collect(),
            denied: 0,
        }
    }

    #[test]
    fn a_new_address_alone_is_no_intruder() {
        let families = BTreeSet::from([family("aws-cli/2 Linux/6")]);
        let calls = BTreeSet::from(["s3:PutObject"]);
        let moved = source(3, "aws-cli/2 Linux/6", &["s3:PutObject"]);
        assert_eq!(judged(&moved, 0, &families, &calls).0, Origin::Unknown);
        let stranger = source(3, "Boto3/1 Windows/10", &["iam:ListUsers"]);
        let (origin, why) = judged(&stranger, 0, &families, &calls);
        assert_eq!(origin, Origin::Intruder);
        assert_eq!(why.len(), 3, "{why:?}");
        let first_day = source(0, "TruffleHog", &["sts:GetCallerIdentity"]);
        assert_eq!(judged(&first_day, 0, &families, &calls).0, Origin::Intruder);
    }
}
