//! What the text of an IAM policy does.
//!
//! In: a policy document as JSON text, URL-encoded or not. Out: whether it only takes rights away. Promise: a text that is not a
//! policy counts as one that grants permissions.

use crate::json::Value;

/// Whether every statement of a policy denies.
pub(in crate::analysis::trace) fn only_denies(document: &str) -> bool {
    let Some(document) = Value::parse(document) else {
        return false;
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => &[],
    };
    let denies =
        |statement: &Value| statement.get("Effect").and_then(Value::as_str) == Some("Deny");
    !statements.is_empty() && statements.iter().all(denies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_allows_anything_gives_rights() {
        let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
        let allow = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        assert!(only_denies(&format!(r#"{{"Statement":[{deny}]}}"#)));
        assert!(only_denies(&format!(r#"{{"Statement":{deny}}}"#)));
        assert!(!only_denies(&format!(
            r#"{{"Statement":[{deny},{allow}]}}"#
        )));
        assert!(!only_denies(r#"{"Statement":[]}"#));
        assert!(!only_denies("{broken"));
    }
}
