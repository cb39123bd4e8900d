//! The lineage as a tree of text.
//!
//! In: credentials in the tree's order. Out: one line per credential, with branches. Promise: parents stand above their children, the
//! intruder's branches above the owner's; many sessions of one principal that no event made, or that the owner's programs opened, are one
//! line with their number.

use crate::report::trace::{Credential, Origin, Rule};
use serde::Serialize;

/// A line of the tree.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// The credential's position, by which the timeline names it.
    pub(super) no: usize,
    pub(super) credential: String,
    pub(super) account_id: Option<String>,
    pub(super) speaks_for: String,
    pub(super) made_by: String,
    pub(super) rule: String,
    pub(super) confidence: &'static str,
    pub(super) who: &'static str,
    pub(super) events: u64,
    pub(super) errors: u64,
    pub(super) first_seen: Option<String>,
    pub(super) last_seen: Option<String>,
}

/// The lines, the intruder's branches before the others.
pub(super) fn lines(credentials: &[Credential]) -> Vec<Line> {
    let tree: Vec<(usize, &Credential)> = ordered(credentials);
    let mut entries: Vec<(u32, Line)> = Vec::new();
    let mut at = 0;
    while let Some((_, credential)) = tree.get(at) {
        let same = run(&tree, at);
        entries.push((credential.depth, line(&tree[at..at + same])));
        at += same;
    }
    let depths: Vec<u32> = entries.iter().map(|(depth, _)| *depth).collect();
    let branches = branches(&depths);
    entries
        .into_iter()
        .zip(branches)
        .map(|((_, mut line), branch)| {
            line.credential.insert_str(0, &branch);
            line
        })
        .collect()
}

/// The credentials with their positions, children of one parent in the order of who is behind them or their own children.
fn ordered(credentials: &[Credential]) -> Vec<(usize, &Credential)> {
    let mut worst: Vec<Origin> = credentials.iter().map(|one| one.origin).collect();
    // Parents stand before their children, so from behind each has seen its own.
    let mut open: Vec<(u32, Origin)> = Vec::new();
    for (at, one) in credentials.iter().enumerate().rev() {
        while let Some((depth, origin)) = open.last().copied() {
            if depth <= one.depth {
                break;
            }
            worst[at] = worst[at].min(origin);
            open.pop();
        }
        open.push((one.depth, worst[at]));
    }
    let mut paths: Vec<Vec<(Origin, usize)>> = Vec::with_capacity(credentials.len());
    let mut path: Vec<(Origin, usize)> = Vec::new();
    for (at, one) in credentials.iter().enumerate() {
        path.truncate(one.depth as usize);
        path.push((worst[at], at));
        paths.push(path.clone());
    }
    let mut order: Vec<usize> = (0..credentials.len()).collect();
    order.sort_by(|a, b| paths[*a].cmp(&paths[*b]));
    order.into_iter().map(|at| (at, &credentials[at])).collect()
}

/// How many credentials from here on are shown as one: without children, sessions of the same principal that no event made, or
/// that the owner's programs opened.
fn run(tree: &[(usize, &Credential)], at: usize) -> usize {
    let (_, first) = tree[at];
    let folds = |one: &Credential| one.issued_by_event_id.is_none() || one.origin == Origin::Owner;
    if !folds(first) || first.rule == Rule::Start {
        return 1;
    }
    let alike = |other: &Credential| {
        other.depth == first.depth
            && other.rule == first.rule
            && other.origin == first.origin
            && whose(other) == whose(first)
            && folds(other)
    };
    let mut count = 0;
    for (n, (_, credential)) in tree.iter().enumerate().skip(at) {
        let child = tree
            .get(n + 1)
            .is_some_and(|(_, next)| next.depth > credential.depth);
        if !alike(credential) || (child && n > at) {
            break;
        }
        count += 1;
        if child {
            break;
        }
    }
    count.max(1)
}

/// The principal; of a role's session the role.
fn whose(credential: &Credential) -> Option<&str> {
    let arn = credential.principal_arn.as_deref()?;
    match (arn.contains(":assumed-role/"), arn.rsplit_once('/')) {
        (true, Some((role, _))) => Some(role),
        _ => Some(arn),
    }
}

