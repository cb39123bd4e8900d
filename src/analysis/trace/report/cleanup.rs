//! What was left behind, and how to undo it.
//!
//! In: the deeds and the clean-up table. Out: a [`Created`] for everything that was created or changed. Promise: each successful
//! changing call has a row, also one that the table does not know; a row says whether a later call removed it, and whose
//! that was. Commands are for a person: values in them are quoted for a shell.

use super::super::graph::births::call;
use super::super::graph::deeds::{Deed, QUARANTINE};
use super::super::graph::facts::{Changes, number, text};
use super::super::graph::paths::{Call, name_of};
use super::cleanup_table::{Filling, MADE, Made, comment};
use super::policy_text::only_denies;
use crate::report::trace::{Change, Created, State};
use rustc_hash::FxHashMap;
use std::collections::HashSet;

/// Calls that remove something, for the query.
pub(in crate::analysis::trace) fn removals() -> impl Iterator<Item = &'static str> {
    MADE.iter()
        .filter_map(|made| made.gone.map(|(operation, _)| operation))
}

/// Changing calls that leave nothing behind that anybody has to undo.
const NOTHING_LEFT: [&str; 54] = [
    "ConsoleLogin",
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetSessionToken",
    "GetFederationToken",
    "GetSigninToken",
    "CreateLogStream",
    "PutLogEvents",
    "UpdateInstanceInformation",
    "StartQuery",
    "StartQueryExecution",
    "GenerateCredentialReport",
    "GenerateServiceLastAccessedDetails",
    "InvokeModel",
    "SendEmail",
    "SendRawEmail",
    "Publish",
    "SendMessage",
    "DeleteMessage",
    "ReceiveMessage",
    "CreateOAuth2Token",
    "CheckMfa",
    // Data goes into the list of data.
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "PutObject",
    "CopyObject",
    "DeleteObject",
    "DeleteObjects",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "PutRecord",
    "PutRecords",
    "PutRecordBatch",
    "Invoke",
    "InvokeWithResponseStream",
    "SendMessageBatch",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "PublishBatch",
    "PutMetricData",
    "PutTraceSegments",
    "PutEvents",
    "StartSession",
    "SendCommand",
    "ExecuteCommand",
    "AssumeRoleForPodIdentity",
];

/// Everything that was created or changed, in order.
pub(in crate::analysis::trace) fn created(deeds: &[Deed], changes: &Changes) -> Vec<Created> {
    let removed = Removed::new(changes);
    let own: HashSet<&str> = deeds
        .iter()
        .filter(|deed| deed.member.is_some())
        .map(|deed| deed.event.event_id.as_str())
        .collect();
    let mut all = Vec::new();
    // Removing what the tree itself made leaves nothing behind.
    let mut undone: HashSet<String> = HashSet::new();
    for deed in deeds.iter().filter(|deed| deed.member.is_some()) {
        if !changes_something(deed) {
            continue;
        }
        let call = deed.call();
        let service = deed.service();
        let known = MADE
            .iter()
            .find(|made| made.operation == deed.operation && made.source == service);
        match known {
            Some(made) => {
                let ids = call.all(made.id);
                let unnamed = ids
                    .is_empty()
                    .then(|| deed.event.target.clone().unwrap_or_default());
                for id in ids.into_iter().chain(unnamed) {
                    let row = row(deed, made, id, &call);
                    let row = removed.look_up(row, made, (deed.time, &own));
                    undone.extend(row.removed_by_event_id.clone());
                    all.push(row);
                }
            }
            None => {
                // A call that is made again and again on the same thing leaves one thing to look at.
                let row = unknown(deed);
                let alike = |other: &Created| {
                    (&other.kind, &other.id, other.origin, &other.account_id)
                        == (&row.kind, &row.id, row.origin, &row.account_id)
                };
                if !all.iter().any(alike) {
                    all.push(row);
                }
            }
        }
    }
    all.retain(|row| !undone.contains(&row.event_id));
    all
}

/// Whether a deed succeeded and is no reading or writing of data.
fn changes_something(deed: &Deed) -> bool {
    let event = &deed.event;
    let reads = [
        "Get", "List", "Describe", "Head", "Lookup", "Search", "Batch", "Decode", "Simulate",
        "Test", "Validate", "Query",
    ];
    !deed.failed()
        && event.read_only != Some(true)
        && event.event_category.as_deref() != Some("Data")
        && !NOTHING_LEFT.contains(&deed.operation.as_str())
        && !(event.read_only.is_none() && reads.iter().any(|word| deed.operation.starts_with(word)))
        && !(deed.service() == "kms" && matches!(deed.operation.as_str(), "Decrypt" | "Encrypt")
            || deed.operation.starts_with("GenerateDataKey"))
}

