//! Roles that a call passes on: `iam:PassRole`, of which no event tells.
//!
//! In: a call. Out: a need for each role that it names, and a note for roles that another object names. Promise: a name counts as a role's
//! only where the reference or `data/roles_by_name.tsv` says that the call takes one; an ARN also where `data/roles_by_arn.tsv` does.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>

use std::sync::LazyLock;

use super::super::arn::literal;
use super::actions;
use super::call::{Call, Need, Open};
use super::data::{fits, rows};
use super::names;
use super::parameters::Parameters;
use super::placeholders::plain;
use super::walk::nested;
use crate::json::Value;

/// The services to which a call of this prefix passes roles, where it is not `<prefix>.amazonaws.com`.
static PASSED_TO: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/passed_to.tsv")).collect());

/// Service, call, and the parameter that takes a role's name.
static BY_NAME: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/roles_by_name.tsv")).collect());

/// Service, call, and the parameter that takes a role's ARN under another name.
static BY_ARN: LazyLock<Vec<[&'static str; 3]>> =
    LazyLock::new(|| rows(include_str!("../data/roles_by_arn.tsv")).collect());

/// The roles that the call passes on.
pub(super) fn needs(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Vec<Need> {
    let actions = names::actions_of(prefix, call.operation, &|name, value| {
        parameters.given(name, value)
    });
    let passes = actions
        .iter()
        .filter_map(|name| actions::action(name))
        .any(|(_, action)| action.passes_role);
    // Here a role is what the call is about.
    if matches!(prefix, "sts" | "iam") && !passes {
        return Vec::new();
    }
    let condition = format!("iam:PassedToService={}", passed_to(call, prefix));
    let mut needs: Vec<Need> = passed(call, prefix, parameters, passes)
        .into_iter()
        .map(|role| Need::new("iam:PassRole", role).under(Some(condition.clone())))
        .collect();
    needs.extend(of_another_object(call, prefix, parameters));
    needs
}

/// The ARNs of roles that are passed on; by name too, where the reference or `roles_by_name.tsv` says that the call takes one.
fn passed(call: &Call<'_>, prefix: &str, parameters: &Parameters, passes: bool) -> Vec<String> {
    let mut roles = Vec::new();
    let start = format!("arn:{}:iam::{}:role/", call.partition(), call.account);
    let listed_in = |table: &[[&'static str; 3]]| -> Vec<&'static str> {
        let rows = table.iter();
        rows.filter(|[of, operation, _]| *of == prefix && fits(operation, call.operation))
            .map(|[_, _, parameter]| *parameter)
            .collect()
    };
    let (listed, by_arn) = (listed_in(&BY_NAME), listed_in(&BY_ARN));
    nested(parameters.request(), &mut |path, text| {
        let last = path.last().copied().unwrap_or_default();
        let name = plain(last);
        let above = path.iter().rev().nth(1).map(|name| plain(name));
        let is_profile = |name: &str| name == "iaminstanceprofile" || name == "instanceprofile";
        // `iamInstanceProfile: {name: web}`, `iamInstanceProfile: web`.
        let profile_member = above.as_deref().is_some_and(is_profile);
        let names_role = name.ends_with("role") || is_profile(&name) || profile_member;
        let by_name = profile_member
            || (passes && names_role)
            || listed.iter().any(|known| known.eq_ignore_ascii_case(last));
        let arn = text.starts_with("arn:");
        let role = text.split_once(":role/").filter(|_| arn);
        let profile = text.split_once(":instance-profile/").filter(|_| arn);
        let holds_arn = by_arn.iter().any(|known| known.eq_ignore_ascii_case(last));
        if role.is_some() && (names_role || passes || holds_arn) {
            roles.push(literal(text));
        } else if let Some((account, path)) = profile {
            // The console names the role as the profile; nothing in the event tells.
            roles.push(format!("{}:role/{}", literal(account), literal(path)));
        } else if !arn && by_name && is_role_name(text) {
            roles.push(format!("{start}{}", literal(text.trim_start_matches('/'))));
        }
    });
    roles.extend(
        of_options(parameters).map(|text| match text.split_once(":instance-profile/") {
            Some((account, path)) => format!("{}:role/{}", literal(account), literal(path)),
            None if text.starts_with("arn:") => literal(text),
            None => format!("{start}{}", literal(text)),
        }),
    );
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// The options of an environment that name a role.
/// <https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/command-options-general.html>
const ROLE_OPTIONS: [&str; 2] = ["IamInstanceProfile", "ServiceRole"];

/// Roles that are the value of an option.
fn of_options(parameters: &Parameters) -> impl Iterator<Item = &str> {
    let options = parameters.at("optionSettings[]").into_iter();
    let named = options.filter_map(|option| {
        let text = |name: &str| option.get(name).and_then(Value::as_str);
        text("value")
            .filter(|_| text("optionName").is_some_and(|name| ROLE_OPTIONS.contains(&name)))
    });
    named.filter(|text| text.starts_with("arn:") || is_role_name(text))
}

/// Whether a text can be the name of a role, with or without a path.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names>
fn is_role_name(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
    !text.is_empty() && text.len() <= 512 && text.bytes().all(letter)
}

/// Services whose principal ends in `.cn` in China.
/// <https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html>
const CHINESE: [&str; 2] = ["ec2.amazonaws.com", "elasticmapreduce.amazonaws.com"];

fn passed_to(call: &Call<'_>, prefix: &str) -> String {
    let listed = PASSED_TO
        .iter()
        .find(|[name, operation, _]| *name == prefix && fits(operation, call.operation));
    let mut services = listed.map_or_else(
        || format!("{prefix}.amazonaws.com"),
        |[_, _, services]| (*services).to_owned(),
    );
    if call.partition() == "aws-cn" {
        let local: Vec<String> = services
            .split(' ')
            .filter(|service| CHINESE.contains(service))
            .map(|service| format!(" {service}.cn"))
            .collect();
        services.extend(local);
    }
    services
}

/// Calls that start what another object describes, and pass the roles that it names.
fn of_another_object(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Vec<Need> {
    let action = format!("{prefix}:{}", call.operation);
    let template = || {
        let names = ["launchTemplateId", "launchTemplateName"];
        names.iter().find_map(|name| parameters.anywhere(name))
    };
    match (prefix, call.operation) {
        ("ecs", "RunTask" | "StartTask" | "CreateService" | "UpdateService" | "CreateTaskSet") => {
            let family = parameters.text("taskDefinition").into_iter();
            family
                .map(|family| Need::open(&action, family, Open::TaskRoles))
                .collect()
        }
        ("ec2", "RunInstances" | "CreateFleet" | "RequestSpotFleet") => template()
            .map(|template| Need::open(&action, &template, Open::TemplateRole))
            .into_iter()
            .collect(),
        // <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html>
        ("autoscaling", "CreateAutoScalingGroup" | "UpdateAutoScalingGroup") => {
            let reasons = [Open::TemplateRole, Open::TemplateInstances];
            let template = template();
            let needs = template
                .iter()
                .flat_map(|template| reasons.map(|reason| Need::open(&action, template, reason)));
            needs.collect()
        }
        _ => Vec::new(),
    }
}
