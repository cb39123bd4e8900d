//! Rules about the log: silence where there is none means nothing.

use super::super::facts::{Facts, first_moment};
use super::super::trail::{busy, missing};
use super::{Found, at, broken, count, holds, open, span, until};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// CloudTrail delivers within minutes, and people ingest once a day.
const CURRENT: TimeDelta = TimeDelta::days(1);

/// So many days are named; the others are counted.
const NAMED: usize = 4;

/// IAM's word that there was no use in the whole window; where it is given, the log need not prove it.
fn iam_covers(f: &Facts<'_>) -> Option<String> {
    let since = f.unused_since()?;
    let covered = f.seen_until - since >= f.options.window;
    covered.then(|| format!("IAM knows of no use since {}", at(since)))
}

pub(super) fn window_covered(f: &Facts<'_>) -> Option<Found> {
    if !f.active() {
        return None;
    }
    let window = f.options.window;
    let needed = span(window);
    let by_iam = iam_covers(f);
    let Some(first) = f.days().and_then(first_moment) else {
        return match by_iam {
            Some(iam) => holds(iam),
            None => until(
                format!("no event of the account was read; {needed} are asked for"),
                f.trail.as_of + window,
            ),
        };
    };
    let covered = f.seen_until - first;
    let text = format!(
        "{} of {needed}, since {}",
        span(covered),
        first.format("%Y-%m-%d")
    );
    match (covered >= window, by_iam) {
        (true, _) => holds(text),
        (false, Some(iam)) => holds(format!("{text}; {iam}")),
        (false, None) => {
            // Whichever comes first: the log is old enough, or IAM's last use is.
            let by_iam = f.unused_since().map(|since| since + window);
            let time = by_iam.map_or(first + window, |time| time.min(first + window));
            until(text, time)
        }
    }
}

pub(super) fn no_holes(f: &Facts<'_>) -> Option<Found> {
    if !f.active() {
        return None;
    }
    let days = f.days()?;
    let since = (f.seen_until - f.options.window).date_naive();
    if !busy(&days.all) {
        return open(format!(
            "the account has events on {} days only; a missing log cannot be told from a quiet day",
            days.all.len()
        ));
    }
    let mut holes: BTreeSet<NaiveDate> = missing(&days.all, since).into_iter().collect();
    let mut places = BTreeSet::new();
    let used: BTreeSet<&str> = f
        .consumers
        .iter()
        .flat_map(|consumer| consumer.regions.iter().map(String::as_str))
        .collect();
    for (region, own) in &days.regions {
        // In a quiet region a day without events is none without a log.
        if used.contains(region.as_str()) && busy(own) {
            let missing = missing(own, since);
            if missing.iter().any(|day| !holes.contains(day)) {
                places.insert(region.as_str());
            }
            holes.extend(missing);
        }
    }
    let Some(last) = holes.last() else {
        return holds("none");
    };
    let mut text = holes
        .iter()
        .take(NAMED)
        .map(NaiveDate::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if holes.len() > NAMED {
        text += &format!(" and {} more", holes.len() - NAMED);
    }
    if !places.is_empty() {
        let places: Vec<&str> = places.into_iter().collect();
        text += &format!(" (in {})", places.join(", "));
    }
    let text = format!("{} without a log: {text}", count(holes.len() as u64, "day"));
    if holes.len() as u64 <= f.options.most_holes {
        return holds(text);
    }
    match iam_covers(f) {
        Some(iam) => holds(format!("{text}; {iam}")),
        None => {
            let past = start(*last + Days::new(1)) + f.options.window;
            let by_iam = f.unused_since().map(|since| since + f.options.window);
            until(text, by_iam.map_or(past, |time| time.min(past)))
        }
    }
}

fn start(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

pub(super) fn is_current(f: &Facts<'_>) -> Option<Found> {
    let text = format!("up to {}", at(f.seen_until));
    match f.trail.as_of - f.seen_until {
        behind if behind <= CURRENT => holds(text),
        behind => until(format!("{text}, {} behind", span(behind)), f.trail.as_of),
    }
}

pub(super) fn data_events(f: &Facts<'_>) -> Option<Found> {
    let days = f.days()?;
    let services: Vec<&str> = days
        .data_services
        .iter()
        .map(|service| service.trim_end_matches(".amazonaws.com"))
        .collect();
    match (services.as_slice(), f.key()) {
        ([], None) => open(
            "none in the account: reads and writes of objects, items and messages are not in the log, and IAM was not asked about them",
        ),
        ([], Some(_)) => broken("none in the account; IAM's last use stands for them"),
        (services, _) => holds(format!("of {}", services.join(", "))),
    }
}

pub(super) fn files_read(f: &Facts<'_>) -> Option<Found> {
    let coverage = &f.trail.coverage;
    match (coverage.log_files_rejected, coverage.records_rejected) {
        (0, 0) => holds(format!("all {}", count(coverage.log_files, "log file"))),
        (files, records) => broken(format!(
            "{files} of {} and {} could not be read; whose they are is not known",
            count(coverage.log_files + files, "log file"),
            count(records, "record")
        )),
    }
}
