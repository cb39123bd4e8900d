//! Rules about the state of a key and what came out of it.

use super::super::facts::Facts;
use super::super::trail::URL;
use super::{Found, at, broken, count, holds, span, until};
use chrono::TimeDelta;

pub(super) fn sessions_over(f: &Facts<'_>) -> Option<Found> {
    let id = f.id.as_ref()?;
    match f.trail.sessions.get(id.as_str()) {
        None => holds("none can be alive"),
        Some((sessions, end)) => until(
            format!(
                "{sessions} may be alive, the last until {}; they outlive the key",
                at(*end)
            ),
            *end,
        ),
    }
}

pub(super) fn presigned_urls_over(f: &Facts<'_>) -> Option<Found> {
    let id = f.id.as_ref()?;
    if let Some(urls) = f.trail.urls.get(id.as_str()) {
        let text = format!(
            "{} of presigned URLs in the last {}, the last {}; they die with the key",
            count(urls.events, "use"),
            span(URL),
            at(urls.last)
        );
        return until(text, urls.last + URL);
    }
    // Only data events of S3 show them.
    let seen = f.days()?.data_services.contains("s3.amazonaws.com");
    seen.then(|| holds(format!("none used in the last {}", span(URL))))?
}

pub(super) fn not_new(f: &Facts<'_>) -> Option<Found> {
    if !f.active() || f.last_used().is_some() {
        return None;
    }
    let created = f.created()?;
    let limit = f.options.unused_after;
    let age = f.seen_until - created;
    let text = format!("never used; made {}, {} ago", at(created), span(age));
    match age >= limit {
        true => holds(text),
        false => until(text, created + limit),
    }
}

pub(super) fn inactive_long_enough(f: &Facts<'_>) -> Option<Found> {
    if f.active() {
        return None;
    }
    let slowest = f.uses.iter().filter_map(|use_| use_.longest_gap).max();
    let needed = slowest.map_or(f.options.delete_after, |gap| {
        gap.max(f.options.delete_after)
    });
    let Some(since) = f.inactive_since() else {
        return until("since when is not known", f.trail.as_of + needed);
    };
    let passed = (f.seen_until - since).max(TimeDelta::zero());
    let gap = slowest.map_or_else(String::new, |gap| {
        format!(", the slowest consumer's longest gap is {}", span(gap))
    });
    let text = format!(
        "inactive since {}: {} of {}{gap}",
        at(since),
        span(passed),
        span(needed)
    );
    match passed >= needed {
        true => holds(text),
        false => until(text, since + needed),
    }
}

pub(super) fn one_key_per_user(f: &Facts<'_>) -> Option<Found> {
    match f.others.as_slice() {
        [] => holds("no other is known"),
        others => broken(format!("also {}", others.join(", "))),
    }
}

pub(super) fn not_root(f: &Facts<'_>) -> Option<Found> {
    f.is_root()
        .then(|| broken("root's: delete it once its use has moved, root needs no key"))?
}
