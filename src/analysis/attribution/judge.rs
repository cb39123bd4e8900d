//! Who is behind each source of a credential's use.
//!
//! In: uses, what is known beforehand. Out: [`Sources`], each with a verdict: intruder, suspicious, owner, or unknown. Promise: weights
//! and thresholds are named here; what was judged an intruder's is never learned as usual; where nothing tells, the verdict is
//! unknown.

use super::known::Known;
use super::signs::{Looked, SIGNS, Sign};
use super::source::{Source, Sources, collected};
use super::used::Use;
use super::usual::{DAY, HOUR, Usual};
use crate::knowledge::Networks;
use crate::report::trace::Origin;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Weight from which on a use is suspicious, and from which on it is an intruder's.
const SUSPICIOUS: i32 = 7;
const INTRUDER: i32 = 12;

/// Without a past to compare with, an administrator's first day looks the same: it takes more.
const INTRUDER_WITHOUT_PAST: i32 = 18;

/// From when on there is a past: after so long, or after so long and so many events.
const PAST: i64 = DAY;
const SHORT_PAST: (i64, u64) = (6 * HOUR, 2);

/// A key that was just made has no habits yet.
const SHORT_PAST_OF_NEW_KEY: u64 = 8;

/// Why a use is the owner's that comes from a listed network.
const IN_OWN_NETWORK: &str = "in one of the owner's networks";

/// Whoever uses a key for so long, with nobody else, is more likely its owner.
const WEEKS: i64 = 14 * DAY;

/// What came so shortly before an intruder may be the intruder's first try.
const SHORTLY: i64 = HOUR;

/// Judges where and with what a credential was used.
pub(in crate::analysis) fn judge(uses: &[Use], known: &Known<'_>, networks: &Networks) -> Sources {
    let mut sources = collected(uses, networks);
    for source in &mut sources {
        source.coordinates = known
            .book
            .and_then(|book| book.coordinates(&source.address));
    }
    weigh(&mut sources, known);
    doubt(&mut sources);
    spread(&mut sources);
    settle(&mut sources);
    for source in &mut sources {
        source.signs.sort_by_key(|sign| -sign.weight);
    }
    Sources::new(sources)
}

/// Weighs each by itself, in order of first use.
fn weigh(sources: &mut [Source], known: &Known<'_>) {
    let began = sources.first().map_or(0, |source| source.first);
    let mut usual = Usual {
        began,
        ..Usual::default()
    };
    for at in 0..sources.len() {
        let given = given(&sources[at], known);
        let (origin, signs, new) = match given {
            Some((origin, why)) => (origin, vec![Sign::new(0, why)], (false, false)),
            None => {
                let is_owners = known.is_owners(&sources[at].address);
                let has_past = has_past(&sources[..at], sources[at].first, known);
                let looked = Looked {
                    source: &sources[at],
                    usual: &usual,
                    known,
                    has_past,
                    stands_alone: !has_past && stands_alone(sources, at, known),
                };
                let signs = SIGNS.iter().filter_map(|sign| sign(&looked));
                if is_owners {
                    let (origin, signs) = at_home(signs.collect(), known);
                    (origin, signs, (false, false))
                } else {
                    let signs: Vec<Sign> = signs.collect();
                    let new = (looked.new_place(), looked.new_program());
                    let compared = has_past || looked.stands_alone || known.is_session;
                    let origin = grade(&signs, compared, known);
                    let origin = match is_explained(&looked, compared) && !is_tool(&signs, known) {
                        true => origin.max(Origin::Suspicious),
                        false => origin,
                    };
                    (origin, signs, new)
                }
            }
        };
        let source = &mut sources[at];
        (source.origin, source.signs) = (origin, signs);
        (source.is_new, source.has_new_program) = (new.0 || new.1, new.1);
        if matches!(origin, Origin::Unknown | Origin::Owner) {
            usual.learn(source);
        }
    }
}

/// Whether enough of the owner's use was seen before this moment.
fn has_past(earlier: &[Source], moment: i64, known: &Known<'_>) -> bool {
    let owners = || {
        let owners = earlier.iter();
        owners.filter(|source| matches!(source.origin, Origin::Unknown | Origin::Owner))
    };
    let Some(began) = owners().map(|source| source.first).min() else {
        return false;
    };
    let uses = owners().flat_map(|source| &source.uses);
    let events: u64 = uses
        .filter(|one| one.first < moment)
        .map(|one| if one.last < moment { one.events } else { 1 })
        .sum();
    let least = match is_new(known, moment) {
        true => SHORT_PAST_OF_NEW_KEY,
        false => SHORT_PAST.1,
    };
    enough(moment - began, events, least)
}

