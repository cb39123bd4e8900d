//! What is known of a key, from all sides.
//!
//! In: what the log and IAM say of it. Out: [`KeyFacts`]: its state, its silences, and when a call would not have been seen.
//! Promise: what IAM says and what the log shows are kept apart where they differ; IAM's answer holds up to when it was given.

use super::ReadyOptions;
use super::blind::{Blind, Why, blind, gaps, no_reads, seen, streams_of, unread};
use super::marks::Marks;
use super::signs::Sign;
use super::silence::{Silence, Since, State, of_all, of_consumer};
use crate::analysis::consumers::{Consumer, Elsewhere, ServiceUse};
use crate::analysis::credentials::{PROPAGATION, TrailKey};
use crate::analysis::logged::{Logged, LoggedKind, S3, Sight, Stream, midnight};
use crate::cloudtrail::{AccessKeyId, AccountId, Selection};
use crate::iam::{Key, Moment, ROOT, User};
use crate::knowledge::data_calls;
use crate::report::Coverage;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Calls that services make so long after the last direct call come from direct calls that are not logged.
pub(super) const ON_BEHALF: TimeDelta = TimeDelta::days(1);

/// What IAM says of a key.
#[derive(Debug, Clone)]
pub(super) enum Iam<'a> {
    /// This.
    Says(&'a User, &'a Key),
    /// Nobody asked IAM, or not of this account, or before the key was created.
    NotAsked,
    /// It is one of these keys of IAM; which one cannot be told.
    OneOf(Vec<(&'a User, &'a Key)>),
}

/// What all keys have in common.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) as_of: DateTime<Utc>,
    pub(super) logged: &'a Logged,
    pub(super) marks: &'a Marks,
    pub(super) elsewhere: &'a Elsewhere,
    pub(super) coverage: &'a Coverage,
    /// What the log was narrowed to.
    pub(super) selection: &'a Selection,
    /// Accounts that it was narrowed by, if there are any.
    pub(super) other_accounts: Option<u64>,
    pub(super) options: &'a ReadyOptions,
}

/// What is known of a key.
pub(super) struct KeyFacts<'a> {
    pub(super) common: Common<'a>,
    pub(super) id: Option<AccessKeyId>,
    pub(super) account: Option<AccountId>,
    pub(super) user_name: Option<String>,
    pub(super) iam: Iam<'a>,
    /// Up to when IAM's answer holds.
    pub(super) iam_until: Option<DateTime<Utc>>,
    pub(super) seen: Option<&'a TrailKey>,
    pub(super) consumers: Vec<&'a Consumer>,
    /// Consumers, and use that the log does not show.
    pub(super) silences: Vec<Silence>,
    pub(super) through_services: Option<&'a BTreeMap<String, ServiceUse>>,
    /// Days on which other keys of the user called.
    pub(super) other_keys: BTreeSet<NaiveDate>,
    /// Other keys of the user that work.
    pub(super) others: Vec<String>,
    pub(super) signs: Option<&'a Sign>,
    /// When its calls would not have been seen, in any place that it used.
    pub(super) blind: Vec<Blind>,
    /// Up to when its calls would have been seen, or IAM says that there were none.
    pub(super) seen_until: DateTime<Utc>,
}

impl<'a> KeyFacts<'a> {
    /// The key of IAM that it is.
    pub(super) fn key(&self) -> Option<&Key> {
        match self.iam {
            Iam::Says(_, key) => Some(key),
            _ => None,
        }
    }

    /// The keys of IAM that it is or may be.
    pub(super) fn listed(&self) -> Vec<&'a Key> {
        match &self.iam {
            Iam::Says(_, key) => vec![key],
            Iam::OneOf(keys) => keys.iter().map(|(_, key)| *key).collect(),
            Iam::NotAsked => Vec::new(),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.user_name.as_deref() == Some(ROOT)
    }

    /// The last change of its status that the log shows, if IAM's answer is not later.
    fn changed(&self) -> Option<(DateTime<Utc>, bool)> {
        let (time, active) = *self.seen?.status.last()?;
        let newer = self.iam_until.is_some_and(|until| until >= time);
        (self.listed().is_empty() || !newer).then_some((time, active))
    }

    /// Whether it works, as far as is known.
    pub(super) fn active(&self) -> bool {
        if let Some((_, active)) = self.changed() {
            return active;
        }
        let listed = self.listed();
        match listed.is_empty() {
            true => true,
            false => listed.iter().any(|key| key.active),
        }
    }

    /// Since when it is inactive, at the latest; none if that is not known.
    pub(super) fn inactive_since(&self) -> Option<DateTime<Utc>> {
        if self.active() {
            return None;
        }
        if let Some(since) = self.seen.and_then(TrailKey::inactive_since) {
            return Some(since);
        }
        // IAM says that it is inactive and the log shows no such call: it was before the log, or IAM knows when.
        let rotated = self
            .listed()
            .iter()
            .filter_map(|key| key.last_rotated.time())
            .max();
        let since = rotated.max(self.account_sight().map(|sight| midnight(sight.first_day)));
        match (since, self.last_used()) {
            // It was used since then, so that it was deactivated later, and nobody knows when. Use after IAM's answer is use.
            (Some(since), Some(used)) if used > since + PROPAGATION => {
                self.iam_until.filter(|until| used > *until + PROPAGATION)
            }
            (since, _) => since,
        }
    }

