//! Would calls on data, and calls that read, have been seen?
//!
//! In: what was logged. Out: the services with data events, the days on which such calls would not have been seen, since when
//! nobody reads. Promise: only calls of people and programs count; writes do not show that reads are logged.

use super::gaps::{Gap, sight};
use super::{EventDays, Logged, LoggedKind, Stream, put};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// The service from which every program may read.
pub(in crate::analysis) const S3: &str = "s3.amazonaws.com";

/// The last day is not over, and log files come with a delay.
const A_DAY: TimeDelta = TimeDelta::days(1);

/// In nearly every account somebody reads something at least every week: people, the console, AWS's own services.
const READS_PAUSE: TimeDelta = TimeDelta::days(7);

impl Logged {
    /// The services of an account with data events.
    pub(in crate::analysis) fn data_services(&self, account: &str) -> BTreeSet<&str> {
        let streams = self.streams_in(account);
        let services = streams.filter_map(|(stream, _)| match &stream.kind {
            LoggedKind::Data(service) => Some(service.as_str()),
            _ => None,
        });
        services.collect()
    }

    /// For how many days since a moment calls on the data of a service would not have been seen: in the region, of these (of all if there are none), in
    /// which they were seen best; none if they never were.
    pub(in crate::analysis) fn data_unseen(
        &self,
        (account, service): (&str, &str),
        regions: &[String],
        (since, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<u64> {
        let of_service = LoggedKind::Data(service.to_owned());
        let reads = (service == S3).then(|| LoggedKind::DataReads(service.to_owned()));
        let streams = self.streams_in(account).filter(|(stream, _)| {
            stream.kind == of_service && (regions.is_empty() || regions.contains(&stream.region))
        });
        let unseen = streams.filter_map(|(stream, days)| {
            let gaps = sight(&days.all, now)?.gaps.into_iter().map(Gap::span);
            let unread = match &reads {
                Some(kind) => self.reads_ended(
                    &Stream {
                        kind: kind.clone(),
                        ..stream.clone()
                    },
                    now,
                )?,
                None => Vec::new(),
            };
            let gaps = gaps.chain(unread);
            let left_out = self.left_out(stream, now).into_iter();
            let hidden = gaps.chain(left_out.map(|span| (span.from, span.to)));
            let days = hidden.map(|(from, to)| (to.min(now) - from.max(since)).num_hours());
            Some(
                days.map(|hours| hours.max(0).unsigned_abs().div_ceil(24))
                    .sum(),
            )
        });
        unseen.min()
    }

    /// The time since the last read of data in a place, if nobody read for longer than ever before; none if nobody ever did. A trail may log
    /// the writes of data only.
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>
    fn reads_ended(
        &self,
        reads: &Stream,
        now: DateTime<Utc>,
    ) -> Option<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
        let known = self.streams.get(reads)?.all.range(..=now.date_naive());
        let known: EventDays = known.map(|(day, events)| (*day, *events)).collect();
        let (_, newest) = known.last_key_value()?;
        let ended = now - newest.last > longest_pause(&known) + A_DAY;
        Some(ended.then_some((newest.last, now)).into_iter().collect())
    }

    /// Since when no management event of an account only reads, if that is longer than usual there: a trail can log writes only. From the
    /// beginning of time if there never was one; none if there are reads up to now.
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>
    pub(in crate::analysis) fn without_reads_since(
        &self,
        account: &str,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let reads = self.streams_in(account);
        let reads = reads.filter(|(stream, _)| stream.kind == LoggedKind::Reads);
        let mut known = EventDays::new();
        for (day, events) in reads.flat_map(|(_, days)| days.all.range(..=now.date_naive())) {
            put(&mut known, *day, *events);
        }
        let Some((_, newest)) = known.last_key_value() else {
            return Some(DateTime::<Utc>::MIN_UTC);
        };
        let usual = longest_pause(&known).max(READS_PAUSE);
        (now - newest.last > usual + A_DAY).then_some(newest.last)
    }
}

/// The longest time between two days with events.
fn longest_pause(days: &EventDays) -> TimeDelta {
    let pairs = days.keys().zip(days.keys().skip(1));
    let pauses = pairs.map(|(from, to)| *to - *from);
    pauses.max().unwrap_or_default()
}
