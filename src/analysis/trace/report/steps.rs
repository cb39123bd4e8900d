//! What to do now.
//!
//! In: the credentials of the tree, and what others did about them. Out: steps with their commands, in order. Promise: nothing here is
//! run; a command is complete and names only what the logs name; where there is no command, the words are a comment. A key is
//! deactivated before anything is deleted: an inactive key can still be asked about, and can be activated again if a program breaks.

use super::beside::{Beside, Named};
use super::cleanup_table::comment;
use super::containment::{About, last_call};
use crate::analysis::shell::option;
use crate::report::trace::{Credential, CredentialKind, Origin, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Whom a credential speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Principal {
    Root {
        account: String,
    },
    User {
        account: String,
        name: String,
    },
    Role {
        account: String,
        name: String,
    },
    /// A session that a user opened for somebody else: what stops the user stops it.
    Federated,
    Other,
}

impl Principal {
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
    fn of(credential: &Credential) -> Self {
        let arn = credential.principal_arn.as_deref().unwrap_or_default();
        let mut parts = arn.splitn(6, ':');
        let account = parts.nth(4).unwrap_or_default().to_owned();
        let resource = parts.next().unwrap_or_default();
        let (kind, path) = resource.split_once('/').unwrap_or((resource, ""));
        let last = path.rsplit('/').next().unwrap_or_default();
        let first = path.split('/').next().unwrap_or_default();
        match kind {
            "root" if !account.is_empty() => Principal::Root { account },
            "user" if !last.is_empty() => Principal::User {
                account,
                name: last.to_owned(),
            },
            "assumed-role" if !first.is_empty() => Principal::Role {
                account,
                name: first.to_owned(),
            },
            "federated-user" => Principal::Federated,
            _ => Principal::Other,
        }
    }
}

/// AWS's policy that denies everything. As an ARN in a partition it needs no document, which would be long to copy.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSDenyAll.html>
const DENY_ALL: &str = "iam::aws:policy/AWSDenyAll";

/// Begins and ends around the moment at which the command is run.
const DENY_OLDER: (&str, &str) = (
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":""#,
    r#""}}}]}"#,
);

fn step(what: String, command: String) -> Step {
    Step { what, command }
}

/// What is asked of people, in order.
pub(in crate::analysis::trace) fn steps(
    credentials: &[Credential],
    about: &About,
    beside: &Beside,
) -> Vec<Step> {
    let ours = credentials
        .iter()
        .filter(|credential| credential.origin != Origin::Owner || credential.depth == 0);
    let mut by: BTreeMap<Principal, Vec<&Credential>> = BTreeMap::new();
    for credential in ours {
        let principal = match Principal::of(credential) {
            Principal::User { account, name } => Principal::User {
                name: beside.renames.today(
                    (account.as_str(), name.as_str()),
                    last_call(credential).unwrap_or_default(),
                ),
                account,
            },
            other => other,
        };
        by.entry(principal).or_default().push(credential);
    }
    // Users that the intruder can sign in as, whether it did or not.
    for (account, name) in &beside.users {
        let user = Principal::User {
            account: account.clone(),
            name: name.clone(),
        };
        by.entry(user).or_default();
    }
    let default = partition(&credentials.iter().collect::<Vec<_>>());
    let (mut steps, mut later) = (Vec::new(), Vec::new());
    for (principal, credentials) in &by {
        match principal {
            Principal::Root { account } => of_root(account, credentials, about, &mut steps),
            Principal::User { account, name } => {
                let is_gone = about
                    .deleted_users
                    .contains(&(name.clone(), account.clone()));
                let is_there = !is_gone || beside.users.contains(&(account.clone(), name.clone()));
                if is_there {
                    let user = (account.clone(), name.clone());
                    of_user((&user, default), credentials, (about, beside), &mut steps);
                }
            }
            // Sessions that are over need no denial.
            Principal::Role { account, name } => {
                let is_denied = beside
                    .denied_roles
                    .contains(&(account.clone(), name.clone()));
                if !is_denied
                    && credentials
                        .iter()
                        .any(|credential| credential.live != Some(false))
                {
                    later.push(of_role(account, name));
                }
            }
            Principal::Federated => {}
            Principal::Other => of_others(credentials, about, &mut later),
        }
    }
    // A session that is ended before its way in is closed is opened again at once.
    steps.extend(beside.closings.iter().cloned());
    steps.extend(later);
    if about
        .quarantine
        .last()
        .is_some_and(|(attached, _)| *attached)
    {
        steps.push(step(
            "leave AWS's quarantine policy attached until the support case is closed".to_owned(),
            comment("the policy does not deny AssumeRole, GetSecretValue or snapshots: the steps above are needed all the same"),
        ));
    }
    steps
}

/// Long-term keys that nobody deactivated or deleted, or that were used after that.
fn open_keys<'a>(credentials: &[&'a Credential], about: &About) -> BTreeSet<&'a str> {
    let keys = credentials.iter().filter_map(|credential| {
        let key = credential.access_key_id.as_deref()?;
        let state = about.keys.get(key);
        let off = state.and_then(|state| state.off_since(last_call(credential)));
        (key.starts_with("AKIA") && off.is_none()).then_some(key)
    });
    keys.collect()
}

