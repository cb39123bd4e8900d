//! What others did about the credentials of the tree.
//!
//! In: the tree and all changes. Out: [`About`]: the state of its keys, quarantine, users that are gone. Promise: the last change of a
//! key decides what is said of it.

use super::super::Lineage;
use super::super::graph::births::call;
use super::super::graph::deeds::{EXPOSED, QUARANTINE};
use super::super::graph::facts::{Changes, number, text};
use crate::analysis::credentials::PROPAGATION;
use crate::report::trace::Credential;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a long-term key.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis::trace) struct KeyState {
    /// Time, event, who, and what: `Inactive`, `Active`, or `Deleted`.
    pub(in crate::analysis::trace) last: Option<(i64, String, String, String)>,
}

impl KeyState {
    /// Since when it is off, if its last call, where there is one, was not later. Later calls show that it was activated again, and that
    /// these logs do not have that call.
    pub(in crate::analysis::trace) fn off_since(&self, last_call: Option<i64>) -> Option<i64> {
        let (since, _, _, state) = self.last.as_ref()?;
        (state != "Active" && !is_later(last_call, *since)).then_some(*since)
    }
}

/// Whether a call was made after a key was turned off and every region knew of it.
pub(in crate::analysis::trace) fn is_later(last_call: Option<i64>, since: i64) -> bool {
    last_call.is_some_and(|last| TimeDelta::microseconds(last - since) > PROPAGATION)
}

/// The time of a credential's last call.
pub(in crate::analysis::trace) fn last_call(credential: &Credential) -> Option<i64> {
    let time: DateTime<Utc> = credential.last_seen.as_ref()?.parse().ok()?;
    Some(time.timestamp_micros())
}

/// Events about the tree by anybody: its keys deactivated or deleted, quarantine, denials.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct About {
    pub(in crate::analysis::trace) keys: BTreeMap<String, KeyState>,
    /// Rows of `changes`, in order.
    pub(in crate::analysis::trace) rows: Vec<usize>,
    /// Quarantine policies: attached or detached, the row.
    pub(in crate::analysis::trace) quarantine: Vec<(bool, usize)>,
    /// Users that were deleted, with their account.
    pub(in crate::analysis::trace) deleted_users: BTreeSet<(String, String)>,
}

/// Finds what was done about the tree.
pub(in crate::analysis::trace) fn about(lineage: &Lineage<'_>, changes: &Changes) -> About {
    let nodes = &lineage.joins.nodes.all;
    let mut about = About::default();
    let mut keys = BTreeSet::new();
    let mut users = BTreeSet::new();
    for member in &lineage.members {
        let node = &nodes[member.node];
        keys.extend(node.key);
        if let (Some(user), Some(account)) = (node.user_name, node.account) {
            users.insert((user.to_owned(), account.to_owned()));
        }
    }
    for row in 0..changes.len() {
        let operation = text(&changes.operation, row).unwrap_or_default();
        if text(&changes.event_source, row) != Some("iam.amazonaws.com") {
            continue;
        }
        let is_key = matches!(operation, "UpdateAccessKey" | "DeleteAccessKey");
        let is_policy = matches!(
            operation,
            "AttachUserPolicy"
                | "DetachUserPolicy"
                | "PutUserPolicy"
                | "DeleteLoginProfile"
                | "DeleteUserPolicy"
                | "DeleteUser"
        );
        if !is_key && !is_policy {
            continue;
        }
        let call = call(changes, row);
        if is_key {
            let Some(key) = call
                .first("request.accessKeyId")
                .filter(|key| keys.contains(key.as_str()))
            else {
                continue;
            };
            let state = match operation {
                "DeleteAccessKey" => "Deleted".to_owned(),
                _ => call.first("request.status").unwrap_or_default(),
            };
            let event = text(&changes.event_id, row).unwrap_or_default().to_owned();
            let who = text(&changes.user_identity_arn, row)
                .unwrap_or("somebody")
                .to_owned();
            let time = number(&changes.event_time, row).unwrap_or_default();
            about.keys.entry(key).or_default().last = Some((time, event, who, state));
        } else {
            let user = call.first("request.userName|caller").unwrap_or_default();
            let account = text(&changes.account_id, row).unwrap_or_default();
            let user = (user, account.to_owned());
            if !users.contains(&user) {
                continue;
            }
            if operation == "DeleteUser" {
                about.deleted_users.insert(user);
            }
            let policy = call.first("request.policyArn|request.policyName");
            if policy.is_some_and(|policy| policy.contains(QUARANTINE) || policy == EXPOSED) {
                about.quarantine.push((
                    !matches!(operation, "DetachUserPolicy" | "DeleteUserPolicy"),
                    row,
                ));
            }
        }
        about.rows.push(row);
    }
    about
}
