//! Rules about the state of a key and what came out of it.

use super::super::key_facts::KeyFacts;
use super::super::marks::URL;
use super::{Found, Said, broken, holds, span, until};
use crate::cloudtrail::minute;
use crate::report::counted;
use chrono::{DateTime, TimeDelta, Utc};

pub(super) fn sessions_over(f: &KeyFacts<'_>) -> Option<Found> {
    let id = f.id.as_ref()?;
    match f.common.marks.sessions.get(id.as_str()) {
        None => holds("none can still be valid"),
        Some((sessions, end)) => until(
            format!(
                "{sessions} may still be valid, the last until {}; they outlive the key",
                minute(*end)
            ),
            *end,
        ),
    }
}

pub(super) fn presigned_urls_over(f: &KeyFacts<'_>) -> Option<Found> {
    let id = f.id.as_ref()?;
    if let Some(urls) = f.common.marks.urls.get(id.as_str()) {
        let text = format!(
            "{} of presigned URLs in the last {}, most recently {}; they stop working with the key",
            counted(urls.events, "use"),
            span(URL),
            minute(urls.last)
        );
        return until(text, urls.last + URL);
    }
    // Only data events of S3 show them.
    let account = f.account?.to_string();
    let services = f.common.logged.data_services(&account);
    let seen = services.contains("s3.amazonaws.com");
    seen.then(|| holds(format!("none used in the last {}", span(URL))))?
}

pub(super) fn not_new(f: &KeyFacts<'_>) -> Option<Found> {
    if !f.active() || f.last_used().is_some() || !f.silences.is_empty() {
        return None;
    }
    let created = f.created()?;
    let limit = f.common.options.unused_after;
    let age = f.seen_until - created;
    let text = format!("never used; created {}, {} ago", minute(created), span(age));
    match age >= limit {
        true => holds(text),
        false => until(text, created + limit),
    }
}

pub(super) fn inactive_long_enough(f: &KeyFacts<'_>) -> Option<Found> {
    if f.active() {
        return None;
    }
    let options = f.common.options;
    let slowest = f
        .silences
        .iter()
        .filter_map(|silence| silence.longest_gap)
        .max();
    let needed = slowest.map_or(options.delete_after, |gap| gap.max(options.delete_after));
    let seen_until = f
        .seen_until
        .max(f.iam_until.unwrap_or(f.seen_until))
        .min(f.common.as_of);
    let gap = slowest.map_or_else(String::new, |gap| {
        format!(", the slowest consumer's longest gap is {}", span(gap))
    });
    let Some(since) = f.inactive_since() else {
        return since_last_use(f, (needed, seen_until));
    };
    if let Some(early) = seldom_used(f, seen_until) {
        return Some(early);
    }
    let passed = (seen_until - since).max(TimeDelta::zero());
    let text = Said::new(
        &format!("inactive since {}", minute(since)),
        &format!(": {} of {}{gap}", span(passed), span(needed)),
    );
    match passed >= needed {
        true => holds(text),
        false => until(text, since + needed),
    }
}

/// A consumer that was seen on a few days may be the job of a quarter: before the whole window has passed since its last use, neither its
/// next run nor its owner's complaint can have come.
fn seldom_used(f: &KeyFacts<'_>, seen_until: DateTime<Utc>) -> Option<Found> {
    let window = f.common.options.window;
    let consumers = f.silences.iter();
    let consumers = consumers.filter(|silence| silence.consumer_id.is_some());
    let seldom = consumers.filter(|silence| silence.is_seldom);
    let last = seldom.max_by_key(|silence| silence.last_seen)?;
    let passed = (seen_until - last.last_seen).max(TimeDelta::zero());
    if passed >= window {
        return None;
    }
    let text = format!(
        "inactive, but {} was seen on a few days only, without a regular pattern; last used {}: {} of {}",
        last.name,
        minute(last.last_seen),
        span(passed),
        span(window)
    );
    until(text, last.last_seen + window)
}

/// Of a key that was deactivated nobody knows when, the last use decides: it must be as old as that of a key that is in nobody's use.
fn since_last_use(
    f: &KeyFacts<'_>,
    (needed, seen_until): (TimeDelta, DateTime<Utc>),
) -> Option<Found> {
    let needed = needed.max(f.common.options.window);
    let Some(used) = f.last_used() else {
        return until(
            "when it was deactivated is not known",
            f.common.as_of + needed,
        );
    };
    let passed = (seen_until - used).max(TimeDelta::zero());
    let text = Said::new(
        &format!(
            "when it was deactivated is not known; last used {}",
            minute(used)
        ),
        &format!(": {} of {}", span(passed), span(needed)),
    );
    match passed >= needed {
        true => holds(text),
        false => until(text, used + needed),
    }
}

/// IAM knows no deleted key: what signed later was delayed, or something in the log is wrong.
pub(super) fn not_deleted(f: &KeyFacts<'_>) -> Option<Found> {
    let deleted = f.seen?.deleted_before_use?;
    let last = f.last_event().map(minute).unwrap_or_default();
    broken(Said::new(
        &format!(
            "deleted {} (DeleteAccessKey), but it called until {last}",
            minute(deleted)
        ),
        ": a deleted key cannot call, so one of these records is late or wrong; check in IAM whether the key exists",
    ))
}

pub(super) fn one_key_per_user(f: &KeyFacts<'_>) -> Option<Found> {
    match f.others.as_slice() {
        [] => holds("no other key known"),
        others => broken(format!("also {}", others.join(", "))),
    }
}

pub(super) fn not_root(f: &KeyFacts<'_>) -> Option<Found> {
    f.is_root().then(|| {
        broken("it belongs to root: delete it once its consumers have moved; root needs no key")
    })?
}
