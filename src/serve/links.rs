//! Where a value leads.
//!
//! In: a column and a value. Out: the page about it. Promise: what a log says is a value in an address, encoded; it never is an
//! address of its own.

use super::query::Address;

/// The page of a kind of value, and the name that the value has there.
fn place(column: &str) -> Option<(&'static str, &'static str)> {
    Some(match column {
        "access_key_id"
        | "access_key_ids"
        | "issued_access_key_id"
        | "parent_access_key_id"
        | "access_keys"
        | "issued_keys"
        | "key" => ("key", "access_key_id"),
        "event_id"
        | "event_ids"
        | "issued_by_event_id"
        | "removed_by_event_id"
        | "shared_event_id"
        | "example_event_id" => ("event", "event_id"),
        "source_ip_address" | "source_ip_addresses" | "addresses" | "address" => {
            ("address", "source_ip_address")
        }
        "user_identity_arn"
        | "session_issuer_arn"
        | "principal_arn"
        | "parent_principal_arn"
        | "caller"
        | "role_arn"
        | "issued_principal"
        | "user_arn" => ("role", "caller"),
        "user_identity_user_name" | "user_name" | "session_issuer_user_name" => ("role", "caller"),
        "resource" | "resources" | "target" | "arn" => ("resource", "resource"),
        "user_agent" | "user_agents" => ("find", "user_agent"),
        "event_name" | "operation" | "eventName" => ("find", "event_name"),
        "event_source" | "eventSource" => ("find", "event_source"),
        "error_code" => ("find", "error_code"),
        "aws_region" | "aws_regions" | "regions" | "region" => ("find", "aws_region"),
        "account_id" | "accounts" | "user_identity_account_id" | "recipient_account_id" => {
            ("find", "account_id")
        }
        "query" => ("query", "name"),
        "table_name" => ("table", "table"),
        _ => return None,
    })
}

/// The page about a value.
pub(super) fn of(here: &Address, column: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    let column = match (here.page.as_str(), column) {
        ("queries", "name") => "query",
        _ => column,
    };
    let (page, name) = place(column)?;
    // Counts have names of what they count.
    let counted = matches!(
        name,
        "access_key_id" | "source_ip_address" | "user_agent" | "aws_region" | "account_id"
    );
    if counted && value.len() < 7 && value.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let own = here.page == page && here.value(name) == Some(value);
    (!own).then(|| here.other(page, &[(name, value)]))
}
