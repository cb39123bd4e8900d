//! The roles of instance profiles.
//!
//! In: uses that pass a role which has the name of an instance profile, since a call names the profile; roles of profiles as the log
//! shows them. Out: uses that pass these roles. Promise: a profile that the log does not know keeps the role of its own name.

use super::uses::Use;
use crate::analysis::consumers::Profiles;
use crate::knowledge::arn::literal;

/// To EC2 alone, calls pass no role but a profile's.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html#roles-usingrole-ec2instance-permissions>
const TO_EC2: &str = "iam:PassedToService=ec2.amazonaws.com";

/// The uses, with the roles of profiles that are known.
pub(super) fn known(uses: Vec<Use>, profiles: &Profiles) -> Vec<Use> {
    let mut known: Vec<Use> = Vec::with_capacity(uses.len());
    for of in uses {
        let roles = roles(&of, profiles);
        let condition = of.condition.clone().unwrap_or_default();
        let mut services = condition.split([' ', '=']);
        if roles.is_empty() || !services.any(|service| service == "ec2.amazonaws.com") {
            known.push(of);
            continue;
        }
        known.extend(roles.into_iter().map(|resource| Use {
            resource,
            ..of.clone()
        }));
        // A service that takes profiles and roles may have been given a role of this name.
        if !condition.starts_with(TO_EC2) {
            known.push(of);
        }
    }
    known.sort();
    known
}

/// The ARNs of the roles of the profile that a passed role is named after. The log does not show their paths.
fn roles(of: &Use, profiles: &Profiles) -> Vec<String> {
    let Some((start, path)) = of.resource.split_once(":role/") else {
        return Vec::new();
    };
    if of.action != "iam:PassRole" {
        return Vec::new();
    }
    let account = start.rsplit(':').next().unwrap_or_default().to_owned();
    let name = path.rsplit('/').next().unwrap_or_default();
    let known = profiles.get(&(account, name.to_owned()));
    // Where the role has the profile's name, the profile's path is the best guess.
    let others = known.into_iter().flatten().filter(|role| *role != name);
    let arns = others.flat_map(|role| {
        let role = literal(role);
        [
            format!("{start}:role/{role}"),
            format!("{start}:role/*/{role}"),
        ]
    });
    arns.collect()
}
