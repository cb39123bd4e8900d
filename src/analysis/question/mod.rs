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
pub use parameter::{Default, Parameter, ParameterError, ParameterKind};

use super::{Analysis, AnalysisError};
use crate::report::{FIT, QUERY, Section};
use crate::session::{Params, Ready, Session, SessionError, SqlFault, Statement};
use arrow::datatypes::{Field as ArrowField, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// The text after the header is no SQL, or SQL that does not only ask.
    #[error("{0}")]
    Sql(Box<SqlFault>),
    /// It asks, but it is not one query.
    #[error("a saved query is one query (SELECT …, or WITH … SELECT …) and nothing else")]
    NotAQuery,
    /// The query uses a parameter that the header does not have.
    #[error("the query uses ${0}, but the header has no `-- parameter: {0} …`")]
    Undeclared(String),
    /// The header has a parameter that the query does not use.
    #[error("the header has the parameter {0}, but the query does not use ${0}")]
    Unused(String),
    /// The file's name is no name for a question.
    #[error("a saved query's name is lower-case letters, digits, - and _, not {0:?}")]
    Name(String),
    /// Another question has the name.
    #[error("there is already a saved query {0}")]
    Taken(String),
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl From<SqlFault> for QuestionError {
    fn from(fault: SqlFault) -> Self {
        QuestionError::Sql(Box::new(fault))
    }
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
        match Statement::read(text)?.as_slice() {
            [statement] if statement.is_query() => {}
            _ => return Err(QuestionError::NotAQuery),
        }
        let used = placeholders(text);
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
    /// A name that the question does not have, a value of another type, a value that is missing.
    pub fn params(
        &self,
        given: &BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<Params, ParameterError> {
        parameter::bind(&self.name, &self.header.parameters, given, now)
    }

    /// Gets it ready to be asked: for those who take its rows as they come.
    ///
    /// # Errors
    ///
    /// A table, column or function does not exist, or the input cannot be read.
    pub async fn ready(&self, session: &Session, params: &Params) -> Result<Ready, SessionError> {
        let query = session.plan(Statement::read_one(&self.sql)?).await?;
        let ready = query.bind(params)?.ready().await?;
        Ok(ready.marked(|schema| self.marked(schema)))
    }
}

/// What to say when a question has no rows.
pub const NOTHING: &str = "no matching events in the logs read; this does not prove that it did not happen: check the coverage";

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
        let ready = self.ready(session, params).await?;
        let (schema, batches) = ready.run()?.all().await?;
        let section = Section {
            name: "rows".to_owned(),
            title: self.header.title.clone(),
            schema,
            batches,
        };
        let none = section.rows() == 0;
        let notes = none.then(|| NOTHING.to_owned());
        Ok((vec![section], notes.into_iter().collect()))
    }
}

impl Question {
    /// The schema, with marks: whose answer it is, and what a narrow table may leave out.
    fn marked(&self, schema: &Schema) -> SchemaRef {
        let fields = schema.fields().iter().map(|field| {
            let mut field = field.as_ref().clone();
            if self.header.details.contains(field.name()) {
                let marks = field.metadata_mut();
                marks.insert(FIT.to_owned(), "detail".to_owned());
            }
            field
        });
        let fields: Vec<ArrowField> = fields.collect();
        let query = HashMap::from([(QUERY.to_owned(), self.name.clone())]);
        Arc::new(Schema::new_with_metadata(fields, query))
    }
}

/// The names of the parameters that a query uses.
fn placeholders(text: &str) -> BTreeSet<String> {
    let words = Tokenizer::new(&GenericDialect {}, text).tokenize();
    let names = words
        .unwrap_or_default()
        .into_iter()
        .filter_map(|word| match word {
            Token::Placeholder(name) => Some(name.trim_start_matches('$').to_owned()),
            _ => None,
        });
    names.collect()
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
            "SELECT 1; SELECT 2",
            "EXPLAIN SELECT 1",
            "SHOW TABLES",
            "DESCRIBE events",
            "",
        ] {
            assert_eq!(
                question("", sql).unwrap_err(),
                QuestionError::NotAQuery,
                "{sql}"
            );
        }
        for sql in [
            "DROP TABLE events",
            "COPY events TO '/tmp/x.csv'",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "INSERT INTO events SELECT * FROM events",
            "SET datafusion.execution.batch_size = 1",
            "SELECT * INTO t FROM events",
            "WITH x AS (DELETE FROM events RETURNING *) SELECT * FROM x",
        ] {
            let said = question("", sql).unwrap_err().to_string();
            assert!(said.contains("not allowed"), "{sql}: {said}");
        }
        let said = question("", "SELEC 1").unwrap_err().to_string();
        assert!(said.ends_with("(line 3, column 1)"), "{said}");
        assert!(matches!(
            Question::new("A b", "A b.sql", "-- T\n-- grain: x\nSELECT 1"),
            Err(QuestionError::Name(_))
        ));
    }

    #[test]
    fn queries_of_other_dialects_are_queries() {
        let sql = "SELECT TRY(CAST(json_extract_scalar(requestparameters, '$.x') AS BIGINT)) FROM cloudtrail_logs";
        assert!(question("", sql).is_ok());
    }
}
