//! Questions that are one `.sql` file each.
//!
//! In: a file with a [`Header`]. Out: a [`Question`], which is an [`Analysis`]. Promise: a question is one query and nothing
//! else; every `$name` in it is a declared parameter; its values are bound.

mod group;
mod header;
mod library;
mod parameter;

pub use group::{Group, UnknownGroup};
pub use header::{Header, HeaderError};
pub use library::{Broken, FILES, Library, UnknownQuestion};
pub use parameter::{Default, Kind, Parameter, ParameterError};

use super::{Analysis, AnalysisError};
use crate::event::{Field, Kind as ColumnKind};
use crate::report::{FIT, JSON_TEXT, QUERY, Section};
use crate::session::{Params, Session};
use arrow::datatypes::{Field as ArrowField, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A question that is one `.sql` file.
#[derive(Debug, Clone)]
pub struct Question {
    name: String,
    file: String,
    header: Header,
    sql: String,
}

/// Why a file is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// The header is not as it should be.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The text after the header is no SQL.
    #[error("no SQL: {0}")]
    Syntax(String),
    /// It is SQL, but not one query.
    #[error("a question is one query (SELECT …, or WITH … SELECT …) and nothing else")]
    NotAQuery,
    /// The query uses a parameter that the header does not have.
    #[error("the query uses ${0}, but the header has no `-- parameter: {0} …`")]
    Undeclared(String),
    /// The header has a parameter that the query does not use.
    #[error("the header has the parameter {0}, but the query does not use ${0}")]
    Unused(String),
    /// The file's name is no name for a question.
    #[error("a question's name is lower-case letters, digits, - and _, not {0:?}")]
    Name(String),
    /// Another question has the name.
    #[error("there is a question {0} already")]
    Taken(String),
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl Question {
    /// Makes a question of the text of a file.
    ///
    /// # Errors
    ///
    /// The header is not as it should be, the text is not one query, or its parameters are not those of the header.
    pub fn new(name: &str, file: &str, text: &str) -> Result<Self, QuestionError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if name.is_empty() || !name.bytes().all(fits) {
            return Err(QuestionError::Name(name.to_owned()));
        }
        let header = Header::parse(text)?;
        one_query(text)?;
        let used = placeholders(text)?;
        let declared: BTreeSet<&str> = header.parameters.iter().map(|p| p.name.as_str()).collect();
        if let Some(name) = used.iter().find(|name| !declared.contains(name.as_str())) {
            return Err(QuestionError::Undeclared(name.clone()));
        }
        if let Some(name) = declared.into_iter().find(|name| !used.contains(*name)) {
            return Err(QuestionError::Unused(name.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            file: file.to_owned(),
            header,
            sql: text.to_owned(),
        })
    }

    /// The file it came from; those of the library are named by their path in keytrail's sources.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What the file says about it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The aim it serves.
    pub fn group(&self) -> Group {
        self.header.group.unwrap_or(Group::Own)
    }

    /// The file, header included.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The values of its parameters, from names and texts as given. `now` is what times such as `90d` count from.
    ///
    /// # Errors
    ///
    /// A name that the question does not have or that is given twice, a value of another type, a value that is missing.
    pub fn params(
        &self,
        given: &[(String, String)],
        now: DateTime<Utc>,
    ) -> Result<Params, ParameterError> {
        parameter::bind(&self.name, &self.header.parameters, given, now)
    }
}

#[async_trait]
impl Analysis for Question {
    fn name(&self) -> &str {
        &self.name
    }

    fn title(&self) -> &str {
        &self.header.title
    }

    fn report(&self) -> &str {
        "sql"
    }

    async fn sections(
        &self,
        session: &Session,
        params: &Params,
    ) -> Result<(Vec<Section>, Vec<String>), AnalysisError> {
        let (schema, batches) = session.sql(&self.sql, params).await?;
        // Formats read a row by the schema of its batch, which may differ from the plan's in nullability.
        let batches = batches.into_iter().map(|batch| {
            let schema = self.marked(&batch.schema());
            batch.with_schema(schema)
        });
        let section = Section {
            name: "rows".to_owned(),
            title: self.header.title.clone(),
            schema: self.marked(&schema),
            batches: batches.collect::<Result<_, _>>()?,
        };
        let none = section.rows() == 0;
        let note = "nothing in what was read answers this; that it did not happen does not follow (see the coverage)";
        let notes = none.then(|| note.to_owned());
        Ok((vec![section], notes.into_iter().collect()))
    }
}

impl Question {
    /// The schema, with marks: whose answer it is, what a narrow table may leave out, what is JSON.
    fn marked(&self, schema: &Schema) -> SchemaRef {
        let fields = schema.fields().iter().map(|field| {
            let name = field.name();
            let mut marks = HashMap::new();
            if self.header.details.contains(name) {
                marks.insert(FIT.to_owned(), "detail".to_owned());
            }
            if Field::named(name).is_some_and(|known| known.column().kind == ColumnKind::Json) {
                marks.insert(JSON_TEXT.to_owned(), "true".to_owned());
            }
            field.as_ref().clone().with_metadata(marks)
        });
        let fields: Vec<ArrowField> = fields.collect();
        let query = HashMap::from([(QUERY.to_owned(), self.name.clone())]);
        Arc::new(Schema::new_with_metadata(fields, query))
    }
}

/// Makes sure that a text is one query.
fn one_query(text: &str) -> Result<(), QuestionError> {
    let statements = DFParserBuilder::new(text)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| QuestionError::Syntax(error.strip_backtrace()))?;
    let mut statements = statements.iter();
    match (statements.next(), statements.next()) {
        (Some(Statement::Statement(statement)), None)
            if matches!(statement.as_ref(), SqlStatement::Query(_)) =>
        {
            Ok(())
        }
        _ => Err(QuestionError::NotAQuery),
    }
}

