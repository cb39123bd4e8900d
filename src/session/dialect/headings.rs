//! What is a column called that has no name?
//!
//! In: a statement as it was typed. Out: the same, with the text of an expression as its column's name. Promise: `count(*)` is called
//! `count(*)`, not what the engine calls it (`count(Int64(1))`); a name that was given stays, and so does that of a plain column.

use datafusion::sql::sqlparser::ast::{Expr, Ident, SelectItem, SetExpr, Statement};

/// A longer text says less than no name of its own.
const LONGEST: usize = 120;

/// Names the columns of a query's answer.
pub(super) fn name(statement: &mut Statement) {
    if let Statement::Query(query) = statement {
        of(&mut query.body);
    }
}

fn of(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) = item
                    && is_computed(expr)
                {
                    let text = expr.to_string();
                    if text.len() <= LONGEST {
                        *item = SelectItem::ExprWithAlias {
                            expr: expr.clone(),
                            alias: Ident::with_quote('"', text),
                        };
                    }
                }
            }
        }
        SetExpr::Query(query) => of(&mut query.body),
        // The first part names the columns of all.
        SetExpr::SetOperation { left, .. } => of(left),
        _ => {}
    }
}

/// Whether the engine would make up a name: columns, and fields of columns, have one.
fn is_computed(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::CompoundFieldAccess { .. }
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..)
    )
}

#[cfg(test)]
mod tests {
    use super::super::parse::{typed, words};

    fn named(sql: &str) -> String {
        let statements = typed(words(sql).unwrap()).unwrap();
        statements[0].to_string()
    }

    #[test]
    fn what_was_typed_is_the_name() {
        assert_eq!(
            named("SELECT count(*), 1, event_name, max(a) AS b FROM events"),
            "SELECT count(*) AS \"count(*)\", 1 AS \"1\", event_name, max(a) AS b FROM events"
        );
        assert_eq!(
            named("SELECT substr(a, -2), b AT TIME ZONE 'UTC', (SELECT 1), c IS NULL, d.e FROM f"),
            "SELECT substr(a, -2) AS \"SUBSTR(a, -2)\", at_timezone(b, 'UTC') AS \"b AT TIME ZONE 'UTC'\", (SELECT 1) AS \"(SELECT 1)\", c IS NULL AS \"c IS NULL\", d.e FROM f"
        );
        assert_eq!(
            named("SELECT a FROM b UNION ALL SELECT count(*) FROM c"),
            "SELECT a FROM b UNION ALL SELECT count(*) FROM c"
        );
        assert_eq!(
            named("SELECT * FROM (SELECT count(*) FROM b)"),
            "SELECT * FROM (SELECT count(*) FROM b)"
        );
    }
}
