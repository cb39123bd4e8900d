//! What are columns of nested fields called?
//!
//! In: a query. Out: the same with names for what had none: `useridentity.arn` is called `arn`, and, where two columns would
//! be called so, by its path. Promise: a name that the query gives is kept; nothing else changes.

use crate::event::{COLUMNS, ColumnKind};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr,
    Subscript, Value, VisitorMut,
};
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// Columns with fields inside, of the tables of Athena and CloudTrail Lake.
const STRUCTS: [&str; 2] = ["useridentity", "tlsdetails"];

/// The tables that have a database before their name in Athena.
const TABLES: [&str; 2] = ["cloudtrail_logs", "cloudtrail"];

/// Columns that hold JSON text, by their own names and by those of Athena's table.
static JSON: LazyLock<Vec<String>> = LazyLock::new(|| {
    COLUMNS
        .iter()
        .filter(|column| column.kind == ColumnKind::Json)
        .flat_map(|column| [column.name.to_owned(), column.name.replace('_', "")])
        .collect()
});

/// Whether a column holds JSON text.
pub(crate) fn is_json(column: &str) -> bool {
    JSON.iter().any(|json| json.eq_ignore_ascii_case(column))
}

fn has_fields(column: &str) -> bool {
    STRUCTS.iter().any(|name| name.eq_ignore_ascii_case(column)) || is_json(column)
}

pub(super) struct Columns;

impl VisitorMut for Columns {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        name_columns(&mut query.body);
        order_by_all(query);
        order_by_names(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, table: &mut ObjectName) -> ControlFlow<()> {
        without_database(table);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => fold(name),
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(fold),
            Expr::CompoundFieldAccess { access_chain, .. } => {
                access_chain.iter_mut().for_each(subscribe);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Takes the name of a database from before Athena's tables: here there is one, whatever it is called there.
fn without_database(table: &mut ObjectName) {
    let last = table.0.last().and_then(|part| part.as_ident());
    let known = last.is_some_and(|name| {
        TABLES
            .iter()
            .any(|table| table.eq_ignore_ascii_case(&name.value))
    });
    if known {
        table.0.drain(..table.0.len() - 1);
    }
}

/// The names of CloudTrail's fields are folded even in quotes: `"eventTime"` is `eventtime` in those tables.
fn fold(name: &mut Ident) {
    let folded = name.value.to_lowercase();
    if name.quote_style.is_some() && name.value != folded && is_field(&folded) {
        name.value = folded;
    }
    // Athena's hidden column: https://docs.aws.amazon.com/athena/latest/ug/querying-hidden-columns.html
    if name.value.eq_ignore_ascii_case("$path") {
        name.value = "$path".to_owned();
    }
}

/// `resources[1].arn` as `resources[1]['arn']`, which DataFusion plans.
fn subscribe(access: &mut AccessExpr) {
    if let AccessExpr::Dot(Expr::Identifier(name)) = access {
        let name = Value::SingleQuotedString(name.value.to_lowercase());
        *access = AccessExpr::Subscript(Subscript::Index {
            index: Expr::Value(name.into()),
        });
    }
}

fn is_field(folded: &str) -> bool {
    has_fields(folded)
        || COLUMNS.iter().any(|column| {
            let mut names = column.path.split('.');
            names.any(|name| name.eq_ignore_ascii_case(folded))
        })
}

/// `ORDER BY ALL` as DuckDB has it: by every column that is selected, from left to right.
fn order_by_all(query: &mut Query) {
    let (Some(select), Some(order)) = (first_select(&query.body), &mut query.order_by) else {
        return;
    };
    let OrderByKind::Expressions(orders) = &mut order.kind else {
        return;
    };
    let all = match orders.as_slice() {
        [order] => match &order.expr {
            Expr::Identifier(name) => {
                name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all")
            }
            _ => false,
        },
        _ => false,
    };
    let listed = !select.projection.iter().any(|item| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    });
    if all && listed {
        let places = (1..=select.projection.len()).map(|place| {
            let mut order = orders[0].clone();
            order.expr = Expr::Value(Value::Number(place.to_string(), false).into());
            order
        });
        *orders = places.collect();
    }
}

/// The part of a query that names its columns.
fn first_select(mut body: &SetExpr) -> Option<&Select> {
    loop {
        body = match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            _ => return None,
        };
    }
}

/// Distinct rows are ordered by what is selected: by its name, now that it has one.
fn order_by_names(query: &mut Query) {
    let (SetExpr::Select(select), Some(order)) = (&*query.body, &mut query.order_by) else {
        return;
    };
    let OrderByKind::Expressions(orders) = &mut order.kind else {
        return;
    };
    for order in orders.iter_mut().filter(|_| select.distinct.is_some()) {
        let text = order.expr.to_string().to_lowercase();
        let same = select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                (expr.to_string().to_lowercase() == text).then_some(alias)
            }
            _ => None,
        });
        if let Some(alias) = same {
            order.expr = Expr::Identifier(alias.clone());
        }
    }
}

fn name_columns(body: &mut SetExpr) {
    // Set operations nest to the left, as deep as there are UNIONs.
    let mut bodies = vec![body];
    while let Some(body) = bodies.pop() {
        match body {
            SetExpr::Select(select) => name_selected(select),
            SetExpr::SetOperation { left, right, .. } => bodies.extend([&mut **left, &mut **right]),
            _ => {}
        }
    }
}

fn name_selected(select: &mut Select) {
    let taken: Vec<String> = select.projection.iter().filter_map(name_of).collect();
    let all = |item: &SelectItem| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    };
    let others = select.projection.iter().any(all);
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        let Some(path) = nested(expr) else {
            continue;
        };
        let Some(last) = path.last() else {
            continue;
        };
        let unique = !others && taken.iter().filter(|name| *name == last).count() == 1;
        let alias = match unique {
            true => plain(last),
            false => Ident::with_quote('"', path.join(".")),
        };
        *item = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias,
        };
    }
}

/// A name, in quotes if it would not be one without.
fn plain(name: &str) -> Ident {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match plain && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true => Ident::new(name),
        false => Ident::with_quote('"', name),
    }
}

/// What a column is called, if that can be told.
fn name_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(folded(name)),
        SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(names)) => nested(expr)
            .and_then(|path| path.last().cloned())
            .or_else(|| names.last().map(folded)),
        SelectItem::UnnamedExpr(expr) => nested(expr)?.last().cloned(),
        _ => None,
    }
}

fn folded(name: &Ident) -> String {
    let folded = name.value.to_lowercase();
    match name.quote_style {
        Some(_) if !is_field(&folded) => name.value.clone(),
        _ => folded,
    }
}

/// The path from a column to a field inside of it.
fn nested(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::CompoundIdentifier(names) => {
            // A table's name may stand before the column's.
            let column = names
                .iter()
                .take(2)
                .position(|name| has_fields(&name.value))?;
            (column + 1 < names.len()).then(|| names[column..].iter().map(folded).collect())
        }
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last()? {
            AccessExpr::Dot(Expr::Identifier(name)) => Some(vec![folded(name)]),
            _ => None,
        },
        _ => None,
    }
}
