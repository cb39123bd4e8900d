//! Scanners: who does nothing with a key but try what it is and what it may do.
//!
//! In: sources. Out: the same, with those marked that are of a scanner's visit. Promise: what owners do when they set up, deploy with or
//! look for a fault of a key is no visit: one program, a key that was just made, an address or an office where the key works,
//! where its user signed in, infrastructure as code, and programs that come again from the same network on another day, or on many days.

use super::super::calls::{CallKind, kind};
use super::super::known::Known;
use super::super::place::Place;
use super::super::source::Source;
use super::super::used::Use;
use super::{DAY, HOUR, is_new};
use std::collections::{BTreeMap, BTreeSet};

/// A visit is over within this time: nobody who types is done with two programs.
const VISIT: i64 = HOUR / 4;

/// A visit has so many programs, of which each begins by asking who it is.
const PROGRAMS: usize = 2;

/// So many different calls were denied, and of all but the first question so large a share.
const DENIED: usize = 3;
const SHARE: (u64, u64) = (9, 10);

/// A program that comes on so many days is a job that lost its permissions, wherever it runs.
const JOB: usize = 3;

/// The questions that a key answers without any rights, or with the least.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
const WHO_AM_I: [(&str, &str); 2] = [("sts", "GetCallerIdentity"), ("iam", "GetUser")];

/// Marks the sources that are of a scanner's visit.
pub(super) fn mark(sources: &mut [Source], known: &Known<'_>) {
    let mut visits: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let (mut addresses, mut sites) = (BTreeSet::new(), BTreeSet::new());
    let mut spots: BTreeMap<(&str, Option<&Place>), (i64, i64)> = BTreeMap::new();
    let mut days: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        let of_program = days.entry(&source.program).or_default();
        of_program.extend([source.first, source.last].map(|time| time.div_euclid(DAY)));
        let (first, last) = spots
            .entry((&source.program, source.place.as_ref()))
            .or_insert((source.first, source.last));
        *first = source.first.min(*first);
        *last = source.last.max(*last);
        if only_tries(source) {
            visits.entry(&source.address).or_default().push(at);
        } else {
            addresses.insert(source.address.as_str());
            sites.extend(
                source
                    .place
                    .as_ref()
                    .filter(|of| matches!(of, Place::Site(_))),
            );
        }
    }
    let is_strange = |source: &Source| {
        let is_at_home = addresses.contains(source.address.as_str())
            || source.place.as_ref().is_some_and(|of| sites.contains(of))
            || known.is_owners(&source.address)
            || known.usual_addresses.contains(&source.address)
            || known.sign_ins.iter().any(|of| of.address == source.address);
        let (first, last) = spots[&(source.program.as_str(), source.place.as_ref())];
        let is_job = last - first >= DAY || days[source.program.as_str()].len() >= JOB;
        !is_at_home && !is_job && !is_new(known, source.first)
    };
    let visits = visits.into_values().filter(|visit| {
        let visit: Vec<&Source> = visit.iter().map(|at| &sources[*at]).collect();
        visit.len() >= PROGRAMS && visit.iter().all(|of| is_strange(of)) && is_visit(&visit)
    });
    let visits: Vec<usize> = visits.flatten().collect();
    for at in visits {
        sources[at].scans = true;
    }
}

fn is_who_am_i(one: &Use) -> bool {
    WHO_AM_I.contains(&(&*one.service, &*one.operation))
}

/// Whether a program begins by asking who it is and does nothing else than ask.
fn only_tries(source: &Source) -> bool {
    let asks = |one: &Use| {
        matches!(
            kind(&one.service, &one.operation),
            Some(CallKind::Asks | CallKind::Lists)
        )
    };
    !source.deploys && source.uses.first().is_some_and(is_who_am_i) && source.uses.iter().all(asks)
}

