//! How two credentials are known to belong together: the rules, and the links that they find.
//!
//! In: credentials and calls. Out: links with their rule, event and confidence. Promise: a link names the event it rests on;
//! a rule that only knows the principal says so.

mod entered;
mod made;

use super::births::{Newborn, SESSION_CALLS, call, newborn};
use super::facts::{CLOCK, Changes, Facts, SECOND, number, text};
use super::nodes::{Index, Node, Nodes};
use crate::report::trace::{Confidence, Rule};
use rustc_hash::{FxHashMap, FxHashSet};

/// The event that a link rests on: a row of `issued` or of `changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::analysis::trace) enum Evidence {
    Issued(u32),
    Change(u32),
    /// No event: the session shows it.
    None,
}

/// From a credential to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis::trace) struct Link {
    pub(in crate::analysis::trace) to: usize,
    pub(in crate::analysis::trace) evidence: Evidence,
    pub(in crate::analysis::trace) rule: Rule,
    pub(in crate::analysis::trace) confidence: Confidence,
    /// Events of the other before this moment do not belong to the tree.
    pub(in crate::analysis::trace) since: Option<i64>,
}

/// Names of roles that Identity Center makes begin so; the permission set's name and a number follow.
pub(in crate::analysis::trace) const PORTAL: &str = "AWSReservedSSO_";

/// What was asked for already: the rule and the text.
pub(in crate::analysis::trace) type Asked<'a> = FxHashSet<(Rule, &'a str)>;

/// Everything that links are looked up in.
pub(in crate::analysis::trace) struct Joins<'a> {
    pub(in crate::analysis::trace) facts: &'a Facts,
    pub(in crate::analysis::trace) nodes: &'a Nodes<'a>,
    issued_by_key: Index<'a>,
    issued_by_principal_id: Index<'a>,
    pub(in crate::analysis::trace) issues_of_key: Index<'a>,
    changes_by_key: Index<'a>,
    changes_by_principal: Index<'a>,
    /// Sessions that no answer issued, by principal and opening.
    unborn_openings: FxHashMap<(&'a str, i64), Vec<u32>>,
    /// `SwitchRole` by the principal that switched.
    switches: Vec<(String, u32)>,
    /// `AssumeRoleWithSAML` by the provider.
    saml: Vec<(String, u32)>,
    /// `DeleteUser` and `DeleteRole` by the name.
    deletions: FxHashMap<String, Vec<u32>>,
    /// Sessions of pods, by opening.
    pods: Vec<(i64, u32)>,
    /// Names of the permission sets of Identity Center, by ARN.
    permission_sets: FxHashMap<String, String>,
    /// Sessions of its roles.
    portal: Vec<u32>,
    /// Changes that let somebody in, and who came.
    pub(in crate::analysis::trace) entries: entered::Entries,
}

impl<'a> Joins<'a> {
    pub(in crate::analysis::trace) fn new(facts: &'a Facts, nodes: &'a Nodes<'a>) -> Self {
        let (issued, changes) = (&facts.issued, &facts.changes);
        let count = issued.len();
        let keyless = |row| text(&issued.access_key_id, row).is_none();
        let calls = |operation: &str, path: &str| -> Vec<(String, u32)> {
            (0..changes.len())
                .filter(|row| text(&changes.operation, *row) == Some(operation))
                .filter_map(|row| Some((call(changes, row).first(path)?, row as u32)))
                .collect()
        };
        let pod = |(n, node): (usize, &Node<'_>)| {
            let of_pod = node.session_name()?.starts_with("eks-");
            node.created
                .filter(|_| of_pod)
                .map(|created| (created, n as u32))
        };
        let mut pods: Vec<(i64, u32)> = nodes.all.iter().enumerate().filter_map(pod).collect();
        pods.sort_unstable();
        let sets = calls(
            "CreatePermissionSet",
            "response.permissionSet.permissionSetArn",
        );
        let name = |row: u32| {
            call(changes, row as usize).first("request.name|response.permissionSet.name")
        };
        let permission_sets = sets
            .into_iter()
            .filter_map(|(arn, row)| Some((arn, name(row)?)));
        let of_portal = |(n, node): (usize, &Node<'_>)| {
            node.role_name()
                .is_some_and(|role| role.starts_with(PORTAL))
                .then_some(n as u32)
        };
        let mut deletions: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        let users = calls("DeleteUser", "request.userName").into_iter();
        for (name, row) in users.chain(calls("DeleteRole", "request.roleName")) {
            deletions.entry(name).or_default().push(row);
        }
        let mut joins = Self {
            permission_sets: permission_sets.collect(),
            portal: nodes.all.iter().enumerate().filter_map(of_portal).collect(),
            issued_by_key: Index::new(count, |row| text(&issued.access_key_id, row)),
            issued_by_principal_id: Index::new(count, |row| {
                text(&issued.user_identity_principal_id, row).filter(|_| keyless(row))
            }),
            issues_of_key: Index::new(count, |row| text(&issued.issued_access_key_id, row)),
            changes_by_key: Index::new(changes.len(), |row| text(&changes.access_key_id, row)),
            changes_by_principal: Index::new(changes.len(), |row| {
                let keyless = text(&changes.access_key_id, row).is_none();
                text(&changes.user_identity_arn, row).filter(|_| keyless)
            }),
            unborn_openings: FxHashMap::default(),
            switches: calls("SwitchRole", "additional.SwitchFrom"),
            saml: calls("AssumeRoleWithSAML", "request.principalArn"),
            deletions,
            pods,
            entries: entered::Entries::of(facts),
            facts,
            nodes,
        };
        for (n, node) in nodes.all.iter().enumerate() {
            if let (Some(principal), Some(created), true) =
                (node.principal, node.created, joins.unborn(node))
            {
                let opening = joins.unborn_openings.entry((principal, created));
                opening.or_default().push(n as u32);
            }
        }
        joins
    }

