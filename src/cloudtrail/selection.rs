//! The part of a trail that somebody asks for.
//!
//! In: a range of time, accounts, regions. Out: yes or no for a folder, a log file, an event. Promise: the answer for a
//! path is generous, the answer for an event is exact; whoever reads the wanted paths and then keeps the wanted events
//! has what was asked for.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::{AccountId, KeyPrefix, LogFileKey};

/// Which events of a trail are wanted; the default is all.
///
/// **Regions are those of delivery.** A log file lies in the folder of the region it was delivered for, and a region
/// that is asked for means that folder, nothing else. Events of global services (IAM, STS without a region, CloudFront)
/// are written to `us-east-1`, in their own field as in their folder, whatever the caller's region: to see the keys
/// that somebody in `eu-west-1` made, ask for `us-east-1` too. It is not added silently, because it is often the
/// largest folder of all, and asking for one region is how people bound cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The first instant that is wanted.
    pub since: Option<DateTime<Utc>>,
    /// The first instant that is no longer wanted.
    pub until: Option<DateTime<Utc>>,
    /// The wanted accounts; none means all.
    pub accounts: BTreeSet<AccountId>,
    /// The wanted regions of delivery; none means all.
    pub regions: BTreeSet<String>,
}

/// A range of time; the default is all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Range {
    /// The first instant of it.
    pub since: Option<DateTime<Utc>>,
    /// The first instant after it.
    pub until: Option<DateTime<Utc>>,
}

impl Range {
    /// The range of every account and region.
    pub fn selection(&self) -> Selection {
        Selection {
            since: self.since,
            until: self.until,
            ..Selection::default()
        }
    }
}

/// How many days before and after the wanted range log files are looked for.
///
/// An event of 23:59 lies in the next day's folder, and clocks differ. AWS delivers most events within minutes; what a
/// failed delivery brings days later is found only by asking for a longer range.
const MARGIN: Days = Days::new(1);

impl Selection {
    /// The part of it that is in a range of time.
    pub fn within(&self, range: &Range) -> Self {
        Self {
            since: self.since.max(range.since),
            until: [self.until, range.until].into_iter().flatten().min(),
            ..self.clone()
        }
    }

    /// The first and the last day whose folders can hold wanted events, with a margin of one day on both sides.
    pub fn log_days(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let first = self.since.map(|since| since.date_naive());
        // `until` is excluded: midnight belongs to the day before.
        let last = self
            .until
            .map(|until| (until - TimeDelta::microseconds(1)).date_naive());
        (
            first.map(|day| day.checked_sub_days(MARGIN).unwrap_or(NaiveDate::MIN)),
            last.map(|day| day.checked_add_days(MARGIN).unwrap_or(NaiveDate::MAX)),
        )
    }

    /// Whether the log file can hold wanted events, as far as its path tells.
    pub fn wants_key(&self, key: &LogFileKey) -> bool {
        self.wants_account(key.account)
            && self.wants_region(&key.region)
            && self.wants_days((key.date, key.date))
    }

    /// Whether wanted log files can lie below the folder.
    pub fn wants_prefix(&self, prefix: &KeyPrefix) -> bool {
        prefix
            .account()
            .is_none_or(|account| self.wants_account(account))
            && prefix
                .region()
                .is_none_or(|region| self.wants_region(region))
            && prefix.days().is_none_or(|days| self.wants_days(days))
    }

    /// Whether an event of this time, in microseconds since 1970, is in the range: exact, without a margin.
    pub fn wants_time(&self, micros: i64) -> bool {
        self.since
            .is_none_or(|since| since.timestamp_micros() <= micros)
            && self
                .until
                .is_none_or(|until| micros < until.timestamp_micros())
    }

    /// Whether an event of this account and region, as they stand in the record, is wanted.
    pub fn wants_event_of(&self, account: Option<&str>, region: Option<&str>) -> bool {
        let account = account.and_then(|account| account.parse().ok());
        (self.accounts.is_empty() || account.is_some_and(|account| self.wants_account(account)))
            && (self.regions.is_empty() || region.is_some_and(|region| self.wants_region(region)))
    }

