//! The policy as a report.
//!
//! In: a [`Policy`]. Out: the report `policy`: documents, permissions, what did not succeed, what cannot be derived.
//! Promise: the report names what the events cannot show, so that nobody takes a short policy for a complete one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::uses::Outcome;
use super::{
    Document, NotDerived, Observed, Permission, Permissions, Place, Policy, Refused, Used,
};
use crate::analysis::AnalysisError;
use crate::analysis::rows::{Column, Kind, section};
use crate::knowledge::iam::Open;
use crate::knowledge::iam::actions::{self, Service};
use crate::report::Report;

/// How many managed policies go on a user or role, unless the quota was raised.
const MANAGED_POLICIES: usize = 10;

/// Services whose data events a trail records only on request, and what stays unseen otherwise.
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
        "which mail is sent (ses:SendEmail, ses:SendRawEmail); no trail shows mail that is sent over SMTP",
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
        let mut notes = Vec::new();
        notes.extend(intruder_note(observed));
        notes.extend(self.notes.iter().cloned());
        if observed.uses.is_empty() && observed.left_out.is_empty() {
            notes.push(
                "the log files that were read hold no event of this key: this does not show that the key needs nothing"
                    .to_owned(),
            );
        }
        if let Some(consumer) = &observed.consumer {
            notes.push(consumer_note(observed, consumer));
        }
        notes.push(format!(
            "IAM actions from the service authorization reference of {}",
            actions::version()
        ));
        Ok(Report {
            name: "policy".to_owned(),
            title: match &observed.consumer {
                Some((id, name)) => format!("Policy for {}, consumer {id}: {name}", observed.key),
                None => format!("Policy for {}", observed.key),
            },
            sections: vec![
                section(("documents", "Documents"), DOCUMENT_COLUMNS, &documents)?,
                section(
                    ("permissions", "What the documents allow"),
                    PERMISSION_COLUMNS,
                    &permissions,
                )?,
                section(("denied", "Denied"), REFUSED_COLUMNS, &refused(true))?,
                section(
                    ("failed", "Failed for other reasons"),
                    REFUSED_COLUMNS,
                    &refused(false),
                )?,
                section(
                    ("not_derived", "What the events do not show"),
                    OPEN_COLUMNS,
                    &open,
                )?,
            ],
            notes,
            coverage: Some(observed.coverage.clone()),
        })
    }
}

/// A report of documents that rest on no key's use.
pub(super) fn documents_report(
    title: &str,
    documents: &[Document],
    notes: Vec<String>,
) -> Result<Report, AnalysisError> {
    let rows: Vec<DocumentRow> = documents.iter().map(document_row).collect();
    Ok(Report {
        name: "policy".to_owned(),
        title: title.to_owned(),
        sections: vec![section(
            ("documents", "Documents"),
            DOCUMENT_COLUMNS,
            &rows,
        )?],
        notes,
        coverage: None,
    })
}

/// That an intruder's use is left out, and where it came from.
fn intruder_note(observed: &Observed) -> Option<String> {
    if observed.left_out.is_empty() {
        return None;
    }
    let addresses: BTreeSet<&str> = observed
        .left_out
        .iter()
        .filter_map(|of| of.source_ip_address.as_deref())
        .collect();
    let actions: BTreeSet<&str> = observed
        .left_out
        .iter()
        .map(|of| of.action.as_str())
        .collect();
    Some(format!(
        "an intruder used this key from {}: what only the intruder did is left out ({})",
        some_of(&addresses),
        some_of(&actions)
    ))
}

/// That other use of the key is left out, and what is in it that may be another's.
fn consumer_note(observed: &Observed, (id, _): &(String, String)) -> String {
    let uses = observed.uses.iter();
    let services: BTreeSet<&str> = uses.filter_map(|of| of.via_service.as_deref()).collect();
    let only = format!("covers the use of consumer {id} only, no other use of the key");
    match services.is_empty() {
        true => only,
        false => format!(
            "{only}; it includes every call that AWS services made on the key's behalf, whichever consumer caused it: {}",
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
                "{count} managed policies are more than a user or role takes by default ({MANAGED_POLICIES}); AWS raises this quota on request"
            )]
        }
        Place::UserInline | Place::RoleInline if count > 1 => vec![format!(
            "{count} documents, but all inline policies together may have no more than {} characters: use managed policies",
            place.limit()
        )],
        _ => Vec::new(),
    }
}

