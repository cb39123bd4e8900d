//! SQL, read.
//!
//! In: text with one or more statements. Out: [`Statement`]s that only ask. Promise: this is the only door for SQL, keytrail's
//! own and a user's; what is not known to be a question is refused here, before it is planned, and a second time by the
//! engine's own check of the plan. There is nothing behind the door that reads or writes a file by its name: no such
//! function or table provider is registered.

mod expanded;
mod ignored;
mod nesting;

use super::dialect::{self, DEEPEST};
use super::fault::{Position, SqlFault};
use datafusion::common::DataFusionError;
use datafusion::sql::parser::{ExplainStatement, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, Query, SetExpr, ShowStatementFilter, ShowStatementFilterPosition,
    ShowStatementOptions, Statement as Ast, Visit, Visitor,
};
use datafusion::sql::sqlparser::parser::ParserError;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Tables in one statement; joining them makes a tree, and every join adds all their columns.
const MOST_TABLES: usize = 100;

/// Tables that one statement reads, those of a query in WITH as often as it is named.
const MOST_READ: u64 = 500;

/// A statement that only asks.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(super) ask: Ask,
    /// The text it stood in, for errors to point into.
    pub(super) text: Arc<str>,
}

/// What a statement asks for.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// Rows, or the plan of a query.
    Rows(Box<Parsed>),
    /// The names of the tables.
    Tables(Filter),
    /// The columns of a table.
    Columns(ObjectName, Filter),
    /// The names of the functions.
    Functions(Filter),
}

/// `LIKE '…'` of a SHOW statement: the pattern, and whether case does not matter.
pub(super) type Filter = Option<(String, bool)>;

impl Statement {
    /// Reads the statements of a text.
    ///
    /// # Errors
    ///
    /// The text is no SQL, or one of its statements does something else than ask.
    pub fn read(text: &str) -> Result<Vec<Self>, SqlFault> {
        nesting::check_length(text)?;
        let text = dialect::quote_ids(text);
        let words = dialect::words(&text).map_err(|error| {
            let place = Position::new((error.location.line, error.location.column), 1, &text);
            SqlFault::new(format!("not SQL: {}", error.message)).at(place)
        })?;
        nesting::check_begin(&words)?;
        nesting::check(&words, &text)?;
        let parsed = dialect::typed(words).map_err(|error| unreadable(error, &text))?;
        let text: Arc<str> = text.into();
        let statements = parsed.into_iter().map(|statement| {
            Ok(Self {
                ask: ask(statement)?,
                text: Arc::clone(&text),
            })
        });
        statements.collect()
    }