/// The names of the parameters that a query uses.
fn placeholders(text: &str) -> Result<BTreeSet<String>, QuestionError> {
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize()
        .map_err(|error| QuestionError::Syntax(error.to_string()))?;
    let names = tokens.into_iter().filter_map(|token| match token {
        Token::Placeholder(name) => Some(name.trim_start_matches('$').to_owned()),
        _ => None,
    });
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(header: &str, sql: &str) -> Result<Question, QuestionError> {
        let text = format!("-- T\n-- grain: one row\n{header}{sql}\n");
        Question::new("q", "q.sql", &text)
    }

    #[test]
    fn a_query_with_its_parameters() {
        let made = question(
            "-- parameter: days integer: how far back\n",
            "WITH a AS (SELECT 1) SELECT '$no', $days FROM a -- $no",
        );
        assert_eq!(made.unwrap().header().parameters.len(), 1);
        assert_eq!(
            question("", "SELECT $days").unwrap_err(),
            QuestionError::Undeclared("days".to_owned())
        );
        assert_eq!(
            question("-- parameter: days integer: x\n", "SELECT 1").unwrap_err(),
            QuestionError::Unused("days".to_owned())
        );
    }

    #[test]
    fn nothing_but_a_query() {
        for sql in [
            "DROP TABLE events",
            "SELECT 1; SELECT 2",
            "COPY events TO '/tmp/x.csv'",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "INSERT INTO events SELECT * FROM events",
            "SET datafusion.execution.batch_size = 1",
            "EXPLAIN SELECT 1",
            "",
        ] {
            assert_eq!(
                question("", sql).unwrap_err(),
                QuestionError::NotAQuery,
                "{sql}"
            );
        }
        assert!(matches!(
            question("", "SELEC 1"),
            Err(QuestionError::Syntax(_))
        ));
        assert!(matches!(
            Question::new("A b", "A b.sql", "-- T\n-- grain: x\nSELECT 1"),
            Err(QuestionError::Name(_))
        ));
    }
}
