//! What is joined with its own list?
//!
//! In: `FROM t CROSS JOIN UNNEST(t.resources) AS u(r)`. Out: a query inside of which each row of `t` stands once for each
//! element. Promise: rows without elements go, as a cross join has it, or stay with nulls, as a left join has it; `u.r` is
//! `r`, and as many names as a resource has fields name these; `WITH ORDINALITY` adds the position.

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

/// The same, with the position of each element beside it.
const NUMBERED_ROWS: &str =
    "SELECT *, unnest(list) AS name, unnest(places) AS name FROM rows WHERE list IS NOT NULL";

/// The same, with names for the fields of a resource and the position.
const NUMBERED_FIELDS: &str = "SELECT * EXCEPT (resource, place), resource['arn'] AS name, resource['accountid'] AS name, \
    resource['type'] AS name, place AS name FROM (SELECT *, unnest(list) AS resource, unnest(places) AS place \
    FROM rows WHERE list IS NOT NULL)";

/// The positions in a list.
const PLACES: &str = "generate_series(1, cardinality(list))";

/// A list with one null in the place of no element, so that the row stays.
const KEPT: &str =
    "CASE WHEN cardinality(list) > 0 THEN list ELSE make_array(element_at(list, 1)) END";

/// The positions in such a list.
const KEPT_PLACES: &str = "CASE WHEN cardinality(list) > 0 THEN generate_series(1, cardinality(list)) \
    ELSE make_array(CAST(NULL AS BIGINT)) END";

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
        let mut at = 0;
        while let Some(join) = table.joins.get(at) {
            let kept = match &join.join_operator {
                JoinOperator::CrossJoin(_) => Some(false),
                JoinOperator::Join(JoinConstraint::On(on))
                | JoinOperator::Inner(JoinConstraint::On(on)) => is_true(on).then_some(false),
                JoinOperator::Left(JoinConstraint::On(on))
                | JoinOperator::LeftOuter(JoinConstraint::On(on)) => is_true(on).then_some(true),
                _ => None,
            };
            let list = as_list(&join.relation).zip(kept);
            let list = list.map(|(list, kept)| List { kept, ..list });
            let with_elements = list.and_then(|list| {
                let owner = owner(table, at, &list)?;
                *owner = inside(owner, &list)?;
                Some(list)
            });
            match with_elements {
                Some(list) => {
                    names.extend(list.qualifier());
                    table.joins.remove(at);
                }
                None => at += 1,
            }
        }
    }
    select.from = tables;
    names
}

fn is_true(on: &Expr) -> bool {
    on.to_string().eq_ignore_ascii_case("true")
}

/// The table that a list is a column of, among those that stand before the list. What a join on the way may have left
/// without a row is not among them: there the list would have to be read after the join.
fn owner<'t>(table: &'t mut TableWithJoins, at: usize, list: &List) -> Option<&'t mut TableFactor> {
    let named = |relation: &TableFactor| {
        let name = name_of(relation)?;
        let Expr::CompoundIdentifier(names) = &list.list else {
            return None;
        };
        (names.len() > 1 && names[0].value.eq_ignore_ascii_case(&name.value)).then_some(())
    };
    let keeps_left = |operator: &JoinOperator| {
        matches!(
            operator,
            JoinOperator::CrossJoin(_)
                | JoinOperator::Join(_)
                | JoinOperator::Inner(_)
                | JoinOperator::Left(_)
                | JoinOperator::LeftOuter(_)
        )
    };
    let (before, _) = table.joins.split_at_mut(at);
    if !before.iter().all(|join| keeps_left(&join.join_operator)) {
        return None;
    }
    let joined = before
        .iter()
        .position(|join| named(&join.relation).is_some());
    match joined {
        Some(joined) => {
            let join = &mut before[joined];
            let inner = !matches!(
                join.join_operator,
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_)
            );
            inner.then_some(&mut join.relation)
        }
        None => Some(&mut table.relation),
    }
}

/// A list in the place of a table.
struct List {
    list: Expr,
    alias: TableAlias,
    /// Whether the position of each element is asked for.
    numbered: bool,
    /// Whether rows without elements stay.
    kept: bool,
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
            with_ordinality,
            ..
        } => match array_exprs.as_slice() {
            // A list of constants needs no table beside it.
            [Expr::Value(_) | Expr::Array(_)] => None,
            [list] => Some(List {
                list: list.clone(),
                alias: alias.clone(),
                numbered: *with_ordinality,
                kept: false,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// What a table is called.
fn name_of(table: &TableFactor) -> Option<Ident> {
    match table {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } => Some(alias.name.clone()),
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}

/// The table with the elements of its list, under its own name.
fn inside(table: &TableFactor, list: &List) -> Option<TableFactor> {
    let name = name_of(table)?;
    let columns = list.alias.columns.iter().map(|column| &column.name);
    let columns: Vec<&Ident> = columns.collect();
    let query = match (list.numbered, columns.as_slice()) {
        (false, []) => filled(ROWS, (table, list), &[&list.alias.name])?,
        (false, [column]) => filled(ROWS, (table, list), &[column])?,
        (false, columns) => filled(FIELDS, (table, list), columns)?,
        (true, columns @ [_, _]) => filled(NUMBERED_ROWS, (table, list), columns)?,
        (true, columns) => filled(NUMBERED_FIELDS, (table, list), columns)?,
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
    (table, list): (&TableFactor, &List),
    names: &[&Ident],
) -> Option<Box<Query>> {
    let parser = |text| Parser::new(&GenericDialect {}).try_with_sql(text).ok();
    let mut query = parser(query)?.parse_query().ok()?;
    let (elements, places) = match list.kept {
        true => (KEPT, KEPT_PLACES),
        false => ("list", PLACES),
    };
    let filled = |text| {
        let mut expr = parser(text)?.parse_expr().ok()?;
        let _ = expr.visit(&mut Named("list", &list.list));
        Some(expr)
    };
    let mut filler = Filler {
        table,
        elements: filled(elements)?,
        places: filled(places)?,
        kept: list.kept,
        names,
    };
    let _ = query.visit(&mut filler);
    filler.names.is_empty().then_some(query)
}

struct Filler<'a> {
    table: &'a TableFactor,
    elements: Expr,
    places: Expr,
    /// Whether rows without elements stay.
    kept: bool,
    /// Those that have no place yet.
    names: &'a [&'a Ident],
}

impl VisitorMut for Filler<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = &mut *query.body {
            if self.kept {
                select.selection = None;
            }
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
        if let Expr::Identifier(name) = &*expr {
            match name.value.as_str() {
                "list" => *expr = self.elements.clone(),
                "places" => *expr = self.places.clone(),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

/// Puts an expression into the place of a name.
struct Named<'a>(&'static str, &'a Expr);

impl VisitorMut for Named<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(name) if name.value == self.0) {
            *expr = self.1.clone();
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
