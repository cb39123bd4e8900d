//! DynamoDB: what does a PartiQL statement or a transaction do?
//!
//! In: a call. Out: one action per statement or item, on its table. Promise: a statement that the event does not show is left
//! open; nothing is allowed that it does not say.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html>

use super::super::arn::literal;
use super::call::{Call, Need, Open};
use super::parameters::Parameters;
use crate::json::Value;

/// Statements by their first word.
const VERBS: [(&str, &str); 4] = [
    ("SELECT", "dynamodb:PartiQLSelect"),
    ("INSERT", "dynamodb:PartiQLInsert"),
    ("UPDATE", "dynamodb:PartiQLUpdate"),
    ("DELETE", "dynamodb:PartiQLDelete"),
];

/// Items of a transaction by the member that holds them.
const ITEMS: [(&str, &str); 5] = [
    ("get", "dynamodb:GetItem"),
    ("put", "dynamodb:PutItem"),
    ("update", "dynamodb:UpdateItem"),
    ("delete", "dynamodb:DeleteItem"),
    ("conditionCheck", "dynamodb:ConditionCheckItem"),
];

/// The needs of such a call; none for other calls of DynamoDB.
pub(super) fn needs(call: &Call<'_>, parameters: &Parameters) -> Option<Vec<Need>> {
    match call.operation {
        "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => {
            Some(statements(call, parameters))
        }
        "TransactGetItems" | "TransactWriteItems" => transaction(call, parameters),
        _ => None,
    }
}

fn statements(call: &Call<'_>, parameters: &Parameters) -> Vec<Need> {
    let mut needs = Vec::new();
    parameters.texts(&mut |name, text| {
        if name.eq_ignore_ascii_case("statement")
            && let Some((action, table, index)) = read(text)
        {
            let arn = table_arn(call, &table);
            needs.push(match index {
                Some(index) => Need::new(action, format!("{arn}/index/{}", literal(&index))),
                None => Need::new(action, arn),
            });
        }
    });
    if needs.is_empty() {
        let tables = parameters.arns();
        let subject = tables.first().map_or("*", String::as_str);
        needs.push(Need::open(
            "dynamodb:PartiQLSelect",
            subject,
            Open::Statement,
        ));
    }
    needs
}

/// Action, table and index of a statement.
fn read(statement: &str) -> Option<(&'static str, String, Option<String>)> {
    let statement = statement.trim_start();
    let (_, action) = VERBS.iter().find(|(verb, _)| {
        statement
            .get(..verb.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(verb))
    })?;
    let mut words = statement.split_whitespace();
    let names_table = match *action {
        "dynamodb:PartiQLUpdate" => words.nth(1)?,
        "dynamodb:PartiQLInsert" => words.nth(2)?,
        _ => {
            words
                .by_ref()
                .find(|word| word.eq_ignore_ascii_case("from"))?;
            words.next()?
        }
    };
    // `"orders"."by-customer"`: a table and its index. Names hold no quotation marks.
    let name = names_table.trim_end_matches([';', ',']);
    let mut parts = match name.strip_prefix('"') {
        Some(rest) => {
            let (table, rest) = rest.split_once('"')?;
            let index = rest.strip_prefix('.').map(|index| index.trim_matches('"'));
            [Some(table), index]
        }
        None => match name.split_once(".\"") {
            Some((table, index)) => [Some(table), Some(index.trim_end_matches('"'))],
            None => [Some(name), None],
        },
    }
    .into_iter()
    .map(|part| part.filter(|part| !part.is_empty()).map(str::to_owned));
    let table = parts.next().flatten()?;
    Some((action, table, parts.next().flatten()))
}

fn transaction(call: &Call<'_>, parameters: &Parameters) -> Option<Vec<Need>> {
    let items = parameters.request()["transactItems"].as_array()?;
    let mut needs = Vec::new();
    for item in items.iter().filter_map(Value::as_object) {
        for (name, detail) in item {
            let action = ITEMS
                .iter()
                .find(|(item, _)| item.eq_ignore_ascii_case(name));
            let table = detail["tableName"].as_str();
            if let (Some((_, action)), Some(table)) = (action, table) {
                needs.push(Need::new(*action, table_arn(call, table)));
            }
        }
    }
    (!needs.is_empty()).then_some(needs)
}

fn table_arn(call: &Call<'_>, table: &str) -> String {
    if table.starts_with("arn:") {
        return literal(table);
    }
    format!(
        "arn:{}:dynamodb:{}:{}:table/{}",
        call.partition(),
        call.region,
        call.account,
        literal(table)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_what_it_does_and_to_what() {
        for (statement, action, table, index) in [
            (
                r#"SELECT * FROM "orders" WHERE id = ?"#,
                "Select",
                "orders",
                None,
            ),
            (
                r#"select a from orders."by-day" where x=1"#,
                "Select",
                "orders",
                Some("by-day"),
            ),
            (
                r#"INSERT INTO "orders" VALUE {'id':'1'}"#,
                "Insert",
                "orders",
                None,
            ),
            (
                r#"UPDATE "a.b" SET x=1 WHERE id='1'"#,
                "Update",
                "a.b",
                None,
            ),
            (
                r#"DELETE FROM "orders"."i" WHERE id='1'"#,
                "Delete",
                "orders",
                Some("i"),
            ),
        ] {
            let (found, of, on) = read(statement).unwrap();
            assert_eq!(found, format!("dynamodb:PartiQL{action}"), "{statement}");
            assert_eq!((of.as_str(), on.as_deref()), (table, index), "{statement}");
        }
        assert_eq!(read("***"), None);
        assert_eq!(read("SELECT"), None);
    }
}
