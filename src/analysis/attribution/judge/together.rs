//! One visitor at several addresses.
//!
//! In: sources, each weighed by itself. Out: the same, with those of one new program that came one after the other judged as one. Promise: what would tell
//! an intruder at one address tells him at several; a program that comes from very many is that of an application's users.

use super::super::known::Known;
use super::super::looked::Looked;
use super::super::sign::Sign;
use super::super::signs::SIGNS;
use super::super::source::Source;
use super::super::usual::Usual;
use super::{DAY, grade, has_past};
use crate::report::trace::Origin;
use std::collections::BTreeMap;

/// Nobody changes the address more often while he looks around.
const MOST: usize = 50;

/// Judges what belongs together as one.
pub(super) fn join(sources: &mut [Source], known: &Known<'_>) {
    let mut programs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let open = |source: &Source| matches!(source.origin, Origin::Unknown | Origin::Suspicious);
    for (at, source) in sources.iter().enumerate() {
        if source.has_new_program && open(source) {
            programs.entry(&source.program).or_default().push(at);
        }
    }
    let visits = programs.into_values().flat_map(|of| visits(sources, &of));
    let visits = visits.filter(|visit| (2..=MOST).contains(&visit.len()));
    let found: Vec<(Vec<usize>, String)> = visits
        .filter_map(|visit| {
            let why = intruder(sources, &visit, known)?;
            Some((visit, why))
        })
        .collect();
    for (visit, why) in found {
        let what = format!(
            "the same new program from {} addresses, judged together: {why}",
            visit.len()
        );
        for at in visit {
            sources[at].origin = Origin::Intruder;
            sources[at].signs.push(Sign::new(4, &what));
        }
    }
}

/// Sources, in order of first use, of which each begins within a day of those before.
fn visits(sources: &[Source], of_program: &[usize]) -> Vec<Vec<usize>> {
    let mut visits: Vec<Vec<usize>> = Vec::new();
    let mut last = i64::MIN;
    for &at in of_program {
        let source = &sources[at];
        match visits.last_mut() {
            Some(visit) if source.first <= last.saturating_add(DAY) => visit.push(at),
            _ => visits.push(vec![at]),
        }
        last = last.max(source.last);
    }
    visits
}

/// What tells that these, taken as one source, are an intruder's.
fn intruder(sources: &[Source], visit: &[usize], known: &Known<'_>) -> Option<String> {
    let first = &sources[*visit.first()?];
    let mut whole = first.clone();
    for at in &visit[1..] {
        let other = &sources[*at];
        whole.last = whole.last.max(other.last);
        whole.events += other.events;
        whole.uses.extend(other.uses.iter().cloned());
    }
    whole
        .uses
        .sort_by(|a, b| (a.first, &a.operation).cmp(&(b.first, &b.operation)));
    let earlier = sources.iter().enumerate().filter(|(at, source)| {
        let is_owners = matches!(source.origin, Origin::Unknown | Origin::Owner);
        is_owners && source.first < first.first && !visit.contains(at)
    });
    let earlier = earlier.map(|(_, source)| source);
    let mut usual = Usual {
        began: sources.first().map_or(0, |source| source.first),
        ..Usual::default()
    };
    earlier.clone().for_each(|source| usual.learn(source));
    let looked = Looked {
        source: &whole,
        usual: &usual,
        known,
        has_past: has_past(earlier, first.first, known),
        stands_alone: false,
    };
    let mut signs: Vec<Sign> = SIGNS.iter().filter_map(|sign| sign(&looked)).collect();
    signs.sort_by_key(|sign| -sign.weight);
    let is_intruders = grade(&signs, looked.has_past, known) == Origin::Intruder;
    is_intruders.then(|| signs.first().map(Sign::words))?
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BOTO, CLI, DESKTOP, call, judged};
    use super::*;

    const CALLS: [&str; 5] = [
        "sts:GetCallerIdentity",
        "iam:ListUsers!",
        "iam:ListRoles!",
        "iam:PutUserPolicy*",
        "iam:CreateAccessKey",
    ];

    /// The owner's job, and a call from each of some addresses.
    fn origins(calls: &[&str], agent: &str, apart: i64) -> Vec<Origin> {
        let job = (0..40).map(|day| call(day * DAY, "203.0.113.10", BOTO, "s3:PutObject"));
        let visit = calls.iter().enumerate().map(|(at, name)| {
            let address = format!("198.51.{at}.7");
            call(30 * DAY + at as i64 * apart, &address, agent, name)
        });
        let found = judged(&job.chain(visit).collect::<Vec<_>>());
        let strange = found.all.iter().filter(|of| of.address.starts_with("198."));
        strange.map(|of| of.origin).collect()
    }

    #[test]
    fn whoever_changes_the_address_for_each_call_is_the_same() {
        assert_eq!(origins(&CALLS, CLI, DAY / 24), [Origin::Intruder; 5]);
        // Somebody who travels and does the usual.
        let travels = origins(&["s3:PutObject"; 5], DESKTOP, DAY / 2);
        assert!(!travels.contains(&Origin::Intruder), "{travels:?}");
        let looks = origins(
            &["ec2:DescribeInstances", "s3:ListBuckets", "s3:PutObject"],
            DESKTOP,
            DAY / 2,
        );
        assert!(!looks.contains(&Origin::Intruder), "{looks:?}");
    }

    #[test]
    fn the_owners_program_by_name_alone_makes_no_owner() {
        let later = |names: &[&str]| {
            let job = (0..40).map(|day| call(day * DAY, "203.0.113.10", BOTO, "s3:PutObject"));
            let calls = names.iter().enumerate();
            let calls =
                calls.map(|(at, name)| call((20 + at as i64) * DAY, "198.51.100.7", BOTO, name));
            let found = judged(&job.chain(calls).collect::<Vec<_>>());
            let all = found.all.iter().map(|source| source.origin);
            all.min().unwrap()
        };
        // One call a day, of which the key never made one.
        let looks = [
            "sts:GetCallerIdentity",
            "s3:ListBuckets",
            "ec2:DescribeInstances",
            "rds:DescribeDBSnapshots",
        ];
        assert_eq!(later(&looks), Origin::Suspicious);
        // The job on a new server.
        let moved = ["sts:GetCallerIdentity", "s3:PutObject", "s3:PutObject"];
        assert_eq!(later(&moved), Origin::Unknown);
    }
}