    /// When it was created, at the latest.
    pub(super) fn created(&self) -> Option<DateTime<Utc>> {
        let seen = self.seen.and_then(|seen| seen.created);
        seen.or_else(|| self.listed().iter().filter_map(|key| key.since()).max())
    }

    /// The log's last event of it, also through services.
    pub(super) fn last_event(&self) -> Option<DateTime<Utc>> {
        self.seen.and_then(|seen| seen.used).map(|(_, last)| last)
    }

    /// IAM's last use; of several keys that it may be, the latest.
    pub(super) fn last_used_in_iam(&self) -> Option<DateTime<Utc>> {
        let listed = self.listed();
        listed.iter().filter_map(|key| key.last_used.time()).max()
    }

    pub(super) fn last_used(&self) -> Option<DateTime<Utc>> {
        self.last_event().max(self.last_used_in_iam())
    }

    /// Whether IAM says when the key was last used, or that it never was.
    pub(super) fn iam_knows(&self) -> bool {
        let listed = self.listed();
        let told = |key: &&Key| matches!(key.last_used, Moment::At(_) | Moment::NotApplicable);
        !listed.is_empty() && listed.iter().all(told)
    }

    /// The time in which there was no use, says IAM.
    pub(super) fn unused_in_iam(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let until = self.iam_until.filter(|_| self.iam_knows())?;
        // A status that changed counts as a rotation in reports, so that an old key may look new: never the reverse.
        let since = self.last_used_in_iam();
        let since = since.or_else(|| self.listed().iter().filter_map(|key| key.since()).min());
        let since = since.unwrap_or(DateTime::<Utc>::MIN_UTC);
        // An answer that knows less than the log does is about something else.
        let direct = self
            .consumers
            .iter()
            .map(|consumer| consumer.last_seen)
            .max();
        let behind = direct.is_some_and(|last| last <= until && last > since + ON_BEHALF);
        (since < until && !behind).then_some((since, until))
    }

    pub(super) fn account_sight(&self) -> Option<Sight> {
        let account = self.account?.to_string();
        self.common.logged.account(&account, self.common.as_of)
    }

