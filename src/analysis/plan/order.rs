//! The order of keys, and the way of each consumer.
//!
//! In: nothing. Out: [`Group`]s in the order in which keys are to be worked on, and a [`Way`] per target. Promise: this is data; what
//! the ways ask of a person is in `steps/`.

use super::super::consumers::Target;
use super::super::policy::Trust;

/// What kind of key it is; first what is done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Incident,
    Unused,
    Root,
    People,
    AwsCompute,
    Ci,
    Outside,
    Exceptions,
}

impl Group {
    pub(super) fn name(self) -> &'static str {
        match self {
            Group::Incident => "incident",
            Group::Unused => "unused",
            Group::Root => "root",
            Group::People => "people",
            Group::AwsCompute => "aws-compute",
            Group::Ci => "ci",
            Group::Outside => "outside",
            Group::Exceptions => "exceptions",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Group::Incident => "Incidents: trace, do not migrate",
            Group::Unused => "No longer used",
            Group::Root => "Root",
            Group::People => "People",
            Group::AwsCompute => "Programs in AWS",
            Group::Ci => "Build services",
            Group::Outside => "On premises, other clouds, third parties",
            Group::Exceptions => "Exceptions, and consumers not yet identified",
        }
    }
}

/// How a consumer gets away from a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    target: Target,
    /// Where a key with such a consumer stands.
    pub(super) group: Group,
    /// The chapter of its steps.
    pub(super) chapter: &'static str,
    /// What the proposed role is called after the user; none if it gets no role of its own.
    pub(super) role: Option<&'static str>,
    /// The trust policy of that role, as `keytrail policy --trust` takes it.
    trust: Option<&'static str>,
}

const fn way(
    target: Target,
    group: Group,
    chapter: &'static str,
    role: Option<&'static str>,
    trust: Option<&'static str>,
) -> Way {
    Way {
        target,
        group,
        chapter,
        role,
        trust,
    }
}

#[rustfmt::skip]
const WAYS: &[Way] = &[
    way(Target::IdentityCenter, Group::People, "identity-center", None, None),
    way(Target::InstanceProfile, Group::AwsCompute, "instance-profile", Some("ec2"), Some("ec2")),
    way(Target::ExecutionRole, Group::AwsCompute, "execution-role", Some("lambda"), Some("lambda")),
    way(Target::TaskRole, Group::AwsCompute, "task-role", Some("ecs"), Some("ecs-tasks")),
    way(Target::PodIdentity, Group::AwsCompute, "pod-identity", Some("eks"), Some("pods")),
    way(Target::ServiceRole, Group::AwsCompute, "service-role", Some("codebuild"), Some("codebuild")),
    way(Target::GitHubOidc, Group::Ci, "github-oidc", Some("github"), Some("github=OWNER/REPOSITORY:ref:refs/heads/BRANCH")),
    way(Target::Oidc, Group::Ci, "oidc", Some("ci"), Some("oidc=ISSUER,AUDIENCE,SUBJECT")),
    way(Target::RolesAnywhere, Group::Outside, "roles-anywhere", Some("anywhere"), Some("roles-anywhere=arn:aws:rolesanywhere:REGION:ACCOUNT_ID:trust-anchor/TRUST_ANCHOR_ID")),
    way(Target::OidcOrRolesAnywhere, Group::Outside, "other-cloud", Some("cloud"), Some("oidc=ISSUER,AUDIENCE,SUBJECT")),
    way(Target::CrossAccountRole, Group::Outside, "cross-account", Some("vendor"), None),
    way(Target::IdentityCenterOrException, Group::Exceptions, "limited-key", None, None),
    way(Target::Investigate, Group::Exceptions, "investigate", None, None),
];

impl Way {
    /// The way to a target.
    pub(super) fn to(target: Target) -> Self {
        let known = WAYS.iter().find(|way| way.target == target).copied();
        known.unwrap_or(way(target, Group::Exceptions, "investigate", None, None))
    }

    /// The trust policy of the role.
    pub(super) fn trust(self) -> Option<Trust> {
        self.trust?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_way_whose_trust_is_one() {
        for target in Target::ALL {
            let found: Vec<&Way> = WAYS.iter().filter(|way| way.target == *target).collect();
            assert_eq!(found.len(), 1, "{target}");
            assert_eq!(
                found[0].trust.is_some(),
                found[0].trust().is_some(),
                "{target}"
            );
        }
    }
}
