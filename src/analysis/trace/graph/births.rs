//! What a call brings to life that can act later: the table of births.
//!
//! In: a call. Out: what came to be, and by which names its sessions will be known. Promise: the table is data, one row per
//! call. Keys in answers (`AssumeRole`, `GetSessionToken`,
//! `CreateAccessKey` …) are not here: `issued_access_key_id` has them.

use super::facts::{Changes, text};
use super::paths::{Call, name_of};
use std::sync::LazyLock;

/// How sessions of what was born are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis::trace) enum Born {
    /// A user: everything it does.
    User,
    /// A password of a user: its console sessions.
    Password,
    /// A role, or who may assume it: its sessions.
    Role,
    /// Rights of a user: what it does later.
    UserRights,
    /// Rights of a role: sessions opened later.
    RoleRights,
    /// An instance: sessions named after it.
    Instance,
    /// Code on an instance that was there: sessions named after it.
    Host,
    /// A function: sessions issued to it or named after it.
    Function,
    /// A task: sessions named after its id.
    Task,
    /// A role passed to a service: sessions that this service opened.
    ServiceRole(&'static str),
    /// An identity provider: sessions that it vouched for.
    Provider,
    /// Rights of a permission set of Identity Center, or its use in an account: sessions of its roles.
    PermissionSet,
    /// A user of Identity Center: sessions of its roles with the user's name.
    PortalUser,
    /// A sign-in that carries on in a program.
    SignIn,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis::trace) struct Birth {
    pub(in crate::analysis::trace) source: &'static str,
    pub(in crate::analysis::trace) operation: &'static str,
    pub(in crate::analysis::trace) born: Born,
    /// Where the id is.
    path: &'static str,
}

const TABLE: &str = include_str!("births.tsv");

/// The table.
pub(in crate::analysis::trace) static BIRTHS: LazyLock<Vec<Birth>> =
    LazyLock::new(|| rows(TABLE).collect());

fn rows(table: &'static str) -> impl Iterator<Item = Birth> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let (source, operation) = (cells.next()?, cells.next()?);
        let born = Born::named(cells.next()?, cells.next()?)?;
        let path = cells.next()?;
        Some(Birth {
            source,
            operation,
            born,
            path,
        })
    })
}

impl Born {
    /// By its name in the table, with the service that opens the sessions.
    fn named(name: &str, by: &'static str) -> Option<Self> {
        Some(match name {
            "user" => Born::User,
            "password" => Born::Password,
            "role" => Born::Role,
            "user_rights" => Born::UserRights,
            "role_rights" => Born::RoleRights,
            "instance" => Born::Instance,
            "host" => Born::Host,
            "function" => Born::Function,
            "task" => Born::Task,
            "service_role" => Born::ServiceRole(by),
            "provider" => Born::Provider,
            "permission_set" => Born::PermissionSet,
            "portal_user" => Born::PortalUser,
            "sign_in" => Born::SignIn,
            _ => return None,
        })
    }
}

/// The row of a call.
fn birth(changes: &Changes, row: usize) -> Option<&'static Birth> {
    let operation = text(&changes.operation, row)?;
    let source = text(&changes.event_source, row)?.strip_suffix(".amazonaws.com")?;
    BIRTHS
        .iter()
        .find(|birth| birth.operation == operation && birth.source == source)
}

/// Calls whose answer should show the key of a session, and sometimes does not.
pub(in crate::analysis::trace) const SESSION_CALLS: [&str; 5] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoleForPodIdentity",
    "SwitchRole",
];

/// What a call brought to life: the row of the table, and the names, ids or ARNs.
pub(in crate::analysis::trace) struct Newborn {
    pub(in crate::analysis::trace) birth: &'static Birth,
    pub(in crate::analysis::trace) ids: Vec<String>,
    /// The names at the ends of the ids.
    pub(in crate::analysis::trace) names: Vec<String>,
}

/// What the call of this row brought to life.
pub(in crate::analysis::trace) fn newborn(changes: &Changes, row: usize) -> Option<Newborn> {
    let birth = birth(changes, row)?;
    let ids = call(changes, row).all(birth.path);
    let names = ids.iter().map(|id| name_of(id).to_owned()).collect();
    (!ids.is_empty()).then_some(Newborn { birth, ids, names })
}

/// Whether the call of this row changed what was there before: its owners go on using it.
pub(in crate::analysis::trace) fn was_there(changes: &Changes, row: usize) -> bool {
    let operation = text(&changes.operation, row).unwrap_or_default();
    operation.starts_with("Update")
        || birth(changes, row).is_some_and(|birth| {
            matches!(
                birth.born,
                Born::RoleRights
                    | Born::UserRights
                    | Born::Host
                    | Born::Password
                    | Born::PermissionSet
            ) && operation != "CreateLoginProfile"
        })
}

/// Parameters and answer of this row.
pub(in crate::analysis::trace) fn call(changes: &Changes, row: usize) -> Call {
    Call {
        caller: text(&changes.user_identity_user_name, row).map(str::to_owned),
        region: text(&changes.aws_region, row).map(str::to_owned),
        account: text(&changes.account_id, row).map(str::to_owned),
        ..Call::new(
            text(&changes.request_parameters, row),
            text(&changes.response_elements, row),
            text(&changes.additional_event_data, row),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_line_of_the_table_is_a_row() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(BIRTHS.len(), lines);
        let mut calls = HashSet::new();
        for birth in BIRTHS.iter() {
            assert!(
                calls.insert((birth.source, birth.operation)),
                "{}",
                birth.operation
            );
            let named = !matches!(birth.born, Born::ServiceRole(by) if by.is_empty());
            assert!(named && !birth.path.is_empty(), "{}", birth.operation);
        }
    }
}
