//! Policy documents, as IAM reads them.
//!
//! In: statements. Out: JSON. Promise: valid in IAM's grammar; the order of everything is fixed; a document is no longer
//! than the place it goes to allows, counted as IAM does, without white space.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Where a document goes, which says how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PolicyKind {
    /// A managed policy; ten of them go on a user or role, unless the quota was raised.
    #[default]
    Managed,
    /// All inline policies of a user together.
    UserInline,
    /// All inline policies of a role together.
    RoleInline,
}

impl PolicyKind {
    /// Every place, in the order of help texts.
    pub const ALL: [PolicyKind; 3] = [
        PolicyKind::Managed,
        PolicyKind::UserInline,
        PolicyKind::RoleInline,
    ];

    /// The name people type.
    pub fn name(self) -> &'static str {
        match self {
            PolicyKind::Managed => "managed",
            PolicyKind::UserInline => "user-inline",
            PolicyKind::RoleInline => "role-inline",
        }
    }

    /// How many characters fit.
    pub fn limit(self) -> usize {
        match self {
            PolicyKind::Managed => 6_144,
            PolicyKind::UserInline => 2_048,
            PolicyKind::RoleInline => 10_240,
        }
    }
}

/// Conditions: operator, key, values.
pub type Conditions = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// A statement that allows or denies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Letters and digits; unique in its document.
    pub sid: String,
    /// Whether it denies.
    pub deny: bool,
    /// Whom a trust policy trusts: the kind (`Service`, `AWS`, `Federated`) and the name.
    pub principal: Option<(&'static str, Vec<String>)>,
    /// The actions.
    pub actions: BTreeSet<String>,
    /// Whether it is about all actions but these.
    pub all_but: bool,
    /// The resources; none in a trust policy.
    pub resources: BTreeSet<String>,
    /// All have to hold.
    pub conditions: Conditions,
}

impl Statement {
    /// The statement as IAM reads it.
    pub fn json(&self) -> Value {
        let mut json = Map::new();
        json.insert("Sid".to_owned(), json!(self.sid));
        json.insert(
            "Effect".to_owned(),
            json!(if self.deny { "Deny" } else { "Allow" }),
        );
        if let Some((kind, names)) = &self.principal {
            json.insert("Principal".to_owned(), json!({ *kind: one_or_many(names) }));
        }
        let actions = if self.all_but { "NotAction" } else { "Action" };
        json.insert(actions.to_owned(), one_or_many(&self.actions));
        if !self.resources.is_empty() {
            json.insert("Resource".to_owned(), one_or_many(&self.resources));
        }
        if !self.conditions.is_empty() {
            let keys = |keys: &BTreeMap<String, Vec<String>>| -> Value {
                let values = keys
                    .iter()
                    .map(|(key, values)| (key.clone(), one_or_many(values)));
                Value::Object(values.collect())
            };
            let operators = self
                .conditions
                .iter()
                .map(|(operator, of)| (operator.clone(), keys(of)));
            json.insert("Condition".to_owned(), Value::Object(operators.collect()));
        }
        Value::Object(json)
    }

    fn length(&self) -> usize {
        length(&self.json())
    }

    /// Two statements that allow together what this one does; none if it cannot be divided.
    fn halves(&self) -> Option<[Statement; 2]> {
        let half = |all: &BTreeSet<String>| {
            let middle = all.len() / 2;
            let first: BTreeSet<String> = all.iter().take(middle).cloned().collect();
            let second = all.iter().skip(middle).cloned().collect();
            (all.len() > 1).then_some([first, second])
        };
        if let Some(parts) = half(&self.resources) {
            return Some(parts.map(|resources| Statement {
                resources,
                ..self.clone()
            }));
        }
        let parts = half(&self.actions)?;
        Some(parts.map(|actions| Statement {
            actions,
            ..self.clone()
        }))
    }
}

fn one_or_many<'a>(values: impl IntoIterator<Item = &'a String>) -> Value {
    let values: Vec<&String> = values.into_iter().collect();
    match values.as_slice() {
        [one] => json!(one),
        many => json!(many),
    }
}

