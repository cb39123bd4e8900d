//! What an intruder's use says of the uses beside it.
//!
//! In: sources with a verdict each. Out: the same, with what shares an address, a program or a time with an intruder judged anew, until
//! nothing changes. Promise: a round looks at each source once, however many there are: a key in an application has an address for
//! each of its users.

use super::super::sign::Sign;
use super::super::source::Source;
use super::DAY;
use crate::report::trace::Origin;
use std::collections::HashMap;

/// What shares an address or a program with an intruder, at the same time, is the intruder's, too.
pub(super) fn spread(sources: &mut [Source]) {
    while sources
        .iter()
        .any(|source| source.origin == Origin::Intruder)
    {
        let near = Near::of(sources);
        let found: Vec<(usize, Origin, &'static str)> = sources
            .iter()
            .enumerate()
            .filter(|(_, source)| matches!(source.origin, Origin::Unknown | Origin::Suspicious))
            .filter_map(|(at, source)| {
                let (origin, why) = near.touches(source)?;
                (origin < source.origin).then_some((at, origin, why))
            })
            .collect();
        if found.is_empty() {
            return;
        }
        for (at, origin, why) in found {
            sources[at].origin = origin;
            sources[at].signs.push(Sign::new(4, why));
        }
    }
}

/// Where, with what and when intruders were.
struct Near<'a> {
    /// By address: the first use by an intruder, and by anybody who is not suspected.
    addresses: HashMap<&'a str, (Option<i64>, Option<i64>)>,
    /// By program that was new when the intruder came with it.
    programs: HashMap<&'a str, Times>,
    all: Times,
}

impl<'a> Near<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let mut addresses: HashMap<&str, (Option<i64>, Option<i64>)> = HashMap::new();
        let mut programs: HashMap<&str, Times> = HashMap::new();
        let mut all = Times::default();
        let least = |one: &mut Option<i64>, first: i64| {
            *one = Some(one.map_or(first, |one| one.min(first)));
        };
        for source in sources {
            let (intruder, other) = addresses.entry(&source.address).or_default();
            match source.origin {
                Origin::Intruder => least(intruder, source.first),
                Origin::Suspicious => continue,
                _ => {
                    least(other, source.first);
                    continue;
                }
            }
            all.0.push((source.first, source.last));
            if source.has_new_program {
                let times = programs.entry(&source.program).or_default();
                times.0.push((source.first, source.last));
            }
        }
        all.finish();
        programs.values_mut().for_each(Times::finish);
        Self {
            addresses,
            programs,
            all,
        }
    }

    /// The verdict that an intruder nearby gives.
    fn touches(&self, source: &Source) -> Option<(Origin, &'static str)> {
        if let Some((Some(intruder), other)) = self.addresses.get(source.address.as_str())
            && other.is_none_or(|other| other >= *intruder)
        {
            return Some((
                Origin::Intruder,
                "from an address that only the intruder uses",
            ));
        }
        if !source.is_new {
            return None;
        }
        let same_program = self.programs.get(source.program.as_str());
        if source.has_new_program && same_program.is_some_and(|times| times.are_near(source)) {
            return Some((
                Origin::Intruder,
                "the same program as the intruder's, within a day",
            ));
        }
        (conduct(source) > 0 && self.all.are_near(source))
            .then_some((Origin::Suspicious, "new, within a day of the intruder"))
    }
}

/// Spans of time by their begin, each with the latest end so far.
#[derive(Default)]
struct Times(Vec<(i64, i64)>);

impl Times {
    fn finish(&mut self) {
        self.0.sort_unstable();
        let mut latest = i64::MIN;
        for (_, last) in &mut self.0 {
            latest = latest.max(*last);
            *last = latest;
        }
    }

    /// Whether one of them is less than a day from the use.
    fn are_near(&self, source: &Source) -> bool {
        let begun = self
            .0
            .partition_point(|(first, _)| *first <= source.last + DAY);
        let latest = begun.checked_sub(1).map(|at| self.0[at].1);
        latest.is_some_and(|last| source.first <= last + DAY)
    }
}

/// The weight of what was done, apart from its being new.
fn conduct(source: &Source) -> i32 {
    let signs = source.signs.iter().filter(|sign| !sign.is_novelty);
    signs.map(|sign| sign.weight).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{KALI, STRANGE, call, judged};
    use super::*;

    /// Compared each with each, so many would take the machine.
    #[test]
    fn a_key_in_an_application_has_an_address_for_each_user() {
        let users = (0..20_000).map(|user| {
            let address = format!("93.{}.{}.9", user / 250, user % 250);
            let agent = format!("App{user}/1");
            call(user * DAY / 1_000, &address, &agent, "s3:GetObject")
        });
        let strange = ["sts:GetCallerIdentity", "iam:CreateUser"].into_iter();
        let strange = strange.map(|name| call(10 * DAY, STRANGE, KALI, name));
        let found = judged(&users.chain(strange).collect::<Vec<_>>());
        assert_eq!(found.all.len(), 20_001);
        let intruders = found.all.iter().filter(|of| of.origin == Origin::Intruder);
        let addresses: Vec<&str> = intruders.map(|of| of.address.as_str()).collect();
        assert_eq!(addresses, [STRANGE]);
    }
}