    /// Where the key called, or what a consumer of it did.
    pub(super) fn streams(&self, consumer: Option<&Consumer>) -> Vec<&'a Stream> {
        let Some(id) = &self.id else {
            return Vec::new();
        };
        streams_of(self.common.logged, id.as_str(), consumer)
    }

    /// The stream in which a change of the key's status would be seen.
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events>
    fn status_stream(&self) -> Option<Stream> {
        let account = self.account?.to_string();
        let regions = self.common.logged.regions(&account);
        let of = |part: &str| regions.iter().any(|region| region.starts_with(part));
        let region = match (of("us-gov-"), of("cn-")) {
            (true, _) => "us-gov-west-1",
            (_, true) => "cn-north-1",
            _ => "us-east-1",
        };
        Some(Stream {
            account,
            region: region.to_owned(),
            kind: LoggedKind::Management,
        })
    }

    pub(super) fn id_text(&self) -> Option<&str> {
        self.id.as_ref().map(AccessKeyId::as_str)
    }

    /// How much of the time since a last call was seen in these places.
    pub(super) fn since(&self, last: DateTime<Utc>, streams: &[&Stream]) -> Since {
        let now = self.common.as_of;
        let mut hidden = blind(self.common.logged, self.id_text(), streams, (last, now));
        hidden.extend(self.unread());
        hidden.extend(self.inactive_times());
        Since {
            last,
            now,
            seen: seen((last, now), &hidden, self.unused_in_iam()),
        }
    }

    /// The times in which the key was inactive before it was activated again: calls with it left no event, so they are no silence.
    pub(super) fn inactive_times(&self) -> Vec<Blind> {
        if !self.active() {
            return Vec::new();
        }
        let mut times = self.seen.map(TrailKey::inactive_times).unwrap_or_default();
        times.extend(self.activated_unseen());
        let times = times.into_iter().map(|(from, to)| Blind {
            from,
            to,
            what: "the key was inactive".to_owned(),
            why: Why::Inactive,
        });
        times.collect()
    }

    /// When the key was activated again: the last time that the log shows, or IAM.
    pub(super) fn activated(&self) -> Option<DateTime<Utc>> {
        self.inactive_times().iter().map(|off| off.to).max()
    }

    /// From when the log's last change made it inactive to when it was activated again, which only IAM knows. Reports call a change of
    /// status a rotation; without one, it may have been at any time before IAM answered.
    fn activated_unseen(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let since = self.seen.and_then(TrailKey::inactive_since)?;
        let listed = self.listed();
        let rotated = listed.iter().filter_map(|key| key.last_rotated.time());
        let told = rotated.max().filter(|time| *time > since + PROPAGATION);
        let used = self.last_event().filter(|used| *used > since + PROPAGATION);
        let until = told.or(self.iam_until)?;
        Some((since, used.map_or(until, |used| until.min(used))))
    }

    /// Times of which log files of the account could not be read.
    pub(super) fn unread(&self) -> Vec<Blind> {
        let account = self.account.iter().map(ToString::to_string);
        let streams = self.streams(None).into_iter();
        let accounts = account.chain(streams.map(|stream| stream.account.clone()));
        unread(self.common.logged, &accounts.collect(), self.common.as_of)
    }

    /// Services on whose data the key's consumers may go on to call unseen: those that they called in other ways, where they called them,
    /// and S3, whose objects any program may read.
    pub(super) fn unseen_data(&self) -> BTreeSet<&'static str> {
        let account = self.account.map(|account| account.to_string());
        let (account, now) = (account.unwrap_or_default(), self.common.as_of);
        let sees = |source: &str, regions: &[String], since| {
            let of = (account.as_str(), source);
            let unseen = self.common.logged.data_unseen(of, regions, (since, now));
            unseen.is_some_and(|days| days <= self.common.options.most_holes)
        };
        let mut unseen = BTreeSet::new();
        for consumer in &self.consumers {
            let calls = || consumer.api_calls.iter();
            let called: BTreeSet<&str> = calls().map(|call| call.event_source.as_str()).collect();
            for source in called.into_iter().chain([S3]) {
                let Some((service, on_data)) = data_calls(source) else {
                    continue;
                };
                // What is logged of it shows by its own calls.
                let is_shown = calls().any(|call| {
                    call.event_source == source && on_data.contains(&call.operation.as_str())
                });
                let regions = match source {
                    S3 => &[][..],
                    _ => &consumer.regions,
                };
                if !is_shown && !sees(source, regions, consumer.last_seen) {
                    unseen.insert(service);
                }
            }
        }
        let window = now - self.common.options.window;
        if self.consumers.is_empty() && !sees(S3, &[], window) {
            unseen.insert("s3");
        }
        unseen
    }

    /// Fills in silences, and when nothing was seen.
    pub(super) fn fill(&mut self) {
        self.see();
        let options = self.common.options;
        let mut silences: Vec<Silence> = self
            .consumers
            .iter()
            .map(|consumer| {
                let since = self.since(consumer.last_seen, &self.streams(Some(consumer)));
                of_consumer(consumer, since, options)
            })
            .collect();
        silences.extend(self.all_consumers());
        silences.extend(self.behind_services());
        silences.extend(self.on_behalf());
        silences.extend(self.sessions_go_on());
        silences.extend(self.seen_elsewhere());
        silences.extend(self.only_in_iam());
        if !self.active() {
            let since = self.inactive_since();
            for silence in &mut silences {
                let later = since.is_some_and(|since| silence.last_seen > since + PROPAGATION);
                silence.state = if later { State::InUse } else { State::CutOff };
            }
        }
        silences.sort_by_key(|silence| (silence.state, std::cmp::Reverse(silence.last_seen)));
        self.silences = silences;
    }

    /// The silence of all consumers together.
    fn all_consumers(&self) -> Option<Silence> {
        let last = self.consumers.iter().map(|consumer| consumer.last_seen);
        let since = self.since(last.max()?, &self.streams(None));
        of_all(&self.consumers, since, self.common.options)
    }

    /// Works out when the key's calls would not have been seen, and up to when they would.
    fn see(&mut self) {
        let (logged, now) = (self.common.logged, self.common.as_of);
        let status = self.status_stream().filter(|_| !self.active());
        let mut streams = self.streams(None);
        streams.extend(&status);
        let found = gaps(logged, self.id_text(), &streams, now);
        let ends = streams.iter().flat_map(|stream| {
            // Of what only this key called, nobody knows the end.
            let beside = logged.sight_beside(stream, self.id_text(), now);
            [beside, logged.region(stream, now)]
        });
        let ends = ends.flatten().map(|sight| sight.until);
        let log_until = ends
            .min()
            .or_else(|| self.account_sight().map(|sight| sight.until));
        let iam_until = self.unused_in_iam().map(|(_, until)| until);
        let until = log_until.max(iam_until).or(logged.end);
        self.seen_until = until.map_or(now, |until| until.min(now));
        // A key that never called has no place of its own: any gap of its account counts.
        let of_account = self.account_sight().filter(|_| streams.is_empty());
        let of_account = of_account.into_iter().flat_map(|sight| sight.gaps);
        let of_account: Vec<Blind> = of_account
            .map(|gap| Blind {
                from: gap.span().0,
                to: gap.span().1.min(now),
                what: "every region".to_owned(),
                why: Why::Gap,
            })
            .collect();
        // An inactive key cannot read; of an account without a log nothing is known anyway.
        let account = self
            .account
            .filter(|_| self.active() && self.account_sight().is_some());
        let unread = account.and_then(|account| no_reads(logged, &account.to_string(), now));
        self.blind = found;
        self.blind.extend(of_account);
        self.blind.extend(unread);
    }
}
