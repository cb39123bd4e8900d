//! The policy as a report.
//!
//! In: a [`Policy`]. Out: the report `policy`: documents, permissions, what did not succeed, what cannot be derived.
//! Promise: what the events cannot tell is said, so that nobody takes a short policy for a complete one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Document, NotDerived, Observed, Permissions, Place, Policy, Refused};
use crate::analysis::AnalysisError;
use crate::analysis::rows::{Column, Kind, section};
use crate::knowledge::iam_actions::{self, Service};
use crate::report::Report;

/// How many managed policies go on a user or role, unless the quota was raised.
const MANAGED_POLICIES: usize = 10;

/// Services whose data events a trail records only if it was told to, and what of them stays unseen otherwise.
const DATA_EVENTS: [(&str, &str); 6] = [
    (
        "s3",
        "which objects are read, written and deleted (s3:GetObject, s3:PutObject, s3:DeleteObject)",
    ),
    (
        "dynamodb",
        "which items are read and written (dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query)",
    ),
    (
        "lambda",
        "which functions are invoked (lambda:InvokeFunction)",
    ),
    (
        "sqs",
        "which messages are sent and received (sqs:SendMessage, sqs:ReceiveMessage)",
    ),
    ("sns", "which messages are published (sns:Publish)"),
    (
        "ses",
        "which mail is sent (ses:SendEmail, ses:SendRawEmail; mail over SMTP no trail shows)",
    ),
];

impl Policy {
    /// The report, with the coverage of the events that it rests on.
    pub fn report(&self, observed: &Observed) -> Result<Report, AnalysisError> {
        let documents: Vec<DocumentRow> = self.documents.iter().map(document_row).collect();
        let permissions = permission_rows(&self.permissions);
        let refused = |denied: bool| -> Vec<RefusedRow> {
            let of_kind = self
                .refused
                .iter()
                .filter(|refused| refused.denied == denied);
            of_kind.map(refused_row).collect()
        };
        let open: Vec<OpenRow> = self
            .not_derived
            .iter()
            .map(|open| OpenRow {
                subject: &open.subject,
                reason: &open.reason,
            })
            .collect();
        let mut notes = self.notes.clone();
        if observed.uses.is_empty() {
            notes.push(
                "no event in what was read is by this key; that it needs nothing does not follow"
                    .to_owned(),
            );
        }
        if let Some(consumer) = &observed.consumer {
            notes.push(consumer_note(observed, consumer));
        }
        notes.push(format!("IAM actions as of {}", iam_actions::version()));
        Ok(Report {
            name: "policy".to_owned(),
            title: match &observed.consumer {
                Some((id, name)) => format!("Policy for {}, consumer {id}: {name}", observed.key),
                None => format!("Policy for {}", observed.key),
            },
            sections: vec![
                section(("documents", "Documents"), DOCUMENT_COLUMNS, &documents)?,
                section(
                    ("permissions", "What they allow"),
                    PERMISSION_COLUMNS,
                    &permissions,
                )?,
                section(
                    ("denied", "Refused for want of permission"),
                    REFUSED_COLUMNS,
                    &refused(true),
                )?,
                section(
                    ("failed", "Failed for other reasons"),
                    REFUSED_COLUMNS,
                    &refused(false),
                )?,
                section(
                    ("not_derived", "What the events do not tell"),
                    OPEN_COLUMNS,
                    &open,
                )?,
            ],
            notes,
            coverage: Some(observed.coverage.clone()),
        })
    }
}

