//! Where a trace starts.
//!
//! In: what a responder has: a key, an ARN, a user, an address, an instance, an event. Out: credentials of the trail. Promise:
//! the kind is told by the text's form; what fits none is a user's name.

use super::facts::{Facts, text};
use super::nodes::Nodes;
use crate::cloudtrail::{AccessKeyId, is_guid};
use std::fmt;
use std::net::IpAddr;

/// A start point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// An access key, long-term or temporary.
    AccessKey(String),
    /// A user, a role, a role session, or any other principal, by ARN.
    Principal(String),
    /// Everything seen from an address.
    SourceIp(String),
    /// What runs on an instance.
    Instance(String),
    /// Whoever is behind an event.
    Event(String),
    /// A user, by name; where there is none of that name, a role.
    User(String),
    /// A role, by name.
    Role(String),
}

impl Start {
    /// Reads what was typed.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        let owned = text.to_owned();
        let upper = text.to_ascii_uppercase();
        let key = ["AKIA", "ASIA"]
            .iter()
            .any(|prefix| upper.starts_with(prefix));
        if key && AccessKeyId::new(&upper).is_ok() {
            Start::AccessKey(upper)
        } else if text.starts_with("arn:") {
            Start::Principal(owned)
        } else if text.parse::<IpAddr>().is_ok() {
            Start::SourceIp(owned)
        } else if is_instance(text) {
            Start::Instance(owned)
        } else if text.starts_with("content-") || is_guid(text) {
            Start::Event(owned)
        } else {
            Start::User(owned)
        }
    }

    /// What was typed.
    pub fn as_str(&self) -> &str {
        match self {
            Start::AccessKey(text)
            | Start::Principal(text)
            | Start::SourceIp(text)
            | Start::Instance(text)
            | Start::Event(text)
            | Start::User(text)
            | Start::Role(text) => text,
        }
    }

    /// The address, if it is one.
    pub(in crate::analysis::trace) fn address(&self) -> Option<&str> {
        match self {
            Start::SourceIp(address) => Some(address),
            _ => None,
        }
    }

    /// What kind of thing it is.
    fn kind(&self) -> &'static str {
        match self {
            Start::AccessKey(_) => "access key",
            Start::Principal(_) => "principal",
            Start::SourceIp(_) => "address",
            Start::Instance(_) => "instance",
            Start::Event(_) => "event",
            Start::User(_) => "user",
            Start::Role(_) => "role",
        }
    }

    /// The same, or the role of this name where there is no such user.
    pub(in crate::analysis::trace) fn named(&self, nodes: &Nodes<'_>) -> Self {
        match self {
            Start::User(name)
                if nodes.by_user.get(name).next().is_none()
                    && nodes.by_role.get(name).next().is_some() =>
            {
                Start::Role(name.clone())
            }
            start => start.clone(),
        }
    }

    /// The credentials that it means. An event has been made a key or a principal before.
    pub(in crate::analysis::trace) fn nodes(&self, facts: &Facts, nodes: &Nodes<'_>) -> Vec<usize> {
        match self {
            Start::AccessKey(key) => nodes.by_key.get(key).collect(),
            Start::User(name) => nodes.by_user.get(name).collect(),
            Start::Role(name) => nodes.by_role.get(name).collect(),
            Start::Instance(id) => nodes.by_session.get(id).collect(),
            Start::Event(_) => Vec::new(),
            Start::Principal(arn) => {
                let exact: Vec<usize> = nodes.by_principal.get(arn).collect();
                match arn.split_once(":role/") {
                    Some((_, path)) if exact.is_empty() => {
                        let name = path.rsplit('/').next().unwrap_or(path);
                        let of_role = nodes.by_role.get(name);
                        let account = arn.split(':').nth(4);
                        of_role
                            .filter(|n| nodes.all[*n].account == account)
                            .collect()
                    }
                    _ => exact,
                }
            }
            Start::SourceIp(address) => {
                let uses = &facts.uses.source_ip_address;
                let there = |row: &u32| text(uses, *row as usize) == Some(address);
                let all = nodes.all.iter().enumerate();
                all.filter(|(_, node)| node.rows.iter().any(there))
                    .map(|(n, _)| n)
                    .collect()
            }
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.as_str())
    }
}

fn is_instance(text: &str) -> bool {
    let id = text.strip_prefix("i-").or_else(|| text.strip_prefix("mi-"));
    id.is_some_and(|id| id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_tells_the_kind() {
        for (text, kind) in [
            ("AKIAIOSFODNN7EXAMPLE", "access key"),
            ("ASIAIOSFODNN7EXAMPLE", "access key"),
            ("akiaiosfodnn7example", "access key"),
            ("arn:aws:iam::123456789012:user/x", "principal"),
            ("203.0.113.9", "address"),
            ("2001:db8::1", "address"),
            ("i-0a1b2c3d4e5f60718", "instance"),
            ("f8e608fd-8465-48e2-b65d-0ad849244ead", "event"),
            ("svc-export", "user"),
            ("i-am-a-user", "user"),
        ] {
            assert_eq!(Start::new(text).kind(), kind, "{text}");
        }
    }
}
