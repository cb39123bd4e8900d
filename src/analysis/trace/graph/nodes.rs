//! Credentials, as the trail shows them in use.
//!
//! In: who used which key from where. Out: one [`Node`] per session, and ways to find them. Promise: a session is a key with
//! its principal (session name included) and the time it was opened; keys of sessions are not unique, so a key may have
//! several nodes. A million of them are built in a second or two.

use super::facts::{CLOCK, Facts, Uses, number, text};
use rustc_hash::FxHashMap;

/// A credential.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis::trace) struct Node<'a> {
    pub(in crate::analysis::trace) key: Option<&'a str>,
    /// The ARN, or the unique id where there is none.
    pub(in crate::analysis::trace) principal: Option<&'a str>,
    pub(in crate::analysis::trace) principal_id: Option<&'a str>,
    pub(in crate::analysis::trace) kind: Option<&'a str>,
    pub(in crate::analysis::trace) account: Option<&'a str>,
    pub(in crate::analysis::trace) user_name: Option<&'a str>,
    pub(in crate::analysis::trace) role_arn: Option<&'a str>,
    pub(in crate::analysis::trace) source_identity: Option<&'a str>,
    pub(in crate::analysis::trace) sign_in: Option<&'a str>,
    pub(in crate::analysis::trace) issued_to: Option<&'a str>,
    pub(in crate::analysis::trace) provider: Option<&'a str>,
    pub(in crate::analysis::trace) created: Option<i64>,
    pub(in crate::analysis::trace) console: bool,
    pub(in crate::analysis::trace) events: u64,
    pub(in crate::analysis::trace) errors: u64,
    /// First and last event.
    pub(in crate::analysis::trace) seen: Option<(i64, i64)>,
    /// The rows of `uses`.
    pub(in crate::analysis::trace) rows: Vec<u32>,
}

impl<'a> Node<'a> {
    /// The part of the principal that names the session.
    pub(in crate::analysis::trace) fn session_name(&self) -> Option<&'a str> {
        let principal = self.principal?;
        match principal.split_once(":assumed-role/") {
            Some((_, role)) => role.split_once('/').map(|(_, session)| session),
            None => principal
                .split_once(":federated-user/")
                .map(|(_, name)| name),
        }
    }

    /// The role's name, without its path.
    pub(in crate::analysis::trace) fn role_name(&self) -> Option<&'a str> {
        match self.role_arn {
            Some(arn) if arn.contains(":role/") => arn.rsplit('/').next(),
            _ => {
                let (_, role) = self.principal?.split_once(":assumed-role/")?;
                role.split('/').next()
            }
        }
    }

    pub(in crate::analysis::trace) fn is_long_term(&self) -> bool {
        self.key.is_some_and(|key| key.starts_with("AKIA"))
    }

    /// When it came to be, as far as it shows itself.
    pub(in crate::analysis::trace) fn begins(&self) -> Option<i64> {
        self.created.or(self.seen.map(|(first, _)| first))
    }

    /// Whether it speaks for this principal, which is an ARN, a unique id, a user's name, or an account.
    pub(in crate::analysis::trace) fn speaks_for(&self, principal: &str) -> bool {
        self.principal == Some(principal)
            || self.user_name == Some(principal)
            || self.principal_id == Some(principal)
            || (self.kind == Some("Root")
                && self
                    .account
                    .is_some_and(|account| principal.contains(account)))
    }
}

/// Rows by a text, without a list of its own for every text.
#[derive(Debug, Default)]
pub(in crate::analysis::trace) struct Index<'a> {
    heads: FxHashMap<&'a str, u32>,
    next: Vec<u32>,
}

const END: u32 = u32::MAX;

