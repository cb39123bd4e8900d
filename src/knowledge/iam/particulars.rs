//! What single services have of their own about resources.
//!
//! In: a call and the resources of one of its actions. Out: these, where a parameter or a rule of the service says more. Promise: each rule
//! has its source, and narrows or widens no other service.

use super::super::arn::literal;
use super::call::Call;
use super::parameters::Parameters;

/// What a parameter says beyond the types of an action.
pub(super) fn apply(
    call: &Call<'_>,
    parameters: &Parameters,
    action: &str,
    found: &mut Vec<String>,
) {
    let text = |name: &str| parameters.text(name);
    match (action.split(':').next().unwrap_or_default(), call.operation) {
        // A query of an index is checked against the index alone.
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-specific-table-indexes.html
        ("dynamodb", "Query" | "Scan") => only(found, |arn| arn.contains("/index/")),
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
        ("iam", "CreateServiceLinkedRole") => {
            let start = format!("arn:{}:iam::{}:role", call.partition(), call.account);
            if let Some(service) = text("aWSServiceName") {
                *found = vec![format!("{start}/aws-service-role/{}/*", literal(service))];
            }
        }
        // A policy on a function does not hold for its versions and aliases.
        // https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
        ("lambda", _) => {
            if let Some(qualifier) = text("qualifier") {
                let whole = found
                    .iter_mut()
                    .filter(|arn| arn.contains(":function:") && arn.split(':').count() == 7);
                whole.for_each(|arn| *arn = format!("{arn}:{}", literal(qualifier)));
            }
        }
        // Of the two forms of a rule's ARN, the one with the bus holds for rules of other buses than the default.
        // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html
        ("events", _) => match text("eventBusName") {
            Some("default") => only(found, |arn| !arn.contains("/default/")),
            Some(_) => only(found, |arn| arn.matches('/').count() == 2),
            None => {}
        },
        // A recovery point has the ARN of what it is a copy of.
        // https://docs.aws.amazon.com/aws-backup/latest/devguide/recovery-points.html
        ("backup", _) => {
            if let Some(arn) = text("recoveryPointArn").filter(|arn| arn.starts_with("arn:")) {
                let any = |of: &String| of.split(':').nth(2) == Some("*");
                let points = found.iter_mut().filter(|of| any(of));
                points.for_each(|of| *of = literal(arn));
            }
        }
        // The request's ARN has the revision, and each deployment makes another.
        // https://docs.aws.amazon.com/batch/latest/userguide/iam-example-restrict-job-submission.html
        ("batch", "SubmitJob") => {
            revisions(found, ":job-definition/");
            let names = found
                .iter_mut()
                .filter(|arn| arn.contains(":job-definition/") && !arn.ends_with(":*"));
            names.for_each(|arn| arn.push_str(":*"));
        }
        ("ecs", _) => revisions(found, ":task-definition/"),
        ("kms", "ReEncrypt") => {
            let side = match action {
                "kms:ReEncryptFrom" => text("sourceKeyId"),
                _ => text("destinationKeyId"),
            };
            if let Some(key) = side {
                let id = key.rsplit('/').next().unwrap_or(key);
                only(found, |arn| arn.ends_with(&format!("/{}", literal(id))));
            }
        }
        // Groups are checked with what is below them.
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
        ("logs", _) => {
            let whole = found.iter().filter(|arn| {
                arn.contains(":log-group:") && !arn.contains(":log-stream:") && !arn.ends_with('*')
            });
            let below: Vec<String> = whole.map(|arn| format!("{arn}:*")).collect();
            found.extend(below);
        }
        // A text message goes to a number, not to a topic, and a number has no ARN.
        // https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
        ("sns", "Publish") => {
            let elsewhere = ["topicArn", "targetArn"]
                .iter()
                .any(|name| text(name).is_some());
            if parameters.given("phoneNumber", None) && !elsewhere {
                *found = vec!["*".to_owned()];
            }
        }
        ("ssm", operation) => {
            found.retain(|arn| {
                !arn.contains(":managed-instance/i-") && !arn.contains(":instance/mi-")
            });
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html
            let by_tag = operation == "SendCommand" && parameters.given("targets", None);
            if by_tag && !found.iter().any(|arn| arn.contains("instance/")) {
                let (partition, region, account) = (call.partition(), call.region, call.account);
                found.push(format!("arn:{partition}:ec2:{region}:{account}:instance/*"));
                found.push(format!(
                    "arn:{partition}:ssm:{region}:{account}:managed-instance/*"
                ));
            }
        }
        _ => {}
    }
}

/// Keeps what fits, if something does.
fn only(found: &mut Vec<String>, fits: impl Fn(&String) -> bool) {
    if found.iter().any(&fits) {
        found.retain(fits);
    }
}

/// Names every revision instead of one.
fn revisions(found: &mut [String], kind: &str) {
    for arn in found.iter_mut().filter(|arn| arn.contains(kind)) {
        if let Some((name, _)) = arn.rsplit_once(':').filter(|(name, _)| name.contains(kind)) {
            *arn = format!("{name}:*");
        }
    }
}

/// Types of IAM whose names have a path.
pub(super) const PATHS: [&str; 7] = [
    "group",
    "instance-profile",
    "mfa",
    "policy",
    "role",
    "server-certificate",
    "user",
];

/// Calls that give something its path, `/` if they name none.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names>
pub(super) const PATH_GIVERS: [&str; 7] = [
    "CreateGroup",
    "CreateInstanceProfile",
    "CreatePolicy",
    "CreateRole",
    "CreateUser",
    "CreateVirtualMFADevice",
    "UploadServerCertificate",
];

/// Calls of EC2 that make one more of what they name. AWS checks both.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/security_iam_id-based-policy-examples.html>
pub(super) const COPIES: [(&str, &str, &str); 3] = [
    ("ec2", "CopyImage", "image"),
    ("ec2", "CopyImage", "snapshot"),
    ("ec2", "CopySnapshot", "snapshot"),
];

/// The beginnings of EC2's ids, and the types they are of.
pub(super) const EC2_IDS: [(&str, &str); 24] = [
    ("acl", "network-acl"),
    ("ami", "image"),
    ("cgw", "customer-gateway"),
    ("dopt", "dhcp-options"),
    ("eigw", "egress-only-internet-gateway"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("fl", "vpc-flow-log"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("lt", "launch-template"),
    ("nat", "natgateway"),
    ("pcx", "vpc-peering-connection"),
    ("pl", "prefix-list"),
    ("rtb", "route-table"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("tgw", "transit-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
    ("vpn", "vpn-connection"),
];
