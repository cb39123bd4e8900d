//! Rules about the log: where there is no log, silence means nothing.

use super::super::blind::{Blind, Why};
use super::super::key_facts::KeyFacts;
use super::{Found, holds, open, span, until};
use crate::analysis::logged::midnight;
use crate::cloudtrail::{AccountId, Selection, day, minute};
use crate::report::counted;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// CloudTrail delivers within minutes, and people ingest once a day.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>
const CURRENT: TimeDelta = TimeDelta::days(1);

/// So many gaps are named; the others are counted.
const NAMED: usize = 3;

/// IAM says that there was no use in the whole window; then the log need not prove it.
fn iam_covers(f: &KeyFacts<'_>) -> Option<String> {
    let (since, until) = f.unused_in_iam()?;
    let window = (f.common.as_of - f.common.options.window, f.common.as_of);
    let covered = since <= window.0 && until + CURRENT >= window.1;
    let since = match since == DateTime::<Utc>::MIN_UTC {
        true => "ever".to_owned(),
        false => format!("since {}", minute(since)),
    };
    covered.then(|| format!("IAM shows no use {since}"))
}

/// When IAM's answer could cover the window, if it is asked again then.
fn iam_will_cover(f: &KeyFacts<'_>) -> Option<DateTime<Utc>> {
    let (since, _) = f.unused_in_iam()?;
    Some(since.max(DateTime::<Utc>::UNIX_EPOCH) + f.common.options.window)
}

/// Where the places that were read were narrowed down, so that use elsewhere was not seen.
pub(in crate::analysis) fn narrowed(
    selection: &Selection,
    account: Option<AccountId>,
    other_accounts: Option<u64>,
) -> Vec<String> {
    let mut narrowed = Vec::new();
    if !selection.regions.is_empty() {
        let regions: Vec<&str> = selection.regions.iter().map(String::as_str).collect();
        narrowed.push(format!("only {} was read", regions.join(", ")));
    }
    let elsewhere = |account| !selection.accounts.contains(&account);
    if !selection.accounts.is_empty() && account.is_none_or(elsewhere) {
        narrowed.push("the log of the key's account was left out".to_owned());
    } else if let Some(others) = other_accounts {
        // A call on what belongs to another account may be logged there only, and a session of the key may go on there.
        narrowed.push(format!(
            "the logs of {} were left out",
            counted(others, "other account")
        ));
    }
    narrowed
}

pub(super) fn whole_log(f: &KeyFacts<'_>) -> Option<Found> {
    let selection = f.common.selection;
    let mut narrowed = narrowed(selection, f.account, f.common.other_accounts);
    if let Some(end) = selection
        .until
        .filter(|end| *end <= f.common.as_of || f.common.options.as_of.is_none())
    {
        narrowed.push(format!("what came after {} was left out", minute(end)));
    }
    match (narrowed.is_empty(), iam_covers(f)) {
        (true, _) => holds("all logs were read"),
        (false, Some(iam)) => holds(format!("{}; {iam}", narrowed.join("; "))),
        (false, None) => until(
            format!(
                "{}: run again without these options, or ask IAM",
                narrowed.join("; ")
            ),
            f.common.as_of,
        ),
    }
}

pub(super) fn window_covered(f: &KeyFacts<'_>) -> Option<Found> {
    if !f.active() {
        return None;
    }
    let window = f.common.options.window;
    let needed = span(window);
    let by_iam = iam_covers(f);
    let sight = f.account_sight();
    let Some(first) = sight.map(|sight| midnight(sight.first_day)) else {
        return match by_iam {
            Some(iam) => holds(iam),
            None => until(
                format!(
                    "no logs of the key's account were read; {needed} are needed, or IAM's data for that account"
                ),
                f.common.as_of + window,
            ),
        };
    };
    let first = first.max(f.common.selection.since.unwrap_or(first));
    let covered = f.common.as_of - first;
    let text = format!(
        "logs cover {} of {needed}, from {}",
        span(covered.max(TimeDelta::zero())),
        day(first)
    );
    match (covered >= window, by_iam) {
        (true, _) => holds(text),
        (false, Some(iam)) => holds(format!("{text}; {iam}")),
        (false, None) => {
            // Whichever comes first: the log is old enough, or IAM's last use is.
            let time = first + window;
            until(
                text,
                iam_will_cover(f).map_or(time, |by_iam| time.min(by_iam)),
            )
        }
    }
}

/// The time in which gaps count: the window, or since the key was deactivated.
fn counts_since(f: &KeyFacts<'_>) -> DateTime<Utc> {
    match f.active() {
        true => f.common.as_of - f.common.options.window,
        false => f.inactive_since().unwrap_or(f.common.as_of),
    }
}

/// Whether IAM's answer makes up for what was not seen: of an inactive key it says that it still is inactive.
fn iam_instead(f: &KeyFacts<'_>) -> Option<String> {
    match f.active() {
        true => iam_covers(f),
        false => {
            let until = f.iam_until?;
            (until + CURRENT >= f.common.as_of)
                .then(|| format!("IAM lists it as inactive, {}", minute(until)))
        }
    }
}

/// Whether IAM says that the key was not used on a day.
fn settled(f: &KeyFacts<'_>, day: NaiveDate) -> bool {
    let (from, to) = (midnight(day), midnight(day) + TimeDelta::days(1));
    f.unused_in_iam()
        .is_some_and(|(since, until)| since <= from && to <= until + CURRENT)
}

/// The days of a blind time from a moment on.
fn days_of(blind: &Blind, since: DateTime<Utc>) -> BTreeSet<NaiveDate> {
    let from = blind.from.max(since);
    let last = (blind.to - TimeDelta::microseconds(1)).date_naive();
    from.date_naive()
        .iter_days()
        .take_while(|day| *day <= last)
        .collect()
}

