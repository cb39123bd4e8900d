//! Use that only other accounts' logs show.
//!
//! In: calls of users that no log of their own account has (SQL). Out: for each long-term key, the [`ForeignCall`]s that may be its own. Promise:
//! such a record names the user and no key, so that it counts for every key of the user, unless another key of the user called on the same
//! day, from the same address, with the same program.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use super::ServiceUse;
use crate::analysis::AnalysisError;
use crate::analysis::rows::{Micros, each};
use crate::report::some_of;
use crate::session::{Params, Session};

pub(super) const ELSEWHERE: &str = include_str!("../../../queries/consumers/elsewhere.sql");

/// Calls of one kind on one day, in the log of an account that is not the user's.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::analysis) struct ForeignCall {
    access_key_id: Option<String>,
    user_id: Option<String>,
    user_identity_account_id: String,
    /// Whose log it is.
    pub(in crate::analysis) account_id: String,
    pub(in crate::analysis) aws_region: String,
    pub(in crate::analysis) event_category: Option<String>,
    pub(in crate::analysis) event_source: String,
    pub(in crate::analysis) operation: String,
    pub(in crate::analysis) read_only: Option<bool>,
    event_date: i32,
    events: i64,
    resource: Option<String>,
    pub(in crate::analysis) first_event: Micros,
    last_event: Micros,
}

/// All of them.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Elsewhere {
    by_key: HashMap<String, Vec<ForeignCall>>,
    /// Of users who signed no call with a long-term key in the log, by their account.
    of_others: HashMap<String, Vec<ForeignCall>>,
}

impl Elsewhere {
    /// Reads them.
    pub(super) async fn read(session: &Session) -> Result<Self, AnalysisError> {
        let mut found = Elsewhere::default();
        each::<ForeignCall>(session, (ELSEWHERE, &Params::new()), |call| {
            let calls = match &call.access_key_id {
                Some(key) => found.by_key.entry(key.clone()),
                None => found.of_others.entry(call.user_identity_account_id.clone()),
            };
            calls.or_default().push(call);
        })
        .await?;
        Ok(found)
    }

    /// Those that may be of a key.
    pub(in crate::analysis) fn of(&self, key: &str) -> impl Iterator<Item = &ForeignCall> {
        self.by_key.get(key).into_iter().flatten()
    }

    /// Those of an account's users whose keys are not known. A key that signed a call has a user whose id is known: only records without any id
    /// may be its own.
    pub(in crate::analysis) fn of_unknown(
        &self,
        account: &str,
        signed: bool,
    ) -> impl Iterator<Item = &ForeignCall> {
        let calls = self.of_others.get(account).into_iter().flatten();
        calls.filter(move |call| !signed || call.user_id.is_none())
    }

    /// When there were such calls.
    pub(in crate::analysis) fn days(calls: &[&ForeignCall]) -> ServiceUse {
        let mut used = ServiceUse::default();
        for call in calls {
            used.events += call.events.unsigned_abs();
            let times = [call.first_event, call.last_event].map(|time| time.0.timestamp_micros());
            let day = used
                .days
                .entry(call.event_date)
                .or_insert((times[0], times[1]));
            *day = (day.0.min(times[0]), day.1.max(times[1]));
        }
        used
    }

    /// What such calls are, in words.
    pub(in crate::analysis) fn words(calls: &[&ForeignCall]) -> String {
        let accounts: BTreeSet<&str> = calls.iter().map(|call| call.account_id.as_str()).collect();
        let names: BTreeSet<String> = calls.iter().map(|call| call.name()).collect();
        let names = some_of(&names.iter().map(String::as_str).collect());
        let accounts: Vec<&str> = accounts.into_iter().collect();
        let whose = match accounts.as_slice() {
            [one] => format!("account {one}"),
            many => format!("accounts {}", many.join(", ")),
        };
        format!("{names}, logged only in {whose}, by user and without a key")
    }

    /// Each call, how often it was made, and on what, for example.
    pub(in crate::analysis) fn each_call(calls: &[&ForeignCall]) -> Vec<(String, String)> {
        let mut found: BTreeMap<(String, &str), (u64, Option<&str>)> = BTreeMap::new();
        for call in calls {
            let held = found.entry((call.name(), &call.account_id)).or_default();
            held.0 += call.events.unsigned_abs();
            held.1 = held.1.or(call.resource.as_deref());
        }
        let told = found.into_iter().map(|((name, account), (events, resource))| {
            let on = resource.map_or_else(String::new, |resource| format!(", e.g. on {resource}"));
            let times = match events {
                1 => "once".to_owned(),
                events => format!("{events} times"),
            };
            let reason = format!(
                "logged only in account {account} ({times}{on}), by user and without a key: add it if it is a call of this key"
            );
            (name, reason)
        });
        told.collect()
    }
}

impl ForeignCall {
    /// The call as people write it: `s3:GetObject`.
    fn name(&self) -> String {
        let service = self.event_source.split('.').next().unwrap_or_default();
        format!("{service}:{}", self.operation)
    }
}
