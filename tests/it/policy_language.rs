//! IAM's policy language, as far as these policies use it: a check of the grammar, and an evaluator.
//!
//! Written from AWS's documentation of the grammar and of the evaluation, apart from the code that makes the policies.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A request, as IAM sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Keys of the context, e.g. `kms:ViaService`.
    pub(crate) context: BTreeMap<String, String>,
}

/// One text or several.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap()).collect(),
        other => panic!("{other} is neither a text nor texts"),
    }
}

/// Whether a pattern covers a text: `*` any, `?` one, `${*}`, `${?}` and `${$}` themselves.
pub(crate) fn covers(pattern: &str, text: &str) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        Any,
        One,
        Letter(char),
    }
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let escaped = ["${*}", "${?}", "${$}"]
            .into_iter()
            .find(|form| rest.starts_with(form));
        let (part, length) = match (escaped, first) {
            (Some(form), _) => (Part::Letter(form.chars().nth(2).unwrap()), form.len()),
            (None, '*') => (Part::Any, 1),
            (None, '?') => (Part::One, 1),
            (None, letter) => (Part::Letter(letter), letter.len_utf8()),
        };
        parts.push(part);
        rest = &rest[length..];
    }
    let text: Vec<char> = text.chars().collect();
    // Which ends of the text the parts so far can reach.
    let mut ends: BTreeSet<usize> = BTreeSet::from([0]);
    for part in parts {
        ends = match part {
            Part::Any => ends
                .first()
                .map_or_else(BTreeSet::new, |first| (*first..=text.len()).collect()),
            Part::One => ends
                .iter()
                .filter(|end| **end < text.len())
                .map(|end| end + 1)
                .collect(),
            Part::Letter(letter) => ends
                .iter()
                .filter(|end| text.get(**end) == Some(&letter))
                .map(|end| end + 1)
                .collect(),
        };
    }
    ends.contains(&text.len())
}

fn holds(conditions: &Value, request: &Request) -> bool {
    let Some(operators) = conditions.as_object() else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().unwrap().iter().all(|(key, values)| {
            let given = request.context.get(key);
            let equal = given.is_some_and(|given| texts(values).contains(&given.as_str()));
            match operator.as_str() {
                "StringEquals" | "ForAnyValue:StringEquals" | "Bool" => equal,
                other => panic!("the evaluator does not know {other}"),
            }
        })
    })
}

/// Whether the documents together allow the request. None of them denies.
pub(crate) fn allows(documents: &[Value], request: &Request) -> bool {
    let statements = documents
        .iter()
        .flat_map(|document| document["Statement"].as_array().unwrap());
    statements.into_iter().any(|statement| {
        assert_eq!(statement["Effect"], "Allow");
        let action = texts(&statement["Action"])
            .iter()
            .any(|pattern| covers(&pattern.to_lowercase(), &request.action.to_lowercase()));
        action
            && texts(&statement["Resource"])
                .iter()
                .any(|pattern| covers(pattern, &request.resource))
            && holds(&statement["Condition"], request)
    })
}

const OPERATORS: [&str; 10] = [
    "ArnEquals",
    "Bool",
    "BoolIfExists",
    "ForAnyValue:StringEquals",
    "NotIpAddress",
    "NotIpAddressIfExists",
    "StringEquals",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIfExists",
];

/// Fails unless the document is valid in IAM's grammar.
pub(crate) fn assert_grammar(document: &Value) {
    let fields: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["Version", "Statement"], "{document}");
    assert_eq!(document["Version"], "2012-10-17");
    let statements = document["Statement"].as_array().unwrap();
    assert!(!statements.is_empty(), "{document}");
    let mut names = BTreeSet::new();
    for statement in statements {
        assert_statement(statement);
        let name = statement["Sid"].as_str().unwrap();
        assert!(
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()),
            "{name}"
        );
        assert!(names.insert(name), "{name} twice");
    }
}

fn assert_statement(statement: &Value) {
    let known = [
        "Sid",
        "Effect",
        "Principal",
        "Action",
        "NotAction",
        "Resource",
        "Condition",
    ];
    let fields = statement.as_object().unwrap();
    assert!(
        fields.keys().all(|field| known.contains(&field.as_str())),
        "{statement}"
    );
    assert!(["Allow", "Deny"].contains(&statement["Effect"].as_str().unwrap()));
    assert_ne!(
        fields.contains_key("Action"),
        fields.contains_key("NotAction"),
        "{statement}"
    );
    // A policy of a principal has resources, a trust policy has principals.
    assert_ne!(
        fields.contains_key("Resource"),
        fields.contains_key("Principal"),
        "{statement}"
    );
    for action in texts(fields.get("Action").or(fields.get("NotAction")).unwrap()) {
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'*')
        };
        let valid = action
            .split_once(':')
            .is_some_and(|(prefix, name)| plain(prefix) && plain(name));
        assert!(valid || action == "*", "{action}");
    }
    for resource in fields.get("Resource").map(texts).unwrap_or_default() {
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        let valid = resource == "*"
            || (parts.len() == 6
                && parts[0] == "arn"
                && !parts[2].is_empty()
                && !parts[5].is_empty());
        assert!(valid && resource.len() <= 2_048, "{resource}");
    }
    for (operator, keys) in fields
        .get("Condition")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        assert!(OPERATORS.contains(&operator.as_str()), "{operator}");
        for (key, values) in keys.as_object().unwrap() {
            assert!(key.contains(':') && !texts(values).is_empty(), "{key}");
        }
    }
}

#[test]
fn the_evaluator_knows_wildcards() {
    assert!(covers("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b"));
    assert!(!covers("arn:aws:s3:::b/*", "arn:aws:s3:::bb/a"));
    assert!(covers("a${*}b", "a*b") && !covers("a${*}b", "axb"));
    assert!(
        covers("secret:db-??????", "secret:db-AbCdEf")
            && !covers("secret:db-??????", "secret:db-AbCde")
    );
    assert!(covers("*", "") && covers("*x*", "axb") && !covers("*x", "xa"));
}
