//! Users that were renamed.
//!
//! In: all changes. Out: the name of today of a user. Promise: commands and answers name what is there now, not what it was called when it
//! was made.

use super::super::graph::births::call;
use super::super::graph::facts::{Changes, number, text};
use rustc_hash::FxHashMap;

/// A name that is changed more often leads in a circle.
const MOST: usize = 20;

/// New names by account and old name, each with its time, in order.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Renames(
    FxHashMap<String, FxHashMap<String, Vec<(i64, String)>>>,
);

impl Renames {
    /// Of `UpdateUser` with a new name.
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>
    pub(in crate::analysis::trace) fn of(changes: &Changes) -> Self {
        let mut renames = Self::default();
        for row in 0..changes.len() {
            if text(&changes.operation, row) != Some("UpdateUser")
                || text(&changes.event_source, row) != Some("iam.amazonaws.com")
            {
                continue;
            }
            let call = call(changes, row);
            let (Some(old), Some(new), Some(time)) = (
                call.first("request.userName"),
                call.first("request.newUserName"),
                number(&changes.event_time, row),
            ) else {
                continue;
            };
            let account = text(&changes.account_id, row).unwrap_or_default();
            let names = renames.0.entry(account.to_owned()).or_default();
            names.entry(old).or_default().push((time, new));
        }
        renames
    }

    /// The name of today of a user that had a name at a time.
    pub(in crate::analysis::trace) fn today(
        &self,
        (account, name): (&str, &str),
        time: i64,
    ) -> String {
        let (mut name, mut time) = (name, time);
        let names = self.0.get(account);
        for _ in 0..MOST {
            let later = names
                .and_then(|names| names.get(name))
                .into_iter()
                .flatten();
            let Some((then, new)) = later.into_iter().find(|(then, _)| *then >= time) else {
                break;
            };
            name = new.as_str();
            time = *then;
        }
        name.to_owned()
    }
}
