//! Where chains end and begin again.
//!
//! In: chains, and the calls that stopped or started logging. Out: findings. Promise: a time without digests is a failure
//! unless a call that was logged explains it: whoever deletes the last digests of a chain leaves such a time.

use crate::cloudtrail::rfc3339;
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::chain::Verified;
use super::{ChainName, Finding, LoggingChange, PATIENCE, Problem, ValidateOptions};

/// A digest covers an hour, and calls are logged minutes after they are made.
const NEAR: TimeDelta = TimeDelta::hours(1);

/// Judges times that no digest covers.
pub(super) fn judge(verified: &mut Verified, logging: &[LoggingChange], options: &ValidateOptions) {
    for restart in std::mem::take(&mut verified.restarts) {
        let (from, to) = (restart.from, restart.to);
        let span = format!("from {} to {}", rfc3339(from), rfc3339(to));
        let chain = &verified.chains[restart.chain];
        let finding = match explanation(chain, (from, to), logging) {
            Some(why) => Finding::new(
                Problem::LoggingPaused,
                restart.file,
                format!("{span}: {why}"),
            ),
            None if to <= from => {
                let detail = format!("anew at {}", rfc3339(to));
                Finding::new(Problem::ChainBegins, restart.file, detail)
            }
            None => {
                let detail = format!(
                    "no digest {span}, and no StopLogging, UpdateTrail or DeleteTrail in the log explains it"
                );
                Finding::new(Problem::DigestGap, restart.file, detail)
            }
        };
        verified.findings.push(finding);
    }
    for (chain, (end, file)) in last_digests(verified) {
        let early = early(verified, chain, end, options);
        let name = &verified.chains[chain];
        if let Some((until, than)) = early
            && explanation(name, (end, until), logging).is_none()
        {
            let detail = format!("at {}, {than} {}", rfc3339(end), rfc3339(until));
            let finding = Finding::new(Problem::ChainEndsEarly, file, detail);
            verified.findings.push(finding);
        }
    }
}

/// The end and the newest digest of each chain of hourly digests.
fn last_digests(verified: &Verified) -> HashMap<usize, (DateTime<Utc>, String)> {
    let mut last: HashMap<usize, (DateTime<Utc>, String)> = HashMap::new();
    for digest in &verified.results {
        let (Some(chain), Some((_, end))) = (digest.chain, digest.span) else {
            continue;
        };
        if verified.chains[chain].digests.backfill {
            continue;
        }
        let newest = last.entry(chain).or_insert((end, digest.file.clone()));
        if newest.0 < end {
            *newest = (end, digest.file.clone());
        }
    }
    last
}

/// Until when the chain should have gone on, if it ends before.
fn early(
    verified: &Verified,
    chain: usize,
    end: DateTime<Utc>,
    options: &ValidateOptions,
) -> Option<(DateTime<Utc>, &'static str)> {
    let name = &verified.chains[chain];
    let same_trail = |other: usize| {
        let other = &verified.chains[other];
        let (a, b) = (&name.digests, &other.digests);
        other.organization == name.organization
            && (&a.account, &a.trail, &a.home_region) == (&b.account, &b.trail, &b.home_region)
    };
    let others = last_digests(verified).into_iter();
    let others = others.filter(|(other, _)| same_trail(*other));
    let others = others.map(|(_, (end, _))| (end, "while the trail's other regions go on to"));
    let until = options
        .selection
        .until
        .map(|until| (until.min(options.now), "and the range goes on to"));
    let until = others.chain(until).max()?;
    (until.0 - end > PATIENCE).then_some(until)
}

/// The call that stopped logging near the beginning of a time.
fn explanation(
    chain: &ChainName,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    logging: &[LoggingChange],
) -> Option<String> {
    let call = logging.iter().find(|call| {
        call.can_stop()
            && call.is_about(&chain.digests.trail)
            && from - NEAR <= call.time
            && call.time <= to
    })?;
    Some(format!("{} by {}", call.event_name, call.by))
}
