//! The values that conditions compare.
//!
//! In: an event and an [`Operand`]. Out: its values as text. Promise: numbers, truth values and texts are compared as AWS
//! writes them, whichever of these a service chose: `"4096"` and `4096`, `"true"` and `true` are the same.

use super::condition::Operand;
use super::events::Row;
use super::path::Path;
use crate::json::Value;
use std::borrow::Cow;

/// The values at a path.
pub(super) fn values<'c>(path: &Path, row: &Row<'c>) -> Vec<Cow<'c, str>> {
    if path.is_inside() {
        let json = row.json(path.field);
        return path
            .values(&json)
            .into_iter()
            .map(|value| Cow::Owned(text(value)))
            .collect();
    }
    row.value(path.field).into_iter().collect()
}

/// The values of an operand.
pub(super) fn resolve<'c>(operand: &Operand, row: &Row<'c>) -> Vec<Cow<'c, str>> {
    match operand {
        Operand::Path(path) => values(path, row),
        Operand::Accounts(of) => {
            let texts = resolve(of, row);
            texts
                .iter()
                .flat_map(|text| accounts(text))
                .map(Cow::Owned)
                .collect()
        }
        Operand::Principals(of) => {
            let texts = resolve(of, row);
            texts
                .iter()
                .flat_map(|text| principals(text))
                .map(Cow::Owned)
                .collect()
        }
        Operand::Join(parts) => {
            let parts: Option<Vec<String>> = parts
                .iter()
                .map(|part| resolve(part, row).into_iter().next().map(Cow::into_owned))
                .collect();
            parts
                .map(|parts| Cow::Owned(parts.join("/")))
                .into_iter()
                .collect()
        }
    }
}

/// A value as text: a number as it is written, an object as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The twelve-digit account ids in a text: a bare id, an ARN, a list of either.
fn accounts(text: &str) -> Vec<String> {
    const DIGITS: usize = 12;
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.len() == DIGITS
            && word.bytes().all(|byte| byte.is_ascii_digit())
            && !found.iter().any(|known| known == word)
        {
            found.push(word.to_owned());
        }
    }
    found
}

/// Whom the `Allow` statements of a policy document name; anybody is `*`.
pub(in crate::analysis) fn principals(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some(document) = Value::parse(document) else {
        return found;
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    for statement in statements {
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
            continue;
        }
        // Everybody but a few is everybody.
        if statement.get("NotPrincipal").is_some() {
            found.push("*".to_owned());
        }
        match statement.get("Principal") {
            Some(Value::Object(kinds)) => kinds
                .iter()
                .for_each(|(_, value)| leaves(value, &mut found)),
            Some(value) => leaves(value, &mut found),
            None => {}
        }
    }
    found
}

fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_told_from_other_numbers() {
        assert_eq!(accounts("123456789012"), ["123456789012"]);
        assert_eq!(
            accounts("arn:aws:iam::123456789012:root, 210987654321"),
            ["123456789012", "210987654321"]
        );
        assert!(accounts("1234567890123 12345678901 x123456789012 s3.amazonaws.com").is_empty());
    }

    #[test]
    fn principals_are_those_of_allow_statements() {
        let document = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","210987654321"],"Service":"ec2.amazonaws.com"}},
            {"Effect":"Deny","Principal":"*"}]}"#;
        assert_eq!(
            principals(document),
            [
                "arn:aws:iam::123456789012:root",
                "210987654321",
                "ec2.amazonaws.com"
            ]
        );
        assert_eq!(
            principals(r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#),
            ["*"]
        );
        assert_eq!(
            principals(r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"x"}}}"#),
            ["*"]
        );
        assert!(principals("no policy").is_empty());
    }
}