    /// Whether everything is wanted.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    fn wants_account(&self, account: AccountId) -> bool {
        self.accounts.is_empty() || self.accounts.contains(&account)
    }

    fn wants_region(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.contains(region)
    }

    fn wants_days(&self, (first, last): (NaiveDate, NaiveDate)) -> bool {
        let (from, to) = self.log_days();
        from.is_none_or(|from| from <= last) && to.is_none_or(|to| first <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<DateTime<Utc>> {
        Some(text.parse().unwrap())
    }

    fn key(account: &str, region: &str, day: &str) -> LogFileKey {
        LogFileKey::parse(&format!(
            "AWSLogs/{account}/CloudTrail/{region}/{day}/x.json.gz"
        ))
        .unwrap()
    }

    #[test]
    fn the_default_wants_everything() {
        let all = Selection::default();
        assert_eq!(all.log_days(), (None, None));
        assert!(all.wants_key(&key("111111111111", "eu-west-1", "2025/03/05")));
        assert!(all.wants_time(i64::MIN) && all.wants_time(i64::MAX));
    }

    #[test]
    fn days_have_a_margin_and_events_have_none() {
        let one_day = Selection {
            since: time("2025-03-05T00:00:00Z"),
            until: time("2025-03-06T00:00:00Z"),
            ..Selection::default()
        };
        let wants = |day| one_day.wants_key(&key("111111111111", "eu-west-1", day));
        let wanted = [
            "2025/03/03",
            "2025/03/04",
            "2025/03/05",
            "2025/03/06",
            "2025/03/07",
        ]
        .map(wants);
        assert_eq!(wanted, [false, true, true, true, false]);

        let midnight = one_day.since.unwrap().timestamp_micros();
        let next = one_day.until.unwrap().timestamp_micros();
        let wanted =
            [midnight - 1, midnight, next - 1, next].map(|micros| one_day.wants_time(micros));
        assert_eq!(wanted, [false, true, true, false]);
    }

    #[test]
    fn accounts_and_regions_are_exact() {
        let some = Selection {
            accounts: ["111111111111".parse().unwrap()].into(),
            regions: ["eu-west-1".to_owned()].into(),
            ..Selection::default()
        };
        assert!(some.wants_key(&key("111111111111", "eu-west-1", "2025/03/05")));
        assert!(!some.wants_key(&key("222222222222", "eu-west-1", "2025/03/05")));
        assert!(!some.wants_key(&key("111111111111", "us-east-1", "2025/03/05")));
    }

    #[test]
    fn folders_are_left_out_as_soon_as_their_path_tells() {
        let some = Selection {
            since: time("2025-03-05T00:00:00Z"),
            accounts: ["111111111111".parse().unwrap()].into(),
            ..Selection::default()
        };
        let wants = |path: &str| some.wants_prefix(&KeyPrefix::parse(path).unwrap());
        assert!(wants("AWSLogs/") && wants("AWSLogs/o-abcdefghij/"));
        assert!(!wants("AWSLogs/222222222222/"));
        let region = "AWSLogs/111111111111/CloudTrail/eu-west-1";
        assert!(wants(region));
        assert!(wants(&format!("{region}/2025")) && !wants(&format!("{region}/2024")));
        assert!(wants(&format!("{region}/2025/03")) && !wants(&format!("{region}/2025/02")));
        assert!(wants(&format!("{region}/2025/03/04")) && !wants(&format!("{region}/2025/03/03")));
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        let ends = Selection {
            since: Some(DateTime::<Utc>::MIN_UTC),
            until: Some(DateTime::<Utc>::MAX_UTC),
            ..Selection::default()
        };
        assert!(ends.wants_key(&key("111111111111", "eu-west-1", "2025/03/05")));
    }
}
