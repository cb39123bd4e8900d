//! What do the events not show?
//!
//! In: what a key needed, and the permissions of it. Out: what a policy may need besides, and why no event tells. Promise: each entry
//! says what to look up or to add; a service is named only if the trail has no data events of it.

use std::collections::{BTreeMap, BTreeSet};

use super::uses::Outcome;
use super::{NotDerived, Observed, Permission, Permissions, Used};
use crate::knowledge::iam::Open;
use crate::knowledge::iam::actions::{self, AccessLevel, Service};
use crate::report::some_of;

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
        "which mail is sent (ses:SendEmail, ses:SendRawEmail); CloudTrail never logs mail sent over SMTP",
    ),
];

/// What the events do not tell.
pub(super) fn not_derived(observed: &Observed, permissions: &Permissions) -> Vec<NotDerived> {
    let mut found = observed.elsewhere.clone();
    found.extend(unseen(observed, permissions));
    found.extend(left_open(observed));
    found.extend(depended_on(permissions));
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
                "the logs have no data events of this service: they do not show {what}"
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

/// Actions on which others can depend, by AWS's reference, and that no event shows. Parameters tell about tags and sessions.
fn depended_on(permissions: &Permissions) -> Vec<NotDerived> {
    let names = permissions
        .keys()
        .map(|permission| permission.action.as_str());
    let allowed: BTreeSet<String> = names.clone().map(str::to_ascii_lowercase).collect();
    let is_open = |name: &&str| {
        let known = actions::action(name);
        let is_told = known.is_none_or(|(_, action)| action.level == AccessLevel::Tagging);
        !is_told && !name.starts_with("sts:") && !allowed.contains(&name.to_ascii_lowercase())
    };
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in names {
        let known = actions::action(name).map_or(&[][..], |(_, action)| &action.depends_on);
        for other in known.iter().copied().filter(is_open) {
            found.entry(other).or_default().insert(name);
        }
    }
    let rows = found.into_iter().map(|(other, by)| NotDerived {
        subject: other.to_owned(),
        reason: format!(
            "{} may also need it (AWS's reference); no event of the key shows it: add it if such calls are denied",
            some_of(&by)
        ),
    });
    rows.collect()
}

fn open_reason(open: Open, of: &str) -> String {
    match open {
        Open::UnknownAction => {
            "not in the service authorization reference, so the policy omits it: look up which action this call needs".to_owned()
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
        Open::SourceTags => format!(
            "if the copied objects have tags, the copy also needs this action on them, and s3:PutObjectTagging on the copies: {of}"
        ),
        Open::Versions => format!(
            "the event does not show which objects are deleted: add this action if versions are, in {of}"
        ),
        Open::TemplateInstances => format!(
            "also needs ec2:RunInstances on what the launch template names, and ec2:CreateTags if it has tags: check {of}"
        ),
        Open::ImagePolicy => format!(
            "also needs this action and ecr:GetRepositoryPolicy if the image repository's policy does not yet allow Lambda: check {of}"
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
        reasons.push("too many resources to name: allowed on all of this type".to_owned());
    }
    for (pattern, of) in &used.patterns {
        let names: BTreeSet<&str> = of.iter().map(String::as_str).collect();
        reasons.push(format!(
            "names or ids that are made anew each time, so that those seen will not come again: allowed on {pattern}; seen: {}",
            some_of(&names)
        ));
    }
    let pathless = |arn: &String| arn.contains(":iam:") && arn.contains("/*/");
    if used.resources.iter().any(pathless) {
        reasons.push("the call has no path: allowed for this name under every path".to_owned());
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
