//! Permissions that parameters ask for.
//!
//! In: a call. Out: session tags, source identity, bearer tokens, what a rotation or a replica needs. Promise: only what the parameters of the event ask for.

use super::super::arn::literal;
use super::call::{Call, Need};
use super::parameters::Parameters;

/// Services that hand out bearer tokens with their authorization tokens.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-bearer-tokens.html>
const BEARERS: [&str; 2] = ["codeartifact", "ecr-public"];

/// What a call needs besides its own actions.
pub(super) fn needs(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Vec<Need> {
    match (prefix, call.operation) {
        ("sts", _) => of_session(call, parameters),
        (_, "GetAuthorizationToken") if BEARERS.contains(&prefix) => {
            let condition = format!("sts:AWSServiceName={prefix}.amazonaws.com");
            vec![Need::new("sts:GetServiceBearerToken", "*").under(Some(condition))]
        }
        // <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-auth.html>
        ("kms", "ReplicateKey") => vec![Need::new("kms:CreateKey", "*")],
        // <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html>
        ("secretsmanager", "RotateSecret") => {
            let function = parameters.text("rotationLambdaARN").into_iter();
            function
                .map(|arn| Need::new("lambda:InvokeFunction", literal(arn)))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required>
fn of_session(call: &Call<'_>, parameters: &Parameters) -> Vec<Need> {
    let target = match parameters.text("roleArn") {
        Some(role) => literal(role),
        None => match parameters.text("name") {
            Some(name) => format!(
                "arn:{}:sts::{}:federated-user/{}",
                call.partition(),
                call.account,
                literal(name)
            ),
            None => return Vec::new(),
        },
    };
    let asked = [
        (parameters.has_tags(), "sts:TagSession"),
        (
            parameters.given("sourceIdentity", None),
            "sts:SetSourceIdentity",
        ),
        (parameters.given("providedContexts", None), "sts:SetContext"),
    ];
    asked
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, action)| Need::new(action, target.clone()))
        .collect()
}