/// Whether a credential was made in the day before.
fn is_new(known: &Known<'_>, moment: i64) -> bool {
    known
        .made
        .is_some_and(|made| made <= moment && moment - made < DAY)
}

/// Whether so much of a credential's use is something to compare with.
fn enough(span: i64, events: u64, least: u64) -> bool {
    span >= PAST || (span >= SHORT_PAST.0 && events >= least)
}

/// Whether a source came and went within an hour, and the credential goes on elsewhere and with other programs. A key that was
/// made just before may be its maker's first try.
fn stands_alone(sources: &[Source], at: usize, known: &Known<'_>) -> bool {
    let source = &sources[at];
    if is_new(known, source.first) || source.last - source.first > HOUR {
        return false;
    }
    let later = || {
        let later = sources.iter();
        later.filter(|other| other.last > source.last + HOUR)
    };
    let like = |other: &Source| other.place == source.place || other.program == source.program;
    if later().any(like) {
        return false;
    }
    let end = later().map(|other| other.last).max();
    let events = later().map(|other| other.events).sum();
    end.is_some_and(|end| enough(end - source.last, events, SHORT_PAST.1))
}

fn weight(signs: &[Sign]) -> i32 {
    signs.iter().map(|sign| sign.weight).sum()
}

/// The weight of what was done, apart from its being new.
fn conduct(source: &Source) -> i32 {
    let signs = source.signs.iter().filter(|sign| !sign.is_novelty);
    signs.map(|sign| sign.weight).sum()
}

fn grade(signs: &[Sign], compared: bool, known: &Known<'_>) -> Origin {
    let enough = match compared {
        true => INTRUDER,
        false => INTRUDER_WITHOUT_PAST,
    };
    match weight(signs) {
        _ if is_tool(signs, known) => Origin::Intruder,
        sum if sum >= enough => Origin::Intruder,
        sum if sum >= SUSPICIOUS => Origin::Suspicious,
        _ => Origin::Unknown,
    }
}

/// Whether a sign alone tells an intruder.
fn is_tool(signs: &[Sign], known: &Known<'_>) -> bool {
    !known.is_break_glass && signs.iter().any(|sign| sign.weight >= INTRUDER)
}

/// Whether the owner may well have done all of this, so that it is suspicious at most: the usual program at the usual kind of place,
/// where all that is unusual was refused, as after a release that lacks permissions; or the only use there is, for weeks.
fn is_explained(l: &Looked<'_>, compared: bool) -> bool {
    let source = l.source;
    if !compared {
        return source.last - source.first >= WEEKS;
    }
    let unusual = source.uses.iter();
    let mut unusual = unusual.filter(|one| !l.usual.calls.contains(&one.call()));
    l.has_past
        && source.place.is_some()
        && !l.new_place()
        && !l.new_program()
        && unusual.all(|one| !one.succeeded())
}

/// The verdict on a source in one of the owner's networks: the owner's, unless what was done there speaks against it. A list of
/// networks may be wrong, and an intruder may be inside; that something is new there says nothing.
fn at_home(signs: Vec<Sign>, known: &Known<'_>) -> (Origin, Vec<Sign>) {
    let mut signs: Vec<Sign> = signs.into_iter().filter(|sign| !sign.is_novelty).collect();
    let origin = match grade(&signs, true, known) {
        Origin::Unknown => Origin::Owner,
        origin => origin,
    };
    let why = match origin {
        Origin::Owner => IN_OWN_NETWORK,
        _ => "although the address is listed among the owner's networks",
    };
    signs.push(Sign::new(0, why));
    (origin, signs)
}

/// Where an intruder uses an address, that the address is on a list does not make other programs there the owner's.
fn doubt(sources: &mut [Source]) {
    let strange: BTreeSet<String> = sources
        .iter()
        .filter(|source| matches!(source.origin, Origin::Intruder | Origin::Suspicious))
        .map(|source| source.address.clone())
        .collect();
    for source in sources {
        let is_listed = source.signs.iter().any(|sign| sign.what == IN_OWN_NETWORK);
        if source.origin == Origin::Owner && is_listed && strange.contains(&source.address) {
            source.origin = Origin::Unknown;
            source.signs.retain(|sign| sign.what != IN_OWN_NETWORK);
        }
    }
}