/// Whether these programs came and went together, and were denied nearly everything.
fn is_visit(visit: &[&Source]) -> bool {
    let first = visit.iter().map(|source| source.first).min();
    let last = visit.iter().map(|source| source.last).max();
    let lasts = last.unwrap_or_default() - first.unwrap_or_default();
    let uses = visit.iter().flat_map(|source| &source.uses);
    let tried = uses.filter(|one| !is_who_am_i(one));
    let denied = tried.clone().filter(|one| one.denied());
    let different: BTreeSet<_> = denied
        .clone()
        .map(|one| (&one.service, &one.operation, &one.region))
        .collect();
    let events = |uses: &mut dyn Iterator<Item = &Use>| uses.map(|one| one.events).sum::<u64>();
    let (tried, denied) = (events(&mut tried.clone()), events(&mut denied.clone()));
    lasts <= VISIT && different.len() >= DENIED && denied * SHARE.1 >= tried * SHARE.0
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::tests::{BOTO, CLI, DESKTOP, STRANGE, calls};
    use super::*;
    use crate::analysis::attribution::SignIn;
    use crate::knowledge::Networks;
    use crate::report::trace::Origin;

    const REQUESTS: &str = "python-requests/2.31.0";
    const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.42.0 aws-sdk-go-v2/1.25.3 os/linux lang/go#1.21.8";
    const TRIES: [&str; 4] = [
        "sts:GetCallerIdentity",
        "ses:GetSendQuota!",
        "iam:ListUsers!",
        "s3:ListBuckets!",
    ];
    const BEGIN: i64 = 30 * DAY;

    /// Two programs try a key, one after the other.
    fn visit(address: &str, agents: [&str; 2]) -> Vec<Use> {
        let mut uses = calls(BEGIN, address, agents[0], &TRIES);
        uses.extend(calls(BEGIN + VISIT / 5, address, agents[1], &TRIES));
        uses
    }

    fn gravest(uses: &[Use], known: &Known<'_>) -> Origin {
        let found = judge(uses, known, &Networks::built_in().unwrap());
        let all = found.all.iter().map(|source| source.origin);
        all.min().unwrap()
    }

    #[test]
    fn a_key_that_only_a_scanner_used_is_stolen() {
        let nothing = Known::default();
        let uses = visit(STRANGE, [REQUESTS, BOTO]);
        let found = judge(&uses, &nothing, &Networks::built_in().unwrap());
        let origins: Vec<Origin> = found.all.iter().map(|source| source.origin).collect();
        assert_eq!(origins, [Origin::Intruder, Origin::Intruder]);
        assert!(found.all[0].why()[0].starts_with("a scanner's pattern: several programs"));
        // Other scanners on other days, from elsewhere.
        let mut again = visit("192.0.2.77", [REQUESTS, BOTO]);
        for one in &mut again {
            (one.first, one.last) = (one.first + 3 * DAY, one.last + 3 * DAY);
        }
        again.extend(uses);
        assert_eq!(gravest(&again, &nothing), Origin::Intruder);
    }

    #[test]
    fn what_owners_do_is_no_scan() {
        let nothing = Known::default();
        let at_most = |uses: &[Use], known: &Known<'_>, why: &str| {
            assert!(gravest(uses, known) >= Origin::Suspicious, "{why}");
        };
        let scan = || visit(STRANGE, [DESKTOP, BOTO]);
        assert_eq!(gravest(&scan(), &nothing), Origin::Intruder);
        let known = |made: i64| Known {
            made: Some(made),
            ..Known::default()
        };
        at_most(&scan(), &known(BEGIN - HOUR), "the key was just made");
        assert_eq!(gravest(&scan(), &known(BEGIN - 2 * DAY)), Origin::Intruder);
        let ours = Known {
            sign_ins: vec![SignIn {
                address: STRANGE.to_owned(),
                time: BEGIN - HOUR,
                mfa: None,
            }],
            ..Known::default()
        };
        at_most(&scan(), &ours, "its user signed in there");
        at_most(
            &calls(BEGIN, STRANGE, BOTO, &TRIES),
            &nothing,
            "one program",
        );
        at_most(&visit(STRANGE, [TERRAFORM, CLI]), &nothing, "a deployment");
        let with = |address: &str, agent: &str, later: i64, name: &str| {
            let mut uses = scan();
            uses.extend(calls(BEGIN + later, address, agent, &[name]));
            uses
        };
        let office = with("198.51.100.9", CLI, HOUR, "s3:PutObject");
        at_most(&office, &nothing, "the key works in the same office");
        let job = with(STRANGE, BOTO, 2 * DAY, "ses:GetSendQuota!");
        at_most(&job, &nothing, "a job that lost its permissions");
        let mut everywhere = scan();
        for day in 1..=2 {
            let runner = format!("192.0.{day}.7");
            everywhere.extend(calls(BEGIN + day * DAY, &runner, BOTO, &TRIES));
            everywhere.extend(calls(BEGIN + day * DAY, &runner, DESKTOP, &TRIES));
        }
        at_most(
            &everywhere,
            &nothing,
            "a job without permissions, on other runners each day",
        );
        let mut works = scan();
        works.extend(calls(BEGIN + VISIT / 2, STRANGE, BOTO, &["s3:PutObject"]));
        at_most(&works, &nothing, "one of them does more than ask");
        let allowed = [
            "sts:GetCallerIdentity",
            "iam:ListUsers",
            "s3:ListBuckets",
            "ses:GetSendQuota!",
        ];
        let mut allowed = calls(BEGIN, STRANGE, CLI, &allowed);
        allowed.extend(calls(BEGIN + VISIT / 5, STRANGE, BOTO, &TRIES[..2]));
        at_most(&allowed, &nothing, "most of it is allowed");
        let mut slow = calls(BEGIN, STRANGE, CLI, &TRIES);
        slow.extend(calls(BEGIN + 2 * HOUR, STRANGE, BOTO, &TRIES));
        at_most(&slow, &nothing, "an afternoon");
    }
}
