//! What a call says about who makes it.
//!
//! In: a service and an operation. Out: its [`CallKind`]. Promise: the table is `calls.tsv`, for people to edit; a call that is not
//! in it says nothing.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Kinds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CallKind {
    /// Who am I, what may I do?
    Asks,
    /// What is there? Programs ask this, too.
    Lists,
    /// Gives rights.
    Rights,
    /// Makes or hands out a way in.
    Credentials,
    /// Stops a log or a detector.
    Blinds,
    /// Reads a secret.
    Secrets,
    /// Reads data.
    Reads,
    /// Opens something to others.
    Shares,
    /// Starts machines, which cost.
    Launches,
    /// Removes data, or what holds it.
    Destroys,
    /// Has a model answer, which costs.
    Models,
}

const TABLE: &str = include_str!("calls.tsv");

static CALLS: LazyLock<HashMap<(&str, &str), CallKind>> = LazyLock::new(|| rows(TABLE).collect());

fn rows(table: &str) -> impl Iterator<Item = ((&str, &str), CallKind)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let kind = match cells.next()? {
            "asks" => CallKind::Asks,
            "lists" => CallKind::Lists,
            "rights" => CallKind::Rights,
            "credentials" => CallKind::Credentials,
            "blinds" => CallKind::Blinds,
            "secrets" => CallKind::Secrets,
            "reads" => CallKind::Reads,
            "shares" => CallKind::Shares,
            "launches" => CallKind::Launches,
            "destroys" => CallKind::Destroys,
            "models" => CallKind::Models,
            _ => return None,
        };
        Some(((cells.next()?, cells.next()?), kind))
    })
}

/// The kind of a call, if it has one; the service without `.amazonaws.com`.
pub(super) fn kind(service: &str, operation: &str) -> Option<CallKind> {
    CALLS.get(&(service, operation)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_call() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows(TABLE).count(), lines);
        assert_eq!(CALLS.len(), lines, "a call stands twice");
        assert_eq!(kind("sts", "GetCallerIdentity"), Some(CallKind::Asks));
        assert_eq!(kind("s3", "DeleteObject"), Some(CallKind::Destroys));
        assert_eq!(kind("s3", "PutObject"), None);
    }
}
