//! Values for the placeholders of ARN formats.
//!
//! In: the parameters of a call, and a placeholder of a type of resource. Out: values, as a policy writes them. Promise: a parameter fills a
//! placeholder if their names are alike or `data/iam_parameters.tsv` says so; an ARN fills it with what it has in the placeholder's place.

use std::sync::LazyLock;

use super::super::arn::{Captured, literal};
use super::accounts;
use super::actions::{self, ResourceType};
use super::call::Call;
use super::data::rows;
use super::parameters::{LONGEST_ARN, Parameters};
use crate::json::Value;

impl Parameters {
    /// The values for a placeholder of an ARN format that has these placeholders.
    pub(super) fn values(
        &self,
        call: &Call<'_>,
        prefix: &str,
        placeholder: &str,
        kind: &ResourceType,
    ) -> Vec<String> {
        let given = self.given_for(call, prefix, placeholder, kind);
        let several = self.several(prefix, placeholder);
        let values = given.into_iter().filter_map(|value| {
            // `cluster: arn:aws:ecs:…:cluster/prod` names the cluster of a service, too.
            match value.starts_with("arn:") {
                true if several => None,
                true => {
                    let captured = captured(prefix, &value, Some(placeholder))?;
                    captured_value(&captured, placeholder).map(str::to_owned)
                }
                false => Some(value),
            }
        });
        values
            .filter(|value| !value.is_empty())
            .flat_map(|value| written(call, (prefix, placeholder), &value))
            .collect()
    }

    /// Whether the parameters have values for a placeholder themselves, not only in the ARN of something else.
    pub(super) fn fill(
        &self,
        call: &Call<'_>,
        prefix: &str,
        placeholder: &str,
        kind: &ResourceType,
    ) -> bool {
        let given = self.given_for(call, prefix, placeholder, kind);
        let mut own = given.iter().filter(|value| !value.starts_with("arn:"));
        own.any(|value| !written(call, (prefix, placeholder), value).is_empty())
    }

    /// What the ARNs that are parameters have in place of the placeholders of this service.
    pub(super) fn parents(&self, prefix: &str) -> Vec<Captured<'_>> {
        let Value::Object(fields) = self.request() else {
            return Vec::new();
        };
        let texts = fields.iter().filter_map(|(_, value)| value.as_str());
        let arns = texts.filter(|text| text.starts_with("arn:") && text.len() <= LONGEST_ARN);
        arns.filter_map(|arn| captured(prefix, arn, None)).collect()
    }

    /// Whether a table says that several parameters fill the placeholder, each with another resource of the type.
    pub(super) fn several(&self, prefix: &str, placeholder: &str) -> bool {
        let listed = listed(prefix, placeholder).split(' ');
        let mut joined = listed.filter(|names| names.contains('+'));
        joined.any(|names| names.split('+').all(|name| !self.at(name).is_empty()))
    }

    /// What the parameters of a placeholder hold, as they have it.
    fn given_for(
        &self,
        call: &Call<'_>,
        prefix: &str,
        placeholder: &str,
        kind: &ResourceType,
    ) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for names in listed(prefix, placeholder)
            .split(' ')
            .filter(|names| !names.is_empty())
        {
            if found.is_empty() {
                let given: Vec<_> = names.split('+').map(|name| self.at(name)).collect();
                if given.iter().all(|given| !given.is_empty()) {
                    let given = given.into_iter().flatten();
                    found = match names {
                        // The names of tables are those of its members.
                        "requestItems" => given.flat_map(members).collect(),
                        _ => given.flat_map(values).collect(),
                    };
                }
            }
            // `instancesSet.items[].keyName`
            if found.is_empty() {
                found.extend(self.anywhere(names));
            }
        }
        let wanted = wanted(placeholder, kind);
        if found.is_empty() && !wanted.is_empty() {
            found = self.alike(call, placeholder, kind, &wanted);
        }
        found
    }

    /// The parameters whose names are like that of a placeholder.
    fn alike(
        &self,
        call: &Call<'_>,
        placeholder: &str,
        kind: &ResourceType,
        wanted: &str,
    ) -> Vec<String> {
        let Value::Object(fields) = self.request() else {
            return Vec::new();
        };
        // `targetgroup/${TargetGroupName}/${TargetGroupId}`: one name fills one of them.
        let same = kind
            .arn
            .names()
            .filter(|other| plain(other) == plain(placeholder));
        let rivals = same.count() > 1;
        // What is made has the name that the call gives, but not yet an id.
        let anew = makes(call.operation) && ending(placeholder) == "id";
        let fitting = |name: &str| match anew {
            true => !name.to_ascii_lowercase().ends_with("name"),
            false => !rivals || ending(name) == ending(placeholder),
        };
        let same = fields
            .iter()
            .filter(|(name, _)| plain(name) == wanted && fitting(name));
        let mut found: Vec<String> = same.flat_map(|(_, value)| values(value)).collect();
        // `DescribeCluster` has a parameter `name`, `BatchGetProjects` has `names`.
        if found.is_empty() && plain(call.operation).contains(wanted) {
            let own = OWN_NAMES
                .iter()
                .filter(|name| fitting(name.trim_end_matches('s')))
                .find_map(|name| fields.get(name));
            found = own.map(values).unwrap_or_default();
        }
        // `startWorkspaceRequests[].workspaceId`
        if found.is_empty() {
            self.texts(&mut |name, text| {
                if name.eq_ignore_ascii_case(placeholder) {
                    found.push(text.to_owned());
                }
            });
        }
        found
    }
}

