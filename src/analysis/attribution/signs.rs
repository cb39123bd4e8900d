//! What speaks for an intruder, and what against.
//!
//! In: a source, and what the credential's owner usually does. Out: [`Sign`]s with their weight. Promise: every sign is a row of
//! [`SIGNS`]; a sign that needs a past is silent where there is none.

use super::acts;
use super::known::SignIn;
use super::looked::Looked;
use super::sign::Sign;
use super::used::{DAY, HOUR};
use std::collections::BTreeSet;

type Test = fn(&Looked<'_>) -> Option<Sign>;

/// All of them.
pub(super) const SIGNS: &[Test] = &[
    attack_tool,
    scanner,
    http_library,
    elsewhere,
    other_program,
    both_new,
    other_calls,
    never_again,
    outside_its_network,
    two_networks_at_once,
    too_far,
    acts::who_am_i,
    acts::looks_around,
    acts::refused,
    acts::own_rights,
    acts::rights,
    acts::ways_in,
    acts::blinds,
    acts::shares,
    acts::secrets,
    acts::downloads,
    acts::plunders,
    desktop,
    odd_hour,
    neighbour,
    signed_in,
    one_call,
    moves_about,
    break_glass,
];

fn attack_tool(l: &Looked<'_>) -> Option<Sign> {
    l.source.tool.as_ref().map(|tool| Sign::new(12, tool))
}

/// A key that was made public is tried by others within minutes. Where its owner's use is known, that tells them apart.
fn scanner(l: &Looked<'_>) -> Option<Sign> {
    (l.source.scans && !l.has_past && !l.stands_alone).then(|| {
        Sign::new(
            8,
            "a scanner's pattern: several programs at this address only ask who the key is and what it may do, within minutes, and are denied",
        )
    })
}

fn http_library(l: &Looked<'_>) -> Option<Sign> {
    (l.source.plain && (l.new_program() || !l.has_past))
        .then(|| Sign::new(2, "a plain HTTP library instead of an AWS SDK"))
}

fn elsewhere(l: &Looked<'_>) -> Option<Sign> {
    let place = l.source.place.as_ref().filter(|_| l.new_place())?;
    let days = (l.source.first - l.usual.began) / DAY;
    let when = match days {
        0 => "hours after the key's first use".to_owned(),
        1 => "1 day after the key's first use".to_owned(),
        days => format!("{days} days after the key's first use"),
    };
    let same_provider = place.provider().is_some_and(|name| {
        l.usual
            .places
            .iter()
            .any(|usual| usual.provider() == Some(name))
    });
    Some(match same_provider {
        true => Sign::novelty(
            1,
            format!("a new region of its provider ({})", place.words()),
        ),
        false => Sign::novelty(
            2,
            format!("a network never used before ({}), {when}", place.words()),
        ),
    })
}

fn other_program(l: &Looked<'_>) -> Option<Sign> {
    l.new_program().then(|| {
        Sign::novelty(
            2,
            format!("a program never used before ({})", l.source.title),
        )
    })
}

fn both_new(l: &Looked<'_>) -> Option<Sign> {
    (l.new_program() && l.new_place())
        .then(|| Sign::novelty(2, "network and program are new together"))
}

/// So many different calls that the key never made are another job.
const OTHER_CALLS: usize = 3;

/// Anybody can give the owner's program as his own. What it does tells them apart.
fn other_calls(l: &Looked<'_>) -> Option<Sign> {
    let calls: BTreeSet<String> = l.source.calls().collect();
    let is_other = calls.len() >= OTHER_CALLS && calls.is_disjoint(&l.usual.calls);
    (is_other && l.new_place() && !l.new_program()).then(|| {
        Sign::novelty(
            3,
            "the usual program in a new network, with calls that the key had never made",
        )
    })
}

/// Where the log begins with it, only what comes later can be compared with it.
fn never_again(l: &Looked<'_>) -> Option<Sign> {
    l.stands_alone.then(|| {
        Sign::novelty(
            4,
            "used for a few hours at most, from a network and with a program that the key is never used with again",
        )
    })
}

/// AWS hands these credentials to a workload, which runs in AWS.
/// <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html>
fn outside_its_network(l: &Looked<'_>) -> Option<Sign> {
    let workload = l.source.workload.as_ref()?;
    let place = l.source.place.as_ref()?;
    let usual = l.known.usual_addresses.contains(&l.source.address);
    (!place.is_aws() && !usual).then(|| {
        Sign::new(
            8,
            format!("AWS gave these credentials to {workload}, and they are used from outside AWS"),
        )
    })
}

/// A temporary session lives in one process, which is in one place.
fn two_networks_at_once(l: &Looked<'_>) -> Option<Sign> {
    if !l.known.is_session || !l.new_program() {
        return None;
    }
    let (place, ..) = l.usual.spans.iter().find(|(place, first, last)| {
        l.source.place.as_ref().is_some_and(|here| here != place)
            && *first < l.source.first
            && *last > l.source.first
    })?;
    Some(Sign::new(
        4,
        format!(
            "one session in two networks at the same time (also {})",
            place.words()
        ),
    ))
}

/// Faster than an airliner, and farther than databases of cities are wrong.
const AIRLINER: f64 = 1000.0;
const FAR: f64 = 500.0;

/// A person is at one place at a time; a program may run at many.
fn too_far(l: &Looked<'_>) -> Option<Sign> {
    let here = l.source.coordinates.filter(|_| l.source.desktop)?;
    let times = || {
        let uses = l.source.uses.iter();
        uses.flat_map(|one| [one.first, one.last])
    };
    let distances = l.usual.trips.iter().filter_map(|(program, there, then)| {
        let kilometres = here.distance(*there);
        let between = then
            .iter()
            .flat_map(|then| times().map(move |now| (now - then).abs()));
        let hours = between.min()? as f64 / HOUR as f64;
        (*program == l.source.program && kilometres > FAR.max(hours * AIRLINER))
            .then_some(kilometres)
    });
    let kilometres = distances.max_by(f64::total_cmp)?;
    Some(Sign::new(
        4,
        format!(
            "{kilometres:.0} km from where the same desktop program was used, sooner than anybody travels"
        ),
    ))
}

fn desktop(l: &Looked<'_>) -> Option<Sign> {
    (l.source.desktop && l.new_program() && !l.usual.desktop)
        .then(|| Sign::new(1, "a desktop program, and the key was used by servers only"))
}

fn odd_hour(l: &Looked<'_>) -> Option<Sign> {
    let hour = l.source.first.rem_euclid(DAY) / HOUR;
    let is_regular = l.source.first - l.usual.began > 5 * DAY && l.usual.hours.len() <= 12;
    (l.has_past && is_regular && !l.usual.hours.contains(&hour)).then(|| {
        Sign::new(
            1,
            format!("at an hour when the key is not used ({hour:02}:00 UTC)"),
        )
    })
}

fn neighbour(l: &Looked<'_>) -> Option<Sign> {
    let place = l
        .source
        .place
        .as_ref()
        .filter(|_| l.has_past && !l.new_place())?;
    let is_office = matches!(place, super::place::Place::Site(_));
    (is_office && l.source.first > l.usual.began)
        .then(|| Sign::new(-3, format!("from the owner's network {}", place.words())))
}

fn signed_in(l: &Looked<'_>) -> Option<Sign> {
    let here = |sign_in: &&SignIn| sign_in.address == l.source.address;
    let own = l.known.sign_ins.iter().filter(here).any(|sign_in| {
        sign_in.time < l.source.first + DAY
            && (sign_in.mfa.is_some() || sign_in.time < l.source.first - DAY)
    });
    if own {
        return Some(Sign::new(
            -6,
            "the same person signed in to the console from this address",
        ));
    }
    // Whoever stole a key has no second factor of anybody else's.
    let colleague = l
        .known
        .colleagues
        .iter()
        .filter(here)
        .any(|sign_in| sign_in.mfa.is_some_and(|time| time < l.source.first - DAY));
    colleague.then(|| {
        Sign::new(
            -6,
            "another user of the account signed in to the console with MFA from this address on days before",
        )
    })
}

fn one_call(l: &Looked<'_>) -> Option<Sign> {
    (l.source.uses.len() == 1 && l.source.events == 1).then(|| Sign::new(-1, "one call only"))
}

/// Places that no provider publishes: an owner who has used so many moves about.
const MOVES: usize = 3;

fn moves_about(l: &Looked<'_>) -> Option<Sign> {
    let sites = l
        .usual
        .places
        .iter()
        .filter(|place| matches!(place, super::place::Place::Site(_)));
    (l.new_place() && !l.new_program() && sites.take(MOVES).count() >= MOVES)
        .then(|| Sign::new(-2, "the same program has been used from many places before"))
}

fn break_glass(l: &Looked<'_>) -> Option<Sign> {
    l.known.is_break_glass.then(|| {
        Sign::new(
            -6,
            "a known principal for emergencies (list known_principals)",
        )
    })
}
