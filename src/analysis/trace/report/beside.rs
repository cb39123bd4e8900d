//! What the steps have to know besides the credentials of the tree.
//!
//! In: what was created, all changes, and all credentials. Out: [`Beside`]: ways in that the intruder opened and nobody closed, users
//! that it can sign in as, passwords that were set since, and keys of others that a step would stop. Promise: nothing that
//! may be the owner's is to be closed.

use super::super::graph::births::call;
use super::super::graph::deeds::{rfc3339, short};
use super::super::graph::facts::{Changes, number, text};
use super::super::graph::nodes::Nodes;
use super::cleanup_table::comment;
use super::renamed::Renames;
use super::unseen::listed;
use crate::analysis::findings::principals;
use crate::analysis::shell::{option, quoted};
use crate::json::Value;
use crate::report::trace::{Created, Credential, Origin, State, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Account and name of a user or role.
pub(in crate::analysis::trace) type Named = (String, String);

/// Knows it.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Beside {
    /// Steps that close a way into a role, or an identity provider.
    pub(super) closings: Vec<Step>,
    /// Roles to which everything is denied: their sessions need no step.
    pub(super) denied_roles: BTreeSet<Named>,
    /// Users that the intruder made, or whose password it set and nobody set since.
    pub(super) users: BTreeSet<Named>,
    /// When others set a password again that the intruder had set.
    pub(super) resets: BTreeMap<Named, String>,
    /// Keys that are not the intruder's, with the time of their last use.
    others: BTreeMap<Named, BTreeMap<String, i64>>,
    /// Names of today.
    pub(super) renames: Renames,
}

/// Denies everything, whoever assumes a role. It is short, and nothing of the role's own has to be known.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html>
const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

impl Beside {
    /// Of what was created; `tree` are the tree's credentials, and `has_intruders` says of a node whether it was used from an address of
    /// the intruder's.
    pub(in crate::analysis::trace) fn new(
        created: &[Created],
        (changes, renames): (&Changes, Renames),
        (nodes, tree): (&Nodes<'_>, &[Credential]),
        has_intruders: impl Fn(usize) -> bool,
    ) -> Self {
        let mut beside = Self {
            renames,
            ..Self::default()
        };
        let strange = || {
            let rows = created.iter();
            rows.filter(|row| row.origin <= Origin::Suspicious && row.account_id.is_some())
        };
        let there = |kind: &'static str| {
            strange().filter(move |row| row.kind == kind && row.state == State::There)
        };
        // Nobody can undo that.
        let providers = there("identity_provider").filter(|row| row.origin == Origin::Intruder);
        for row in providers.filter(|row| row.undo.starts_with("aws ")) {
            beside.closings.push(Step {
                what: format!(
                    "delete identity provider {}, which the intruder created: whoever runs it can assume roles that trust it",
                    row.id
                ),
                command: row.undo.clone(),
            });
        }
        for row in there("role") {
            if beside.denied_roles.insert(named(row)) {
                beside.closings.push(deny_role(row));
            }
        }
        let mut trusts = BTreeSet::new();
        for row in there("trust") {
            let role = named(row);
            if !beside.denied_roles.contains(&role) && trusts.insert(role) {
                let changed = strange().filter(|row| row.kind == "trust");
                let changed: BTreeSet<&str> = changed.map(|row| row.event_id.as_str()).collect();
                beside.closings.push(trust(row, changes, &changed));
            }
        }
        beside.users = there("user").chain(there("password")).map(named).collect();
        for row in strange().filter(|row| row.kind == "password") {
            let reset = row.removed_by_event_id.as_deref();
            let is_reset = row.state == State::RemovedByOthers;
            let time = reset
                .filter(|_| is_reset)
                .and_then(|id| time_of(changes, id));
            if let Some(time) = time.filter(|_| !beside.users.contains(&named(row))) {
                beside.resets.insert(named(row), rfc3339(time));
            }
        }
        beside.others = others(changes, (nodes, tree), &beside.users, has_intruders);
        beside
    }

    /// What else a step against a user stops, in words.
    pub(super) fn also_stops(&self, user: &Named) -> String {
        let keys = self.others.get(user).into_iter().flatten();
        let keys =
            keys.map(|(key, last)| format!("{key}, used by the owner until {} UTC", short(*last)));
        let keys: Vec<String> = keys.collect();
        match keys.len() {
            0 => String::new(),
            1 => format!("; it also stops the user's other key {}", keys[0]),
            _ => format!("; it also stops the user's other keys {}", listed(&keys)),
        }
    }
}

