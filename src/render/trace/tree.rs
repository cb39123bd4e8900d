//! The lineage as a tree of text.
//!
//! In: credentials in the tree's order. Out: one line per credential, with branches. Promise: parents stand above their children;
//! many sessions of one principal that no event made are one line with their number.

use crate::report::trace::{Credential, Rule};
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

/// The lines.
pub(super) fn lines(credentials: &[Credential]) -> Vec<Line> {
    let mut entries: Vec<(u32, Line)> = Vec::new();
    let mut at = 0;
    while let Some(credential) = credentials.get(at) {
        let same = run(credentials, at);
        entries.push((credential.depth, line(at, &credentials[at..at + same])));
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

/// How many credentials from here on are shown as one: sessions of the same principal that no event made, without children.
fn run(credentials: &[Credential], at: usize) -> usize {
    let first = &credentials[at];
    if first.issued_by_event_id.is_some() || first.rule == Rule::Start {
        return 1;
    }
    let alike = |other: &Credential| {
        other.depth == first.depth
            && other.rule == first.rule
            && other.principal_arn == first.principal_arn
            && other.issued_by_event_id.is_none()
    };
    let mut count = 0;
    for (n, credential) in credentials.iter().enumerate().skip(at) {
        let child = credentials
            .get(n + 1)
            .is_some_and(|next| next.depth > credential.depth);
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

fn line(no: usize, alike: &[Credential]) -> Line {
    let first = &alike[0];
    let events = alike.iter().map(|credential| credential.events).sum();
    let errors = alike.iter().map(|credential| credential.errors).sum();
    let mut services: Vec<&str> = alike
        .iter()
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
        speaks_for: principal(first),
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
        first_seen: alike
            .iter()
            .filter_map(|credential| credential.first_seen.clone())
            .min(),
        last_seen: alike
            .iter()
            .filter_map(|credential| credential.last_seen.clone())
            .max(),
    }
}

/// The part of the ARN that names somebody.
fn principal(credential: &Credential) -> String {
    let arn = credential.principal_arn.as_deref().unwrap_or_default();
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
