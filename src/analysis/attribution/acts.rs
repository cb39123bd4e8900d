//! Signs in what was done: who asks, looks around, is denied, gives rights, makes credentials, blinds, reads.
//!
//! In: a source and what is usual. Out: signs. Promise: what the owner did before is no sign.

use super::calls::{Kind, kind};
use super::signs::{Looked, Sign};
use super::used::Use;
use super::usual::HOUR;
use std::collections::BTreeSet;

/// So many different calls within an hour are a burst, and so many a large one.
const BURST: (usize, usize) = (3, 6);

/// So many reads by a newcomer are a download.
const DOWNLOAD: u64 = 50;

/// Names, the first few.
fn some(names: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 6;
    let names: BTreeSet<String> = names.collect();
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Looked<'_> {
    /// Different calls of these kinds that were first made within an hour, and how many of all first calls of that hour they
    /// are; the best hour. Each region counts once.
    fn burst(&self, fits: impl Fn(&Use) -> bool) -> (usize, usize) {
        let uses = &self.source.uses;
        let mut best = (0, 0);
        for (at, begin) in uses.iter().enumerate() {
            if !fits(begin) {
                continue;
            }
            let hour = uses[at..]
                .iter()
                .take_while(|one| one.first - begin.first <= HOUR);
            let (mut those, mut all) = (BTreeSet::new(), BTreeSet::new());
            for one in hour {
                let call = (&one.service, &one.operation, &one.region);
                all.insert(call);
                if fits(one) {
                    those.insert(call);
                }
            }
            if those.len() > best.0 {
                best = (those.len(), all.len());
            }
        }
        best
    }
}

fn is_ask(one: &Use) -> bool {
    kind(&one.service, &one.operation) == Some(Kind::Asks)
}

fn is_look(one: &Use) -> bool {
    is_ask(one) || kind(&one.service, &one.operation) == Some(Kind::Lists)
}

pub(super) fn who_am_i(l: &Looked<'_>) -> Option<Sign> {
    let first = l.source.uses.first().filter(|one| is_ask(one))?;
    Some(Sign::new(2, format!("begins with {}", first.call())))
}

pub(super) fn looks_around(l: &Looked<'_>) -> Option<Sign> {
    let (looks, all) = l.burst(is_look);
    let (asks, _) = l.burst(is_ask);
    if looks < BURST.0 || asks < 2 || looks * 2 < all {
        return None;
    }
    let new = l
        .source
        .uses
        .iter()
        .filter(|one| is_look(one) && !l.usual.calls.contains(&one.call()));
    let names = some(new.map(Use::call));
    if names.is_empty() {
        return None;
    }
    let weight = if looks >= BURST.1 { 6 } else { 4 };
    Some(Sign::new(
        weight,
        format!("looks around within an hour: {names}"),
    ))
}

pub(super) fn refused(l: &Looked<'_>) -> Option<Sign> {
    let (denied, all) = l.burst(Use::denied);
    (denied >= BURST.0 && denied * 2 >= all).then(|| {
        Sign::new(
            4,
            format!("{denied} different calls were denied within an hour"),
        )
    })
}

pub(super) fn own_rights(l: &Looked<'_>) -> Option<Sign> {
    let own = l
        .source
        .of_kind(Kind::Rights)
        .filter(|one| one.about_itself);
    let (mut done, mut tried) = (Vec::new(), Vec::new());
    for one in own {
        if one.succeeded() {
            done.push(one.call())
        } else {
            tried.push(one.call())
        }
    }
    match (done.is_empty(), tried.is_empty()) {
        (false, _) => Some(Sign::new(
            6,
            format!("gives rights to itself: {}", some(done.into_iter())),
        )),
        (true, false) => Some(Sign::new(
            4,
            format!(
                "tried to give rights to itself: {}",
                some(tried.into_iter())
            ),
        )),
        _ => None,
    }
}

/// Calls of a kind that the owner never made.
fn unusual(l: &Looked<'_>, kind: Kind) -> Vec<String> {
    let of_kind = l.source.of_kind(kind);
    let names = of_kind
        .filter(|one| !one.about_itself || kind != Kind::Rights)
        .map(Use::call);
    names.filter(|call| !l.usual.calls.contains(call)).collect()
}

fn never_before(l: &Looked<'_>, kind: Kind, weights: (i32, i32), what: &str) -> Option<Sign> {
    let calls = unusual(l, kind);
    if calls.is_empty() {
        return None;
    }
    let several = calls.iter().collect::<BTreeSet<_>>().len() > 1;
    let weight = if several { weights.1 } else { weights.0 };
    Some(Sign::new(
        weight,
        format!("{what}: {}", some(calls.into_iter())),
    ))
}

pub(super) fn rights(l: &Looked<'_>) -> Option<Sign> {
    never_before(
        l,
        Kind::Rights,
        (2, 4),
        "gives rights, which the key never did",
    )
}

pub(super) fn ways_in(l: &Looked<'_>) -> Option<Sign> {
    never_before(
        l,
        Kind::Credentials,
        (3, 5),
        "makes or fetches credentials, which the key never did",
    )
}

pub(super) fn blinds(l: &Looked<'_>) -> Option<Sign> {
    never_before(l, Kind::Blinds, (4, 6), "touches logs or detectors")
}

pub(super) fn shares(l: &Looked<'_>) -> Option<Sign> {
    never_before(l, Kind::Shares, (3, 4), "opens data to others")
}

pub(super) fn secrets(l: &Looked<'_>) -> Option<Sign> {
    let read = l.source.of_kind(Kind::Secrets);
    let read = read.filter(|one| one.succeeded()).map(Use::call);
    let read: Vec<String> = read.filter(|call| !l.usual.calls.contains(call)).collect();
    (l.has_past && !read.is_empty()).then(|| {
        Sign::new(
            2,
            format!(
                "reads secrets that the key never read: {}",
                some(read.into_iter())
            ),
        )
    })
}

pub(super) fn downloads(l: &Looked<'_>) -> Option<Sign> {
    let new = l
        .source
        .of_kind(Kind::Reads)
        .filter(|one| one.succeeded() && !l.usual.calls.contains(&one.call()));
    let reads: u64 = new.map(|one| one.events).sum();
    (l.has_past && reads >= DOWNLOAD)
        .then(|| Sign::new(2, format!("reads {reads} objects, which the key never did")))
}
