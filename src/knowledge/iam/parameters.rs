//! The parameters of a call, as far as they name resources.
//!
//! In: a call's JSON. Out: ARNs, and values for the placeholders of ARN formats, as a policy writes them. Promise: a
//! parameter fills a placeholder if their names are alike or `data/iam_parameters.tsv` says so; what an attacker put into
//! a value means itself.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::json::Value;
use crate::json::path::Path;

use super::super::arn::literal;
use super::call::Call;
use super::data::rows;
use super::walk::{below, nested, texts};

/// IAM's own limit for an ARN.
const LONGEST_ARN: usize = 2_048;

/// The parameters of a call.
#[derive(Debug)]
pub(super) struct Parameters {
    request: Value,
    response: Value,
    additional: Value,
    /// ARNs of the event's own list of resources, as a policy writes them.
    resources: Vec<String>,
    arns: OnceCell<Vec<String>>,
}

impl Parameters {
    pub(super) fn read(call: &Call<'_>) -> Self {
        let parse = |text: Option<&str>| text.and_then(Value::parse).unwrap_or_default();
        let listed: Value = parse(call.resources);
        let mut resources = Vec::new();
        let request: Value = parse(call.request_parameters);
        // The URL of a queue says whose it is.
        resources.extend(
            request["queueUrl"]
                .as_str()
                .and_then(|url| queue(call, url)),
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
            response: parse(call.response_elements),
            additional: parse(call.additional_event_data),
            resources,
            arns: OnceCell::new(),
        }
    }

    /// Whether a parameter is given, and is the value if there is one.
    pub(super) fn given(&self, name: &str, value: Option<&str>) -> bool {
        let found = self.at(name);
        // An empty list is given, too.
        let given = !found.is_empty() || !self.request[name].is_null();
        given
            && value.is_none_or(|value| {
                found.iter().any(|found| match found {
                    Value::String(text) => text == value,
                    found => found.to_string() == value,
                })
            })
    }

    /// The parameters at a path.
    fn at(&self, path: &str) -> Vec<&Value> {
        let path = Path::parse(path);
        path.map(|path| path.values(&self.request))
            .unwrap_or_default()
    }

    /// The object that a copy reads.
    pub(super) fn copied_from(&self, call: &Call<'_>) -> Option<String> {
        let source = self.request["x-amz-copy-source"].as_str()?;
        let path = source.trim_start_matches('/').split("?versionId=").next()?;
        Some(format!("arn:{}:s3:::{}", call.partition(), literal(path)))
    }

