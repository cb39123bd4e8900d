//! The names that user agents are made of.
//!
//! In: `names.tsv`, and the name of a product or a word. Out: what it stands for. Promise: a name that the table does not have is
//! the name of a program of its own, without its version and without what changes from run to run.

use super::Family;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An SDK: its label.
    Sdk(&'static str),
    /// A library that SDKs are built on: their label if nothing better comes.
    Base(&'static str),
    /// A program: its own name and family.
    Tool(&'static str, Family),
    /// A language's runtime.
    Runtime(&'static str),
    /// An operating system.
    Os(&'static str),
    /// A processor.
    Arch,
    /// Says nothing about who calls.
    Noise,
}

/// By the whole name, in lower case.
static NAMES: LazyLock<HashMap<&'static str, Role>> =
    LazyLock::new(|| rows().filter(|(name, _)| !name.ends_with('*')).collect());

/// By how the name begins, in lower case; the first that fits.
static PREFIXES: LazyLock<Vec<(&'static str, Role)>> = LazyLock::new(|| {
    rows()
        .filter_map(|(name, role)| Some((name.strip_suffix('*')?, role)))
        .collect()
});

fn rows() -> impl Iterator<Item = (&'static str, Role)> {
    let lines = include_str!("names.tsv").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let [name, role, value, family] =
                <[&str; 4]>::try_from(line.split('\t').collect::<Vec<_>>()).ok()?;
            Some((name, read(role, value, family)?))
        })
}

fn read(role: &str, value: &'static str, family: &str) -> Option<Role> {
    Some(match role {
        "sdk" => Role::Sdk(value),
        "base" => Role::Base(value),
        "tool" => Role::Tool(value, Family::tool(family)?),
        "runtime" => Role::Runtime(value),
        "os" => Role::Os(value),
        "arch" => Role::Arch,
        "noise" => Role::Noise,
        _ => return None,
    })
}

/// What a name stands for, if it is known.
pub(super) fn role(name: &str) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    let begins = || PREFIXES.iter().find(|(start, _)| name.starts_with(start));
    NAMES
        .get(name.as_str())
        .or_else(|| begins().map(|(_, role)| role))
        .copied()
}

/// A program's name without a version, and that version: `Hadoop 3.3.4`, `karpenter.sh-v0.31.1`.
pub(super) fn unversioned(name: &str) -> (&str, Option<&str>) {
    let at = name.rfind([' ', '-', '_', ':', '@']);
    match at.map(|at| (&name[..at], &name[at + 1..])) {
        Some((start, end)) if !start.is_empty() && is_version(end) => (start, Some(end)),
        _ => (name, None),
    }
}

/// Whether a word is a version: `3.3.4`, `v0.31.1`, `v2`.
pub(super) fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    let digit = number.starts_with(|c: char| c.is_ascii_digit());
    digit && (number.contains('.') || number.len() < word.len())
}

/// A name without what changes from run to run: numbers of four and more digits, dates, ids. Empty if nothing else is in it.
pub(super) fn lasting(name: &str) -> String {
    let is_mark = |c: char| matches!(c, ' ' | '-' | '_' | ':' | '.' | '/' | '@');
    let changes = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let id = part.len() >= 8 && digits > 1 && part.bytes().all(|b| b.is_ascii_hexdigit());
        // `20260912`, `20260912T0300Z`
        let number = digits >= 4
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'T' || b == b'Z');
        id || number
    };
    let mut kept = String::new();
    let mut cut = false;
    for part in name.split_inclusive(is_mark) {
        let word = part.trim_end_matches(is_mark);
        // What follows an id or a year belongs to it: `2026-09-12`, `8f3a2b1c-77de-…`.
        let follows = cut && !word.is_empty() && word.bytes().all(|b| b.is_ascii_hexdigit());
        if changes(word) || follows {
            cut = true;
            continue;
        }
        cut = false;
        kept.push_str(part);
    }
    kept.trim_end_matches(is_mark).to_owned()
}

/// Where the SDK found the credentials, by the letter in `m/`.
const CREDENTIAL_LETTERS: &[(&str, &str)] = &[
    ("e", "code"),
    ("f", "jvm-properties"),
    ("g", "env-vars"),
    ("h", "env-vars-web-identity"),
    ("i", "sts-assume-role"),
    ("j", "sts-assume-role-saml"),
    ("k", "web-identity"),
    ("l", "federation-token"),
    ("m", "session-token"),
    ("n", "profile"),
    ("o", "source-profile"),
    ("p", "named-provider"),
    ("q", "profile-web-identity"),
    ("r", "profile-sso"),
    ("s", "sso"),
    ("t", "profile-sso-legacy"),
    ("u", "sso-legacy"),
    ("v", "profile-process"),
    ("w", "process"),
    ("x", "boto2-config"),
    ("z", "container"),
    ("0", "instance-metadata"),
    ("3", "env-vars-bearer-token"),
    ("AC", "profile-login"),
    ("AD", "login"),
];

/// The same, as the Java SDK writes it in `cfg/auth-source`.
const AUTH_SOURCES: &[(&str, &str)] = &[
    ("stat", "code"),
    ("prof", "profile"),
    ("env", "env-vars"),
    ("sys", "jvm-properties"),
    ("stsrole", "sts-assume-role"),
    ("sso", "sso"),
    ("imds", "instance-metadata"),
    ("unknown", "unknown"),
];

fn named(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let entry = table.iter().find(|(known, _)| *known == key);
    entry.map(|(_, name)| *name)
}

pub(super) fn credential_letter(letter: &str) -> Option<&'static str> {
    named(CREDENTIAL_LETTERS, letter)
}

pub(super) fn auth_source(value: &str) -> Option<&'static str> {
    named(AUTH_SOURCES, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = include_str!("names.tsv").lines();
        let expected = lines.filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), expected);
        assert!(expected > 150);
        assert_eq!(
            role("Terraform"),
            Some(Role::Tool("Terraform", Family::Iac))
        );
        assert_eq!(
            role("ansible-core"),
            Some(Role::Tool("Ansible", Family::Iac))
        );
    }

    #[test]
    fn versions_and_ids_are_no_part_of_a_name() {
        assert_eq!(unversioned("Hadoop 3.3.4"), ("Hadoop", Some("3.3.4")));
        assert_eq!(
            unversioned("karpenter.sh-v0.31.1"),
            ("karpenter.sh", Some("v0.31.1"))
        );
        assert_eq!(unversioned("S3 Browser"), ("S3 Browser", None));
        assert_eq!(unversioned("3.1.2"), ("3.1.2", None));
        for (name, kept) in [
            ("nightly-20260912", "nightly"),
            ("nightly-2026-09-12", "nightly"),
            ("etl_job_8f3a2b1c-77de-4b7a-9c1d-0f1e2d3c4b5a", "etl_job"),
            ("web2", "web2"),
            ("backup", "backup"),
            ("20260912", ""),
        ] {
            assert_eq!(lasting(name), kept, "{name}");
        }
    }
}