/// Policies do not stop the root user, and its keys have no user name.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html>
fn of_root(account: &str, credentials: &[&Credential], about: &About, steps: &mut Vec<Step>) {
    for key in open_keys(credentials, about) {
        steps.push(step(
            format!("deactivate access key {key} of the root user: run this signed in as the root user of account {account}"),
            format!("aws iam update-access-key {} --status Inactive", option("--access-key-id", key)),
        ));
    }
    if credentials
        .iter()
        .any(|credential| credential.kind == CredentialKind::Console)
    {
        steps.push(step(
            format!("change the password of the root user of account {account}, and check its MFA devices and email address"),
            comment("in the console only: sign in as the root user, Security credentials"),
        ));
    }
    let is_open = |credential: &&&Credential| {
        credential.kind == CredentialKind::Temporary && credential.live != Some(false)
    };
    if credentials.iter().any(|credential| is_open(&credential)) {
        steps.push(step(
            format!("stop sessions of the root user of account {account}"),
            comment("no IAM policy stops the root user; a service control policy does in a member account. A session of AssumeRoot ends after 15 minutes"),
        ));
    }
}

fn of_user(
    (user, partition): (&Named, &str),
    credentials: &[&Credential],
    (about, beside): (&About, &Beside),
    steps: &mut Vec<Step>,
) {
    let (account, name) = user;
    let named = option("--user-name", name);
    // Whoever signed in with a password that was set since is its owner.
    let reset = beside.resets.get(user).map(String::as_str);
    let is_after = |credential: &&&Credential| {
        let is_key = credential.kind == CredentialKind::LongTerm;
        let first = credential.first_seen.as_deref();
        !is_key && reset.is_some_and(|reset| first.is_some_and(|first| first >= reset))
    };
    let credentials: Vec<&Credential> = credentials
        .iter()
        .filter(|credential| !is_after(credential))
        .copied()
        .collect();
    let is_session = |credential: &&Credential| credential.kind != CredentialKind::LongTerm;
    if reset.is_some() && credentials.iter().all(is_session) {
        if credentials.iter().any(|one| one.live != Some(false)) {
            let (begin, end) = DENY_OLDER;
            steps.push(step(
                format!("end all sessions of user {name} that are open when you run this (account {account}); its password was set again since the intruder"),
                format!("aws iam put-user-policy {named} --policy-name keytrail-end-sessions --policy-document '{begin}'\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"'{end}'"),
            ));
        }
        return;
    }
    for key in open_keys(&credentials, about) {
        steps.push(step(
            format!("deactivate access key {key} of user {name} (account {account})"),
            format!(
                "aws iam update-access-key {named} {} --status Inactive",
                option("--access-key-id", key)
            ),
        ));
    }
    steps.push(step(
        format!(
            "deny everything to user {name}, with its console and federated sessions (account {account}){}",
            beside.also_stops(user)
        ),
        format!("aws iam attach-user-policy {named} --policy-arn arn:{partition}:{DENY_ALL}"),
    ));
}

/// The partition of these credentials.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
fn partition<'a>(credentials: &[&'a Credential]) -> &'a str {
    let arns = credentials.iter();
    let mut arns = arns.filter_map(|credential| credential.principal_arn.as_deref());
    let partition = arns.find_map(|arn| arn.split(':').nth(1));
    let known = partition.filter(|name| ["aws", "aws-cn", "aws-us-gov"].contains(name));
    known.unwrap_or("aws")
}

