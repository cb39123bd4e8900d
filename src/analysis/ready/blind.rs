//! When would a call not have been seen?
//!
//! In: what was logged, where a key called, and what IAM says. Out: [`Blind`] times, and how much of a silence was seen. Promise: time
//! counts as silence only if a call in each account, region and kind of event that was used would have been seen, or if IAM says
//! that there was none.

use crate::analysis::consumers::Consumer;
use crate::analysis::logged::{Logged, LoggedKind, Stream, Unread, is_apart, midnight};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Times from which nothing was seen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blind {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// Where, and what is missing.
    pub(super) what: String,
    pub(super) why: Why,
}

/// Why nothing was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// There is no log.
    Gap,
    /// The log begins later.
    Before,
    /// Nobody else's calls show that a log was kept.
    Alone,
    /// The key was inactive; calls with it leave no event.
    Inactive,
    /// Log files or records could not be read.
    Unread(Unread),
}

/// The times in which calls of a key in these places would not have been seen.
pub(super) fn blind(
    logged: &Logged,
    key: Option<&str>,
    streams: &[&Stream],
    (last, now): (DateTime<Utc>, DateTime<Utc>),
) -> Vec<Blind> {
    let mut found = Vec::new();
    for stream in streams {
        let what = format!("{}, {}", stream.region, stream.kind);
        let left_out = logged.left_out(stream, now).into_iter();
        found.extend(left_out.map(|span| Blind {
            from: span.from,
            to: span.to,
            what: format!("{what}, {}", span.why),
            why: Why::Gap,
        }));
        let Some(sight) = logged.sight_beside(stream, key, now) else {
            found.push(Blind {
                from: last,
                to: now,
                what,
                why: Why::Alone,
            });
            continue;
        };
        found.push(Blind {
            from: DateTime::<Utc>::MIN_UTC,
            to: midnight(sight.first_day),
            what: what.clone(),
            why: Why::Before,
        });
        found.extend(sight.gaps.iter().map(|gap| Blind {
            from: gap.span().0,
            to: gap.span().1.min(now),
            what: what.clone(),
            why: Why::Gap,
        }));
    }
    found
}

/// The times without a log in the places that a key used: of its regions all, of kinds of events those after its last call of the
/// kind. Before that, its own calls and those of others show that they were logged.
pub(super) fn gaps(
    logged: &Logged,
    key: Option<&str>,
    streams: &[&Stream],
    now: DateTime<Utc>,
) -> Vec<Blind> {
    let mut found: Vec<Blind> = Vec::new();
    for stream in streams {
        let region = logged.region(stream, now);
        let region = region.map_or_else(Vec::new, |sight| sight.gaps);
        let whole: Vec<Blind> = region
            .iter()
            .map(|gap| Blind {
                from: gap.span().0,
                to: gap.span().1.min(now),
                what: stream.region.clone(),
                why: Why::Gap,
            })
            .collect();
        let last = key.and_then(|key| logged.last_call(stream, key));
        let last = last.unwrap_or(DateTime::<Utc>::MIN_UTC);
        let after = blind(logged, key, &[*stream], (last, now));
        let after = after.into_iter().map(|blind| Blind {
            from: blind.from.max(last),
            ..blind
        });
        let of_kind = after.filter(|blind| {
            let mut region = whole.iter();
            blind.from < blind.to
                && blind.why != Why::Before
                && !region.any(|of| of.from <= blind.from && blind.to <= of.to)
        });
        let of_kind: Vec<Blind> = of_kind.collect();
        found.extend(whole);
        found.extend(of_kind);
    }
    // A region without a log is said once, whatever was called there.
    found.sort_by(|a, b| (&a.what, a.from, a.to).cmp(&(&b.what, b.from, b.to)));
    found.dedup();
    found
}

/// The time since somebody last read in an account, if that is too long ago to show that reads are logged.
pub(super) fn no_reads(logged: &Logged, account: &str, now: DateTime<Utc>) -> Option<Blind> {
    let since = logged.without_reads_since(account, now)?;
    Some(Blind {
        from: since,
        to: now,
        what: format!("{}, by anybody", LoggedKind::Reads),
        why: Why::Gap,
    })
}

/// Where a key called, or what a consumer of it did.
pub(super) fn streams_of<'l>(
    logged: &'l Logged,
    key: &str,
    consumer: Option<&Consumer>,
) -> Vec<&'l Stream> {
    let mut streams = logged.streams_of(key);
    if let Some(consumer) = consumer {
        streams.retain(|stream| {
            let calls = &mut consumer.api_calls.iter();
            consumer.regions.contains(&stream.region)
                && match &stream.kind {
                    LoggedKind::DataReads(service) => {
                        calls.any(|call| call.event_source == *service && call.read_only)
                    }
                    LoggedKind::DataWrites(service) => {
                        calls.any(|call| call.event_source == *service && !call.read_only)
                    }
                    LoggedKind::Apart(source) => {
                        calls.any(|call| is_apart(source, &call.event_source))
                    }
                    LoggedKind::Reads => calls.any(|call| call.read_only),
                    _ => calls.any(|call| !call.read_only),
                }
        });
    }
    streams
}

