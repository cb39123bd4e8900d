//! What is missing in a log?
//!
//! In: what was logged. Out: [`Missing`]: gaps of regions, gaps of kinds of events, days with log files that could not be read.
//! Promise: a kind of event is named only where the region has a log.

use super::gaps::{Gap, sight};
use super::{Logged, LoggedKind};
use chrono::{DateTime, Utc};

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
        let mut found = Vec::new();
        let streams = self.streams.iter();
        for (stream, days) in streams.filter(|(of, _)| of.kind.whole().is_none()) {
            let region = self
                .region(stream, now)
                .map_or_else(Vec::new, |sight| sight.gaps);
            let gaps = sight(&days.all, now).map_or_else(Vec::new, |sight| sight.gaps);
            let part = stream.kind != LoggedKind::Any;
            found.extend(
                gaps.into_iter()
                    .filter(|gap| !part || !region.iter().any(|of| of.holds(*gap)))
                    .map(|gap| Missing {
                        account: stream.account.clone(),
                        region: Some(stream.region.clone()),
                        what: stream.kind.to_string(),
                        gap,
                    }),
            );
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
}
