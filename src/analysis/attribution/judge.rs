//! Who is behind each source of a credential's use.
//!
//! In: uses, what is known beforehand. Out: [`Sources`], each with a verdict: intruder, suspicious, owner, or unknown. Promise: weights
//! and thresholds are named here; what was judged an intruder's is never learned as usual; where nothing tells, the verdict is
//! unknown.

mod scan;
mod together;
mod touch;

use super::known::Known;
use super::looked::Looked;
use super::place::Place;
use super::sign::Sign;
use super::signs::SIGNS;
use super::source::{Source, Sources, collected};
use super::used::{DAY, HOUR, Use};
use super::usual::Usual;
use crate::knowledge::Networks;
use crate::report::trace::{ASKED, Origin};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// Weight from which on a use is suspicious, and from which on it is an intruder's.
const SUSPICIOUS: i32 = 7;
const INTRUDER: i32 = 12;

/// Without a past to compare with, an administrator's first day looks the same: it takes more.
const INTRUDER_WITHOUT_PAST: i32 = 18;

/// From when on there is a past: after so long, or after so long and so many events.
const PAST: i64 = DAY;
const SHORT_PAST: (i64, u64) = (6 * HOUR, 2);

/// Whoever comes and goes within this time, and never again, is compared with what comes later: an intruder tries the key again when
/// it is deactivated.
const ALONE: i64 = 6 * HOUR;

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
    scan::mark(&mut sources, known);
    weigh(&mut sources, known);
    together::join(&mut sources, known);
    doubt(&mut sources);
    touch::spread(&mut sources);
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
    let lasts = Lasts::of(sources);
    // Those that are not an intruder's, so far.
    let mut owners: Vec<usize> = Vec::new();
    for at in 0..sources.len() {
        let given = given(&sources[at], known);
        let (origin, signs, new) = match given {
            Some((origin, why)) => (origin, vec![Sign::new(0, why)], (false, false)),
            None => {
                let is_owners = known.is_owners(&sources[at].address);
                let earlier = owners.iter().map(|at| &sources[*at]);
                let has_past = has_past(earlier, sources[at].first, known);
                let looked = Looked {
                    source: &sources[at],
                    usual: &usual,
                    known,
                    has_past,
                    stands_alone: !has_past && stands_alone(&sources[at], &lasts, known),
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
            owners.push(at);
        }
    }
}

/// Whether enough of the owner's use was seen before this moment; `owners` are in order of first use.
fn has_past<'a>(
    mut owners: impl Iterator<Item = &'a Source> + Clone,
    moment: i64,
    known: &Known<'_>,
) -> bool {
    let uses = owners.clone().flat_map(|source| &source.uses);
    let Some(began) = owners.next().map(|source| source.first) else {
        return false;
    };
    let least = match is_new(known, moment) {
        true => SHORT_PAST_OF_NEW_KEY,
        false => SHORT_PAST.1,
    };
    let events = uses
        .filter(|one| one.first < moment)
        .map(|one| if one.last < moment { one.events } else { 1 });
    enough(moment - began, events, least)
}

/// Whether a credential was made in the day before.
fn is_new(known: &Known<'_>, moment: i64) -> bool {
    known
        .made
        .is_some_and(|made| made <= moment && moment - made < DAY)
}

/// Whether so much of a credential's use is something to compare with. Of very many uses, the first few are counted.
fn enough(span: i64, events: impl Iterator<Item = u64>, least: u64) -> bool {
    let mut sums = events.scan(0_u64, |sum, events| {
        *sum += events;
        Some(*sum)
    });
    span >= PAST || (span >= SHORT_PAST.0 && sums.any(|sum| sum >= least))
}

/// Whether a source came and went within hours, and the credential goes on elsewhere and with other programs. A key that was
/// made just before may be its maker's first try.
fn stands_alone(source: &Source, lasts: &Lasts, known: &Known<'_>) -> bool {
    if is_new(known, source.first) || source.last - source.first > ALONE {
        return false;
    }
    let goes_on = |last: Option<&i64>| last.is_some_and(|last| *last > source.last + ALONE);
    if goes_on(lasts.places.get(&source.place)) || goes_on(lasts.programs.get(&source.program)) {
        return false;
    }
    let from = lasts
        .events
        .partition_point(|(last, _)| *last <= source.last + ALONE);
    let later = lasts.events[from..].iter().rev().map(|(_, events)| *events);
    let end = lasts.events.last().map(|(last, _)| *last);
    end.is_some_and(|end| {
        end > source.last + ALONE && enough(end - source.last, later, SHORT_PAST.1)
    })
}

/// When things were last seen: what makes a source stand alone, without comparing each with each.
struct Lasts {
    places: HashMap<Option<Place>, i64>,
    programs: HashMap<String, i64>,
    /// The last use of each source, in order, and its events.
    events: Vec<(i64, u64)>,
}

impl Lasts {
    fn of(sources: &[Source]) -> Self {
        let mut places = HashMap::new();
        let mut programs = HashMap::new();
        for source in sources {
            let last = places.entry(source.place.clone()).or_insert(source.last);
            *last = source.last.max(*last);
            let last = programs
                .entry(source.program.clone())
                .or_insert(source.last);
            *last = source.last.max(*last);
        }
        let mut events: Vec<(i64, u64)> = sources
            .iter()
            .map(|source| (source.last, source.events))
            .collect();
        events.sort_unstable();
        Self {
            places,
            programs,
            events,
        }
    }
}

fn weight(signs: &[Sign]) -> i32 {
    signs.iter().map(|sign| sign.weight).sum()
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
            true => (Origin::Intruder, ASKED),
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