    /// Reads the one statement of a text.
    ///
    /// # Errors
    ///
    /// Those of [`Statement::read`]; there is none, or another one.
    pub fn read_one(text: &str) -> Result<Self, SqlFault> {
        let mut statements = Self::read(text)?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => Ok(statement),
            (None, _) => Err(SqlFault::new("there is no statement in the SQL")),
            (Some(_), false) => Err(SqlFault::new("there are several statements in the SQL")),
        }
    }

    /// Whether it is a query, `SELECT …` or `WITH … SELECT …`, not a question about tables, functions or a plan.
    pub fn is_query(&self) -> bool {
        match &self.ask {
            Ask::Rows(parsed) => match parsed.as_ref() {
                Parsed::Statement(statement) => matches!(statement.as_ref(), Ast::Query(_)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Asks for the tables.
    pub fn tables() -> Self {
        Self::about(Ask::Tables(None))
    }

    /// Asks for the columns of a table.
    pub fn columns(table: &str) -> Self {
        Self::about(Ask::Columns(Ident::new(table).into(), None))
    }

    /// Asks for the functions whose names are like a pattern, as that of LIKE.
    pub fn functions(pattern: Option<&str>) -> Self {
        Self::about(Ask::Functions(
            pattern.map(|pattern| (pattern.to_owned(), true)),
        ))
    }

    fn about(ask: Ask) -> Self {
        Self {
            ask,
            text: Arc::from(""),
        }
    }

    /// The statement that shows the plan of this one instead of its rows.
    pub fn explained(self) -> Self {
        match self.ask {
            Ask::Rows(parsed) if !matches!(*parsed, Parsed::Explain(_)) => Self {
                ask: Ask::Rows(Box::new(Parsed::Explain(ExplainStatement {
                    options: Default::default(),
                    statement: parsed,
                }))),
                ..self
            },
            _ => self,
        }
    }
}

/// A parser's complaint.
fn unreadable(error: DataFusionError, text: &str) -> SqlFault {
    if let DataFusionError::SQL(parser, _) = error.find_root() {
        return match parser.as_ref() {
            ParserError::RecursionLimitExceeded => SqlFault::new(format!(
                "the statement is nested too deeply: more than {DEEPEST} levels"
            )),
            ParserError::ParserError(words) | ParserError::TokenizerError(words) => {
                let (words, place) = Position::cut_from(words, text);
                let words = words
                    .replacen("Expected: ", "expected ", 1)
                    .replacen(", found: EOF", ", found the end of the text", 1)
                    .replacen(", found: ", ", found ", 1);
                SqlFault::new(format!("not SQL: {words}")).at(place)
            }
        };
    }
    SqlFault::of(&error, text)
}

fn ask(parsed: Parsed) -> Result<Ask, SqlFault> {
    match parsed {
        Parsed::Statement(statement) => match *statement {
            Ast::Query(query) => {
                only_asks(&query)?;
                Ok(Ask::Rows(Box::new(Parsed::Statement(Box::new(
                    Ast::Query(query),
                )))))
            }
            Ast::ExplainTable { table_name, .. } => Ok(Ask::Columns(table_name, None)),
            // DESCRIBE of a query.
            Ast::Explain {
                statement: inner, ..
            } if matches!(*inner, Ast::Query(_)) => described(*inner),
            Ast::ShowTables { show_options, .. } => Ok(Ask::Tables(filter(&show_options)?)),
            Ast::ShowColumns { show_options, .. } => {
                let filter = filter(&show_options)?;
                let table = show_options.show_in.and_then(|place| place.parent_name);
                table
                    .map(|table| Ask::Columns(table, filter))
                    .ok_or_else(|| SqlFault::new("SHOW COLUMNS of which table?"))
            }
            Ast::ShowFunctions { filter } => Ok(Ask::Functions(pattern(filter.as_ref())?)),
            other => Err(refused(&first_words(&other.to_string()))),
        },
        Parsed::Explain(explain) => match ask(*explain.statement)? {
            Ask::Rows(inner) => Ok(Ask::Rows(Box::new(Parsed::Explain(ExplainStatement {
                statement: inner,
                ..explain
            })))),
            _ => Err(SqlFault::new("EXPLAIN is for queries")),
        },
        Parsed::CreateExternalTable(_) => Err(refused("CREATE EXTERNAL TABLE")),
        Parsed::CopyTo(_) => Err(refused("COPY")),
        Parsed::Reset(_) => Err(refused("RESET")),
    }
}

fn described(inner: Ast) -> Result<Ask, SqlFault> {
    if let Ast::Query(query) = &inner {
        only_asks(query)?;
    }
    let describe = Ast::Explain {
        describe_alias: datafusion::sql::sqlparser::ast::DescribeAlias::Describe,
        analyze: false,
        verbose: false,
        query_plan: false,
        estimate: false,
        statement: Box::new(inner),
        format: None,
        options: None,
    };
    Ok(Ask::Rows(Box::new(Parsed::Statement(Box::new(describe)))))
}

fn filter(options: &ShowStatementOptions) -> Result<Filter, SqlFault> {
    match &options.filter_position {
        None => Ok(None),
        Some(
            ShowStatementFilterPosition::Infix(filter)
            | ShowStatementFilterPosition::Suffix(filter),
        ) => pattern(Some(filter)),
    }
}

fn pattern(filter: Option<&ShowStatementFilter>) -> Result<Filter, SqlFault> {
    match filter {
        None => Ok(None),
        Some(ShowStatementFilter::Like(pattern) | ShowStatementFilter::NoKeyword(pattern)) => {
            Ok(Some((pattern.clone(), false)))
        }
        Some(ShowStatementFilter::ILike(pattern)) => Ok(Some((pattern.clone(), true))),
        Some(ShowStatementFilter::Where(_)) => Err(SqlFault::new("SHOW takes LIKE '…', not WHERE")),
    }
}

/// Refuses queries that do something besides: `SELECT … INTO`, and data changes inside of `WITH`.
fn only_asks(query: &Query) -> Result<(), SqlFault> {
    let mut check = OnlyAsks { tables: 0 };
    match query.visit(&mut check) {
        ControlFlow::Continue(()) if check.tables > MOST_TABLES => Err(SqlFault::new(format!(
            "too many tables: {} of at most {MOST_TABLES} in one statement",
            check.tables
        ))),
        ControlFlow::Continue(()) => match expanded::tables(query) {
            tables if tables > MOST_READ => Err(SqlFault::new(format!(
                "too many tables: {tables} of at most {MOST_READ}, with every name of WITH standing for its query"
            ))),
            _ => ignored::check(query),
        },
        ControlFlow::Break(what) => Err(refused(what)),
    }
}

struct OnlyAsks {
    tables: usize,
}

impl Visitor for OnlyAsks {
    type Break = &'static str;

    fn pre_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<Self::Break> {
        self.tables += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        changes(&query.body)
    }

    fn pre_visit_select(
        &mut self,
        select: &datafusion::sql::sqlparser::ast::Select,
    ) -> ControlFlow<Self::Break> {
        match select.into {
            Some(_) => ControlFlow::Break("SELECT INTO"),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_statement(&mut self, statement: &Ast) -> ControlFlow<Self::Break> {
        match statement {
            Ast::Query(_) => ControlFlow::Continue(()),
            _ => ControlFlow::Break("a statement inside of a query"),
        }
    }
}

fn changes(body: &SetExpr) -> ControlFlow<&'static str> {
    // Set operations nest to the left, as deep as there are UNIONs.
    let mut bodies = vec![body];
    while let Some(body) = bodies.pop() {
        match body {
            SetExpr::Insert(_) => return ControlFlow::Break("INSERT"),
            SetExpr::Update(_) => return ControlFlow::Break("UPDATE"),
            SetExpr::Delete(_) => return ControlFlow::Break("DELETE"),
            SetExpr::Merge(_) => return ControlFlow::Break("MERGE"),
            SetExpr::SetOperation { left, right, .. } => bodies.extend([&**left, &**right]),
            // Queries inside are visited by themselves.
            SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => {}
        }
    }
    ControlFlow::Continue(())
}

fn refused(what: &str) -> SqlFault {
    SqlFault::refused(match what.starts_with("SHOW") {
        true => format!(
            "{what} is not supported: there are SHOW TABLES, SHOW COLUMNS FROM events and SHOW FUNCTIONS"
        ),
        false => format!("{what} is not allowed: SQL is read-only here"),
    })
}

/// The keywords that a statement begins with.
fn first_words(statement: &str) -> String {
    let start = statement
        .split(|c: char| !c.is_ascii_uppercase() && c != ' ')
        .next();
    let keywords: Vec<&str> = start.unwrap_or_default().split(' ').take(3).collect();
    match keywords.first() {
        None | Some(&"") => "such a statement".to_owned(),
        Some(_) => keywords.join(" ").trim_end().to_owned(),
    }
}
