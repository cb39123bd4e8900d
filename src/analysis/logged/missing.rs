//! What is missing in a log?
//!
//! In: what was logged. Out: [`Missing`]: gaps of regions, gaps of kinds of events, times in which a trail was set not to log, days with log
//! files that could not be read. Promise: what `ready` counts is here, but what only one key's calls show; a kind of event is named only where
//! the kinds it is part of have a log.

use super::gaps::{Gap, sight};
use super::{EventDays, LeftOut, Logged, Stream};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// What is missing in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::analysis) struct Missing {
    pub(in crate::analysis) account: String,
    /// None where it is not known.
    pub(in crate::analysis) region: Option<String>,
    pub(in crate::analysis) what: String,
    pub(in crate::analysis) gap: Gap,
}

impl Logged {
    /// The gaps of every place, in order, with what is missing: a region, or in a region with a log some kind of event; log files
    /// and records that could not be read.
    pub(in crate::analysis) fn gaps(&self, now: DateTime<Utc>) -> Vec<Missing> {
        let streams = self.streams.iter();
        let all: BTreeMap<&Stream, Vec<(Gap, String)>> = streams
            .map(|(stream, days)| (stream, self.gaps_of((stream, &days.all), now)))
            .collect();
        let mut found = Vec::new();
        for (stream, gaps) in &all {
            let wider = stream.kind.wider().filter_map(|kind| {
                let kind = Stream {
                    kind,
                    ..(*stream).clone()
                };
                all.get(&kind)
            });
            let wider: Vec<Gap> = wider.flatten().map(|(gap, _)| *gap).collect();
            let own = gaps
                .iter()
                .filter(|(gap, _)| !wider.iter().any(|of| of.holds(*gap)));
            found.extend(own.map(|(gap, what)| Missing {
                account: stream.account.clone(),
                region: Some(stream.region.clone()),
                what: what.clone(),
                gap: *gap,
            }));
        }
        for (account, days) in &self.unread {
            found.extend(days.iter().map(|(day, unread)| Missing {
                account: account.clone(),
                region: None,
                what: format!("{unread} not read"),
                gap: Gap {
                    first_day: *day,
                    last_day: *day,
                },
            }));
        }
        found.sort_by(|a, b| {
            (&a.account, &a.region, a.gap, &a.what).cmp(&(&b.account, &b.region, b.gap, &b.what))
        });
        found
    }

    /// The gaps of a stream, and the days on which a trail was set not to log it.
    fn gaps_of(
        &self,
        (stream, days): (&Stream, &EventDays),
        now: DateTime<Utc>,
    ) -> Vec<(Gap, String)> {
        let sight = match stream.kind.whole() {
            Some(_) => self.sight_beside(stream, None, now),
            None => sight(days, now),
        };
        let gaps = sight.map_or_else(Vec::new, |sight| sight.gaps).into_iter();
        let gaps = gaps.map(|gap| (gap, stream.kind.to_string()));
        let halves: Vec<Vec<LeftOut>> = stream
            .kind
            .halves()
            .into_iter()
            .map(|kind| {
                let half = Stream {
                    kind,
                    ..stream.clone()
                };
                self.left_out(&half, now)
            })
            .collect();
        let left_out = self.left_out(stream, now).into_iter();
        // What is left out of one half only is named there.
        let left_out = left_out.filter(|span| {
            let is_in = |half: &Vec<LeftOut>| half.iter().any(|of| of.from == span.from);
            halves.iter().all(is_in)
        });
        let left_out = left_out.map(|span| {
            let gap = Gap {
                first_day: span.from.date_naive(),
                last_day: (span.to - TimeDelta::microseconds(1)).date_naive(),
            };
            (gap, format!("{}, {}", stream.kind, span.why))
        });
        gaps.chain(left_out).collect()
    }
}