/// The verdict that people gave, or that AWS's own calls give.
fn given(source: &Source, known: &Known<'_>) -> Option<(Origin, &'static str)> {
    if source.uses.iter().all(|one| one.is_quarantine) {
        return Some((Origin::Owner, "AWS itself quarantined the user"));
    }
    if let Some(address) = known.address {
        return Some(match address == source.address {
            true => (Origin::Intruder, "the address that was asked for"),
            false => (Origin::Unknown, "another address of the same credential"),
        });
    }
    if source.address.parse::<IpAddr>().is_err() || known.is_owners(&source.address) {
        return None;
    }
    if !known.networks.is_empty() {
        return Some((Origin::Intruder, "outside the known networks"));
    }
    let start = known.incident_start?;
    Some(match source.first >= start {
        true => (Origin::Intruder, "first seen after the incident began"),
        false => (Origin::Owner, "seen before the incident began"),
    })
}

/// What shares an address or a program with an intruder, at the same time, is the intruder's, too.
fn spread(sources: &mut [Source]) {
    loop {
        let found = (0..sources.len()).find_map(|at| {
            let source = &sources[at];
            if !matches!(source.origin, Origin::Unknown | Origin::Suspicious) {
                return None;
            }
            let (origin, why) = touched(source, sources)?;
            (origin < source.origin).then_some((at, origin, why))
        });
        let Some((at, origin, why)) = found else {
            return;
        };
        sources[at].origin = origin;
        sources[at].signs.push(Sign::new(4, why));
    }
}

/// The verdict that an intruder nearby gives.
fn touched(source: &Source, all: &[Source]) -> Option<(Origin, &'static str)> {
    let intruders = || all.iter().filter(|other| other.origin == Origin::Intruder);
    let before = |address: &str, time: i64| {
        let others = all.iter().filter(|other| other.address == address);
        others.into_iter().any(|other| {
            !matches!(other.origin, Origin::Intruder | Origin::Suspicious) && other.first < time
        })
    };
    if intruders()
        .any(|other| other.address == source.address && !before(&other.address, other.first))
    {
        return Some((
            Origin::Intruder,
            "from an address that only the intruder uses",
        ));
    }
    let near =
        |other: &&Source| source.first <= other.last + DAY && other.first <= source.last + DAY;
    let same_text = |other: &&Source| {
        other.program == source.program && source.has_new_program && other.has_new_program
    };
    if source.is_new && intruders().filter(near).any(|other| same_text(&other)) {
        return Some((
            Origin::Intruder,
            "the program that the intruder uses, at the same time",
        ));
    }
    (source.is_new && conduct(source) > 0 && intruders().any(|other| near(&other)))
        .then_some((Origin::Suspicious, "new, within a day of the intruder"))
}

/// Says of the rest whether it is the owner's. Without anybody to tell it from, nothing does.
fn settle(sources: &mut [Source]) {
    let strange = |source: &&Source| matches!(source.origin, Origin::Intruder | Origin::Suspicious);
    let Some(begin) = sources
        .iter()
        .filter(strange)
        .map(|source| source.first)
        .min()
    else {
        return;
    };
    let mut owners = Usual::default();
    let earlier = |source: &Source| {
        source.origin == Origin::Unknown && source.first < begin - SHORTLY && !source.is_new
    };
    for source in sources.iter() {
        if source.origin == Origin::Owner || earlier(source) {
            owners.learn(source);
        }
    }
    for source in sources.iter_mut() {
        if source.origin != Origin::Unknown {
            continue;
        }
        let (origin, why) = if earlier(source) {
            (Origin::Owner, "in use before the intruder came")
        } else if owners.programs.contains(&source.program)
            && owners.addresses.contains(&source.address)
        {
            (
                Origin::Owner,
                "the owner's program, from one of the owner's addresses",
            )
        } else if owners.knows_spot(source) {
            (
                Origin::Owner,
                "the owner's program, from the same network as before",
            )
        } else if source.first < begin - SHORTLY {
            (Origin::Owner, "in use before the intruder came")
        } else if source.first < begin {
            (Origin::Unknown, "first seen shortly before the intruder")
        } else {
            (Origin::Unknown, "first seen after the intruder")
        };
        source.origin = origin;
        source.signs.push(Sign::new(0, why));
    }
}

#[cfg(test)]
mod tests;
