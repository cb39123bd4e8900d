//! What events made, as far as conditions ask whether something was "made in the incident".
//!
//! In: an event. Out: the ids it made, by list. Promise: a call that failed made nothing.

use super::events::Row;
use super::lists::ListName;
use crate::event::Field;
use crate::json::Value;
use crate::json::path::Path;

const IAM: &str = "iam.amazonaws.com";
const EC2: &str = "ec2.amazonaws.com";

/// Service, operation, list, and where in `responseElements` the ids stand.
const MADE: &[(&str, &str, ListName, &str)] = &[
    (
        IAM,
        "CreateAccessKey",
        ListName::CreatedAccessKeys,
        "accessKey.accessKeyId",
    ),
    (IAM, "CreateUser", ListName::CreatedUsers, "user.userName"),
    (
        IAM,
        "CreateLoginProfile",
        ListName::CreatedLoginProfiles,
        "loginProfile.userName",
    ),
    (IAM, "CreateRole", ListName::CreatedRoles, "role.roleName"),
    (IAM, "CreatePolicy", ListName::CreatedPolicies, "policy.arn"),
    (
        IAM,
        "CreateSAMLProvider",
        ListName::CreatedIdentityProviders,
        "sAMLProviderArn",
    ),
    (
        IAM,
        "CreateOpenIDConnectProvider",
        ListName::CreatedIdentityProviders,
        "openIDConnectProviderArn",
    ),
    (
        EC2,
        "RunInstances",
        ListName::CreatedInstances,
        "instancesSet.items.instanceId",
    ),
    (
        EC2,
        "CreateSnapshot",
        ListName::CreatedSnapshots,
        "snapshotId",
    ),
    (
        EC2,
        "CopySnapshot",
        ListName::CreatedSnapshots,
        "snapshotId",
    ),
    (EC2, "CreateImage", ListName::CreatedImages, "imageId"),
    (EC2, "CopyImage", ListName::CreatedImages, "imageId"),
    (EC2, "RegisterImage", ListName::CreatedImages, "imageId"),
    (EC2, "CreateVolume", ListName::CreatedVolumes, "volumeId"),
];

/// Calls `found` for every id that the event made.
pub(super) fn made(row: &Row<'_>, found: &mut impl FnMut(ListName, &str)) {
    let source = row.text(Field::EventSource).unwrap_or_default();
    if !(source == IAM || source == EC2) || row.failed() {
        return;
    }
    let name = row.text(Field::EventName).unwrap_or_default();
    let mades = MADE.iter();
    for (_, _, list, path) in mades.filter(|made| made.0 == source && made.1 == name) {
        let response = row.json(Field::ResponseElements);
        let path = Path::parse(path);
        let ids = path.iter().flat_map(|path| path.values(&response));
        ids.filter_map(Value::as_str)
            .for_each(|id| found(*list, id));
    }
    if name == "CreatePolicyVersion" {
        let (request, response) = (
            row.json(Field::RequestParameters),
            row.json(Field::ResponseElements),
        );
        if let (Some(policy), Some(version)) = (
            request["policyArn"].as_str(),
            response["policyVersion"]["versionId"].as_str(),
        ) {
            found(
                ListName::CreatedPolicyVersions,
                &format!("{policy}/{version}"),
            );
        }
    }
}