    /// A parameter that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.request[name].as_str().filter(|text| !text.is_empty())
    }

    /// The first text of this name, however deep it stands.
    pub(super) fn anywhere(&self, wanted: &str) -> Option<String> {
        let mut found = None;
        self.texts(&mut |name, text| {
            if found.is_none() && name.eq_ignore_ascii_case(wanted) && !text.is_empty() {
                found = Some(text.to_owned());
            }
        });
        found
    }

    /// What the request or else the answer says.
    pub(super) fn answered(&self, name: &str) -> Option<&str> {
        let mut sides = [&self.request, &self.response].into_iter();
        sides.find_map(|side| side[name].as_str().filter(|text| !text.is_empty()))
    }

    /// Whether S3 says that KMS encrypts the object.
    pub(super) fn encrypted_by_kms(&self) -> bool {
        let applied = self.additional["SSEApplied"].as_str().unwrap_or_default();
        let asked = self.answered("x-amz-server-side-encryption");
        applied.contains("SSE_KMS") || asked.is_some_and(|asked| asked.starts_with("aws:kms"))
    }

    /// The texts of the request, each with the name under which it stands.
    pub(super) fn texts<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a str)) {
        texts("", &self.request, visit);
    }

    /// Whether the request gives tags.
    pub(super) fn has_tags(&self) -> bool {
        let Value::Object(fields) = &self.request else {
            return false;
        };
        let given = |value: &Value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => fields
                .get("items")
                .and_then(Value::as_array)
                .map_or(!fields.is_empty(), |items| !items.is_empty()),
            Value::String(text) => !text.is_empty(),
            _ => false,
        };
        let mut named = fields
            .iter()
            .filter(|(name, _)| TAGS.iter().any(|known| name.eq_ignore_ascii_case(known)));
        named.any(|(_, value)| given(value))
    }

    /// The types of resources to which EC2 is to give tags.
    pub(super) fn tagged_kinds(&self) -> BTreeSet<&str> {
        let mut kinds = BTreeSet::new();
        below(&self.request, &mut |name, value| {
            if name.to_ascii_lowercase().starts_with("tagspecification") {
                texts("", value, &mut |name, text| {
                    if name.eq_ignore_ascii_case("resourceType") {
                        kinds.insert(text);
                    }
                });
            }
        });
        kinds
    }

    /// The parameters as they are.
    pub(super) fn request(&self) -> &Value {
        &self.request
    }

    pub(super) fn has_context(&self, key: &str) -> bool {
        self.request["encryptionContext"].get(key).is_some()
    }

    /// The ARNs of roles that are passed on; by name too, where the action is known to pass a role.
    pub(super) fn roles(&self, call: &Call<'_>, passes: bool) -> Vec<String> {
        let mut roles = Vec::new();
        let (partition, account) = (call.partition(), call.account);
        let start = format!("arn:{partition}:iam::{account}:role/");
        nested(&self.request, &mut |path, text| {
            let name = plain(path.last().copied().unwrap_or_default());
            let above = path.iter().rev().nth(1).map(|name| plain(name));
            let is_profile = |name: &str| name == "iaminstanceprofile" || name == "instanceprofile";
            // `iamInstanceProfile: {name: web}`, `iamInstanceProfile: web`.
            let profile_member = above.as_deref().is_some_and(is_profile);
            let names_role = name.ends_with("role") || is_profile(&name) || profile_member;
            let arn = text.starts_with("arn:");
            let role = text.split_once(":role/").filter(|_| arn);
            let profile = text.split_once(":instance-profile/").filter(|_| arn);
            if role.is_some() && (names_role || passes) {
                roles.push(literal(text));
            } else if let Some((account, path)) = profile {
                // The console names the role as the profile; nothing in the event tells.
                roles.push(format!("{}:role/{}", literal(account), literal(path)));
            } else if !arn && names_role && (passes || profile_member) && is_role_name(text) {
                roles.push(format!("{start}{}", literal(text.trim_start_matches('/'))));
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

    /// The values for a placeholder of an ARN format that has these placeholders.
    pub(super) fn values(
        &self,
        call: &Call<'_>,
        prefix: &str,
        placeholder: &str,
        all: &[&str],
    ) -> Vec<String> {
        let listed = PARAMETERS
            .iter()
            .find(|[service, name, _]| *service == prefix && *name == placeholder);
        let mut found = Vec::new();
        let names = listed.map_or("", |[_, _, names]| names).split(' ');
        for name in names.filter(|name| !name.is_empty()) {
            if found.is_empty() {
                found = self.at(name).into_iter().flat_map(values).collect();
            }
            // `instancesSet.items[].keyName`
            if found.is_empty() {
                found.extend(self.anywhere(name));
            }
        }
        let Value::Object(fields) = &self.request else {
            return found;
        };
        let wanted = plain(placeholder);
        if found.is_empty() && !wanted.is_empty() {
            // `targetgroup/${TargetGroupName}/${TargetGroupId}`: one name fills one of them.
            let rivals = all.iter().filter(|other| plain(other) == wanted).count() > 1;
            let fitting = |name: &str| !rivals || ending(name) == ending(placeholder);
            let same = fields
                .iter()
                .filter(|(name, _)| plain(name) == wanted && fitting(name));
            found = same.flat_map(|(_, value)| values(value)).collect();
            // `DescribeCluster` has a parameter `name`.
            if found.is_empty() && plain(call.operation).contains(&wanted) {
                let own = ["name", "id", "identifier"]
                    .iter()
                    .filter(|name| fitting(name))
                    .find_map(|name| fields.get(name));
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

/// Where requests hold the tags of what they make.
const TAGS: [&str; 8] = [
    "tags",
    "tagList",
    "tagSet",
    "tagsToAdd",
    "tagMap",
    "tagsList",
    "hostedZoneTags",
    "x-amz-tagging-on-create",
];

/// Which of several placeholders of one thing a name fills: its name, or its id.
fn ending(name: &str) -> &'static str {
    let lower = name.to_ascii_lowercase();
    match ["name", "id", "identifier", "arn"]
        .into_iter()
        .find(|end| lower.ends_with(end))
    {
        Some("identifier") => "id",
        Some(end) => end,
        None => "name",
    }
}

/// Whether a text can be the name of a role, with or without a path.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names>
fn is_role_name(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
    !text.is_empty() && text.len() <= 512 && text.bytes().all(letter)
}

static PARAMETERS: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/iam_parameters.tsv")).collect());

/// The queue at `https://sqs.eu-west-1.amazonaws.com/444455556666/orders`.
fn queue(call: &Call<'_>, url: &str) -> Option<String> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    let known = account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && !name.is_empty();
    known.then(|| {
        format!(
            "arn:{}:sqs:{}:{account}:{}",
            call.partition(),
            call.region,
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
        Value::Object(fields) => fields.iter().map(|(name, _)| name.to_owned()).collect(),
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
        ("ssm", "ParameterNameWithoutLeadingSlash") if call.operation.ends_with("ByPath") => {
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