fn row(deed: &Deed, made: &Made, id: String, call: &Call) -> Created {
    let made_new = [
        "Create", "Run", "Allocate", "Import", "Copy", "Request", "Upload", "Register",
    ];
    let change = match made_new.iter().any(|word| made.operation.starts_with(word)) {
        true => Change::Created,
        false => Change::Changed,
    };
    let whole = call.first(made.on);
    let on = whole.clone().filter(|on| *on != id);
    if made.kind == "permission" && takes_away(call) {
        return Created {
            kind: "denial".to_owned(),
            change,
            undo: comment("it only removes permissions: keep it unless you know whose it is"),
            id,
            on,
            ..blank(deed)
        };
    }
    let root_of = match deed.event.user_identity_arn.as_deref() {
        Some(arn) if arn.ends_with(":root") => deed.event.account_id.as_deref(),
        _ => None,
    };
    let filling = Filling {
        id: &id,
        on: whole.as_deref(),
        call,
        root_of,
    };
    Created {
        kind: made.kind.to_owned(),
        change,
        undo: made.undo(filling),
        on,
        id,
        ..blank(deed)
    }
}

/// Whether a policy that was attached or written only denies: it is no grant.
fn takes_away(call: &Call) -> bool {
    let attached = call.first("request.policyArn");
    attached.is_some_and(|arn| arn.contains(QUARANTINE) || arn.ends_with(":policy/AWSDenyAll"))
        || call
            .first("request.policyDocument")
            .is_some_and(|document| only_denies(&document))
}

/// A changing call that the table does not know.
fn unknown(deed: &Deed) -> Created {
    let removes = [
        "Delete",
        "Remove",
        "Terminate",
        "Detach",
        "Disassociate",
        "Deregister",
        "Stop",
        "Disable",
    ];
    let removes = removes.iter().any(|word| deed.operation.starts_with(word));
    let target = deed.event.target.clone().unwrap_or_default();
    Created {
        kind: deed.operation.clone(),
        change: if removes {
            Change::Removed
        } else {
            Change::Changed
        },
        undo: match removes {
            true => comment(&format!("restore what {} removed", deed.name())),
            false => comment(&format!(
                "check what {} did, and undo it by hand",
                deed.name()
            )),
        },
        id: target,
        ..blank(deed)
    }
}

fn blank(deed: &Deed) -> Created {
    let event = &deed.event;
    Created {
        event_id: event.event_id.clone(),
        event_name: event.event_name.clone(),
        event_time: event.event_time.clone(),
        account_id: event.account_id.clone(),
        aws_region: event.aws_region.clone(),
        by_access_key_id: event.access_key_id.clone(),
        origin: event.origin,
        state: State::There,
        ..Created::default()
    }
}

/// Later removals, by call and name.
struct Removed<'a> {
    changes: &'a Changes,
    by: FxHashMap<(&'static str, String), Vec<usize>>,
}

impl<'a> Removed<'a> {
    fn new(changes: &'a Changes) -> Self {
        let mut paths: FxHashMap<&str, Vec<(&'static str, &'static str, &str)>> =
            FxHashMap::default();
        for made in MADE.iter() {
            if let Some((operation, path)) = made.gone {
                let entry = paths.entry(operation).or_default();
                if !entry.contains(&(operation, path, made.source)) {
                    entry.push((operation, path, made.source));
                }
            }
        }
        let mut by: FxHashMap<(&'static str, String), Vec<usize>> = FxHashMap::default();
        for row in 0..changes.len() {
            let operation = text(&changes.operation, row).unwrap_or_default();
            for (operation, path, source) in paths.get(operation).into_iter().flatten() {
                let of_service = text(&changes.event_source, row)
                    .is_some_and(|event_source| event_source.split('.').next() == Some(source));
                if of_service {
                    for id in call(changes, row).all(path) {
                        by.entry((operation, name_of(&id).to_owned()))
                            .or_default()
                            .push(row);
                    }
                }
            }
        }
        Self { changes, by }
    }

    /// Says whether what a row made was removed later, and by whom.
    fn look_up(
        &self,
        mut row: Created,
        made: &Made,
        (time, own): (i64, &HashSet<&str>),
    ) -> Created {
        let Some((operation, _)) = made.gone else {
            return row;
        };
        let changes = self.changes;
        let rows = self.by.get(&(operation, name_of(&row.id).to_owned()));
        let later = rows.into_iter().flatten().copied().find(|&at| {
            let account = text(&changes.account_id, at) == row.account_id.as_deref();
            let on = row.on.as_deref().is_none_or(|on| {
                // A policy is detached from a user, a key deleted of a user: the same user.
                let call = call(changes, at);
                let there = call.first(made.on.trim_start_matches("response.accessKey.userName|"));
                there.is_none_or(|there| name_of(&there) == name_of(on))
            });
            account && on && number(&changes.event_time, at).is_some_and(|at| at >= time)
        });
        if let Some(at) = later {
            let event = text(&changes.event_id, at).unwrap_or_default();
            row.state = match own.contains(event) {
                true => State::RemovedByTree,
                false => State::RemovedByOthers,
            };
            row.removed_by_event_id = Some(event.to_owned());
        }
        row
    }
}
