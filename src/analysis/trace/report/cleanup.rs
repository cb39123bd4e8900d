//! What was left behind, and how to undo it.
//!
//! In: the deeds and the clean-up table. Out: a [`Created`] for everything that was created or changed. Promise: each successful
//! changing call has a row, also one that the table does not know; a row says whether a later call removed it, and whose
//! that was. Commands are for a person: values in them are quoted for a shell.

use super::super::graph::deeds::{Deed, QUARANTINE};
use super::super::graph::facts::Changes;
use super::super::graph::paths::Call;
use super::cleanup_table::{Filling, MADE, Made, comment};
use super::policy_text::only_denies;
use super::removed::Removed;
use super::renamed::Renames;
use crate::report::trace::{Change, Created, State};
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
pub(in crate::analysis::trace) fn created(
    deeds: &[Deed],
    changes: &Changes,
    renames: &Renames,
) -> Vec<Created> {
    let removed = Removed::new(changes, renames);
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
                    let row = row((deed, made), id, &call, renames);
                    let row = removed.look_up(row, made, &call, (deed.time, &own));
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
    deed.has_effect()
        && event.read_only != Some(true)
        && event.event_category.as_deref() != Some("Data")
        && !NOTHING_LEFT.contains(&deed.operation.as_str())
        && !(event.read_only.is_none() && reads.iter().any(|word| deed.operation.starts_with(word)))
        && !(deed.service() == "kms" && matches!(deed.operation.as_str(), "Decrypt" | "Encrypt")
            || deed.operation.starts_with("GenerateDataKey"))
}

fn row((deed, made): (&Deed, &Made), id: String, call: &Call, renames: &Renames) -> Created {
    let made_new = [
        "Create", "Run", "Allocate", "Import", "Copy", "Request", "Upload", "Register",
    ];
    let change = match made_new.iter().any(|word| made.operation.starts_with(word)) {
        true => Change::Created,
        false => Change::Changed,
    };
    // A user is known by its name of today.
    let today = |path: &str, name: String| {
        let is_user = made.source == "iam" && made.kind != "user_name" && path.contains("userName");
        let account = deed.event.account_id.as_deref().unwrap_or_default();
        match is_user {
            true => renames.today((account, name.as_str()), deed.time),
            false => name,
        }
    };
    let id = today(made.id, id);
    let whole = call.first(made.on).map(|on| today(made.on, on));
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
