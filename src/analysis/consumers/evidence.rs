//! What kind of workload a consumer is.
//!
//! In: [`Facts`] about a group of uses. Out: a [`Weighed`]: workload, confidence, and the evidence in words. Promise: every
//! sign is a row of [`SIGNS`] with its weights; the same facts give the same verdict.

use super::consumer::{Confidence, Workload};
use super::facts::Facts;
use super::signs::{SIGNS, Sign};
use std::collections::{BTreeMap, BTreeSet};

/// What was concluded.
#[derive(Debug)]
pub(super) struct Weighed {
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
pub(super) fn weigh(facts: &Facts<'_>) -> Weighed {
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
        return Weighed {
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
    Weighed {
        workload,
        confidence,
        evidence: evidence.collect(),
    }
}