impl<'a> Index<'a> {
    /// Of `count` rows.
    pub(in crate::analysis::trace) fn new(
        count: usize,
        of: impl Fn(usize) -> Option<&'a str>,
    ) -> Self {
        let mut index = Self {
            heads: FxHashMap::default(),
            next: vec![END; count],
        };
        // From the last on, so that rows come out in order.
        for row in (0..count).rev() {
            if let Some(text) = of(row) {
                let head = index.heads.entry(text).or_insert(END);
                index.next[row] = std::mem::replace(head, row as u32);
            }
        }
        index
    }

    /// The rows with this text, in order.
    pub(in crate::analysis::trace) fn get(&self, text: &str) -> impl Iterator<Item = usize> + '_ {
        let head = self.heads.get(text).copied().unwrap_or(END);
        let first = (head != END).then_some(head as usize);
        std::iter::successors(first, |row| {
            let next = self.next[*row];
            (next != END).then_some(next as usize)
        })
    }
}

/// All credentials of a trail.
#[derive(Debug)]
pub(in crate::analysis::trace) struct Nodes<'a> {
    pub(in crate::analysis::trace) all: Vec<Node<'a>>,
    pub(in crate::analysis::trace) by_key: Index<'a>,
    pub(in crate::analysis::trace) by_principal: Index<'a>,
    pub(in crate::analysis::trace) by_principal_id: Index<'a>,
    pub(in crate::analysis::trace) by_user: Index<'a>,
    pub(in crate::analysis::trace) by_role: Index<'a>,
    pub(in crate::analysis::trace) by_session: Index<'a>,
    pub(in crate::analysis::trace) by_issued_to: Index<'a>,
    pub(in crate::analysis::trace) by_provider: Index<'a>,
    pub(in crate::analysis::trace) by_sign_in: Index<'a>,
    pub(in crate::analysis::trace) by_source_identity: Index<'a>,
}

impl<'a> Nodes<'a> {
    /// The credentials of these uses, and those that were issued and never used.
    pub(in crate::analysis::trace) fn of(facts: &'a Facts) -> Self {
        let mut all: Vec<Node<'a>> = Vec::new();
        let mut known: FxHashMap<(&str, &str, i64), u32> = FxHashMap::default();
        let uses = &facts.uses;
        for row in 0..uses.len() {
            let node = node(uses, row);
            if node.key.is_none() && node.principal.is_none() {
                continue;
            }
            let session = (
                node.key.unwrap_or_default(),
                node.principal.unwrap_or_default(),
                node.created.unwrap_or(i64::MIN),
            );
            let at = *known.entry(session).or_insert_with(|| {
                all.push(node);
                (all.len() - 1) as u32
            });
            all[at as usize].add(uses, row);
        }
        let unused = unused(facts, &all);
        all.extend(unused);
        // The engine hands out rows in no order; the tree must not depend on it.
        all.sort_unstable_by_key(|node| (node.key, node.principal, node.created));
        let count = all.len();
        Self {
            by_key: Index::new(count, |n| all[n].key),
            by_principal: Index::new(count, |n| all[n].principal),
            by_principal_id: Index::new(count, |n| all[n].principal_id),
            by_user: Index::new(count, |n| {
                all[n]
                    .user_name
                    .filter(|_| matches!(all[n].kind, None | Some("IAMUser")))
            }),
            by_role: Index::new(count, |n| all[n].role_name()),
            by_session: Index::new(count, |n| all[n].session_name()),
            by_issued_to: Index::new(count, |n| all[n].issued_to),
            by_provider: Index::new(count, |n| all[n].provider),
            by_sign_in: Index::new(count, |n| all[n].sign_in),
            by_source_identity: Index::new(count, |n| all[n].source_identity),
            all,
        }
    }