static PARAMETERS: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/iam_parameters.tsv")).collect());

/// Whether a call of this name makes something.
fn makes(operation: &str) -> bool {
    let begins = ["Copy", "Create", "Import", "Register", "Submit"];
    begins.iter().any(|begin| operation.starts_with(begin))
}

/// What the names of parameters are compared with: the placeholder's name, or the type's where that says nothing, as in
/// `dashboard/${ResourceId}`.
fn wanted(placeholder: &str, kind: &ResourceType) -> String {
    let name = plain(placeholder);
    if !name.is_empty() && name != "resource" {
        return name;
    }
    // `stack/${StackName}/${Id}`: the stack's name is not its id.
    let own = plain(kind.name);
    let taken = kind.arn.names().any(|other| plain(other) == own);
    if taken { String::new() } else { own }
}

/// Parameters that name what the call is about.
const OWN_NAMES: [&str; 6] = ["name", "id", "identifier", "names", "ids", "identifiers"];

/// The parameters that a table has for a placeholder.
fn listed(prefix: &str, placeholder: &str) -> &'static str {
    PARAMETERS
        .iter()
        .find(|[service, name, _]| *service == prefix && *name == placeholder)
        .map_or("", |[_, _, names]| names)
}

/// What an ARN of this service has in place of the placeholders of its type, which has this one.
fn captured<'t>(prefix: &str, arn: &'t str, having: Option<&str>) -> Option<Captured<'t>> {
    let types = actions::service(prefix)?.types.iter();
    let fitting = types
        .filter(|kind| having.is_none_or(|wanted| kind.arn.names().any(|name| name == wanted)));
    fitting
        .filter_map(|kind| Some((kind.arn.fixed(), kind.arn.captured(arn)?)))
        .max_by_key(|(fixed, _)| *fixed)
        .map(|(_, captured)| captured)
}

/// What stands for a placeholder.
pub(super) fn captured_value<'t>(captured: &Captured<'t>, wanted: &str) -> Option<&'t str> {
    let mut values = captured.iter().filter(|(name, _)| *name == wanted);
    values
        .next()
        .map(|(_, value)| *value)
        .filter(|value| !value.is_empty())
}

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

/// The texts and numbers of a parameter: one or several.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// The names of an object's members, or the texts of a parameter that is none.
fn members(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, _)| name.to_owned()).collect(),
        value => values(value),
    }
}

/// What is alike in `dBInstanceIdentifier`, `DbInstanceName` and `dbInstanceIds`.
pub(super) fn plain(name: &str) -> String {
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

/// A value as the ARN has it; several where a name stands for what is around it, too.
fn written(call: &Call<'_>, (prefix, placeholder): (&str, &str), value: &str) -> Vec<String> {
    let one = match (prefix, placeholder) {
        // `https://sqs.eu-west-1.amazonaws.com/444455556666/orders`
        ("sqs", _) => value.rsplit('/').next().unwrap_or(value),
        // AWS checks the path itself; what is below it is allowed with it.
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
        ("ssm", "ParameterNameWithoutLeadingSlash") if call.operation.ends_with("ByPath") => {
            return match literal(value.trim_matches('/')) {
                root if root.is_empty() => vec!["*".to_owned()],
                path => vec![path.clone(), format!("{path}/*")],
            };
        }
        ("ssm", "ParameterNameWithoutLeadingSlash") => value.trim_start_matches('/'),
        // A secret's ARN ends in six letters that its name does not have.
        ("secretsmanager", _) => return vec![format!("{}-??????", literal(value))],
        // `web:7`, a build `project:id`: what comes after the name comes anew each time.
        ("ecs", "TaskDefinitionFamilyName") | ("codebuild", "ProjectName") => {
            value.split(':').next().unwrap_or(value)
        }
        // No policy can name a key by its alias.
        ("kms", "KeyId") if value.starts_with("alias/") => return vec!["*".to_owned()],
        ("kms", "Alias") => value.trim_start_matches("alias/"),
        ("wafv2", "Scope") => match value {
            "CLOUDFRONT" => "global",
            _ => "regional",
        },
        ("batch", "JobDefinitionName") if call.operation == "SubmitJob" => {
            value.split(':').next().unwrap_or(value)
        }
        ("organizations", "AccountId") if !value.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Vec::new();
        }
        ("organizations", "OrganizationalUnitId") if !value.starts_with("ou-") => {
            return Vec::new();
        }
        ("organizations", "RootId") if !value.starts_with("r-") => return Vec::new(),
        ("ssm", "InstanceId") if !(value.starts_with("i-") || value.starts_with("mi-")) => {
            return Vec::new();
        }
        // `ecs:cluster_task_container`
        ("ssm", "TaskId") => {
            let mut parts = value.strip_prefix("ecs:").unwrap_or_default().split('_');
            let task = parts.next().zip(parts.next());
            let task = task.map(|(cluster, task)| literal(&format!("{cluster}/{task}")));
            return task.into_iter().collect();
        }
        ("lambda", "FunctionName") => value.rsplit(":function:").next().unwrap_or(value),
        ("glue", "CatalogName") => {
            let path = accounts::below(value).unwrap_or(value);
            let ends = path.match_indices('/').map(|(end, _)| end);
            let ends = ends.chain([path.len()]).filter(|end| *end > 0);
            return ends.map(|end| literal(&path[..end])).collect();
        }
        _ => value,
    };
    vec![literal(one)]
}
