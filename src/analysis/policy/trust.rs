//! Trust policies for the roles that replace a key.
//!
//! In: who shall assume the role. Out: a [`PolicyDocument`]. Promise: no trust without a condition where the principal alone
//! would let strangers in: an OIDC provider without a subject, a third party without an external id.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::document::{Conditions, PolicyDocument, Statement};
use crate::cloudtrail::AccountId;

/// Who assumes the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// An instance, by its instance profile.
    Ec2,
    /// A Lambda function.
    Lambda,
    /// A task of ECS.
    EcsTasks,
    /// A pod of EKS, by Pod Identity.
    Pods,
    /// A build of CodeBuild.
    CodeBuild,
    /// GitHub Actions: a subject such as `repo:owner/name:ref:refs/heads/main`.
    Github(String),
    /// Whoever shows a token of an identity provider: its issuer without `https://`, the audience, and the subject, in which
    /// what follows the third part may be a wildcard.
    Oidc {
        /// The issuer.
        issuer: String,
        /// The audience.
        audience: String,
        /// The subject.
        subject: String,
    },
    /// A machine with a certificate, by the ARN of the trust anchor.
    RolesAnywhere(String),
    /// Another account, with an external id.
    CrossAccount(AccountId, String),
}

/// The text names no trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a trust: {reason}")]
pub struct InvalidTrust {
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// How trusts are written.
const FORMS: &str = "ec2, lambda, ecs-tasks, pods, codebuild, github=OWNER/REPOSITORY:ref:refs/heads/BRANCH, oidc=ISSUER,AUDIENCE,SUBJECT, roles-anywhere=TRUST_ANCHOR_ARN, or cross-account=ACCOUNT:EXTERNAL_ID";

impl FromStr for Trust {
    type Err = InvalidTrust;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason| InvalidTrust {
            text: text.to_owned(),
            reason,
        };
        let (kind, value) = text.split_once('=').unwrap_or((text, ""));
        match (kind, value) {
            ("ec2", "") => Ok(Trust::Ec2),
            ("lambda", "") => Ok(Trust::Lambda),
            ("ecs-tasks", "") => Ok(Trust::EcsTasks),
            ("pods", "") => Ok(Trust::Pods),
            ("codebuild", "") => Ok(Trust::CodeBuild),
            ("github", subject) => github(subject).ok_or_else(|| {
                wrong("github needs a repository and a ref or environment: github=OWNER/REPOSITORY:ref:refs/heads/BRANCH or …:environment:NAME")
            }),
            ("oidc", value) => oidc(value).ok_or_else(|| {
                wrong("oidc needs an issuer without https://, an audience, and a subject whose first three parts are not wildcards: oidc=ISSUER,AUDIENCE,SUBJECT (for GitHub: github=…)")
            }),
            ("roles-anywhere", arn) if arn.starts_with("arn:") && arn.contains(":trust-anchor/") && plain(arn) => {
                Ok(Trust::RolesAnywhere(arn.to_owned()))
            }
            ("roles-anywhere", _) => Err(wrong("roles-anywhere needs the ARN of the trust anchor")),
            ("cross-account", value) => {
                let parts = value.split_once(':').and_then(|(account, id)| Some((account.parse().ok()?, id)));
                let (account, id) = parts.filter(|(_, id)| id.len() >= 2 && plain(id)).ok_or_else(|| {
                    wrong("cross-account needs an account and an external id: cross-account=111122223333:EXTERNAL_ID")
                })?;
                Ok(Trust::CrossAccount(account, id.to_owned()))
            }
            _ => Err(wrong(FORMS)),
        }
    }
}

/// A subject of one repository, without wildcards in what identifies it.
fn github(subject: &str) -> Option<Trust> {
    let (repository, what) = subject
        .strip_prefix("repo:")
        .unwrap_or(subject)
        .split_once(':')?;
    let (owner, name) = repository.split_once('/')?;
    let named = [owner, name, what]
        .iter()
        .all(|part| !part.is_empty() && plain(part));
    named.then(|| Trust::Github(format!("repo:{repository}:{what}")))
}