    /// The sessions of a key that an answer issued: those of the principal it names, or, of a key that is there once, that
    /// one. The second value says whether the principal agrees.
    pub(in crate::analysis::trace) fn issued(
        &self,
        key: &str,
        principal: Option<&str>,
        time: i64,
    ) -> Vec<(usize, bool)> {
        let begins = |n: &usize| {
            self.all[*n]
                .begins()
                .is_none_or(|begins| begins >= time - CLOCK)
        };
        let candidates: Vec<usize> = self.by_key.get(key).collect();
        let agrees = |n: &usize| {
            let node = &self.all[*n];
            match principal {
                None => true,
                Some(principal) => node.principal.is_none() || node.speaks_for(principal),
            }
        };
        let agreeing: Vec<(usize, bool)> = candidates
            .iter()
            .copied()
            .filter(|n| agrees(n) && begins(n))
            .map(|n| (n, true))
            .collect();
        match (agreeing.is_empty(), candidates.as_slice()) {
            (true, [only]) if begins(only) => vec![(*only, false)],
            _ => agreeing,
        }
    }
}

/// Credentials that were issued and never used.
fn unused<'a>(facts: &'a Facts, used: &[Node<'a>]) -> Vec<Node<'a>> {
    let issued = &facts.issued;
    let keys: rustc_hash::FxHashSet<&str> = used.iter().filter_map(|node| node.key).collect();
    let mut known = rustc_hash::FxHashSet::default();
    let mut nodes = Vec::new();
    for row in 0..issued.len() {
        let Some(key) = text(&issued.issued_access_key_id, row) else {
            continue;
        };
        let principal = text(&issued.issued_principal, row);
        if keys.contains(key) || !known.insert(key) {
            continue;
        }
        let is_arn = principal.is_some_and(|principal| principal.starts_with("arn:"));
        nodes.push(Node {
            key: Some(key),
            principal: principal.filter(|_| is_arn),
            user_name: principal.filter(|_| !is_arn),
            account: text(&issued.account_id, row),
            created: number(&issued.event_time, row),
            ..Node::default()
        });
    }
    nodes
}

/// What tells one credential from another.
fn node(uses: &Uses, row: usize) -> Node<'_> {
    let arn = text(&uses.user_identity_arn, row);
    let key = text(&uses.access_key_id, row);
    Node {
        key,
        principal: arn.or(text(&uses.user_identity_principal_id, row)),
        // Of a session without a key there is only the principal to tell it by.
        created: number(&uses.session_creation_time, row).filter(|_| key.is_some()),
        ..Node::default()
    }
}

impl<'a> Node<'a> {
    fn add(&mut self, uses: &'a Uses, row: usize) {
        // Should they differ, the smallest: rows come in no order.
        let set = |old: &mut Option<&'a str>, new: Option<&'a str>| {
            *old = match (*old, new) {
                (Some(old), Some(new)) => Some(old.min(new)),
                (old, new) => old.or(new),
            };
        };
        let get = |column| text(column, row);
        set(&mut self.kind, get(&uses.user_identity_type));
        set(
            &mut self.principal_id,
            get(&uses.user_identity_principal_id),
        );
        set(&mut self.account, get(&uses.user_identity_account_id));
        set(&mut self.user_name, get(&uses.user_identity_user_name));
        set(&mut self.role_arn, get(&uses.session_issuer_arn));
        set(
            &mut self.source_identity,
            get(&uses.session_source_identity),
        );
        set(&mut self.sign_in, get(&uses.session_sign_in_session_arn));
        set(
            &mut self.issued_to,
            get(&uses.in_scope_of_credentials_issued_to),
        );
        set(&mut self.provider, get(&uses.web_id_federated_provider));
        self.console |= number(&uses.session_credential_from_console, row) == Some(1);
        self.events += number(&uses.events, row).unwrap_or_default() as u64;
        self.errors += number(&uses.errors, row).unwrap_or_default() as u64;
        if let (Some(first), Some(last)) =
            (number(&uses.first_seen, row), number(&uses.last_seen, row))
        {
            let (a, b) = self.seen.unwrap_or((first, last));
            self.seen = Some((a.min(first), b.max(last)));
        }
        self.rows.push(row as u32);
    }
}
