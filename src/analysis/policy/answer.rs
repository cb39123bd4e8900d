//! The policy as a report.
//!
//! In: a [`Policy`]. Out: the report `policy`: documents, permissions, what did not succeed, what cannot be derived.
//! Promise: the report names what the events cannot show, so that nobody takes a short policy for a complete one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Observed, Outcome, Permissions, Policy, PolicyDocument, PolicyKind, Refused};
use crate::analysis::AnalysisError;
use crate::knowledge::iam::actions;
use crate::report::table::{Column, Kind, section};
use crate::report::{Report, some_of};

/// How many managed policies go on a user or role, unless the quota was raised.
const MANAGED_POLICIES: usize = 10;

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
        notes.extend(suspicious_note(observed));
        notes.extend(self.notes.iter().cloned());
        if observed.uses.is_empty() && observed.left_out.is_empty() {
            notes.push(
                "no events by this key in the logs read; this does not prove that the key needs no permissions"
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
    documents: &[PolicyDocument],
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

/// That suspicious use is in the policy, where it came from, and what only it asks for.
fn suspicious_note(observed: &Observed) -> Option<String> {
    let (theirs, own): (Vec<_>, Vec<_>) = observed
        .uses
        .iter()
        .filter(|of| of.outcome == Outcome::Allowed)
        .partition(|of| observed.suspicious.contains(&of.source()));
    let addresses: BTreeSet<&str> = theirs
        .iter()
        .filter_map(|of| of.source_ip_address.as_deref())
        .collect();
    let others: BTreeSet<&str> = own.iter().map(|of| of.action.as_str()).collect();
    let actions: BTreeSet<&str> = theirs.iter().map(|of| of.action.as_str()).collect();
    let alone: BTreeSet<&str> = actions.difference(&others).copied().collect();
    let alone = match alone.is_empty() {
        true => String::new(),
        false => format!(" (nothing else asks for {})", some_of(&alone)),
    };
    (!addresses.is_empty()).then(|| {
        format!(
            "the use from {} is suspicious, and this policy allows it{alone}: run keytrail trace {} before you attach the policy",
            some_of(&addresses),
            observed.key
        )
    })
}

/// That other use of the key is left out, and what is in it that may be another's.
fn consumer_note(observed: &Observed, (id, _): &(String, String)) -> String {
    let uses = observed.uses.iter();
    let services: BTreeSet<&str> = uses.filter_map(|of| of.via_service.as_deref()).collect();
    let only = format!("covers only the use by consumer {id}, no other use of the key");
    match services.is_empty() {
        true => only,
        false => format!(
            "{only}; it includes every call that AWS services made on the key's behalf, from any consumer: {}",
            services.into_iter().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// What there is to say of the number and the length of the documents.
pub(super) fn size_notes(place: PolicyKind, documents: &[PolicyDocument]) -> Vec<String> {
    let count = documents.len();
    match place {
        PolicyKind::Managed if count > MANAGED_POLICIES => {
            vec![format!(
                "{count} managed policies exceed the default quota for a user or role ({MANAGED_POLICIES}), which AWS raises on request"
            )]
        }
        PolicyKind::UserInline | PolicyKind::RoleInline if count > 1 => vec![format!(
            "{count} documents exceed the limit for all inline policies together, {} characters: use managed policies",
            place.limit()
        )],
        _ => Vec::new(),
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

fn document_row(document: &PolicyDocument) -> DocumentRow<'_> {
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
