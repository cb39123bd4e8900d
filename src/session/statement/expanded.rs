//! How many tables a statement reads in the end.
//!
//! In: a query. Out: the number of tables once every name of a `WITH` stands for its query. Promise: what a few lines make
//! of themselves, by naming a query twice in the next one over and over, is known before it is planned.

use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};
use std::ops::ControlFlow;

/// The tables of a query, those of named queries as often as they are named.
pub(super) fn tables(query: &Query) -> u64 {
    let mut counted = Counted::default();
    let _ = query.visit(&mut counted);
    counted.last
}

#[derive(Default)]
struct Counted {
    /// The queries that are open, the innermost last.
    open: Vec<Open>,
    /// The named queries that are known here, with their tables.
    named: Vec<(String, u64)>,
    /// The tables of the query that was closed last.
    last: u64,
}

struct Open {
    tables: u64,
    /// The names of its `WITH` whose queries are still to come, the next one last.
    names: Vec<String>,
    /// How many named queries were known before.
    known: usize,
}

impl Visitor for Counted {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        let names = with.map(|named| named.alias.name.value.to_lowercase());
        let mut names: Vec<String> = names.collect();
        names.reverse();
        self.open.push(Open {
            tables: 0,
            names,
            known: self.named.len(),
        });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        let Some(closed) = self.open.pop() else {
            return ControlFlow::Continue(());
        };
        self.named.truncate(closed.known);
        // A query without a table is joined like one.
        self.last = closed.tables.max(1);
        if let Some(outer) = self.open.last_mut() {
            match outer.names.pop() {
                Some(name) => self.named.push((name, self.last)),
                None => outer.tables = outer.tables.saturating_add(self.last),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, table: &ObjectName) -> ControlFlow<()> {
        let name = table.to_string().replace('"', "").to_lowercase();
        let named = self.named.iter().rev().find(|(known, _)| *known == name);
        let tables = named.map_or(1, |(_, tables)| *tables);
        if let Some(open) = self.open.last_mut() {
            open.tables = open.tables.saturating_add(tables);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    #[test]
    fn named_queries_count_as_often_as_they_are_named() {
        for (sql, expected) in [
            ("SELECT 1", 1),
            ("SELECT * FROM a, b JOIN c ON true", 3),
            (
                "WITH x AS (SELECT * FROM a, b) SELECT * FROM x, x AS y, c",
                5,
            ),
            (
                "WITH x AS (SELECT 1), y AS (SELECT * FROM x, x), z AS (SELECT * FROM y, Y) SELECT * FROM z",
                4,
            ),
            (
                "WITH x AS (SELECT * FROM a, a) SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) JOIN x ON true",
                3,
            ),
            (
                "SELECT 1 FROM a WHERE b IN (SELECT 1 FROM c, d) UNION SELECT 2 FROM e",
                4,
            ),
        ] {
            let mut parser = Parser::new(&GenericDialect {})
                .try_with_sql(sql)
                .expect("SQL");
            let query = parser.parse_query().expect("a query");
            assert_eq!(tables(&query), expected, "{sql}");
        }
    }
}
