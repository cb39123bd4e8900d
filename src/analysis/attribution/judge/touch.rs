//! What an intruder's use says of the uses beside it.
//!
//! In: sources with a verdict each. Out: the same, with what shares an address, a program or a time with an intruder judged anew, until
//! nothing changes. Promise: a round looks at each source once, however many there are: a key in an application has an address for
//! each of its users.

use super::super::signs::Sign;
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
struct Near {
    /// By address: the first use by an intruder, and by anybody who is not suspected.
    addresses: HashMap<String, (Option<i64>, Option<i64>)>,
    /// By program that was new when the intruder came with it.
    programs: HashMap<String, Times>,
    all: Times,
}

impl Near {
    fn of(sources: &[Source]) -> Self {
        let mut addresses: HashMap<String, (Option<i64>, Option<i64>)> = HashMap::new();
        let mut programs: HashMap<String, Times> = HashMap::new();
        let mut all = Times::default();
        let least = |one: &mut Option<i64>, first: i64| {
            *one = Some(one.map_or(first, |one| one.min(first)));
        };
        for source in sources {
            let (intruder, other) = addresses.entry(source.address.clone()).or_default();
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
                let times = programs.entry(source.program.clone()).or_default();
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
        if let Some((Some(intruder), other)) = self.addresses.get(&source.address)
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
        let same_program = self.programs.get(&source.program);
        if source.has_new_program && same_program.is_some_and(|times| times.are_near(source)) {
            return Some((
                Origin::Intruder,
                "the program that the intruder uses, at the same time",
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
    use super::super::judge;
    use super::*;
    use crate::analysis::attribution::known::Known;
    use crate::analysis::attribution::used::Use;
    use crate::knowledge::Networks;

    fn call(time: i64, address: &str, agent: &str, service: &str, operation: &str) -> Use {
        Use {
            address: address.to_owned(),
            agent: agent.to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            region: "us-east-1".to_owned(),
            events: 1,
            first: time,
            last: time,
            ..Use::default()
        }
    }

    /// Compared each with each, so many would take the machine.
    #[test]
    fn a_key_in_an_application_has_an_address_for_each_user() {
        let users = (0..20_000).map(|user| {
            let address = format!("93.{}.{}.9", user / 250, user % 250);
            call(
                user * DAY / 1_000,
                &address,
                &format!("App{user}/1"),
                "s3",
                "GetObject",
            )
        });
        let mut uses: Vec<Use> = users.collect();
        let kali = "aws-cli/2.15.10 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024";
        let calls = [("sts", "GetCallerIdentity"), ("iam", "CreateUser")].into_iter();
        uses.extend(
            calls.map(|(service, name)| call(10 * DAY, "198.51.100.7", kali, service, name)),
        );
        let found = judge(&uses, &Known::default(), &Networks::built_in().unwrap());
        assert_eq!(found.all.len(), 20_001);
        let intruders = found.all.iter().filter(|of| of.origin == Origin::Intruder);
        let addresses: Vec<&str> = intruders.map(|of| of.address.as_str()).collect();
        assert_eq!(addresses, ["198.51.100.7"]);
    }
}
