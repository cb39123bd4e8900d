//! What was made acts: links from calls to sessions that are known by name.
//!
//! In: a call, and what it brought to life. Out: links. Promise: what was there before is linked only from the call on; what was made
//! by the call is linked whole.

use super::super::births::{Born, Newborn, call};
use super::super::facts::{CLOCK, number, text};
use super::super::nodes::Node;
use super::super::paths::name_of;
use super::{Evidence, Joins, Link, PORTAL, link};
use crate::analysis::attribution::doors::is_machine;
use crate::report::trace::{Confidence, Rule};

impl Joins<'_> {
    /// J8, J9, J10: what was made acts, and is known by its name.
    pub(super) fn of_newborn(
        &self,
        (row, time): (usize, i64),
        born: &Newborn,
        links: &mut Vec<Link>,
    ) {
        let account = text(&self.facts.changes.account_id, row);
        let evidence = Evidence::Change(row as u32);
        let after = |node: &Node<'_>| node.seen.is_none_or(|(_, last)| last >= time - CLOCK);
        let opened_after =
            |node: &Node<'_>| node.begins().is_none_or(|begins| begins >= time - CLOCK);
        let here = |node: &Node<'_>| {
            let is_here = node.account.is_none() || account.is_none() || node.account == account;
            is_here && !self.is_made_anew(node, time)
        };
        let mut add = |to: usize, rule, confidence, since| {
            links.push(Link {
                since,
                ..link(to, (evidence, rule), confidence)
            });
        };
        let nodes = self.nodes;
        for (id, name) in born.ids.iter().zip(&born.names) {
            match born.birth.born {
                Born::User => {
                    for to in nodes.by_user.get(name).filter(|n| here(&nodes.all[*n])) {
                        add(to, Rule::J10, Confidence::Principal, None);
                    }
                }
                Born::Password => {
                    let console = |n: &usize| {
                        let node = &nodes.all[*n];
                        here(node)
                            && opened_after(node)
                            && !node.is_long_term()
                            && self.unborn(node)
                    };
                    for to in nodes.by_user.get(name).filter(console) {
                        add(to, Rule::J6, Confidence::Principal, Some(time - CLOCK));
                    }
                }
                Born::UserRights => {
                    for to in nodes.by_user.get(name) {
                        let node = &nodes.all[to];
                        if here(node) && after(node) {
                            add(to, Rule::J10, Confidence::Principal, Some(time - CLOCK));
                        }
                    }
                }
                Born::Role | Born::RoleRights => {
                    for to in nodes.by_role.get(name) {
                        if here(&nodes.all[to]) && opened_after(&nodes.all[to]) {
                            add(to, Rule::J10, Confidence::Principal, None);
                        }
                    }
                }
                Born::Instance => {
                    for to in nodes.by_session.get(id) {
                        let rule = if self.request_is_shared(row, to) {
                            Rule::J8
                        } else {
                            Rule::J10
                        };
                        add(to, rule, Confidence::Session, None);
                    }
                }
                Born::Host => {
                    // The value of a tag names no machine.
                    let is_named = born.birth.source != "ssm" || is_machine(name);
                    let sessions = nodes.by_session.get(name).filter(|_| is_named);
                    for to in sessions.filter(|n| after(&nodes.all[*n])) {
                        add(to, Rule::J10, Confidence::Principal, Some(time - CLOCK));
                    }
                }
                Born::Function => {
                    for to in nodes.by_issued_to.get(id).filter(|n| after(&nodes.all[*n])) {
                        add(to, Rule::J9, Confidence::Session, Some(time - CLOCK));
                    }
                    for to in nodes.by_session.get(name) {
                        let node = &nodes.all[to];
                        if here(node) && after(node) && node.kind == Some("AssumedRole") {
                            add(to, Rule::J10, Confidence::Principal, Some(time - CLOCK));
                        }
                    }
                }
                Born::Task => {
                    for to in nodes.by_session.get(name) {
                        add(to, Rule::J10, Confidence::Session, None);
                    }
                }
                Born::ServiceRole(service) => {
                    for to in nodes.by_role.get(name) {
                        let node = &nodes.all[to];
                        if opened_after(node) && self.opened_by(node, service) {
                            add(to, Rule::J10, Confidence::Principal, None);
                        }
                    }
                }
                Born::Provider => {
                    let later = |n: &usize| opened_after(&nodes.all[*n]);
                    for to in nodes.by_provider.get(id).filter(later) {
                        add(to, Rule::J10, Confidence::Session, None);
                    }
                    for to in self.of_saml(id).into_iter().filter(later) {
                        add(to, Rule::J10, Confidence::Session, None);
                    }
                }
                Born::PermissionSet => {
                    for to in self
                        .of_permission_set(row, id)
                        .into_iter()
                        .filter(|n| opened_after(&nodes.all[*n]))
                    {
                        add(to, Rule::J10, Confidence::Principal, None);
                    }
                }
                Born::PortalUser => {
                    let of_portal = |n: &usize| {
                        let role = nodes.all[*n].role_name();
                        role.is_some_and(|role| role.starts_with(PORTAL))
                            && opened_after(&nodes.all[*n])
                    };
                    for to in nodes.by_session.get(id).filter(of_portal) {
                        add(to, Rule::J10, Confidence::Principal, None);
                    }
                }
                Born::SignIn => {
                    for to in nodes.by_sign_in.get(id) {
                        add(to, Rule::J7, Confidence::Session, None);
                    }
                }
            }
        }
    }

    /// Whether the credential's user or role was deleted after a moment, before the credential: it is another of the same name.
    fn is_made_anew(&self, node: &Node<'_>, time: i64) -> bool {
        let (user, role) = (node.user_name, node.role_name());
        let changes = &self.facts.changes;
        let named = [(user, "DeleteUser"), (role, "DeleteRole")];
        let named = named.into_iter().filter_map(|(name, call)| {
            let rows = self.deletions.get(name?)?;
            Some(rows.iter().map(move |row| (*row as usize, call)))
        });
        named.flatten().any(|(row, call)| {
            let then = number(&changes.event_time, row).unwrap_or_default();
            text(&changes.operation, row) == Some(call)
                && (node.account.is_none() || text(&changes.account_id, row) == node.account)
                && then > time
                && node.begins().is_some_and(|begins| begins > then)
        })
    }

    /// The sessions of a permission set's roles: in the account that a call assigns it in, or in all.
    fn of_permission_set(&self, row: usize, set: &str) -> Vec<usize> {
        let Some(name) = self.permission_sets.get(set) else {
            return Vec::new();
        };
        let target = call(&self.facts.changes, row).first("request.targetId");
        let is_of_set = |n: &usize| {
            let node = &self.nodes.all[*n];
            let role = node.role_name().and_then(|role| role.strip_prefix(PORTAL));
            // The number has no `_`.
            let set = role.and_then(|role| role.rsplit_once('_'));
            set.is_some_and(|(set, _)| set == name)
                && target
                    .as_deref()
                    .is_none_or(|target| target.len() != 12 || node.account == Some(target))
        };
        let all = self.portal.iter().map(|n| *n as usize);
        all.filter(is_of_set).collect()
    }

    /// The sessions that a SAML provider vouched for.
    fn of_saml(&self, provider: &str) -> Vec<usize> {
        let changes = &self.facts.changes;
        let calls = self.saml.iter().filter(|(arn, _)| arn == provider);
        calls
            .flat_map(|(_, row)| {
                let row = *row as usize;
                let call = call(changes, row);
                let key = call.first("response.credentials.accessKeyId");
                let principal = call.first("response.assumedRoleUser.arn");
                let time = number(&changes.event_time, row).unwrap_or_default();
                key.map(|key| self.nodes.issued(&key, principal.as_deref(), time))
                    .unwrap_or_default()
            })
            .map(|(to, _)| to)
            .collect()
    }

    /// J2, J3: a session whose key the answer does not show, by the role's session and the time.
    pub(super) fn of_keyless_session(&self, row: usize, time: i64, links: &mut Vec<Link>) {
        if text(&self.facts.changes.operation, row) == Some("AssumeRoleForPodIdentity") {
            self.of_pod(row, time, links);
            return;
        }
        for to in self.keyless_session(row, time) {
            let call = call(&self.facts.changes, row);
            let id = call.first("response.assumedRoleUser.assumedRoleId");
            let by_id = id.is_some() && id.as_deref() == self.nodes.all[to].principal_id;
            let rule = if by_id { Rule::J2 } else { Rule::J3 };
            links.push(link(
                to,
                (Evidence::Change(row as u32), rule),
                Confidence::Session,
            ));
        }
    }

    /// A pod's session: its call shows neither key nor name; the time and the form of the name tell it, which begins with the
    /// cluster's.
    fn of_pod(&self, row: usize, time: i64, links: &mut Vec<Link>) {
        let cluster = call(&self.facts.changes, row).first("request.clusterName");
        let begins = cluster.map_or("eks-".to_owned(), |cluster| format!("eks-{cluster}-"));
        let is_here = |to: u32| {
            let name = self.nodes.all[to as usize].session_name();
            name.is_some_and(|name| name.starts_with(&begins))
        };
        let first = self
            .pods
            .partition_point(|(opened, _)| *opened < time - CLOCK);
        let then = self.pods[first..]
            .iter()
            .take_while(|(opened, _)| *opened <= time + CLOCK);
        for (_, to) in then.filter(|(_, to)| is_here(*to)) {
            let evidence = (Evidence::Change(row as u32), Rule::J3);
            links.push(link(*to as usize, evidence, Confidence::Principal));
        }
    }

    /// The sessions that a call without a key in its answer opened.
    fn keyless_session(&self, row: usize, time: i64) -> Vec<usize> {
        let call = call(&self.facts.changes, row);
        let Some(name) = call.first("request.roleSessionName") else {
            return Vec::new();
        };
        let role = call.first("request.roleArn|response.assumedRoleUser.arn");
        let role = role
            .as_deref()
            .map(|arn| match arn.split_once(":assumed-role/") {
                Some((_, role)) => role.split('/').next().unwrap_or_default(),
                None => name_of(arn),
            });
        let fits = |n: &usize| {
            let node = &self.nodes.all[*n];
            node.role_name() == role
                && node
                    .created
                    .is_some_and(|created| (created - time).abs() <= CLOCK)
        };
        self.nodes.by_session.get(&name).filter(fits).collect()
    }

    /// The rows in which the session's key was issued.
    pub(super) fn issues_of(&self, node: &Node<'_>) -> impl Iterator<Item = usize> {
        let key = node.key.into_iter();
        key.flat_map(|key| self.issues_of_key.get(key))
    }

    /// Whether this service opened the session.
    fn opened_by(&self, node: &Node<'_>, service: &str) -> bool {
        let issued = &self.facts.issued;
        self.issues_of(node).any(|row| {
            // Roles Anywhere also answers certificates itself.
            let itself = service.starts_with("rolesanywhere.")
                && text(&issued.event_name, row) == Some("CreateSession");
            itself || text(&issued.user_identity_invoked_by, row) == Some(service)
        })
    }

    /// Whether AWS opened the session for one of its services.
    pub(in crate::analysis::trace) fn opened_by_service(&self, node: &Node<'_>) -> bool {
        let issued = &self.facts.issued;
        self.issues_of(node).any(|row| {
            text(&issued.access_key_id, row).is_none()
                && text(&issued.user_identity_invoked_by, row).is_some()
        })
    }

    /// J8: EC2 opens the session of a new instance's profile under the request of the launch.
    fn request_is_shared(&self, change: usize, node: usize) -> bool {
        let request = text(&self.facts.changes.request_id, change);
        let key = self.nodes.all[node].key.into_iter();
        request.is_some()
            && key
                .flat_map(|key| self.issues_of_key.get(key))
                .any(|row| text(&self.facts.issued.request_id, row) == request)
    }
}
