//! What to do now.
//!
//! In: the tree, the deeds, what others did about it. Out: steps with their commands, in order. Promise: nothing here is run;
//! deactivation comes before deletion, because an inactive key can still be asked about and can come back if a consumer
//! breaks.

use super::Lineage;
use super::births::call;
use super::facts::{Changes, number, text};
use crate::analysis::shell::quoted;
use crate::report::trace::{Credential, Origin, Step};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a long-term key.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyState {
    /// Time, event, who, and what: `Inactive`, `Active`, or `Deleted`.
    pub(super) last: Option<(i64, String, String, String)>,
}

impl KeyState {
    pub(super) fn is_dead(&self) -> bool {
        self.last
            .as_ref()
            .is_some_and(|(.., state)| state != "Active")
    }
}

/// Events about the tree by anybody: its keys made inactive or deleted, quarantine, denials.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) keys: BTreeMap<String, KeyState>,
    /// Rows of `changes`, in order.
    pub(super) rows: Vec<usize>,
    /// Quarantine policies: attached or detached, the row.
    pub(super) quarantine: Vec<(bool, usize)>,
}

/// The policies that AWS attaches to users whose keys are known to have leaked.
const QUARANTINE: &str = "AWSCompromisedKeyQuarantine";

/// Finds what was done about the tree.
pub(super) fn about(lineage: &Lineage<'_>, changes: &Changes) -> About {
    let nodes = &lineage.joins.nodes.all;
    let mut about = About::default();
    let mut keys = BTreeSet::new();
    let mut users = BTreeSet::new();
    for member in &lineage.members {
        let node = &nodes[member.node];
        keys.extend(node.key);
        if let (Some(user), Some(account)) = (node.user_name, node.account) {
            users.insert((user.to_owned(), account.to_owned()));
        }
    }
    for row in 0..changes.len() {
        let operation = text(&changes.operation, row).unwrap_or_default();
        if text(&changes.event_source, row) != Some("iam.amazonaws.com") {
            continue;
        }
        let is_key = matches!(operation, "UpdateAccessKey" | "DeleteAccessKey");
        let is_policy = matches!(
            operation,
            "AttachUserPolicy"
                | "DetachUserPolicy"
                | "PutUserPolicy"
                | "DeleteLoginProfile"
                | "DeleteUser"
        );
        if !is_key && !is_policy {
            continue;
        }
        let call = call(changes, row);
        if is_key {
            let Some(key) = call
                .first("request.accessKeyId")
                .filter(|key| keys.contains(key.as_str()))
            else {
                continue;
            };
            let state = match operation {
                "DeleteAccessKey" => "Deleted".to_owned(),
                _ => call.first("request.status").unwrap_or_default(),
            };
            let event = text(&changes.event_id, row).unwrap_or_default().to_owned();
            let who = text(&changes.user_identity_arn, row)
                .unwrap_or("somebody")
                .to_owned();
            let time = number(&changes.event_time, row).unwrap_or_default();
            about.keys.entry(key).or_default().last = Some((time, event, who, state));
        } else {
            let user = call.first("request.userName|caller").unwrap_or_default();
            let account = text(&changes.account_id, row).unwrap_or_default();
            if !users.contains(&(user, account.to_owned())) {
                continue;
            }
            let policy = call.first("request.policyArn").unwrap_or_default();
            if policy.contains(QUARANTINE) {
                about
                    .quarantine
                    .push((operation == "AttachUserPolicy", row));
            }
        }
        about.rows.push(row);
    }
    about
}

/// The steps.
pub(super) fn steps(credentials: &[Credential], about: &About, as_of: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let ours = || {
        credentials
            .iter()
            .filter(|credential| credential.origin != Origin::Consumer || credential.depth == 0)
    };
    let mut users: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    let mut roles: BTreeSet<(String, String)> = BTreeSet::new();
    for credential in ours() {
        let arn = credential.principal_arn.as_deref().unwrap_or_default();
        let account = credential.account_id.clone().unwrap_or_default();
        if let Some((_, user)) = arn.split_once(":user/") {
            let name = user.rsplit('/').next().unwrap_or(user).to_owned();
            let keys = users.entry((account, name)).or_default();
            keys.extend(
                credential
                    .access_key_id
                    .as_deref()
                    .filter(|key| key.starts_with("AKIA")),
            );
        } else if let Some((_, role)) = arn.split_once(":assumed-role/") {
            // Sessions that are over need no denial.
            if credential.live != Some(false) {
                let name = role.split('/').next().unwrap_or(role).to_owned();
                roles.insert((account, name));
            }
        }
    }
    for ((account, user), keys) in &users {
        let name = quoted(user);
        for key in keys {
            if about.keys.get(*key).is_some_and(KeyState::is_dead) {
                continue;
            }
            steps.push(Step {
                what: format!("make the key of {user} inactive ({account})"),
                command: format!("aws iam update-access-key --user-name {name} --access-key-id {} --status Inactive", quoted(key)),
            });
        }
        steps.push(Step {
            what: format!("deny everything to {user}, its federated and console sessions included ({account})"),
            command: format!(
                "aws iam put-user-policy --user-name {name} --policy-name keytrail-deny-all --policy-document '{}'",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#
            ),
        });
    }
    for (account, role) in &roles {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"DateLessThan":{{"aws:TokenIssueTime":"{as_of}"}}}}}}]}}"#
        );
        steps.push(Step {
            what: format!("end all sessions of role {role} opened before {as_of} ({account}); its workloads get new ones by themselves"),
            command: format!(
                "aws iam put-role-policy --role-name {} --policy-name keytrail-end-sessions --policy-document '{policy}'",
                quoted(role)
            ),
        });
    }
    if about.quarantine.iter().any(|(attached, _)| *attached) {
        steps.push(Step {
            what: "leave AWS's quarantine policy where it is until the support case is answered; it does not deny AssumeRole, GetSecretValue or snapshots".to_owned(),
            command: String::new(),
        });
    }
    steps
}