/// What the events do not tell.
pub(super) fn not_derived(observed: &Observed, permissions: &Permissions) -> Vec<NotDerived> {
    let mut found = unseen(observed, permissions);
    found.extend(left_open(observed));
    for (permission, used) in permissions {
        let reasons = reasons(permission, used).into_iter();
        found.extend(reasons.map(|reason| NotDerived {
            subject: permission.action.clone(),
            reason,
        }));
    }
    found
}

/// Services whose data events the trail does not record.
fn unseen(observed: &Observed, permissions: &Permissions) -> Vec<NotDerived> {
    let covered = &observed.coverage.data_event_services;
    let allowed: BTreeSet<&str> = permissions
        .keys()
        .map(|permission| permission.action.as_str())
        .collect();
    let unseen = DATA_EVENTS.iter().filter(|(service, what)| {
        let covered = covered
            .iter()
            .any(|name| name.split('.').next() == Some(service));
        // Calls of it that were seen all the same, e.g. in log files without categories, are not called unseen.
        let mut actions = what.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
        !covered && !actions.any(|action| allowed.contains(action))
    });
    unseen
        .map(|(service, what)| NotDerived {
            subject: (*service).to_owned(),
            reason: format!(
                "the trail records no data events of this service: it does not show {what}"
            ),
        })
        .collect()
}

/// What single events leave open, for each action and what it is about.
fn left_open(observed: &Observed) -> Vec<NotDerived> {
    let s3_uses_kms = observed
        .uses
        .iter()
        .any(|of| of.via_service.is_some() && of.action.starts_with("kms:"));
    let mut open: BTreeMap<(Open, &str), BTreeSet<&str>> = BTreeMap::new();
    for of in observed
        .uses
        .iter()
        .filter(|of| of.outcome == Outcome::Allowed)
    {
        match of.open {
            // S3's own calls to KMS are in the trail and name the key.
            Some(Open::KmsKey) if s3_uses_kms => {}
            Some(reason) => {
                let resources = open.entry((reason, &of.action)).or_default();
                resources.insert(&of.resource);
            }
            None => {}
        }
    }
    open.into_iter()
        .map(|((reason, action), of)| NotDerived {
            subject: action.to_owned(),
            reason: open_reason(reason, &some_of(&of)),
        })
        .collect()
}

/// The first of some names, and how many more there are.
fn some_of(names: &BTreeSet<&str>) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).copied().collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn open_reason(open: Open, of: &str) -> String {
    match open {
        Open::UnknownAction => {
            "the service authorization reference has no such action, so the policy leaves it out: look up which action this call needs".to_owned()
        }
        Open::TaskRoles => format!(
            "also needs iam:PassRole on the task role and the execution role of the task definition, which the event does not name: add both roles of {of}"
        ),
        Open::TemplateRole => format!(
            "also needs iam:PassRole if the launch template names an instance profile, which the event does not show: check {of}"
        ),
        Open::KmsKey => format!(
            "objects are encrypted with a KMS key that the event does not name: add this action on the key of {of}"
        ),
        Open::Statement => format!(
            "the event does not show the PartiQL statement: add dynamodb:PartiQLSelect, PartiQLInsert, PartiQLUpdate or PartiQLDelete on {of} as the program needs"
        ),
        Open::ProfileModels => format!(
            "also needs this action on the foundation models behind the application inference profile, which the event does not name: {of}"
        ),
    }
}

/// What there is to check in a permission.
fn reasons(permission: &Permission, used: &Used) -> Vec<String> {
    let action = permission.action.as_str();
    let mut reasons = Vec::new();
    if let Some((service, known)) = actions::action(action)
        && used.resources.contains("*")
        && !known.types.is_empty()
    {
        let types = names(service, known.types.iter().map(|(index, _)| *index));
        reasons.push(format!(
            "the events do not name the {types}: allowed on all"
        ));
    }
    if used.generalised {
        reasons.push("too many resources to name each: allowed on all of their kind".to_owned());
    }
    let pathless = |arn: &String| arn.contains(":iam:") && arn.contains("/*/");
    if used.resources.iter().any(pathless) {
        reasons.push("the call gives no path: allowed for this name under every path".to_owned());
    }
    if action == "iam:PassRole" {
        reasons.push(
            "for an instance profile, a role of the same name is assumed; check what each service may do with the role".to_owned(),
        );
    }
    if permission.condition.as_deref() == Some("aws:ViaAWSService=true") {
        reasons.push(
            "an AWS service that the event does not name made the call for this key: limited to calls by AWS services (aws:ViaAWSService)".to_owned(),
        );
    }
    reasons
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
        let known = actions::action(&permission.action);
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
