//! What was left behind, and how to undo it.
//!
//! In: the deeds and the clean-up table. Out: a [`Created`] for everything that was created or changed. Promise: each successful
//! changing call has a row, also one that the table does not know; a row says whether a later call removed it, and whose
//! that was. Commands are for a person: values in them are quoted for a shell.

use super::births::call;
use super::cleanup_table::{MADE, Made};
use super::deeds::Deed;
use super::facts::{Changes, number, text};
use super::paths::{Call, name_of};
use crate::analysis::shell::quoted;
use crate::report::trace::Created;
use rustc_hash::FxHashMap;
use std::collections::HashSet;

/// Calls that remove something, for the query.
pub(super) fn removals() -> impl Iterator<Item = &'static str> {
    MADE.iter()
        .filter_map(|made| made.gone.map(|(operation, _)| operation))
}

/// Changing calls that leave nothing behind that anybody has to undo.
const NOTHING_LEFT: [&str; 24] = [
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
];

/// Everything that was created or changed, in order.
pub(super) fn created(deeds: &[Deed], changes: &Changes) -> Vec<Created> {
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
            None => all.push(unknown(deed)),
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
    let on = call.first(made.on).filter(|on| *on != id);
    Created {
        kind: made.kind.to_owned(),
        change: match made_new.iter().any(|word| made.operation.starts_with(word)) {
            true => "created",
            false => "changed",
        },
        undo: filled(made.undo, &id, call.first(made.on).as_deref(), call),
        id,
        on,
        ..blank(deed)
    }
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
        change: if removes { "removed" } else { "changed" },
        undo: match removes {
            true => format!("restore what {} removed", deed.name()),
            false => format!("look at what {} did, and undo it by hand", deed.name()),
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
        state: "there",
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
        for made in MADE {
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
                true => "removed by the tree",
                false => "removed by others",
            };
            row.removed_by_event_id = Some(event.to_owned());
        }
        row
    }
}

/// The command with its values.
fn filled(template: &str, id: &str, on: Option<&str>, call: &Call) -> String {
    let mut text = String::with_capacity(template.len() + id.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        text += before;
        let value = match place {
            "id" => Some(id.to_owned()),
            "name" => Some(name_of(id).to_owned()),
            "on" => on.map(str::to_owned),
            "region" => call.region.clone(),
            _ => None,
        };
        text += &quoted(&value.unwrap_or_else(|| place.to_uppercase()));
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_filled() {
        let call = Call {
            region: Some("eu-west-1".to_owned()),
            ..Call::default()
        };
        assert_eq!(
            filled("delete {id} of {on} in {region}", "i-1", None, &call),
            "delete i-1 of ON in eu-west-1"
        );
    }

    #[test]
    fn the_table_has_one_row_per_call() {
        let mut calls = HashSet::new();
        for made in MADE {
            assert!(
                calls.insert((made.source, made.operation)),
                "{}",
                made.operation
            );
            assert!(!made.id.is_empty());
        }
    }
}
