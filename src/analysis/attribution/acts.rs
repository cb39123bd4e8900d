//! Signs in what was done: who asks, lists, is denied, grants permissions, creates credentials, blinds, reads.
//!
//! In: a source and what is usual. Out: signs. Promise: what the owner did before is no sign.

use super::calls::{CallKind, kind};
use super::looked::Looked;
use super::sign::Sign;
use super::used::{DAY, HOUR, Use};
use std::collections::BTreeSet;

/// So many different calls within an hour are a burst, and so many a large one.
const BURST: (usize, usize) = (3, 6);

/// So many reads by a newcomer are a download.
const DOWNLOAD: u64 = 50;

/// So many calls a day that cost, destroy or take are more than a try.
const PLUNDER: u64 = 10;

/// Whoever goes on for so long has a deployment of which somebody knows.
const DEPLOYMENT: i64 = 7 * DAY;

/// So many of the owner's own calls, or so large a share, are the owner's job.
const JOB: (usize, u64) = (2, 10);

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

/// Calls within an hour.
#[derive(Debug, Clone, Copy, Default)]
struct Burst {
    /// Different ones of some kinds.
    those: usize,
    /// Different ones of any kind.
    all: usize,
    begins: i64,
}

impl Looked<'_> {
    /// Different calls of these kinds that were first made within an hour, and how many of all first calls of that hour they
    /// are; the best hour. Each region counts once.
    fn burst(&self, fits: impl Fn(&Use) -> bool) -> Burst {
        let uses = &self.source.uses;
        let mut best = Burst::default();
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
            if those.len() > best.those {
                best = Burst {
                    those: those.len(),
                    all: all.len(),
                    begins: begin.first,
                };
            }
        }
        best
    }
}

fn is_ask(one: &Use) -> bool {
    kind(&one.service, &one.operation) == Some(CallKind::Asks)
}

fn is_look(one: &Use) -> bool {
    is_ask(one) || kind(&one.service, &one.operation) == Some(CallKind::Lists)
}

pub(super) fn who_am_i(l: &Looked<'_>) -> Option<Sign> {
    let first = l.source.uses.first().filter(|one| is_ask(one))?;
    Some(Sign::new(2, format!("begins with {}", first.call())))
}

