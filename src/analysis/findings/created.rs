//! What events made, as far as conditions ask whether something was "made in the incident".
//!
//! In: an event. Out: the ids it made, by list. Promise: a call that failed made nothing.

use super::events::Row;
use super::list_name::ListName;
use crate::event::Field;
use serde_json::Value;

const IAM: &str = "iam.amazonaws.com";
const EC2: &str = "ec2.amazonaws.com";

/// Service, operation, list, and where in `responseElements` the ids stand.
const MADE: &[(&str, &str, ListName, &[&str])] = &[
    (
        IAM,
        "CreateAccessKey",
        ListName::CreatedAccessKeys,
        &["accessKey", "accessKeyId"],
    ),
    (
        IAM,
        "CreateUser",
        ListName::CreatedUsers,
        &["user", "userName"],
    ),
    (
        IAM,
        "CreateLoginProfile",
        ListName::CreatedLoginProfiles,
        &["loginProfile", "userName"],
    ),
    (
        IAM,
        "CreateRole",
        ListName::CreatedRoles,
        &["role", "roleName"],
    ),
    (
        IAM,
        "CreatePolicy",
        ListName::CreatedPolicies,
        &["policy", "arn"],
    ),
    (
        IAM,
        "CreateSAMLProvider",
        ListName::CreatedIdentityProviders,
        &["sAMLProviderArn"],
    ),
    (
        IAM,
        "CreateOpenIDConnectProvider",
        ListName::CreatedIdentityProviders,
        &["openIDConnectProviderArn"],
    ),
    (
        EC2,
        "RunInstances",
        ListName::CreatedInstances,
        &["instancesSet", "items", "instanceId"],
    ),
    (
        EC2,
        "CreateSnapshot",
        ListName::CreatedSnapshots,
        &["snapshotId"],
    ),
    (
        EC2,
        "CopySnapshot",
        ListName::CreatedSnapshots,
        &["snapshotId"],
    ),
    (EC2, "CreateImage", ListName::CreatedImages, &["imageId"]),
    (EC2, "CopyImage", ListName::CreatedImages, &["imageId"]),
    (EC2, "RegisterImage", ListName::CreatedImages, &["imageId"]),
    (EC2, "CreateVolume", ListName::CreatedVolumes, &["volumeId"]),
];

/// Calls `found` for every id that the event made.
pub(super) fn made(row: &Row<'_>, found: &mut impl FnMut(ListName, &str)) {
    let source = row.text(Field::EventSource).unwrap_or_default();
    if !(source == IAM || source == EC2) || row.failed() {
        return;
    }
    let name = row.text(Field::EventName).unwrap_or_default();
    for (_, _, list, path) in MADE
        .iter()
        .filter(|made| made.0 == source && made.1 == name)
    {
        ids(&row.json(Field::ResponseElements), path, &mut |id| {
            found(*list, id)
        });
    }
    if name == "CreatePolicyVersion" {
        let (request, response) = (
            row.json(Field::RequestParameters),
            row.json(Field::ResponseElements),
        );
        let text = |value: &Value, path: &str| {
            value
                .pointer(path)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        if let (Some(policy), Some(version)) = (
            text(&request, "/policyArn"),
            text(&response, "/policyVersion/versionId"),
        ) {
            found(
                ListName::CreatedPolicyVersions,
                &format!("{policy}/{version}"),
            );
        }
    }
}

fn ids(value: &Value, path: &[&str], found: &mut impl FnMut(&str)) {
    match (value, path) {
        (Value::Array(items), _) => items.iter().for_each(|item| ids(item, path, found)),
        (Value::String(id), []) => found(id),
        (value, [first, rest @ ..]) => {
            if let Some(inner) = value.get(first) {
                ids(inner, rest, found);
            }
        }
        _ => {}
    }
}
