//! Roles that a call passes on: `iam:PassRole`, of which no event tells.
//!
//! In: a call. Out: a need for each role that it names, and a note for roles that another object names. Promise: a role named
//! without its path is taken under every path only where the reference says that the call passes a role.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>

use std::sync::LazyLock;

use super::actions;
use super::call::{Call, Need, Open};
use super::data::rows;
use super::names;
use super::parameters::Parameters;

/// The services to which a call of this prefix passes roles, where it is not `<prefix>.amazonaws.com`.
static PASSED_TO: LazyLock<Vec<[&'static str; 2]>> =
    LazyLock::new(|| rows(include_str!("../data/passed_to.tsv")).collect());

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
    let mut needs: Vec<Need> = parameters
        .roles(call, passes)
        .into_iter()
        .map(|role| Need::new("iam:PassRole", role).under(Some(condition.clone())))
        .collect();
    needs.extend(of_another_object(call, prefix, parameters));
    needs
}

/// Services whose principal ends in `.cn` in China.
/// <https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html>
const CHINESE: [&str; 2] = ["ec2.amazonaws.com", "elasticmapreduce.amazonaws.com"];

fn passed_to(call: &Call<'_>, prefix: &str) -> String {
    let listed = PASSED_TO.iter().find(|[name, _]| *name == prefix);
    let mut services = listed.map_or_else(
        || format!("{prefix}.amazonaws.com"),
        |[_, services]| (*services).to_owned(),
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
fn of_another_object(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Option<Need> {
    let action = format!("{prefix}:{}", call.operation);
    match (prefix, call.operation) {
        ("ecs", "RunTask" | "StartTask" | "CreateService" | "UpdateService" | "CreateTaskSet") => {
            let family = parameters.text("taskDefinition")?;
            Some(Need::open(&action, family, Open::TaskRoles))
        }
        ("ec2", "RunInstances" | "CreateFleet" | "RequestSpotFleet")
        | ("autoscaling", "CreateAutoScalingGroup" | "UpdateAutoScalingGroup") => {
            let template = ["launchTemplateId", "launchTemplateName"]
                .iter()
                .find_map(|name| parameters.anywhere(name))?;
            Some(Need::open(&action, &template, Open::TemplateRole))
        }
        _ => None,
    }
}
