//! Which resources of a use will not come again, and what stands for them?
//!
//! In: the resources of an action, and when each was used. Out: patterns with `*`, each with the resources that it stands for. Promise: a
//! pattern stands only for what [`passing`] says was made for one time, and only where the use shows it: names with two dates, three
//! of a kind one after the other, a type that is made for one task, or an id that the action itself removes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::uses::Use;
use crate::knowledge::iam::{Ending, passing};

/// When each resource was first and last used, in microseconds since 1970.
pub(super) type Lives<'a> = HashMap<&'a str, (i64, i64)>;

/// So many of a kind, one after the other, come and go.
const SEVERAL: usize = 3;
/// So many dates in a name change.
const DATES: usize = 2;
/// What begins so long after another's last use comes after it: five minutes, in microseconds. A loop over things that stay takes
/// seconds.
const APART: i64 = 5 * 60 * 1_000_000;

/// What the names of actions begin with that remove what they are done to.
const REMOVES: [&str; 5] = ["Delete", "Deregister", "Release", "Stop", "Terminate"];
/// Actions that begin so and remove nothing.
const KEEPS: [&str; 1] = ["ec2:StopInstances"];

/// When each resource was used, by whichever action.
pub(super) fn lives<'a>(uses: impl IntoIterator<Item = &'a Use>) -> Lives<'a> {
    let mut lives = Lives::new();
    for of in uses {
        let seen = (of.first_seen, of.last_seen);
        let life = lives.entry(of.resource.as_str()).or_insert(seen);
        *life = (life.0.min(seen.0), life.1.max(seen.1));
    }
    lives
}

/// Resources of one pattern.
#[derive(Default)]
struct Kind {
    resources: BTreeSet<String>,
    always: bool,
    /// Those whose names end with a date.
    dates: usize,
    is_id: bool,
}

/// The patterns that stand for resources of an action.
pub(super) fn patterns(
    action: &str,
    resources: &BTreeSet<String>,
    lives: &Lives<'_>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for resource in resources {
        if let Some(passing) = passing(resource) {
            let kind = kinds.entry(passing.pattern).or_default();
            kind.resources.insert(resource.clone());
            kind.always |= passing.always;
            kind.dates += usize::from(passing.ending == Some(Ending::Date));
            kind.is_id |= passing.ending.is_none();
        }
    }
    let removes = removes(action);
    kinds.retain(|_, kind| {
        let gone = kind.is_id && (kind.always || removes);
        gone || kind.dates >= DATES || successive(&kind.resources, lives) >= SEVERAL
    });
    let patterns = kinds.into_iter();
    patterns
        .map(|(pattern, kind)| (pattern, kind.resources))
        .collect()
}

/// Whether an action removes what it is done to.
fn removes(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    !KEEPS.contains(&action) && REMOVES.iter().any(|start| name.starts_with(start))
}

/// How many of these resources were used one after the other: each came after the last use of the one before.
fn successive(resources: &BTreeSet<String>, lives: &Lives<'_>) -> usize {
    let known = resources
        .iter()
        .filter_map(|resource| lives.get(resource.as_str()));
    let mut spans: Vec<(i64, i64)> = known.map(|(first, last)| (*last, *first)).collect();
    spans.sort_unstable();
    let mut count = 0;
    let mut end: Option<i64> = None;
    for (last, first) in spans {
        if end.is_none_or(|end| first >= end.saturating_add(APART)) {
            count += 1;
            end = Some(last);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600 * 1_000_000;

    /// The patterns of an action on resources, each with the first and the last day of its use.
    fn found(action: &str, used: &[(&str, i64, i64)]) -> Vec<String> {
        let lives = used
            .iter()
            .map(|(arn, first, last)| (*arn, (first * DAY, last * DAY)));
        let resources = used.iter().map(|(arn, ..)| (*arn).to_owned()).collect();
        let patterns = patterns(action, &resources, &lives.collect());
        patterns.into_keys().collect()
    }

    #[test]
    fn three_one_after_the_other_come_and_go() {
        let [a, b, c] = ["i-01234567", "i-11234567", "i-21234567"]
            .map(|id| format!("arn:aws:ec2:r:1:instance/{id}"));
        let start = "ec2:StartInstances";
        let any = ["arn:aws:ec2:r:1:instance/*"];
        assert_eq!(found(start, &[(&a, 1, 1), (&b, 2, 2), (&c, 3, 4)]), any);
        assert!(found(start, &[(&a, 1, 3), (&b, 2, 2), (&c, 3, 4)]).is_empty());
        assert!(found(start, &[(&a, 1, 9), (&b, 1, 9), (&c, 1, 9)]).is_empty());
        assert!(found(start, &[(&a, 1, 1), (&b, 2, 2)]).is_empty());
        assert_eq!(found("ec2:TerminateInstances", &[(&a, 1, 1)]), any);
        assert!(found("ec2:StopInstances", &[(&a, 1, 1)]).is_empty());
    }

    #[test]
    fn two_dates_change_and_two_numbers_may_stay() {
        let name = |name: &str| format!("arn:aws:rds:r:1:snapshot:{name}");
        let (a, b) = (name("nightly-2026-06-01"), name("nightly-2026-06-02"));
        let create = "rds:CreateDBSnapshot";
        assert_eq!(
            found(create, &[(&a, 1, 1), (&b, 1, 2)]),
            [name("nightly-*")]
        );
        assert!(found(create, &[(&a, 1, 1)]).is_empty());
        let shards = ["s-1", "s-2", "s-3"].map(name);
        let [one, two, three] = &shards;
        assert!(found(create, &[(one, 1, 9), (two, 1, 9), (three, 1, 9)]).is_empty());
        assert_eq!(
            found(create, &[(one, 1, 1), (two, 2, 2), (three, 3, 3)]),
            [name("s-*")]
        );
        // A name is not gone for good when it is deleted.
        assert!(found("rds:DeleteDBSnapshot", &[(one, 1, 1)]).is_empty());
    }
}