/// Times of which log files of these accounts could not be read.
pub(super) fn unread(
    logged: &Logged,
    accounts: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Vec<Blind> {
    let days = accounts.iter().flat_map(|account| logged.unread(account));
    let mut found: Vec<Blind> = days
        .map(|(day, unread)| Blind {
            from: midnight(day),
            to: midnight(day) + TimeDelta::days(1),
            what: day.to_string(),
            why: Why::Unread(unread),
        })
        .collect();
    if !logged.unread_anywhere.is_none() {
        found.push(Blind {
            from: DateTime::<Utc>::MIN_UTC,
            to: now,
            what: "day and account unknown".to_owned(),
            why: Why::Unread(logged.unread_anywhere),
        });
    }
    found
}

/// How much of a consumer's silence was seen, and in which places the rest was not. Calls of the key's other consumers show, too, that
/// a log was kept.
pub(in crate::analysis) fn silence_seen(
    logged: &Logged,
    consumer: &Consumer,
    now: DateTime<Utc>,
) -> (TimeDelta, Vec<String>) {
    let (key, last) = (consumer.access_key_id.as_str(), consumer.last_seen);
    let streams = streams_of(logged, key, Some(consumer));
    let mut accounts: BTreeSet<String> = consumer.account_id.iter().cloned().collect();
    accounts.extend(streams.iter().map(|stream| stream.account.clone()));
    let unread = unread(logged, &accounts, now);
    let beside = [Some(key), None].map(|key| {
        let mut hidden = blind(logged, key, &streams, (last, now));
        hidden.extend_from_slice(&unread);
        (seen((last, now), &hidden, None), hidden)
    });
    let [others, all] = beside;
    let (passed, mut hidden) = if all.0 > others.0 { all } else { others };
    hidden.retain(|of| of.from.max(last) < of.to.min(now));
    let places: BTreeSet<String> = hidden.iter().map(|of| of.words((last, now))).collect();
    (passed, places.into_iter().collect())
}

impl Blind {
    /// Where and when, within a time.
    fn words(&self, (since, now): (DateTime<Utc>, DateTime<Utc>)) -> String {
        let end = self.to.min(now) - TimeDelta::microseconds(1);
        let days = (self.from.max(since).date_naive(), end.date_naive());
        match self.why {
            Why::Alone => format!(
                "{} (only this key called there, so logging cannot be confirmed)",
                self.what
            ),
            Why::Unread(unread) => format!("{unread} not read: {}", self.what),
            Why::Inactive => self.what.clone(),
            Why::Gap | Why::Before => format!("{} ({} to {})", self.what, days.0, days.1),
        }
    }
}

/// How much of the time since a last call was seen: all of it without the blind times, but with those for which IAM says that the
/// key was not used.
pub(super) fn seen(
    (last, now): (DateTime<Utc>, DateTime<Utc>),
    blind: &[Blind],
    iam: Option<(DateTime<Utc>, DateTime<Utc>)>,
) -> TimeDelta {
    let whole = (now - last).max(TimeDelta::zero());
    let mut hidden: Vec<(DateTime<Utc>, DateTime<Utc>)> = blind
        .iter()
        .flat_map(|blind| {
            let (from, to) = (blind.from.max(last), blind.to.min(now));
            match iam.filter(|_| blind.why != Why::Inactive) {
                // What is left before and after IAM's time. That an inactive key was not used says nothing.
                Some((since, until)) => vec![(from, to.min(since)), (from.max(until), to)],
                None => vec![(from, to)],
            }
        })
        .filter(|(from, to)| from < to)
        .collect();
    hidden.sort_unstable();
    let mut end = last;
    let mut unseen = TimeDelta::zero();
    for (from, to) in hidden {
        unseen += (to - from.max(end)).max(TimeDelta::zero());
        end = end.max(to);
    }
    whole - unseen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_once_and_only_where_it_was_seen() {
        let day = |day: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day);
        let blind = |from: i64, to: i64| Blind {
            from: day(from),
            to: day(to),
            what: String::new(),
            why: Why::Gap,
        };
        let silence = (day(100), day(200));
        let days = |found: TimeDelta| found.num_days();
        assert_eq!(days(seen(silence, &[], None)), 100);
        // What lies before the last call does not matter; what overlaps counts once.
        let gaps = [blind(50, 110), blind(150, 170), blind(160, 180)];
        assert_eq!(days(seen(silence, &gaps, None)), 60);
        // IAM says so for a part of it.
        assert_eq!(days(seen(silence, &gaps, Some((day(90), day(165))))), 85);
        assert_eq!(days(seen(silence, &gaps, Some((day(90), day(200))))), 100);
        assert_eq!(days(seen(silence, &[blind(0, 300)], None)), 0);
        // Of a time in which the key was inactive IAM's answer says nothing.
        let off = Blind {
            why: Why::Inactive,
            ..blind(100, 190)
        };
        let iam = Some((day(90), day(200)));
        assert_eq!(days(seen(silence, &[off], iam)), 10);
    }
}