/// A role's policies cannot be changed where AWS owns the role.
fn of_role(account: &str, name: &str) -> Step {
    if name.starts_with("AWSReservedSSO_") {
        return step(
            format!("end the sessions of {name} (account {account})"),
            comment(
                "in IAM Identity Center: disable the user, end the user's active sessions, and remove the assignment; the role itself cannot be changed",
            ),
        );
    }
    if name.starts_with("AWSServiceRoleFor") {
        return step(
            format!("find out which resource of the service uses role {name} (account {account})"),
            comment(
                "only the service uses this role; stop what it runs there, or delete the role in the service",
            ),
        );
    }
    let (begin, end) = DENY_OLDER;
    step(
        format!(
            "end all sessions of role {name} that are open when you run this (account {account}); its workloads get new ones by themselves"
        ),
        format!(
            "aws iam put-role-policy {} --policy-name keytrail-end-sessions --policy-document '{begin}'\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"'{end}'",
            option("--role-name", name)
        ),
    )
}

/// Keys that no IAM command reaches: of a Lightsail bucket, of a service.
fn of_others(credentials: &[&Credential], about: &About, steps: &mut Vec<Step>) {
    for key in open_keys(credentials, about) {
        let made = credentials
            .iter()
            .find(|credential| credential.access_key_id.as_deref() == Some(key))
            .and_then(|credential| credential.issued_by_event_name.as_deref());
        steps.push(match made {
            Some(call) => step(
                format!("delete key {key}, which {call} created"),
                comment("it does not belong to an IAM user, and outlives the key that created it; the clean-up list has its command"),
            ),
            None => step(
                format!("find out whose key {key} is, and deactivate it"),
                comment("these logs do not say which user or account it belongs to; aws sts get-access-key-info names the account"),
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(key: &str, arn: &str) -> Credential {
        Credential {
            access_key_id: (!key.is_empty()).then(|| key.to_owned()),
            principal_arn: (!arn.is_empty()).then(|| arn.to_owned()),
            kind: match key {
                "" => CredentialKind::Console,
                key if key.starts_with("AKIA") => CredentialKind::LongTerm,
                _ => CredentialKind::Temporary,
            },
            origin: Origin::Intruder,
            ..Credential::default()
        }
    }

    fn commands(credentials: &[Credential], about: &About) -> Vec<String> {
        let steps = steps(credentials, about, &Beside::default());
        steps.into_iter().map(|step| step.command).collect()
    }

    #[test]
    fn a_key_of_the_root_user_is_deactivated_without_a_name() {
        let root = "arn:aws:iam::111122223333:root";
        let found = commands(
            &[
                credential("AKIAIOSFODNN7EXAMPLE", root),
                credential("AKIAIOSFODNN7EXAMPLF", root),
            ],
            &About::default(),
        );
        assert_eq!(
            found,
            [
                "aws iam update-access-key --access-key-id AKIAIOSFODNN7EXAMPLE --status Inactive",
                "aws iam update-access-key --access-key-id AKIAIOSFODNN7EXAMPLF --status Inactive",
            ]
        );
    }

    #[test]
    fn a_role_is_cut_off_at_the_moment_of_the_command() {
        let found = commands(
            &[credential(
                "ASIAIOSFODNN7EXAMPLE",
                "arn:aws:sts::111122223333:assumed-role/web/i-1",
            )],
            &About::default(),
        );
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains(r#""aws:TokenIssueTime":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'"}"#),
            "{found:?}"
        );
    }

    #[test]
    fn what_no_command_reaches_is_a_comment() {
        for arn in [
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/mary",
            "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForSupport/x",
        ] {
            let found = commands(
                &[credential("ASIAIOSFODNN7EXAMPLE", arn)],
                &About::default(),
            );
            assert!(found.len() == 1 && found[0].starts_with("# "), "{found:?}");
        }
        let mut bucket = credential("AKIAIOSFODNN7EXAMPLE", "");
        bucket.issued_by_event_name = Some("CreateBucketAccessKey".to_owned());
        let found = commands(&[bucket], &About::default());
        assert!(
            found[0].starts_with("# it does not belong to an IAM user"),
            "{found:?}"
        );
    }

    #[test]
    fn what_is_gone_needs_no_step() {
        let user = "arn:aws:iam::111122223333:user/path/svc";
        let about = About {
            deleted_users: [("svc".to_owned(), "111122223333".to_owned())].into(),
            ..About::default()
        };
        assert!(commands(&[credential("AKIAIOSFODNN7EXAMPLE", user)], &about).is_empty());
    }
}