/// A provider's token for a subject that is named.
fn oidc(value: &str) -> Option<Trust> {
    let mut parts = value.splitn(3, ',');
    let (issuer, audience, subject) = (parts.next()?, parts.next()?, parts.next()?);
    let issuer = issuer.trim_end_matches('/');
    let plain_issuer = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    let issuer_fits = !issuer.is_empty()
        && issuer.chars().all(plain_issuer)
        && !issuer.contains("://")
        && issuer != GITHUB;
    // `organization:ours:*` would let in every project that anybody of the organization makes.
    let named = subject.split(['*', '?']).next().unwrap_or_default();
    let subject_fits = !subject.contains('$')
        && (named == subject
            || named
                .split([':', '/'])
                .filter(|part| !part.is_empty())
                .count()
                >= 3);
    let fits = issuer_fits && subject_fits && plain(audience) && !audience.is_empty();
    (fits && !subject.is_empty()).then(|| Trust::Oidc {
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
        subject: subject.to_owned(),
    })
}

/// The issuer of tokens for GitHub Actions.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// No wildcard, no variable.
fn plain(text: &str) -> bool {
    !text.contains(['*', '?', '$'])
}

impl Trust {
    /// The trust policy of a role of `account` in this partition.
    pub fn document(&self, partition: &str, account: &str) -> PolicyDocument {
        let (name, purpose, statement) = match self {
            Trust::Ec2 => service("ec2", "ec2.amazonaws.com", "an instance profile's role"),
            Trust::Lambda => service(
                "lambda",
                "lambda.amazonaws.com",
                "a Lambda function's execution role",
            ),
            Trust::EcsTasks => {
                let (name, purpose, mut statement) = service(
                    "ecs-tasks",
                    "ecs-tasks.amazonaws.com",
                    "an ECS task role (taskRoleArn)",
                );
                // ECS acts for many customers: only for tasks of this account.
                statement.conditions = equals("StringEquals", &[("aws:SourceAccount", account)]);
                (name, purpose, statement)
            }
            Trust::Pods => {
                let (name, purpose, mut statement) =
                    service("pods", "pods.eks.amazonaws.com", "an EKS Pod Identity role");
                statement.actions.insert("sts:TagSession".to_owned());
                (name, purpose, statement)
            }
            Trust::Github(subject) => {
                let host = GITHUB;
                let provider = format!("arn:{partition}:iam::{account}:oidc-provider/{host}");
                let mut statement =
                    statement("Federated", &provider, "sts:AssumeRoleWithWebIdentity");
                let (audience, sub) = (format!("{host}:aud"), format!("{host}:sub"));
                statement.conditions = equals(
                    "StringEquals",
                    &[(&audience, "sts.amazonaws.com"), (&sub, subject)],
                );
                (
                    "github",
                    "a role for one repository's GitHub Actions",
                    statement,
                )
            }
            Trust::CodeBuild => {
                let (name, purpose, mut statement) = service(
                    "codebuild",
                    "codebuild.amazonaws.com",
                    "a CodeBuild project's service role",
                );
                // CodeBuild acts for many customers: only for projects of this account.
                statement.conditions = equals("StringEquals", &[("aws:SourceAccount", account)]);
                (name, purpose, statement)
            }
            Trust::Oidc {
                issuer,
                audience,
                subject,
            } => {
                let provider = format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}");
                let mut statement =
                    statement("Federated", &provider, "sts:AssumeRoleWithWebIdentity");
                let (aud, sub) = (format!("{issuer}:aud"), format!("{issuer}:sub"));
                statement.conditions = equals("StringEquals", &[(&aud, audience)]);
                let operator = match subject.contains(['*', '?']) {
                    true => "StringLike",
                    false => "StringEquals",
                };
                let conditions = equals(operator, &[(&sub, subject)]);
                for (operator, keys) in conditions {
                    statement
                        .conditions
                        .entry(operator)
                        .or_default()
                        .extend(keys);
                }
                (
                    "oidc",
                    "a role for one subject of an identity provider",
                    statement,
                )
            }
            Trust::RolesAnywhere(anchor) => {
                let (name, purpose, mut statement) = service(
                    "roles-anywhere",
                    "rolesanywhere.amazonaws.com",
                    "a role for machines with a certificate",
                );
                statement
                    .actions
                    .extend(["sts:SetSourceIdentity", "sts:TagSession"].map(str::to_owned));
                statement.conditions = equals("ArnEquals", &[("aws:SourceArn", anchor)]);
                (name, purpose, statement)
            }
            Trust::CrossAccount(other, external_id) => {
                let root = format!("arn:{partition}:iam::{other}:root");
                let mut statement = statement("AWS", &root, "sts:AssumeRole");
                statement.conditions = equals("StringEquals", &[("sts:ExternalId", external_id)]);
                (
                    "cross-account",
                    "a role that another account assumes with an external id",
                    statement,
                )
            }
        };
        PolicyDocument {
            name: format!("trust-{name}"),
            purpose: format!("trust policy of {purpose}"),
            statements: vec![statement],
        }
    }
}