    /// The calls of `changes` by a credential.
    pub(in crate::analysis::trace) fn changes_of(&self, node: &Node<'_>) -> Vec<usize> {
        match (node.key, node.principal) {
            (Some(key), _) => self
                .changes_by_key
                .get(key)
                .filter(|row| same(node, text(&self.facts.changes.user_identity_arn, *row)))
                .collect(),
            (None, Some(principal)) => self.changes_by_principal.get(principal).collect(),
            _ => Vec::new(),
        }
    }

    /// All links that lead on from a credential; of its calls, those since a moment.
    pub(in crate::analysis::trace) fn links(
        &self,
        from: usize,
        since: Option<i64>,
        asked: &mut Asked<'a>,
    ) -> Vec<Link> {
        let node = &self.nodes.all[from];
        let mut links = self.issued(node);
        for row in self.changes_of(node) {
            let time = number(&self.facts.changes.event_time, row).unwrap_or_default();
            if since.is_some_and(|since| time < since) {
                continue;
            }
            links.extend(self.of_change(row, newborn(&self.facts.changes, row).as_ref()));
        }
        self.of_same_session(node, asked, &mut links);
        links
    }

    /// The links that one call made.
    pub(in crate::analysis::trace) fn of_change(
        &self,
        row: usize,
        born: Option<&Newborn>,
    ) -> Vec<Link> {
        let time = number(&self.facts.changes.event_time, row).unwrap_or_default();
        let mut links = Vec::new();
        match born {
            Some(born) => self.of_newborn((row, time), born, &mut links),
            None if is_session_call(&self.facts.changes, row) => {
                self.of_keyless_session(row, time, &mut links);
            }
            None => {}
        }
        links
    }

    /// J1: the key in an answer. J4: the same call in the log of the role's account, which knows the caller's session but
    /// not the key.
    fn issued(&self, node: &Node<'_>) -> Vec<Link> {
        let issued = &self.facts.issued;
        let mut links = Vec::new();
        let mut add = |row: usize, rule, confidence| {
            let Some(key) = text(&issued.issued_access_key_id, row) else {
                return;
            };
            let time = number(&issued.event_time, row).unwrap_or_default();
            let principal = text(&issued.issued_principal, row);
            for (to, agrees) in self.nodes.issued(key, principal, time) {
                let confidence = if agrees {
                    confidence
                } else {
                    Confidence::Session
                };
                links.push(link(to, (Evidence::Issued(row as u32), rule), confidence));
            }
        };
        for row in node
            .key
            .into_iter()
            .flat_map(|key| self.issued_by_key.get(key))
        {
            if same(node, text(&issued.user_identity_arn, row)) {
                add(row, Rule::J1, Confidence::Exact);
            }
        }
        let by_id = node.principal_id.filter(|id| !id.is_empty()).into_iter();
        for row in by_id.flat_map(|id| self.issued_by_principal_id.get(id)) {
            let time = number(&issued.event_time, row).unwrap_or_default();
            if node.begins().is_none_or(|begins| begins <= time + CLOCK) {
                let (rule, confidence) = by_who(node);
                add(row, rule, confidence);
            }
        }
        links
    }

