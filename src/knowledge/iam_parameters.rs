//! The parameters of a call, as far as they name resources.
//!
//! In: a call's JSON. Out: ARNs, and values for the placeholders of ARN formats, as a policy writes them. Promise: a
//! parameter fills a placeholder if their names are alike or `data/iam_parameters.tsv` says so; what an attacker put into
//! a value means itself.

use std::cell::OnceCell;
use std::sync::LazyLock;

use serde_json::Value;

use super::arn::{literal, partition};
use super::iam_calls::{Call, table, texts};

/// IAM's own limit for an ARN.
const LONGEST_ARN: usize = 2_048;

/// The parameters of a call.
#[derive(Debug)]
pub(super) struct Parameters {
    request: Value,
    /// ARNs of the event's own list of resources, as a policy writes them.
    resources: Vec<String>,
    arns: OnceCell<Vec<String>>,
}

impl Parameters {
    pub(super) fn read(call: &Call<'_>) -> Self {
        let parse = |text: Option<&str>| {
            text.and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default()
        };
        let listed: Value = parse(call.resources);
        let mut resources = Vec::new();
        let request: Value = parse(call.request_parameters);
        // The URL of a queue says whose it is.
        resources.extend(
            request["queueUrl"]
                .as_str()
                .and_then(|url| queue(call.region, url)),
        );
        for resource in listed.as_array().into_iter().flatten() {
            let text = |names: [&str; 2]| names.iter().find_map(|name| resource[*name].as_str());
            resources.extend(text(["ARN", "arn"]).map(literal));
            // Where one call touches many.
            resources.extend(
                text(["ARNPrefix", "arnPrefix"]).map(|prefix| format!("{}*", literal(prefix))),
            );
        }
        Self {
            request,
            resources,
            arns: OnceCell::new(),
        }
    }

    /// Whether a parameter is given, and is the value if there is one.
    pub(super) fn given(&self, name: &str, value: Option<&str>) -> bool {
        let found = self.request.get(name).filter(|found| !found.is_null());
        found.is_some_and(|found| value.is_none_or(|value| found.as_str() == Some(value)))
    }

    /// The object that a copy reads.
    pub(super) fn copied_from(&self) -> Option<String> {
        let source = self.request["x-amz-copy-source"].as_str()?;
        let path = source.trim_start_matches('/').split("?versionId=").next()?;
        Some(format!("arn:aws:s3:::{}", literal(path)))
    }

    /// The parameters as they are.
    pub(super) fn request(&self) -> &Value {
        &self.request
    }

    pub(super) fn has_context(&self, key: &str) -> bool {
        self.request["encryptionContext"].get(key).is_some()
    }

    /// The ARNs of roles that are passed on; by name too, where the action is known to pass a role.
    pub(super) fn roles(&self, passes: bool) -> Vec<String> {
        let mut roles = Vec::new();
        texts("", &self.request, &mut |name, text| {
            let name = plain(name);
            let names_role =
                name.ends_with("role") || name == "iaminstanceprofile" || name == "instanceprofile";
            let role = text
                .split_once(":role/")
                .filter(|_| text.starts_with("arn:"));
            let profile = text
                .split_once(":instance-profile/")
                .filter(|_| text.starts_with("arn:"));
            if role.is_some() && (names_role || passes) {
                roles.push(literal(text));
            } else if let Some((account, path)) = profile {
                // The console names the role as the profile; nothing in the event tells.
                roles.push(format!("{}:role/{}", literal(account), literal(path)));
            }
        });
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Every ARN in the event.
    pub(super) fn arns(&self) -> &[String] {
        self.arns.get_or_init(|| {
            let mut arns = self.resources.clone();
            texts("", &self.request, &mut |_, text| {
                if text.starts_with("arn:") && text.len() <= LONGEST_ARN {
                    arns.push(literal(text));
                }
            });
            arns.sort_unstable();
            arns.dedup();
            arns
        })
    }

    /// The values for a placeholder of an ARN format.
    pub(super) fn values(
        &self,
        call: &Call<'_>,
        (prefix, placeholder): (&str, &str),
    ) -> Vec<String> {
        let listed = PARAMETERS
            .iter()
            .find(|[service, name, _]| *service == prefix && *name == placeholder);
        let mut found = Vec::new();
        let names = listed.map_or("", |[_, _, names]| names).split(' ');
        for name in names {
            if found.is_empty() {
                found = self.request.get(name).map(values).unwrap_or_default();
            }
        }
        let Value::Object(fields) = &self.request else {
            return found;
        };
        let wanted = plain(placeholder);
        if found.is_empty() && !wanted.is_empty() {
            let same = fields.iter().filter(|(name, _)| plain(name) == wanted);
            found = same.flat_map(|(_, value)| values(value)).collect();
            // `DescribeCluster` has a parameter `name`.
            if found.is_empty() && plain(call.operation).contains(&wanted) {
                let own = ["name", "id", "identifier"]
                    .iter()
                    .find_map(|name| fields.get(*name));
                found = own.map(values).unwrap_or_default();
            }
        }
        // An ARN is an ARN already, see `arns`.
        found.retain(|value| !value.starts_with("arn:") && !value.is_empty());
        found
            .into_iter()
            .map(|value| written(call, (prefix, placeholder), &value))
            .collect()
    }
}

static PARAMETERS: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| table(include_str!("data/iam_parameters.tsv")).collect());

/// The queue at `https://sqs.eu-west-1.amazonaws.com/444455556666/orders`.
fn queue(region: &str, url: &str) -> Option<String> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    let known = account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && !name.is_empty();
    known.then(|| {
        format!(
            "arn:{}:sqs:{region}:{account}:{}",
            partition(region),
            literal(name)
        )
    })
}

/// The texts of a parameter: one, several, or the names of an object's fields.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Value::Object(fields) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// What is alike in `dBInstanceIdentifier`, `DbInstanceName` and `dbInstanceIds`.
fn plain(name: &str) -> String {
    let mut plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    plain.make_ascii_lowercase();
    for ending in [
        "withoutleadingslash",
        "withpath",
        "s",
        "identifier",
        "name",
        "arn",
        "url",
        "id",
    ] {
        if let Some(shorter) = plain.strip_suffix(ending) {
            plain.truncate(shorter.len());
        }
    }
    plain
}

/// A value as the ARN has it.
fn written(call: &Call<'_>, (prefix, placeholder): (&str, &str), value: &str) -> String {
    match (prefix, placeholder) {
        // `https://sqs.eu-west-1.amazonaws.com/444455556666/orders`
        ("sqs", _) => literal(value.rsplit('/').next().unwrap_or(value)),
        ("ssm", _) if call.operation.ends_with("ByPath") => {
            format!("{}/*", literal(value.trim_matches('/')))
        }
        ("ssm", "ParameterNameWithoutLeadingSlash") => literal(value.trim_start_matches('/')),
        // A secret's ARN ends in six letters that its name does not have.
        ("secretsmanager", _) => format!("{}-??????", literal(value)),
        ("ecs", "TaskDefinitionFamilyName") => literal(value.split(':').next().unwrap_or(value)),
        ("kms", "KeyId") if value.starts_with("alias/") => "*".to_owned(),
        ("lambda", "FunctionName") => literal(value.rsplit(":function:").next().unwrap_or(value)),
        _ => literal(value),
    }
}
