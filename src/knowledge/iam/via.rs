//! Under which condition does a call need its permissions?
//!
//! In: a call that an AWS service made for the caller. Out: a condition that binds the permission to that service. Promise: none for
//! a call that the caller made itself.

use super::call::Call;
use super::parameters::Parameters;

/// Services that set `aws:CalledVia`; for all others `aws:ViaAWSService` has to do.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia>
const CALLED_VIA: [&str; 18] = [
    "aoss.amazonaws.com",
    "athena.amazonaws.com",
    "backup.amazonaws.com",
    "cloud9.amazonaws.com",
    "cloudformation.amazonaws.com",
    "databrew.amazonaws.com",
    "dataexchange.amazonaws.com",
    "dynamodb.amazonaws.com",
    "imagebuilder.amazonaws.com",
    "kms.amazonaws.com",
    "mgn.amazonaws.com",
    "nimble.amazonaws.com",
    "omics.amazonaws.com",
    "ram.amazonaws.com",
    "robomaker.amazonaws.com",
    "servicecatalog-appregistry.amazonaws.com",
    "sqlworkbench.amazonaws.com",
    "ssm-guiconnect.amazonaws.com",
];

/// Keys of KMS's encryption context, and the services that put them there.
const CONTEXTS: [(&str, &str); 8] = [
    ("aws:s3:arn", "s3"),
    ("aws:ebs:id", "ec2"),
    ("SecretARN", "secretsmanager"),
    ("PARAMETER_ARN", "ssm"),
    ("aws:dynamodb:tableName", "dynamodb"),
    ("aws:sqs:arn", "sqs"),
    ("aws:lambda:FunctionArn", "lambda"),
    ("aws:rds:db-id", "rds"),
];

/// The condition of a call that a service made on the caller's behalf.
pub(super) fn condition(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Option<String> {
    let service = call.via_service?;
    let named = service.strip_suffix(".amazonaws.com");
    if prefix == "kms" {
        let context = CONTEXTS
            .iter()
            .find(|(key, _)| parameters.has_context(key))
            .map(|(_, service)| *service);
        return Some(match named.or(context) {
            Some(name) => kms_via(call, name),
            None => "aws:ViaAWSService=true".to_owned(),
        });
    }
    Some(match CALLED_VIA.contains(&service) {
        true => format!("aws:CalledVia={service}"),
        false => "aws:ViaAWSService=true".to_owned(),
    })
}

/// That a service uses the KMS key; its name ends in `.cn` in China.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>
pub(super) fn kms_via(call: &Call<'_>, service: &str) -> String {
    let end = match call.partition() {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    format!("kms:ViaService={service}.{}.{end}", call.region)
}