fn length(json: &Value) -> usize {
    json.to_string().chars().count()
}

/// A document and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    /// A name for a file: `policy-1`, `guard-mfa`, `trust-ec2`.
    pub name: String,
    /// What it is and where it goes, one sentence.
    pub purpose: String,
    /// What it says.
    pub statements: Vec<Statement>,
}

impl PolicyDocument {
    /// The document as IAM reads it.
    pub fn json(&self) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(Statement::json).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    /// Its characters as IAM counts them.
    pub fn characters(&self) -> usize {
        length(&self.json())
    }
}

/// The characters of a document without statements: `{"Version":"2012-10-17","Statement":[]}`.
const EMPTY: usize = 39;

/// Puts statements into as few groups as their order allows, each of which fits; statements that are too long for a
/// document of their own are divided. Given back beside are those that cannot be divided and do not fit.
pub(super) fn packed(
    statements: Vec<Statement>,
    limit: usize,
) -> (Vec<Vec<Statement>>, Vec<Statement>) {
    let mut waiting: Vec<Statement> = statements.into_iter().rev().collect();
    let (mut groups, mut too_long) = (Vec::<Vec<Statement>>::new(), Vec::new());
    let mut used = limit;
    while let Some(statement) = waiting.pop() {
        let length = statement.length();
        if EMPTY + length > limit {
            match statement.halves() {
                Some([first, second]) => waiting.extend([second, first]),
                None => too_long.push(statement),
            }
            continue;
        }
        // A comma between statements.
        match groups.last_mut() {
            Some(group) if used + 1 + length <= limit => {
                used += 1 + length;
                group.push(statement);
            }
            _ => {
                used = EMPTY + length;
                groups.push(vec![statement]);
            }
        }
    }
    for group in &mut groups {
        number(group);
    }
    (groups, too_long)
}

/// Makes the names of statements unique: the second `S3Read` becomes `S3Read2`.
fn number(statements: &mut [Statement]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for statement in statements {
        let count = seen.entry(statement.sid.clone()).or_default();
        *count += 1;
        if *count > 1 {
            statement.sid.push_str(&count.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sid: &str, resources: usize) -> Statement {
        Statement {
            sid: sid.to_owned(),
            actions: BTreeSet::from(["s3:GetObject".to_owned()]),
            resources: (0..resources)
                .map(|n| format!("arn:aws:s3:::bucket/{n:040}"))
                .collect(),
            ..Statement::default()
        }
    }

    #[test]
    fn a_document_reads_as_iam_wants_it() {
        let document = PolicyDocument {
            name: "x".to_owned(),
            purpose: String::new(),
            statements: vec![statement("S3Read", 1)],
        };
        assert_eq!(
            document.json().to_string(),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"S3Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/0000000000000000000000000000000000000000"}]}"#
        );
        assert_eq!(
            document.characters(),
            EMPTY + statement("S3Read", 1).length()
        );
    }

    #[test]
    fn no_document_is_longer_than_its_place_allows_and_nothing_is_lost() {
        for place in PolicyKind::ALL {
            let limit = place.limit();
            let statements = vec![
                statement("S3Read", 3),
                statement("S3Read", 500),
                statement("S3Read", 2),
            ];
            let (groups, too_long) = packed(statements, limit);
            assert!(too_long.is_empty());
            let mut resources = 0;
            for (index, statements) in groups.iter().enumerate() {
                let document = PolicyDocument {
                    name: index.to_string(),
                    purpose: String::new(),
                    statements: statements.clone(),
                };
                assert!(document.characters() <= limit, "{}", document.characters());
                resources += statements
                    .iter()
                    .map(|statement| statement.resources.len())
                    .sum::<usize>();
                let names: BTreeSet<_> =
                    statements.iter().map(|statement| &statement.sid).collect();
                assert_eq!(names.len(), statements.len());
            }
            assert_eq!(resources, 505);
        }
        let (_, too_long) = packed(vec![statement("S3Read", 1)], 60);
        assert_eq!(too_long.len(), 1);
    }
}