fn statement(kind: &'static str, principal: &str, action: &str) -> Statement {
    Statement {
        sid: "Trust".to_owned(),
        principal: Some((kind, vec![principal.to_owned()])),
        actions: [action.to_owned()].into(),
        ..Statement::default()
    }
}

fn service(
    name: &'static str,
    principal: &str,
    purpose: &'static str,
) -> (&'static str, &'static str, Statement) {
    (
        name,
        purpose,
        statement("Service", principal, "sts:AssumeRole"),
    )
}

fn equals(operator: &str, pairs: &[(&str, &str)]) -> Conditions {
    let keys = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()]));
    Conditions::from([(operator.to_owned(), keys.collect::<BTreeMap<_, _>>())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let trust: Trust = text.parse().unwrap();
        trust.document("aws", "111122223333").json().to_string()
    }

    #[test]
    fn services_are_trusted_by_name() {
        assert_eq!(
            written("ec2"),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"Trust","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#
        );
        assert!(written("pods").contains(r#""Action":["sts:AssumeRole","sts:TagSession"]"#));
        assert!(written("codebuild").contains(r#""Service":"codebuild.amazonaws.com""#));
        assert!(written("ecs-tasks").contains(r#""aws:SourceAccount":"111122223333""#));
    }

    #[test]
    fn strangers_are_kept_out() {
        let github = written("github=example/infra:ref:refs/heads/main");
        assert!(github.contains(r#""token.actions.githubusercontent.com:sub":"repo:example/infra:ref:refs/heads/main""#), "{github}");
        assert!(
            github.contains(r#""token.actions.githubusercontent.com:aud":"sts.amazonaws.com""#)
        );
        assert!(written("cross-account=444455556666:x7").contains(r#""sts:ExternalId":"x7""#));
        let gitlab =
            "oidc=gitlab.com,https://gitlab.com,project_path:ours/shop:ref_type:branch:ref:main";
        assert_eq!(
            written(gitlab),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"Trust","Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/gitlab.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"gitlab.com:aud":"https://gitlab.com","gitlab.com:sub":"project_path:ours/shop:ref_type:branch:ref:main"}}}]}"#
        );
        let terraform = written(
            "oidc=app.terraform.io,aws.workload.identity,organization:ours:project:shop:workspace:main:run_phase:*",
        );
        assert!(
            terraform.contains(
                r#""StringLike":{"app.terraform.io:sub":"organization:ours:project:shop:"#
            ),
            "{terraform}"
        );
        for refused in [
            "oidc=gitlab.com,https://gitlab.com,project_path:*",
            "oidc=gitlab.com,https://gitlab.com,*",
            "oidc=gitlab.com,https://gitlab.com,",
            "oidc=https://gitlab.com,https://gitlab.com,project_path:ours/shop:ref:main",
            "oidc=app.terraform.io,aws.workload.identity,organization:ours:*",
            "oidc=token.actions.githubusercontent.com,sts.amazonaws.com,repo:ours/shop:ref:refs/heads/main",
            "github",
            "github=example/infra",
            "github=example/*:ref:refs/heads/main",
            "github=example/infra:*",
            "cross-account=444455556666",
            "cross-account=vendor:x7",
            "roles-anywhere=",
            "roles-anywhere=arn:aws:rolesanywhere:eu-west-1:1:trust-anchor/*",
            "ec2=i-1",
            "jenkins",
        ] {
            assert!(refused.parse::<Trust>().is_err(), "{refused}");
        }
    }
}
