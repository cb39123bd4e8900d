//! Clauses that the engine reads and does not heed.
//!
//! In: a query. Out: a refusal of what would be answered as if it were not there. Promise: no clause that changes the answer
//! is left out without a word.

use super::SqlFault;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, OrderByKind, Query, Select, SelectFlavor, TableFactor, Visit, Visitor,
};
use std::ops::ControlFlow;

/// Refuses a query with such a clause.
pub(super) fn check(query: &Query) -> Result<(), SqlFault> {
    match query.visit(&mut Ignored) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(fault) => Err(*fault),
    }
}

struct Ignored;

fn unsupported(clause: &str, instead: &str) -> ControlFlow<Box<SqlFault>> {
    let instead = match instead {
        "" => String::new(),
        instead => format!(": {instead}"),
    };
    ControlFlow::Break(Box::new(SqlFault::new(format!(
        "{clause} is not supported{instead}"
    ))))
}

const SAMPLE: &str = "for a random sample of rows write WHERE random() < 0.01";

impl Visitor for Ignored {
    type Break = Box<SqlFault>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if query.fetch.is_some() {
            return unsupported("FETCH FIRST", "write LIMIT");
        }
        if query.for_clause.is_some() {
            return unsupported(
                "FOR XML, FOR JSON and FOR BROWSE",
                "the format of an answer is chosen outside the statement",
            );
        }
        if query.settings.is_some() {
            return unsupported("SETTINGS", "");
        }
        if query.format_clause.is_some() {
            return unsupported(
                "FORMAT",
                "the format of an answer is chosen outside the statement",
            );
        }
        if let Some(order) = &query.order_by {
            let filled = match &order.kind {
                OrderByKind::Expressions(orders) => {
                    orders.iter().any(|order| order.with_fill.is_some())
                }
                OrderByKind::All(_) => false,
            };
            if filled || order.interpolate.is_some() {
                return unsupported("WITH FILL", "");
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            return unsupported("FROM without SELECT", "write SELECT * FROM …");
        }
        if select.prewhere.is_some() {
            return unsupported("PREWHERE", "write WHERE");
        }
        if !select.connect_by.is_empty() {
            return unsupported("CONNECT BY", "write WITH RECURSIVE");
        }
        if select.top.is_some() {
            return unsupported("TOP", "write LIMIT at the end");
        }
        if select.value_table_mode.is_some() {
            return unsupported("SELECT AS VALUE and SELECT AS STRUCT", "");
        }
        if !select.lateral_views.is_empty() {
            return unsupported(
                "LATERAL VIEW",
                "write CROSS JOIN UNNEST(list) AS t(element)",
            );
        }
        match &select.group_by {
            GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers)
                if !modifiers.is_empty() =>
            {
                unsupported(
                    "WITH after GROUP BY",
                    "write GROUP BY ROLLUP (…) or CUBE (…)",
                )
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Self::Break> {
        match table {
            TableFactor::Table {
                sample: Some(_), ..
            }
            | TableFactor::Derived {
                sample: Some(_), ..
            } => unsupported("TABLESAMPLE", SAMPLE),
            TableFactor::Table {
                version: Some(_), ..
            } => unsupported(
                "a table as of another time",
                "events are never changed; choose their time with WHERE event_time < …",
            ),
            TableFactor::Table {
                with_ordinality: true,
                ..
            } => unsupported(
                "WITH ORDINALITY after a table function",
                "number rows with row_number() OVER ()",
            ),
            TableFactor::Table { partitions, .. } if !partitions.is_empty() => {
                unsupported("PARTITION after a table", "write WHERE event_date = …")
            }
            TableFactor::Table {
                json_path: Some(_), ..
            } => unsupported("a path after a table", ""),
            TableFactor::UNNEST { array_exprs, .. } if array_exprs.iter().any(of_a_column) => {
                unsupported(
                    "UNNEST of a column in this place",
                    "it follows its table, has a name and one list: FROM t CROSS JOIN UNNEST(t.list) AS u(element), or LEFT JOIN … ON TRUE",
                )
            }
            TableFactor::UNNEST {
                with_ordinality: true,
                ..
            } => unsupported(
                "WITH ORDINALITY without a table before it",
                "number rows with row_number() OVER ()",
            ),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Whether an expression has a column in it.
fn of_a_column(expr: &Expr) -> bool {
    struct Columns;
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Columns).is_break()
}