fn line(alike: &[(usize, &Credential)]) -> Line {
    let (no, first) = alike[0];
    let all = || alike.iter().map(|(_, credential)| *credential);
    let events = all().map(|credential| credential.events).sum();
    let errors = all().map(|credential| credential.errors).sum();
    let mut services: Vec<&str> = all()
        .flat_map(|credential| &credential.via_services)
        .map(String::as_str)
        .collect();
    services.sort_unstable();
    services.dedup();
    let credential = match (alike.len(), &first.access_key_id) {
        (1, Some(key)) => key.clone(),
        (1, None) => "session without a key".to_owned(),
        (count, _) => format!("{count} sessions"),
    };
    Line {
        no,
        credential,
        account_id: first.account_id.clone(),
        speaks_for: match alike.len() {
            1 => principal(first),
            _ => resource(whose(first).unwrap_or_default()),
        },
        made_by: match (&first.issued_by_event_name, services.is_empty()) {
            (Some(name), _) => name.clone(),
            (None, false) => services.join(", "),
            (None, true) => String::new(),
        },
        rule: first.rule.as_str().to_owned(),
        confidence: first.confidence.as_str(),
        who: first.used_by.as_str(),
        events,
        errors,
        first_seen: all()
            .filter_map(|credential| credential.first_seen.clone())
            .min(),
        last_seen: all()
            .filter_map(|credential| credential.last_seen.clone())
            .max(),
    }
}

/// The part of the ARN that names somebody.
fn principal(credential: &Credential) -> String {
    resource(credential.principal_arn.as_deref().unwrap_or_default())
}

fn resource(arn: &str) -> String {
    arn.splitn(6, ':').last().unwrap_or(arn).to_owned()
}

/// The branches before each entry.
fn branches(depths: &[u32]) -> Vec<String> {
    // Whether a later sibling follows before the tree goes up again.
    let more = |at: usize, depth: u32| {
        depths[at + 1..]
            .iter()
            .take_while(|other| **other >= depth)
            .any(|other| *other == depth)
    };
    // Whether the last entry of each level has siblings to come.
    let mut open: Vec<bool> = Vec::new();
    let mut branches = Vec::with_capacity(depths.len());
    for (at, &depth) in depths.iter().enumerate() {
        let level = depth as usize;
        open.resize(level + 1, false);
        open[level] = more(at, depth);
        let mut branch = String::new();
        if level > 0 {
            for open in &open[1..level] {
                branch += if *open { "│  " } else { "   " };
            }
            branch += if open[level] { "├─ " } else { "└─ " };
        }
        branches.push(branch);
    }
    branches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_join_siblings() {
        assert_eq!(
            branches(&[0, 1, 2, 2, 1, 2, 0]),
            ["", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "   └─ ", ""]
        );
    }

    #[test]
    fn the_intruders_branch_comes_first() {
        let session = |depth: u32, key: &str, role: &str, origin| Credential {
            access_key_id: Some(key.to_owned()),
            principal_arn: Some(format!("arn:aws:sts::1:assumed-role/{role}/{key}")),
            issued_by_event_id: Some(key.to_owned()),
            rule: if depth == 0 { Rule::Start } else { Rule::J1 },
            depth,
            origin,
            ..Credential::default()
        };
        let tree = [
            session(0, "A", "a", Origin::Intruder),
            session(1, "B", "etl", Origin::Owner),
            session(1, "C", "etl", Origin::Owner),
            session(1, "D", "web", Origin::Owner),
            session(2, "E", "web", Origin::Intruder),
        ];
        let lines: Vec<(usize, String)> = lines(&tree)
            .into_iter()
            .map(|line| (line.no, line.credential))
            .collect();
        let expected = [(0, "A"), (3, "├─ D"), (4, "│  └─ E"), (1, "└─ 2 sessions")];
        assert_eq!(lines, expected.map(|(no, text)| (no, text.to_owned())));
    }

    #[test]
    fn sessions_that_nobody_made_are_counted() {
        let session = |key: &str| Credential {
            access_key_id: Some(key.to_owned()),
            principal_arn: Some("arn:aws:iam::1:user/u".to_owned()),
            rule: Rule::ForwardAccess,
            depth: 1,
            events: 2,
            via_services: vec!["kms.amazonaws.com".to_owned()],
            ..Credential::default()
        };
        let start = Credential {
            access_key_id: Some("AKIA".to_owned()),
            rule: Rule::Start,
            ..Credential::default()
        };
        let lines = lines(&[start, session("ASIA1"), session("ASIA2"), session("ASIA3")]);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].credential, "└─ 3 sessions");
        assert_eq!(lines[1].events, 6);
        assert_eq!(lines[1].made_by, "kms.amazonaws.com");
        assert_eq!(lines[1].speaks_for, "user/u");
    }
}
