//! Where in a record a value stands.
//!
//! In: a path as CloudTrail writes it, e.g. `requestParameters.ipPermissions..cidrIp`. Out: the column that holds it and
//! the way into that column's JSON. Promise: a path whose first part no record has is refused when rules are read, not
//! when they are used.

use crate::event::{COLUMNS, Field, Kind};
use serde_json::Value;

/// One step into JSON. Arrays are walked through at every step; `[]` may say so and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `.name`: a field of this object.
    Child(String),
    /// `..name`: a field of that name at any depth.
    Anywhere(String),
}

/// A place in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The column.
    pub(super) field: Field,
    steps: Vec<Step>,
}

impl Path {
    /// Reads a path; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        // Parts with how they were joined: `a.b..c` is (child a)(child b)(anywhere c).
        let mut parts = Vec::new();
        let mut rest = text;
        let mut anywhere = false;
        loop {
            let end = rest.find('.').unwrap_or(rest.len());
            let name = rest[..end].trim_end_matches("[]");
            if name.is_empty() || name.contains(['[', ']']) {
                return Err(format!("{text:?} is no path into a record"));
            }
            parts.push((anywhere, name));
            rest = &rest[end..];
            if rest.is_empty() {
                break;
            }
            anywhere = rest.starts_with("..");
            rest = &rest[if anywhere { 2 } else { 1 }..];
        }
        let (field, used) = column_of(&parts)
            .ok_or_else(|| format!("no field of a record is called {:?}", parts[0].1))?;
        let steps: Vec<Step> = parts[used..]
            .iter()
            .map(|(anywhere, name)| match anywhere {
                true => Step::Anywhere((*name).to_owned()),
                false => Step::Child((*name).to_owned()),
            })
            .collect();
        if !steps.is_empty() && field.column().kind != Kind::Json {
            return Err(format!("{text:?}: `{}` has no fields", field.column().path));
        }
        Ok(Path { field, steps })
    }

    /// Whether the path goes into a column's JSON rather than being the column.
    pub(super) fn is_inside(&self) -> bool {
        self.field.column().kind == Kind::Json
    }

    /// The values at this place; elements of arrays one by one, never null.
    pub(super) fn values<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                match step {
                    Step::Child(name) => children(value, name, &mut next),
                    Step::Anywhere(name) => descendants(value, name, &mut next),
                }
            }
            found = next;
        }
        let mut flat = Vec::with_capacity(found.len());
        found
            .into_iter()
            .for_each(|value| flatten(value, &mut flat));
        flat
    }
}

/// The column that the first parts of a path name, and how many parts that took. The objects around the caller's
/// identity may be left out: `accessKeyId`, `onBehalfOf.userId`.
fn column_of(parts: &[(bool, &str)]) -> Option<(Field, usize)> {
    let longest = parts.iter().take_while(|(anywhere, _)| !anywhere).count();
    for used in (1..=longest).rev() {
        let names: Vec<&str> = parts[..used].iter().map(|(_, name)| *name).collect();
        let name = names.join(".");
        for prefix in ["", "userIdentity.", "userIdentity.sessionContext."] {
            let found = COLUMNS.iter().position(|column| {
                !column.path.is_empty()
                    && column.path.len() == prefix.len() + name.len()
                    && column.path.starts_with(prefix)
                    && column.path.ends_with(&name)
            });
            if let Some(at) = found {
                return Some((Field::all()[at], used));
            }
        }
        if used == 1
            && let Some(field) = Field::named(&name)
        {
            return Some((field, 1));
        }
    }
    None
}

/// AWS is not of one mind about capitals (`Bucket`, `bucket`); a rule need not know.
fn children<'v>(value: &'v Value, name: &str, into: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => into.extend(
            fields
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value),
        ),
        Value::Array(items) => items.iter().for_each(|item| children(item, name, into)),
        _ => {}
    }
}

fn descendants<'v>(value: &'v Value, name: &str, into: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key.eq_ignore_ascii_case(name) {
                    into.push(value);
                }
                descendants(value, name, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| descendants(item, name, into)),
        _ => {}
    }
}

fn flatten<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| flatten(item, into)),
        value => into.push(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(path: &str, root: &Value) -> Vec<Value> {
        let path = Path::parse(path).unwrap();
        path.values(root).into_iter().cloned().collect()
    }

    #[test]
    fn paths_find_their_column() {
        for (path, field) in [
            ("accessKeyId", Field::AccessKeyId),
            ("userIdentity.accessKeyId", Field::AccessKeyId),
            ("access_key_id", Field::AccessKeyId),
            ("eventName", Field::EventName),
            ("onBehalfOf.userId", Field::OnBehalfOfUserId),
            ("userIdentity.accountId", Field::UserIdentityAccountId),
            ("sessionIssuer.arn", Field::SessionIssuerArn),
            (
                "userIdentity.sessionContext.sessionIssuer.arn",
                Field::SessionIssuerArn,
            ),
            ("resources[].ARN", Field::Resources),
            ("requestParameters..cidrIp", Field::RequestParameters),
            ("tlsDetails.tlsVersion", Field::TlsVersion),
        ] {
            assert_eq!(Path::parse(path).unwrap().field, field, "{path}");
        }
        for path in [
            "",
            "x",
            "a..b",
            "requestParameters.[x]",
            "eventName.x",
            "requestParameters.",
        ] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn steps_walk_objects_and_arrays() {
        let root = json!({
            "Rule": [{"ID": 1, "Expiration": {"Days": 3}}, {"Filter": {"x": {"Days": 9}}}],
            "key": "k", "none": null, "list": ["a", ["b"], null],
        });
        let at = |path: &str| values(&format!("requestParameters{path}"), &root);
        assert_eq!(at(".Rule.Expiration.Days"), [json!(3)]);
        assert_eq!(at(".rule[].expiration.days"), [json!(3)]);
        assert_eq!(at("..Days"), [json!(3), json!(9)]);
        assert_eq!(at(".Rule..Expiration.Days"), [json!(3)]);
        assert_eq!(at(".list[]"), [json!("a"), json!("b")]);
        assert!(at(".none").is_empty() && at(".absent").is_empty());
        assert_eq!(at("").len(), 1);
    }
}