pub(super) fn looks_around(l: &Looked<'_>) -> Option<Sign> {
    let burst = l.burst(is_look);
    let (looks, asks) = (burst.those, l.burst(is_ask).those);
    if looks < BURST.0 || asks < 2 || looks * 2 < burst.all {
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
    let what = format!("enumerates the account within an hour: {names}");
    Some(Sign::new(weight, what).since(burst.begins))
}

pub(super) fn refused(l: &Looked<'_>) -> Option<Sign> {
    let burst = l.burst(Use::denied);
    let denied = burst.those;
    (denied >= BURST.0 && denied * 2 >= burst.all).then(|| {
        let what = format!("{denied} different calls were denied within an hour");
        Sign::new(4, what).since(burst.begins)
    })
}

pub(super) fn own_rights(l: &Looked<'_>) -> Option<Sign> {
    let own = l
        .source
        .of_kind(CallKind::Rights)
        .filter(|one| one.about_itself);
    let (done, tried): (Vec<&Use>, Vec<&Use>) = own.partition(|one| one.succeeded());
    let (weight, what, calls) = match (done.is_empty(), tried.is_empty()) {
        (false, _) => (6, "grants itself permissions", done),
        (true, false) => (4, "tried to grant itself permissions", tried),
        _ => return None,
    };
    Some(named((weight, what), &calls))
}

/// A sign with the calls that it is in.
fn named((weight, what): (i32, &str), calls: &[&Use]) -> Sign {
    let names = some(calls.iter().map(|one| one.call()));
    let sign = Sign::new(weight, format!("{what}: {names}"));
    let first = calls.iter().map(|one| one.first).min();
    Sign {
        since: first,
        ..sign
    }
}

/// Uses of a kind that the owner never made.
fn unusual<'l>(l: &'l Looked<'_>, kind: CallKind) -> Vec<&'l Use> {
    let of_kind = l.source.of_kind(kind);
    of_kind
        .filter(|one| !one.about_itself || kind != CallKind::Rights)
        .filter(|one| !l.usual.calls.contains(&one.call()))
        .collect()
}

fn never_before(l: &Looked<'_>, kind: CallKind, weights: (i32, i32), what: &str) -> Option<Sign> {
    let calls = unusual(l, kind);
    if calls.is_empty() {
        return None;
    }
    let different: BTreeSet<String> = calls.iter().map(|one| one.call()).collect();
    let weight = if different.len() > 1 {
        weights.1
    } else {
        weights.0
    };
    Some(named((weight, what), &calls))
}

pub(super) fn rights(l: &Looked<'_>) -> Option<Sign> {
    never_before(
        l,
        CallKind::Rights,
        (2, 4),
        "grants permissions, which the key had never done",
    )
}

pub(super) fn ways_in(l: &Looked<'_>) -> Option<Sign> {
    never_before(
        l,
        CallKind::Credentials,
        (3, 5),
        "creates or retrieves credentials, which the key had never done",
    )
}

pub(super) fn blinds(l: &Looked<'_>) -> Option<Sign> {
    never_before(
        l,
        CallKind::Blinds,
        (4, 6),
        "stops or changes logging or threat detection",
    )
}

pub(super) fn shares(l: &Looked<'_>) -> Option<Sign> {
    never_before(l, CallKind::Shares, (3, 4), "shares data with others")
}

pub(super) fn secrets(l: &Looked<'_>) -> Option<Sign> {
    let read: Vec<&Use> = unusual(l, CallKind::Secrets)
        .into_iter()
        .filter(|one| one.succeeded())
        .collect();
    let what = "reads secrets that the key had never read";
    (l.has_past && !read.is_empty()).then(|| named((2, what), &read))
}

pub(super) fn downloads(l: &Looked<'_>) -> Option<Sign> {
    let new: Vec<&Use> = unusual(l, CallKind::Reads)
        .into_iter()
        .filter(|one| one.succeeded())
        .collect();
    let reads: u64 = new.iter().map(|one| one.events).sum();
    (l.has_past && reads >= DOWNLOAD).then(|| {
        let what = format!("reads {reads} objects, which the key had never done");
        Sign {
            since: new.iter().map(|one| one.first).min(),
            ..Sign::new(2, what)
        }
    })
}

/// Launches, deletions, secrets and models in numbers, by somebody who is new in every way and does nothing of the owner's job: a thief
/// who knows what he wants does not look around first.
pub(super) fn plunders(l: &Looked<'_>) -> Option<Sign> {
    let source = l.source;
    let is_new = l.new_place() && l.new_program() && !source.deploys;
    if !is_new || source.last - source.first >= DEPLOYMENT || does_the_job(l) {
        return None;
    }
    let kinds = [
        CallKind::Launches,
        CallKind::Destroys,
        CallKind::Secrets,
        CallKind::Models,
    ];
    let calls = kinds.into_iter().flat_map(|kind| unusual(l, kind));
    // Parameters are settings more often than secrets, and every program reads its own when it starts.
    let calls = calls.filter(|one| !one.denied() && one.service != "ssm");
    let calls: Vec<&Use> = calls.collect();
    let first = calls.iter().map(|one| one.first).min()?;
    let last = calls.iter().map(|one| one.last).max()?;
    let days = (last - first).div_euclid(DAY) as u64 + 1;
    let events: u64 = calls.iter().map(|one| one.events).sum();
    let what = "calls that cost, destroy or take, which the key had never made";
    (events >= PLUNDER * days).then(|| named((6, &format!("{events} {what}")), &calls))
}

/// Whether enough of what is done is what the owner does; questions are everybody's.
fn does_the_job(l: &Looked<'_>) -> bool {
    let uses = l.source.uses.iter();
    let job =
        uses.filter(|one| one.succeeded() && !is_look(one) && l.usual.calls.contains(&one.call()));
    let different: BTreeSet<String> = job.clone().map(Use::call).collect();
    let events: u64 = job.map(|one| one.events).sum();
    different.len() >= JOB.0 || events * JOB.1 >= l.source.events
}
