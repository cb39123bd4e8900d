//! Clauses that the engine reads and does not heed, or does not plan.
//!
//! In: a query. Out: a refusal of what would be answered as if it were not there, and of what other engines have, with what
//! is written here. Promise: no clause that changes the answer is left out without a word.

use super::SqlFault;
use crate::json::is_sound;
use crate::session::functions::JSON_EXTRACT;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    JoinOperator, LimitClause, OrderByKind, Query, Select, SelectFlavor, SetExpr, SetOperator,
    SetQuantifier, TableFactor, Value, ValueWithSpan, Visit, Visitor,
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

const UNNEST: &str = "for the elements of a list write CROSS JOIN UNNEST(list) AS t(element)";

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
            if is_by_all(&order.kind) {
                return unsupported(
                    "ORDER BY ALL of *",
                    "name the columns, as in SELECT aws_region, event_name … ORDER BY ALL, or the columns to order by",
                );
            }
            if filled || order.interpolate.is_some() {
                return unsupported("WITH FILL", "");
            }
        }
        // Set operations nest to the left, as deep as there are UNIONs.
        let mut bodies = vec![&*query.body];
        while let Some(body) = bodies.pop() {
            if let SetExpr::SetOperation {
                op,
                set_quantifier,
                left,
                right,
            } = body
            {
                let counts = matches!(
                    set_quantifier,
                    SetQuantifier::All | SetQuantifier::AllByName
                );
                // The engine would keep or drop every copy of a row, not as many as the other side has.
                if counts && !matches!(op, SetOperator::Union) {
                    return unsupported(
                        &format!("{op} ALL"),
                        &format!("write {op}, or count the rows of both sides with GROUP BY"),
                    );
                }
                bodies.extend([&**left, &**right]);
            }
        }
        if let Some(LimitClause::LimitOffset { limit_by, .. }) = &query.limit_clause
            && !limit_by.is_empty()
        {
            return unsupported(
                "LIMIT … BY",
                "write QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) <= 1",
            );
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Self::Break> {
        match &value.value {
            Value::Placeholder(name) if !name.starts_with('$') => unsupported(
                &format!("the parameter {name}"),
                "give it a name, as in $name",
            ),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        if let Expr::Function(call) = expr
            && let Some((format, instead)) = foreign_format(call)
        {
            return unsupported(
                &format!("the format {format:?} of {}", call.name),
                &format!("write it like {instead}"),
            );
        }
        match expr {
            Expr::Collate { .. } => unsupported(
                "COLLATE",
                "texts are compared by their characters; for any case write lower(…), or ILIKE",
            ),
            Expr::JsonAccess { .. } => unsupported(
                "a path after a colon",
                "write json -> 'key', json ->> 'key' or json_extract_scalar(json, '$.key')",
            ),
            // To Postgres and DuckDB it is a power, to the engine the bits that differ.
            Expr::BinaryOp {
                op: BinaryOperator::BitwiseXor,
                ..
            } => unsupported(
                "the operator ^",
                "a power is power(a, b), the bits that differ are (a | b) - (a & b)",
            ),
            // The engine would take it for a regular expression that need not match the whole text.
            Expr::SimilarTo { .. } => unsupported(
                "SIMILAR TO",
                "write text ~ '^pattern$' with a regular expression, or LIKE",
            ),
            Expr::Like { any: true, .. } | Expr::ILike { any: true, .. } => unsupported(
                "LIKE ANY of a column",
                "write LIKE ANY ('a%', 'b%'), or any_match(list, x -> text LIKE x)",
            ),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq | BinaryOperator::NotEq,
                right,
            } if is_json(left) && is_no_json(right) || is_no_json(left) && is_json(right) => {
                unsupported(
                    "a comparison of JSON with a text",
                    "in JSON, a text has quotes; compare json_extract_scalar(json, path) = 'text'",
                )
            }
            Expr::Function(call) if call.parameters != FunctionArguments::None => unsupported(
                &format!("{} with two lists of arguments", call.name),
                "write one list",
            ),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            return unsupported("FROM without SELECT", "write SELECT * FROM …");
        }
        let joins = select.from.iter().flat_map(|table| &table.joins);
        for join in joins {
            match &join.join_operator {
                JoinOperator::CrossApply | JoinOperator::OuterApply => {
                    return unsupported("APPLY", "write CROSS JOIN LATERAL (SELECT …) AS t");
                }
                JoinOperator::AsOf { .. } => {
                    return unsupported(
                        "ASOF JOIN",
                        "join with ON a.event_time >= b.event_time, and keep the last with QUALIFY row_number() OVER (PARTITION BY a.event_id ORDER BY b.event_time DESC) = 1",
                    );
                }
                _ => {}
            }
        }
        if !select.sort_by.is_empty() {
            return unsupported("SORT BY", "write ORDER BY");
        }
        if !select.cluster_by.is_empty() {
            return unsupported("CLUSTER BY", "write ORDER BY");
        }
        if !select.distribute_by.is_empty() {
            return unsupported("DISTRIBUTE BY", "write ORDER BY");
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
            TableFactor::Pivot { .. } => unsupported(
                "PIVOT",
                "write a column for each value, as in count(*) FILTER (WHERE event_name = 'CreateUser') AS create_user",
            ),
            TableFactor::Unpivot { .. } => unsupported(
                "UNPIVOT",
                "write SELECT 'a' AS name, a AS value … UNION ALL SELECT 'b', b …",
            ),
            TableFactor::MatchRecognize { .. } => unsupported(
                "MATCH_RECOGNIZE",
                "compare a row with the one before it: lag(event_name) OVER (PARTITION BY access_key_id ORDER BY event_time)",
            ),
            TableFactor::TableFunction { .. } => unsupported("TABLE(…) of a function", UNNEST),
            TableFactor::Function { name, .. }
                if name.to_string().eq_ignore_ascii_case("flatten") =>
            {
                unsupported("FLATTEN as a table", UNNEST)
            }
            TableFactor::Table {
                name,
                args: Some(_),
                ..
            } if name.to_string().eq_ignore_ascii_case("flatten") => {
                unsupported("FLATTEN as a table", UNNEST)
            }
            TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => unsupported(
                "JSON_TABLE",
                "write CROSS JOIN UNNEST(CAST(json_extract(json, '$.items') AS ARRAY(VARCHAR))) AS t(item)",
            ),
            TableFactor::XmlTable { .. } => unsupported("XMLTABLE", ""),
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

/// A format of a time in the words of another function, and how it is written for this one: it would be taken for plain text.
fn foreign_format(call: &Function) -> Option<(String, &'static str)> {
    let percent = ["to_char", "date_format", "strftime"];
    let letters = ["format_datetime", "parse_datetime"];
    let is = |names: &[&str]| {
        let name = call.name.to_string();
        names.iter().any(|known| known.eq_ignore_ascii_case(&name))
    };
    let FunctionArguments::List(list) = &call.args else {
        return None;
    };
    let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(format))] = list.args.as_slice() else {
        return None;
    };
    let format = text_of(format)?;
    let named = format.chars().any(char::is_alphabetic);
    match format.contains('%') {
        false if named && is(&percent) => Some((format.to_owned(), "'%Y-%m-%d'")),
        true if is(&letters) => Some((format.to_owned(), "'yyyy-MM-dd'")),
        _ => None,
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression gives JSON.
fn is_json(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case(JSON_EXTRACT))
}

/// Whether a constant is a text that is not JSON: no JSON is the same.
fn is_no_json(expr: &Expr) -> bool {
    text_of(expr).is_some_and(|text| !is_sound(text.as_bytes()))
}

/// `ORDER BY ALL`, where it was not written anew: see `dialect::columns`.
fn is_by_all(kind: &OrderByKind) -> bool {
    match kind {
        OrderByKind::All(_) => true,
        OrderByKind::Expressions(orders) => match orders.as_slice() {
            [order] => match &order.expr {
                Expr::Identifier(name) => {
                    name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all")
                }
                _ => false,
            },
            _ => false,
        },
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