    /// Sessions of the same principal that no call opened: J6 and J7, forward access. What one credential of a principal
    /// has found, the others need not look for: `asked` remembers.
    fn of_same_session(&self, node: &Node<'a>, asked: &mut Asked<'a>, links: &mut Vec<Link>) {
        let nodes = self.nodes;
        if let Some(arn) = node.sign_in.filter(|arn| asked.insert((Rule::J7, *arn))) {
            for to in nodes.by_sign_in.get(arn) {
                links.push(link(to, (Evidence::None, Rule::J7), Confidence::Session));
            }
        }
        if node.kind == Some("AssumedRole") {
            // Of a role there is one session at a time with this name and opening.
            if let (Some(principal), Some(created)) = (node.principal, node.created) {
                for second in -CLOCK / SECOND..=CLOCK / SECOND {
                    let opening = (principal, created + second * SECOND);
                    for &to in self.unborn_openings.get(&opening).into_iter().flatten() {
                        let rule = (Evidence::None, self.kind_of(to as usize));
                        links.push(link(to as usize, rule, Confidence::Session));
                    }
                }
            }
        } else if let Some(principal) = node
            .principal
            .filter(|arn| asked.insert((Rule::SamePrincipal, *arn)))
        {
            for to in nodes.by_principal.get(principal) {
                let other = &nodes.all[to];
                let over = |begins| other.seen.is_some_and(|(_, last)| last < begins - CLOCK);
                let before = !node.is_long_term() && node.begins().is_some_and(over);
                if !other.is_long_term() && self.unborn(other) && !before {
                    let rule = (Evidence::None, self.kind_of(to));
                    links.push(link(to, rule, Confidence::Principal));
                }
            }
        }
        for (from, row) in &self.switches {
            if node.principal == Some(from.as_str()) {
                self.of_switch(*row as usize, links);
            }
        }
        if let Some(identity) = node
            .source_identity
            .filter(|id| asked.insert((Rule::J5, *id)))
        {
            self.of_source_identity(node, identity, links);
        }
    }

    /// What kind of session it is that no call opened.
    fn kind_of(&self, node: usize) -> Rule {
        let node = &self.nodes.all[node];
        match (self.is_forwarded(node), node.console || node.key.is_none()) {
            (true, _) => Rule::ForwardAccess,
            (_, true) => Rule::Console,
            _ => Rule::SamePrincipal,
        }
    }

    /// J6: a console session that switched to a role.
    fn of_switch(&self, row: usize, links: &mut Vec<Link>) {
        let changes = &self.facts.changes;
        let (Some(role), Some(time)) = (
            text(&changes.user_identity_arn, row),
            number(&changes.event_time, row),
        ) else {
            return;
        };
        for to in self.nodes.by_principal.get(role) {
            let created = self.nodes.all[to].created;
            if created.is_none_or(|created| (created - time).abs() <= CLOCK) {
                links.push(link(
                    to,
                    (Evidence::Change(row as u32), Rule::J6),
                    Confidence::Session,
                ));
            }
        }
    }

    /// J5: orphans with the source identity that was set when the first role of the chain was assumed.
    fn of_source_identity(&self, node: &Node<'_>, identity: &str, links: &mut Vec<Link>) {
        for to in self.nodes.by_source_identity.get(identity) {
            let other = &self.nodes.all[to];
            let later = other.begins() >= node.begins();
            if later && self.unborn(other) {
                links.push(link(to, (Evidence::None, Rule::J5), Confidence::Principal));
            }
        }
    }

    /// Whether no answer in the log issued its key.
    pub(in crate::analysis::trace) fn unborn(&self, node: &Node<'_>) -> bool {
        node.key
            .is_none_or(|key| self.issues_of_key.get(key).next().is_none())
    }

    /// Whether all its calls were made by AWS services on the principal's behalf.
    pub(in crate::analysis::trace) fn is_forwarded(&self, node: &Node<'_>) -> bool {
        let via = |row: &u32| text(&self.facts.uses.via_service, *row as usize).is_some();
        !node.rows.is_empty() && node.rows.iter().all(via)
    }
}

/// How a call without a key that issued one belongs to whom it names. Whoever an identity provider vouches for has no key: the record
/// names both ends. To the log of another account only the caller's unique id is known.
pub(in crate::analysis::trace) fn by_who(node: &Node<'_>) -> (Rule, Confidence) {
    match node.key.is_none() && node.kind != Some("AWSAccount") {
        true => (Rule::J1, Confidence::Exact),
        false => (Rule::J4, Confidence::Session),
    }
}

fn is_session_call(changes: &Changes, row: usize) -> bool {
    text(&changes.operation, row).is_some_and(|operation| SESSION_CALLS.contains(&operation))
}

/// Whether a caller's ARN is that of the credential; keys of sessions are not unique.
pub(in crate::analysis::trace) fn same(node: &Node<'_>, arn: Option<&str>) -> bool {
    match (node.principal, arn) {
        (Some(principal), Some(arn)) => principal == arn,
        _ => true,
    }
}

pub(in crate::analysis::trace) fn link(
    to: usize,
    (evidence, rule): (Evidence, Rule),
    confidence: Confidence,
) -> Link {
    Link {
        to,
        evidence,
        rule,
        confidence,
        since: None,
    }
}