/// Keys of the users of the tree, and of these users, that are not the intruder's, with the time of their last use.
fn others(
    changes: &Changes,
    (nodes, tree): (&Nodes<'_>, &[Credential]),
    users: &BTreeSet<Named>,
    has_intruders: impl Fn(usize) -> bool,
) -> BTreeMap<Named, BTreeMap<String, i64>> {
    let is_asked = |one: &&Credential| one.origin != Origin::Owner || one.depth == 0;
    let asked = || tree.iter().filter(is_asked);
    let theirs: BTreeSet<&str> = asked()
        .filter_map(|one| one.access_key_id.as_deref())
        .collect();
    let mut users = users.clone();
    users.extend(asked().filter_map(|one| {
        let (head, path) = one.principal_arn.as_deref()?.split_once(":user/")?;
        let (account, name) = (head.rsplit(':').next()?, path.rsplit('/').next()?);
        Some((account.to_owned(), name.to_owned()))
    }));
    let mut others: BTreeMap<Named, BTreeMap<String, i64>> = BTreeMap::new();
    for (at, node) in nodes.all.iter().enumerate() {
        let (Some(key), Some(account), Some(user), Some((_, last))) =
            (node.key, node.account, node.user_name, node.seen)
        else {
            continue;
        };
        if !node.is_long_term() || theirs.contains(key) || has_intruders(at) {
            continue;
        }
        let user = (account.to_owned(), user.to_owned());
        if users.contains(&user) && !is_off(changes, key, last) {
            others.entry(user).or_default().insert(key.to_owned(), last);
        }
    }
    others
}

/// Whether a key was deactivated or deleted after its last use.
fn is_off(changes: &Changes, key: &str, last: i64) -> bool {
    let mut rows = 0..changes.len();
    rows.any(|row| {
        let operation = text(&changes.operation, row).unwrap_or_default();
        if !matches!(operation, "DeleteAccessKey" | "UpdateAccessKey")
            || number(&changes.event_time, row).is_none_or(|time| time < last)
        {
            return false;
        }
        let call = call(changes, row);
        call.first("request.accessKeyId").as_deref() == Some(key)
            && call.first("request.status").as_deref() != Some("Active")
    })
}

fn named(row: &Created) -> Named {
    (row.account_id.clone().unwrap_or_default(), row.id.clone())
}

fn who(row: &Created) -> &'static str {
    match row.origin {
        Origin::Intruder => "the intruder",
        _ => "a suspicious use",
    }
}

fn time_of(changes: &Changes, event: &str) -> Option<i64> {
    let mut rows = 0..changes.len();
    let row = rows.find(|row| text(&changes.event_id, *row) == Some(event))?;
    number(&changes.event_time, row)
}

fn deny_role(row: &Created) -> Step {
    let (account, name) = named(row);
    Step {
        what: format!(
            "deny everything to role {name}, which {} created: it can be assumed again (account {account}); delete it later",
            who(row)
        ),
        command: format!(
            "aws iam put-role-policy {} --policy-name keytrail-deny-all --policy-document {}",
            option("--role-name", &name),
            quoted(DENY_ALL)
        ),
    }
}

/// The trust policy of a role as it was before the intruder, who changed it with these events.
fn trust(row: &Created, changes: &Changes, changed: &BTreeSet<&str>) -> Step {
    let (account, name) = named(row);
    let (mut before, mut is_changed) = (None, false);
    let mut let_in = Vec::new();
    for at in 0..changes.len() {
        let path = match text(&changes.operation, at) {
            Some("CreateRole") => "request.assumeRolePolicyDocument",
            Some("UpdateAssumeRolePolicy") => "request.policyDocument",
            _ => continue,
        };
        let call = call(changes, at);
        let is_same = text(&changes.account_id, at) == Some(account.as_str())
            && call.first("request.roleName").as_deref() == Some(name.as_str());
        let event = text(&changes.event_id, at).unwrap_or_default();
        match (is_same, changed.contains(event)) {
            (false, _) => {}
            (true, true) => {
                is_changed = true;
                let_in = principals(&call.first(path).unwrap_or_default());
            }
            (true, false) if !is_changed => before = call.first(path),
            (true, false) => {}
        }
    }
    let before = before.filter(|document| Value::parse(document).is_some());
    let what = format!(
        "put the trust policy of role {name} right, which {} changed: the role can be assumed again (account {account})",
        who(row)
    );
    let command = match before {
        Some(document) => format!(
            "aws iam update-assume-role-policy {} {}",
            option("--role-name", &name),
            option("--policy-document", &document)
        ),
        None => {
            let whom = match let_in.is_empty() {
                true => String::new(),
                false => format!("; the intruder's names {}", listed(&let_in)),
            };
            comment(&format!(
                "these logs do not have the policy before {}: write one that names only who needs the role, with aws iam update-assume-role-policy{whom}",
                row.event_id
            ))
        }
    };
    Step { what, command }
}