pub(super) fn no_gaps(f: &KeyFacts<'_>) -> Option<Found> {
    let since = counts_since(f);
    if f.blind.is_empty() && f.account_sight().is_none() {
        return None;
    }
    let mut days = BTreeSet::new();
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for blind in f.blind.iter().filter(|blind| blind.to > since) {
        let mut missing = days_of(blind, since);
        missing.retain(|day| !settled(f, *day));
        let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
            continue;
        };
        let text = match blind.why {
            Why::Alone => "only this key called there, so logging cannot be confirmed".to_owned(),
            _ if first == last => first.to_string(),
            _ => format!("{first} to {last}"),
        };
        days.extend(missing.iter().copied());
        places.entry(blind.what.clone()).or_default().push(text);
    }
    let Some(last) = days.last() else {
        return holds("none");
    };
    let named = places.iter().take(NAMED).map(|(what, times)| {
        let more = match times.len() > NAMED {
            true => format!(" and {} more times", times.len() - NAMED),
            false => String::new(),
        };
        format!(
            "{what} ({}{more})",
            times[..times.len().min(NAMED)].join(", ")
        )
    });
    let mut text = named.collect::<Vec<_>>().join("; ");
    if places.len() > NAMED {
        text += &format!("; {} more", places.len() - NAMED);
    }
    let text = format!("{} without logs: {text}", counted(days.len(), "day"));
    if days.len() as u64 <= f.common.options.most_holes {
        return holds(text);
    }
    match iam_instead(f) {
        Some(iam) => holds(format!("{text}; {iam}")),
        None => {
            let past = (midnight(*last) + TimeDelta::days(1)).min(f.common.as_of)
                + f.common.options.window;
            let time =
                iam_will_cover(f).map_or(past, |by_iam| past.min(by_iam.max(f.common.as_of)));
            until(text, time)
        }
    }
}

pub(super) fn is_current(f: &KeyFacts<'_>) -> Option<Found> {
    let mut seen_until = f.seen_until;
    if !f.active() {
        seen_until = seen_until.max(f.iam_until.unwrap_or(seen_until));
    }
    let text = format!("up to {}", minute(seen_until));
    match f.common.as_of - seen_until {
        behind if behind <= CURRENT => holds(text),
        behind => until(format!("{text}, {} behind", span(behind)), f.common.as_of),
    }
}

pub(super) fn files_read(f: &KeyFacts<'_>) -> Option<Found> {
    let coverage = f.common.coverage;
    let since = counts_since(f);
    let unread: Vec<Blind> = f
        .unread()
        .into_iter()
        .filter(|blind| blind.to > since)
        .filter(|blind| days_of(blind, since).iter().any(|day| !settled(f, *day)))
        .collect();
    let Some(last) = unread.iter().map(|blind| blind.to).max() else {
        return holds(match coverage.is_partial() {
            false => format!("{}, all read", counted(coverage.log_files, "log file")),
            true => "all that can contain the key's calls".to_owned(),
        });
    };
    let (mut files, mut records) = (0, 0);
    for blind in &unread {
        if let Why::Unread(unread) = blind.why {
            files += unread.log_files;
            records += unread.records;
        }
    }
    let days: Vec<&str> = unread.iter().map(|blind| blind.what.as_str()).collect();
    let unread = [(files, "log file"), (records, "record")].into_iter();
    let unread = unread.filter(|(count, _)| *count > 0);
    let unread: Vec<String> = unread.map(|(count, what)| counted(count, what)).collect();
    let mut text = format!(
        "{} could not be read: {}",
        unread.join(" and "),
        days[..days.len().min(NAMED)].join(", ")
    );
    if days.len() > NAMED {
        text += &format!(" and {} more days", days.len() - NAMED);
    }
    match iam_instead(f) {
        Some(iam) => holds(format!("{text}; {iam}")),
        None => {
            let time = last.min(f.common.as_of) + f.common.options.window;
            until(format!("{text}; read them again, or ask IAM"), time)
        }
    }
}

/// What a program may go on to read, write or send unseen: its silence elsewhere means nothing then.
pub(super) fn data_events(f: &KeyFacts<'_>) -> Option<Found> {
    let account = f.account?.to_string();
    f.account_sight()?;
    let services = f.common.logged.data_services(&account);
    let services: Vec<&str> = services
        .iter()
        .map(|service| service.trim_end_matches(".amazonaws.com"))
        .collect();
    let logged = match services.as_slice() {
        [] => "none logged in the account".to_owned(),
        services => format!("logged for {}", services.join(", ")),
    };
    let unseen: Vec<&str> = f.unseen_data().into_iter().collect();
    if unseen.is_empty() {
        return holds(logged);
    }
    let text = format!(
        "{logged}; data events of {} are not logged",
        unseen.join(", ")
    );
    let as_of = f.common.as_of;
    match f.iam_until.filter(|_| f.iam_knows()) {
        // What an inactive key tries to do fails, logged or not.
        None if !f.active() => open(format!("{text}, and IAM's last-used date is missing")),
        Some(_) if !f.active() => holds(format!("{text}; IAM's last use covers them")),
        Some(answered) if as_of - answered <= f.common.options.quiet => holds(format!(
            "{text}; IAM's last use covers them, {}",
            minute(answered)
        )),
        Some(answered) => until(
            format!(
                "{text}; IAM's data is {} old, from {}: ask IAM again",
                span(as_of - answered),
                minute(answered)
            ),
            as_of,
        ),
        None => until(
            format!(
                "{text}, and IAM's last-used date is missing: get it (--live or --credential-report)"
            ),
            as_of,
        ),
    }
}