/// That other use of the key is left out, and what is in it that may be another's.
fn consumer_note(observed: &Observed, (id, _): &(String, String)) -> String {
    let uses = observed.uses.iter();
    let services: BTreeSet<&str> = uses.filter_map(|of| of.via_service.as_deref()).collect();
    let only = format!("only the use of consumer {id}; what else uses the key is not in it");
    match services.is_empty() {
        true => only,
        false => format!(
            "{only}; calls that AWS services made on the key's behalf are, whoever caused them: {}",
            services.into_iter().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// What there is to say of the number and the length of the documents.
pub(super) fn size_notes(place: Place, documents: &[Document]) -> Vec<String> {
    let count = documents.len();
    match place {
        Place::Managed if count > MANAGED_POLICIES => {
            vec![format!(
                "{count} managed policies: more than the {MANAGED_POLICIES} that go on a user or role (a quota that AWS raises)"
            )]
        }
        Place::UserInline | Place::RoleInline if count > 1 => vec![format!(
            "{count} documents of up to {} characters: all inline policies together may have no more than that; use managed ones",
            place.limit()
        )],
        _ => Vec::new(),
    }
}

/// What the events do not tell.
pub(super) fn not_derived(observed: &Observed, permissions: &Permissions) -> Vec<NotDerived> {
    let mut open = Vec::new();
    let mut push = |subject: &str, reason: &str| {
        open.push(NotDerived {
            subject: subject.to_owned(),
            reason: reason.to_owned(),
        });
    };
    let covered = &observed.coverage.data_event_services;
    let allowed: BTreeSet<&str> = permissions
        .keys()
        .map(|permission| permission.action.as_str())
        .collect();
    for (service, what) in DATA_EVENTS {
        let covered = covered
            .iter()
            .any(|name| name.split('.').next() == Some(service));
        // Calls of it that were seen all the same, e.g. in log files without categories, are not called unseen.
        let mut actions = what.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
        if !covered && !actions.any(|action| allowed.contains(action)) {
            push(
                service,
                &format!("the trail has no data events of it: {what} cannot be derived"),
            );
        }
    }
    for (permission, used) in permissions {
        let action = permission.action.as_str();
        match iam_actions::action(action) {
            None => push(
                action,
                "not in the reference: named after the call, to be checked",
            ),
            Some((service, known)) => {
                if used.resources.contains("*") && !known.types.is_empty() {
                    let types = names(service, known.types.iter().map(|(index, _)| *index));
                    push(
                        action,
                        &format!("the events do not say on which {types}: allowed on all"),
                    );
                }
            }
        }
        if used.generalised {
            push(
                action,
                "too many resources to name each: allowed on all of their kind",
            );
        }
        if used
            .resources
            .iter()
            .any(|arn| arn.contains(":iam:") && arn.contains("/*/"))
        {
            push(
                action,
                "the call names no path: allowed for the name under every path",
            );
        }
        if action == "iam:PassRole" {
            push(
                action,
                "roles passed by an instance profile are taken to have its name; see what each service may do with them",
            );
        }
        if permission.condition.as_deref() == Some("aws:ViaAWSService=true") {
            push(
                action,
                "an AWS service called it for the key, and the event or IAM does not name it: bound to aws:ViaAWSService only",
            );
        }
    }
    open
}

fn names(service: &Service, types: impl Iterator<Item = usize>) -> String {
    let names: Vec<&str> = types
        .filter_map(|index| service.types.get(index))
        .map(|kind| kind.name)
        .collect();
    match names.as_slice() {
        [one, two, three, _, ..] => format!("{one}, {two}, {three}, …"),
        few => few.join(" or "),
    }
}

const DOCUMENT_COLUMNS: &[Column] = &[
    ("name", Kind::Text, None),
    ("purpose", Kind::Text, Some("wrap")),
    ("characters", Kind::Count, None),
    ("document", Kind::Json, Some("block")),
];

const PERMISSION_COLUMNS: &[Column] = &[
    ("action", Kind::Text, Some("whole")),
    ("access_level", Kind::Text, Some("whole")),
    ("events", Kind::Count, None),
    ("resources", Kind::Texts, Some("wrap")),
    ("condition", Kind::Text, Some("detail")),
    ("first_seen", Kind::Time, Some("detail")),
    ("last_seen", Kind::Time, None),
    ("in_reference", Kind::Flag, Some("detail")),
];

const REFUSED_COLUMNS: &[Column] = &[
    ("action", Kind::Text, Some("whole")),
    ("error_code", Kind::Text, None),
    ("events", Kind::Count, None),
    ("resources", Kind::Texts, Some("wrap")),
    ("last_seen", Kind::Time, None),
];

const OPEN_COLUMNS: &[Column] = &[
    ("subject", Kind::Text, Some("whole")),
    ("reason", Kind::Text, Some("wrap")),
];

#[derive(Serialize)]
struct DocumentRow<'a> {
    name: &'a str,
    purpose: &'a str,
    characters: i64,
    document: String,
}

#[derive(Serialize)]
struct PermissionRow<'a> {
    action: &'a str,
    access_level: Option<&'static str>,
    events: i64,
    resources: Vec<&'a str>,
    condition: Option<&'a str>,
    first_seen: i64,
    last_seen: i64,
    in_reference: bool,
}

#[derive(Serialize)]
struct RefusedRow<'a> {
    action: &'a str,
    error_code: &'a str,
    events: i64,
    resources: &'a [String],
    last_seen: i64,
}

#[derive(Serialize)]
struct OpenRow<'a> {
    subject: &'a str,
    reason: &'a str,
}

fn document_row(document: &Document) -> DocumentRow<'_> {
    DocumentRow {
        name: &document.name,
        purpose: &document.purpose,
        characters: i64::try_from(document.characters()).unwrap_or(i64::MAX),
        document: document.json().to_string(),
    }
}

fn permission_rows(permissions: &Permissions) -> Vec<PermissionRow<'_>> {
    let rows = permissions.iter().map(|(permission, used)| {
        let known = iam_actions::action(&permission.action);
        PermissionRow {
            action: &permission.action,
            access_level: known.map(|(_, action)| action.level.as_str()),
            events: used.events,
            resources: used.resources.iter().map(String::as_str).collect(),
            condition: permission.condition.as_deref(),
            first_seen: used.first_seen,
            last_seen: used.last_seen,
            in_reference: known.is_some(),
        }
    });
    rows.collect()
}

fn refused_row(refused: &Refused) -> RefusedRow<'_> {
    RefusedRow {
        action: &refused.action,
        error_code: &refused.error_code,
        events: refused.events,
        resources: &refused.resources,
        last_seen: refused.last_seen,
    }
}
