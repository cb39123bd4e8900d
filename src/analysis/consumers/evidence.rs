//! What kind of workload a consumer is.
//!
//! In: [`Facts`] about a group of uses. Out: a [`Verdict`]: workload, confidence, and the evidence in words. Promise: every
//! sign is a row of [`SIGNS`] with its weights; the same facts give the same verdict.

use super::agent::Agent;
use super::consumer::{Confidence, Workload};
use super::signs::{SIGNS, Sign};
use std::collections::{BTreeMap, BTreeSet};

/// What is known about a group.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    /// Its user agents, the most used first.
    pub(super) agents: Vec<&'a Agent>,
    /// Whether its addresses change all the time.
    pub(super) rotating: bool,
    pub(super) addresses: usize,
    pub(super) events: u64,
    /// Calls by kind of address.
    pub(super) origins: BTreeMap<Origin, u64>,
    /// A network of the user's own, or an address of ours, by name.
    pub(super) named_network: Option<String>,
    /// Kernels of other programs at the same addresses.
    pub(super) neighbours: BTreeSet<&'static str>,
    /// Whose account the key is of, if a vendor's; or the vendor whose name the program has.
    pub(super) vendor: Option<String>,
    pub(super) user_name: Option<&'a str>,
    /// Different calls.
    pub(super) operations: usize,
    /// Share of calls on working days from 6 to 20 o'clock, in a day of any time zone near.
    pub(super) sessions: usize,
}

/// Kinds of addresses, as far as they tell workloads apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Origin {
    Ours,
    Vpc,
    Aws,
    AwsCodeBuild,
    AwsCloudShell,
    GitHub,
    Microsoft,
    OtherCloud,
    OwnNetwork,
    Public,
    Other,
}

impl Facts<'_> {
    /// The share of calls from these kinds of addresses.
    pub(super) fn share(&self, origins: &[Origin]) -> f64 {
        let counted = origins.iter().filter_map(|origin| self.origins.get(origin));
        counted.sum::<u64>() as f64 / self.events.max(1) as f64
    }

    pub(super) fn mostly(&self, origins: &[Origin]) -> bool {
        self.share(origins) > 0.5
    }

    pub(super) fn any(&self, test: impl Fn(&Agent) -> bool) -> Option<&Agent> {
        self.agents.iter().copied().find(|agent| test(agent))
    }

    pub(super) fn flavour(&self, flavours: &[&str]) -> Option<&'static str> {
        let agent = self.any(|agent| {
            agent
                .flavour
                .is_some_and(|flavour| flavours.contains(&flavour))
        })?;
        agent.flavour
    }

    pub(super) fn exec_env(&self, class: &str) -> Option<String> {
        let agent = self.any(|agent| agent.exec_env.as_deref() == Some(class))?;
        let env = agent.ua.exec_env.as_deref().unwrap_or(class);
        Some(format!("the user agent says it runs in {env}"))
    }

    pub(super) fn tool(&self, part: &str) -> Option<String> {
        let agent = self.any(|agent| {
            agent
                .ua
                .tool
                .as_deref()
                .is_some_and(|tool| tool.to_lowercase().contains(part))
        })?;
        Some(format!("the user agent names {}", agent.title()))
    }

    pub(super) fn user_is_called(&self, words: &[&str]) -> Option<String> {
        let name = self.user_name?;
        let lower = name.to_lowercase();
        let mut parts = lower.split(|c: char| !c.is_alphanumeric());
        let said =
            parts.any(|part| words.contains(&part.trim_end_matches(|c: char| c.is_ascii_digit())));
        said.then(|| format!("the user is called {name}"))
    }
}

/// What was concluded.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) workload: Workload,
    pub(super) confidence: Confidence,
    pub(super) evidence: Vec<String>,
}

/// Points from which on a conclusion is certain, or at least probable.
const HIGH: i32 = 8;
const MEDIUM: i32 = 5;

/// A conclusion with a rival as near as this is a guess.
const NEAR: i32 = 2;

/// Fewer points than this are no conclusion.
const LEAST: i32 = 2;

/// Weighs the signs.
pub(super) fn weigh(facts: &Facts<'_>) -> Verdict {
    let seen: Vec<(String, &Sign)> = SIGNS
        .iter()
        .filter_map(|sign| Some(((sign.seen)(facts)?, sign)))
        .collect();
    let mut points: BTreeMap<Workload, i32> = BTreeMap::new();
    for (workload, weight) in seen.iter().flat_map(|(_, sign)| sign.votes) {
        *points.entry(*workload).or_default() += weight;
    }
    // Of two with the same points, the one that comes first in the list of workloads.
    let mut ranked: Vec<(Workload, i32)> = points.into_iter().collect();
    ranked.sort_by_key(|(workload, points)| (-points, *workload));
    let (workload, best) = ranked.first().copied().unwrap_or((Workload::Unknown, 0));
    let next = ranked.get(1).map_or(0, |(_, points)| *points);
    if best < LEAST || workload == Workload::Unknown {
        return Verdict {
            workload: Workload::Unknown,
            confidence: Confidence::Low,
            evidence: seen.into_iter().map(|(text, _)| text).collect(),
        };
    }
    let confidence = match best - next {
        margin if best >= HIGH && margin > NEAR => Confidence::High,
        margin if best >= MEDIUM && margin >= NEAR => Confidence::Medium,
        _ => Confidence::Low,
    };
    let weight = |sign: &Sign| {
        let vote = sign.votes.iter().find(|(voted, _)| *voted == workload);
        vote.map_or(0, |(_, weight)| *weight)
    };
    let mut weighed: Vec<(i32, String)> = seen
        .into_iter()
        .map(|(text, sign)| (weight(sign), text))
        .collect();
    weighed.sort_by_key(|(weight, _)| -weight);
    // One text may stand for several signs.
    let mut told = BTreeSet::new();
    weighed.retain(|(_, text)| told.insert(text.clone()));
    let evidence = weighed.into_iter().map(|(weight, text)| match weight > 0 {
        true => text,
        false => format!("but {text}"),
    });
    Verdict {
        workload,
        confidence,
        evidence: evidence.collect(),
    }
}
