//! What is joined with its own list?
//!
//! In: `FROM t CROSS JOIN UNNEST(t.resources) AS u(r)`. Out: a query inside of which each row of `t` stands once for each
//! element. Promise: rows without elements go, as a cross join has it; `u.r` is `r`, and as many names as a resource has
//! fields name these.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableAlias,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// Each row once for each element of a list, which has a name of its own.
const ROWS: &str = "SELECT *, unnest(list) AS name FROM rows WHERE list IS NOT NULL";

/// The same, with names for the fields of a resource.
const FIELDS: &str = "SELECT * EXCEPT (resource), resource['arn'] AS name, resource['accountid'] AS name, \
    resource['type'] AS name FROM (SELECT *, unnest(list) AS resource FROM rows WHERE list IS NOT NULL)";

pub(super) struct Unnest;

impl VisitorMut for Unnest {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let SetExpr::Select(select) = &mut *query.body else {
            return ControlFlow::Continue(());
        };
        for lists in unnest(select) {
            let _ = query.visit(&mut Unqualified(lists));
        }
        ControlFlow::Continue(())
    }
}

/// Rewrites the joins of a query with lists; gives the lists' names whose columns need them no more.
fn unnest(select: &mut Select) -> Vec<Ident> {
    let mut names = Vec::new();
    let mut tables: Vec<TableWithJoins> = Vec::new();
    for table in std::mem::take(&mut select.from) {
        match (as_list(&table.relation), tables.last_mut()) {
            // FROM t, UNNEST(t.list)
            (Some(list), Some(before)) if table.joins.is_empty() && before.joins.is_empty() => {
                match inside(&before.relation, &list) {
                    Some(relation) => before.relation = relation,
                    None => tables.push(table),
                }
                names.extend(list.qualifier());
            }
            _ => tables.push(table),
        }
    }
    for table in &mut tables {
        // Only the first joins: what is joined before a list would have to be inside as well.
        while let Some(join) = table.joins.first() {
            let cross = match &join.join_operator {
                JoinOperator::CrossJoin(_) => true,
                JoinOperator::Join(JoinConstraint::On(on))
                | JoinOperator::Inner(JoinConstraint::On(on)) => on.to_string() == "true",
                _ => false,
            };
            let Some(list) = as_list(&join.relation).filter(|_| cross) else {
                break;
            };
            let Some(relation) = inside(&table.relation, &list) else {
                break;
            };
            table.relation = relation;
            table.joins.remove(0);
            names.extend(list.qualifier());
        }
    }
    select.from = tables;
    names
}

/// A list in the place of a table.
struct List {
    list: Expr,
    alias: TableAlias,
}

impl List {
    /// The name that stood before the columns, unless it now is the column.
    fn qualifier(&self) -> Option<Ident> {
        (!self.alias.columns.is_empty()).then(|| self.alias.name.clone())
    }
}

fn as_list(table: &TableFactor) -> Option<List> {
    match table {
        TableFactor::UNNEST {
            alias: Some(alias),
            array_exprs,
            with_offset: false,
            with_ordinality: false,
            ..
        } => match array_exprs.as_slice() {
            // A list of constants needs no table beside it.
            [Expr::Value(_) | Expr::Array(_)] => None,
            [list] => Some(List {
                list: list.clone(),
                alias: alias.clone(),
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The table with the elements of its list, under its own name.
fn inside(table: &TableFactor, List { list, alias }: &List) -> Option<TableFactor> {
    let name = match table {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } => alias.name.clone(),
        TableFactor::Table { name, .. } => name.0.last()?.as_ident()?.clone(),
        _ => return None,
    };
    let columns: Vec<&Ident> = alias.columns.iter().map(|column| &column.name).collect();
    let query = match columns.as_slice() {
        [] => filled(ROWS, (table, list), &[&alias.name])?,
        [column] => filled(ROWS, (table, list), &[column])?,
        columns => filled(FIELDS, (table, list), columns)?,
    };
    Some(TableFactor::Derived {
        lateral: false,
        subquery: query,
        alias: Some(TableAlias {
            explicit: true,
            name,
            columns: Vec::new(),
            at: None,
        }),
        sample: None,
    })
}

/// A query with a table, a list and names in their places; none when it has places for other than so many names.
fn filled(
    query: &str,
    (table, list): (&TableFactor, &Expr),
    names: &[&Ident],
) -> Option<Box<Query>> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(query).ok()?;
    let mut query = parser.parse_query().ok()?;
    let mut filler = Filler { table, list, names };
    let _ = query.visit(&mut filler);
    filler.names.is_empty().then_some(query)
}

struct Filler<'a> {
    table: &'a TableFactor,
    list: &'a Expr,
    /// Those that have no place yet.
    names: &'a [&'a Ident],
}

impl VisitorMut for Filler<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = &mut *query.body {
            for item in &mut select.projection {
                if let SelectItem::ExprWithAlias { alias, .. } = item
                    && alias.value == "name"
                    && let Some((name, rest)) = self.names.split_first()
                {
                    *alias = (*name).clone();
                    self.names = rest;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if matches!(table, TableFactor::Table { name, .. } if name.to_string() == "rows") {
            *table = self.table.clone();
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(name) if name.value == "list") {
            *expr = self.list.clone();
        }
        ControlFlow::Continue(())
    }
}

/// Takes the name of a list from before its columns.
struct Unqualified(Ident);

impl VisitorMut for Unqualified {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(names) = expr
            && names.len() > 1
            && names[0].value.eq_ignore_ascii_case(&self.0.value)
        {
            names.remove(0);
            if let [name] = names.as_slice() {
                *expr = Expr::Identifier(name.clone());
            }
        }
        ControlFlow::Continue(())
    }
}
