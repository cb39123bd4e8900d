//! Names that are completed.
//!
//! In: what is typed up to the cursor. Out: the names that can stand there, and where they begin. Promise: only what
//! exists is offered: this lake's tables, their columns, the functions; keywords are written as the reader writes them.

use std::collections::{BTreeMap, BTreeSet};

use keytrail::analysis::Analysis as _;
use keytrail::analysis::question::Library;
use keytrail::session::{FunctionInfo, Next, Session, SessionError, Typed};

use super::commands::{Argument, COMMANDS, Known, current};
use keytrail::render::Format;

/// Keywords that people type.
const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CROSS JOIN",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXPLAIN",
    "FILTER",
    "FROM",
    "FULL JOIN",
    "GROUP BY",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER JOIN",
    "INTERSECT",
    "IS",
    "JOIN",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS LAST",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "QUALIFY",
    "RIGHT JOIN",
    "SELECT",
    "SHOW COLUMNS",
    "SHOW FUNCTIONS",
    "SHOW TABLES",
    "THEN",
    "UNION ALL",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Keywords that a value can begin with.
const VALUES: &[&str] = &[
    "CASE", "CAST", "DISTINCT", "EXISTS", "EXTRACT", "FALSE", "INTERVAL", "NOT", "NULL", "TRUE",
    "TRY_CAST",
];

/// What there is to complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// The columns of each table.
    pub(super) tables: BTreeMap<String, Vec<String>>,
    /// The fields of columns, and of fields, that have some.
    pub(super) fields: BTreeMap<String, Vec<String>>,
    /// The questions, and what their parameters are called.
    pub(super) questions: BTreeMap<String, Vec<String>>,
    /// The functions.
    pub(super) functions: BTreeMap<String, FunctionInfo>,
}

/// What may stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidates {
    /// Where the word at the cursor begins, in bytes.
    pub(super) start: usize,
    /// What may stand in its place.
    pub(super) words: Vec<String>,
    /// Whether they are names of files.
    pub(super) files: bool,
}

impl Names {
    /// What a session has.
    pub(super) async fn of(session: &Session, library: &Library) -> Result<Self, SessionError> {
        let mut tables = BTreeMap::new();
        let mut fields = BTreeMap::new();
        for table in session.tables() {
            let columns = session.columns(&table).await?;
            for column in &columns {
                add_fields(&column.name, &column.data_type, &mut fields);
            }
            let columns = columns.into_iter().map(|column| column.name);
            tables.insert(table, columns.collect());
        }
        let questions = library.questions().iter().map(|question| {
            let parameters = question.header().parameters.iter();
            let names = parameters.map(|parameter| parameter.name.clone());
            (question.name().to_owned(), names.collect())
        });
        Ok(Self {
            questions: questions.collect(),
            tables,
            fields,
            functions: session.functions(),
        })
    }

    /// What may stand at the end of `text[..at]`.
    pub(super) fn candidates(&self, text: &str, at: usize) -> Candidates {
        let (from, is_command) = current(text);
        let before = text.get(from..at).unwrap_or_default();
        if is_command {
            return self.of_command(before, from);
        }
        let start = word(before);
        let typed = &before[start..];
        let next = Typed::read(&before[..start]).next();
        let words = self.of_sql(&next, typed, &text[from..]);
        let mut words: Vec<String> = words
            .into_iter()
            .filter(|word| begins(word, typed))
            .collect();
        words.dedup();
        if let ([only], Next::Keyword | Next::Table) = (words.as_mut_slice(), &next) {
            only.push(' ');
        }
        Candidates {
            start: from + start,
            words,
            files: false,
        }
    }

    /// How a function is called, if the text ends where its arguments begin.
    pub(super) fn call(&self, text: &str) -> Option<&str> {
        let before = text.strip_suffix('(')?;
        let name = &before[word(before)..];
        let info = self.functions.get(&name.to_lowercase())?;
        let syntax = info.syntax.as_deref()?.lines().next()?.trim();
        let (called, arguments) = syntax.split_once('(')?;
        called.eq_ignore_ascii_case(name).then_some(arguments)
    }

    fn of_sql(&self, next: &Next, typed: &str, statement: &str) -> Vec<String> {
        let keywords = |words: &[&str]| -> Vec<String> {
            let small = typed.starts_with(|c: char| c.is_ascii_lowercase());
            words
                .iter()
                .map(|word| match small {
                    true => word.to_lowercase(),
                    false => (*word).to_owned(),
                })
                .collect()
        };
        match next {
            Next::Unknown => Vec::new(),
            Next::Table => {
                let mut tables: Vec<String> = self.tables.keys().cloned().collect();
                tables.extend(Typed::read(statement).queries());
                tables
            }
            Next::ColumnOf(name) => {
                let columns = self.columns(statement, Some(name));
                match (columns.is_empty(), self.fields.get(&name.to_lowercase())) {
                    (true, Some(fields)) => fields.clone(),
                    _ => columns.into_iter().collect(),
                }
            }
            Next::Keyword => keywords(KEYWORDS),
            Next::Value => {
                let mut words: Vec<String> = self.columns(statement, None).into_iter().collect();
                // All functions at once are of no help.
                if !typed.is_empty() {
                    words.extend(self.functions.keys().map(|name| format!("{name}(")));
                    words.extend(keywords(VALUES));
                }
                words
            }
        }
    }

    /// The columns of the tables that a statement names, or of the one of this name; of all tables if it names none.
    fn columns(&self, statement: &str, of: Option<&str>) -> BTreeSet<String> {
        let named = Typed::read(statement).tables();
        let mut tables: Vec<&str> = Vec::new();
        for table in &named {
            let names = [Some(table.table.as_str()), table.alias.as_deref()];
            let is_it = |name: &str| names.into_iter().flatten().any(|known| same(known, name));
            if of.is_none_or(is_it) {
                tables.push(&table.table);
            }
        }
        match of {
            Some(name) if tables.is_empty() => tables.push(name),
            None if tables.is_empty() => tables.extend(self.tables.keys().map(String::as_str)),
            _ => {}
        }
        let known = self.tables.iter();
        known
            .filter(|(name, _)| tables.iter().any(|table| same(table, name)))
            .flat_map(|(_, columns)| columns.iter().cloned())
            .collect()
    }

    fn of_command(&self, before: &str, from: usize) -> Candidates {
        let Some((name, rest)) = before.split_once(char::is_whitespace) else {
            // Those of DuckDB are known, but not offered beside the others.
            let first = before.get(..1).unwrap_or("\\");
            let names = COMMANDS.iter().flat_map(|known| known.names);
            let words = names.filter(|name| name.starts_with(first) && name.starts_with(before));
            return Candidates {
                start: from,
                words: words.map(|name| (*name).to_owned()).collect(),
                files: false,
            };
        };
        let typed = rest.trim_start();
        let words: Vec<String> = match Known::named(name).map(|known| known.argument) {
            Some(Argument::Table) => self.tables.keys().cloned().collect(),
            Some(Argument::Switch) => vec!["on".to_owned(), "off".to_owned()],
            Some(Argument::Format) => Format::OF_ROWS
                .into_iter()
                .filter(|format| *format != Format::Parquet)
                .map(|format| format.name().to_owned())
                .collect(),
            Some(Argument::Question) => self.questions.keys().cloned().collect(),
            Some(Argument::Asked) => match typed.split_once(char::is_whitespace) {
                None => self.questions.keys().cloned().collect(),
                Some((question, values)) => {
                    let last = values.rsplit(char::is_whitespace).next().unwrap_or("");
                    let names = self.questions.get(question);
                    let names = names.into_iter().flatten();
                    let words = names.map(|name| format!("{name}="));
                    return Candidates {
                        start: from + before.len() - last.len(),
                        words: words.filter(|word| begins(word, last)).collect(),
                        files: false,
                    };
                }
            },
            _ => Vec::new(),
        };
        Candidates {
            start: from + before.len() - typed.len(),
            words: words
                .into_iter()
                .filter(|word| begins(word, typed))
                .collect(),
            files: Known::named(name).is_some_and(|known| known.argument == Argument::File),
        }
    }
}

/// The fields of a type such as `struct(arn text, tags list of struct(key text))`, of what is called so, and those inside.
fn add_fields(name: &str, data_type: &str, fields: &mut BTreeMap<String, Vec<String>>) {
    let inside = data_type
        .split_once("struct(")
        .and_then(|(_, inside)| inside.strip_suffix(')'));
    let Some(inside) = inside else { return };
    let mut depth = 0_usize;
    let parts = inside.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    let mut names = Vec::new();
    for (field, data_type) in parts.filter_map(|part| part.trim().split_once(' ')) {
        names.push(field.to_owned());
        add_fields(field, data_type, fields);
    }
    fields.insert(name.to_lowercase(), names);
}

/// Where the word begins that a text ends with.
fn word(text: &str) -> usize {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.trim_end_matches(part).len()
}

fn begins(word: &str, typed: &str) -> bool {
    let start = word.get(..typed.len());
    start.is_some_and(|start| same(start, typed))
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let tables = [
            ("events", vec!["event_id", "event_name", "event_time"]),
            ("log_files", vec!["events", "uri"]),
        ];
        let info = |syntax: &str| FunctionInfo {
            kind: "scalar",
            syntax: Some(syntax.to_owned()),
            description: None,
        };
        Names {
            questions: BTreeMap::from([(
                "address".to_owned(),
                vec!["source_ip_address".to_owned(), "since".to_owned()],
            )]),
            tables: tables
                .into_iter()
                .map(|(name, columns)| {
                    let columns = columns.into_iter().map(str::to_owned).collect();
                    (name.to_owned(), columns)
                })
                .collect(),
            fields: {
                let mut fields = BTreeMap::new();
                let data_type = "struct(arn text, context struct(mfa text, tags list of struct(key text, value text)), name text)";
                add_fields("userIdentity", data_type, &mut fields);
                fields
            },
            functions: BTreeMap::from([
                ("count".to_owned(), info("count(expression)")),
                ("every_day".to_owned(), info("every_day(\n  time\n)")),
            ]),
        }
    }

    fn words(text: &str) -> Vec<String> {
        names().candidates(text, text.len()).words
    }

    #[test]
    fn tables_come_after_from() {
        assert_eq!(words("SELECT * FROM "), ["events", "log_files"]);
        assert_eq!(words("SELECT * FROM l"), ["log_files "]);
        assert_eq!(words("WITH odd AS (SELECT 1) SELECT * FROM o"), ["odd "]);
    }

    #[test]
    fn columns_are_those_of_the_tables_named() {
        assert_eq!(words("SELECT event_n"), ["event_name"]);
        assert_eq!(words("SELECT u"), ["uri"]);
        assert_eq!(
            words("SELECT * FROM log_files WHERE e"),
            ["events", "every_day(", "exists", "extract"]
        );
        assert_eq!(
            words("SELECT * FROM events AS e WHERE e."),
            ["event_id", "event_name", "event_time"]
        );
        // The tables may be named after the cursor.
        let text = "SELECT e FROM log_files";
        assert_eq!(names().candidates(text, 8).words[0], "events");
    }

    #[test]
    fn fields_of_columns_are_known() {
        assert_eq!(words("SELECT userIdentity."), ["arn", "context", "name"]);
        assert_eq!(words("SELECT e.useridentity.context.m"), ["mfa"]);
        assert_eq!(words("SELECT x.tags."), ["key", "value"]);
    }

    #[test]
    fn keywords_are_written_as_the_reader_does() {
        assert_eq!(words("sel"), ["select "]);
        assert_eq!(words("SEL"), ["SELECT "]);
        assert_eq!(words("SELECT 1 fr"), ["from "]);
        assert_eq!(words("SELECT 'sel"), [""; 0]);
    }

    #[test]
    fn commands_and_their_arguments() {
        assert_eq!(words("\\tim"), ["\\timing"]);
        assert_eq!(words("\\timing o"), ["on", "off"]);
        assert_eq!(words("\\d ev"), ["events"]);
        assert_eq!(words("\\format js"), ["json", "jsonl"]);
        assert!(names().candidates("\\i que", 6).files);
        assert_eq!(words("\\run a"), ["address"]);
        assert_eq!(words("\\run address since=7d so"), ["source_ip_address="]);
        // A command may stand before SQL.
        assert_eq!(words("\\timing\nSELECT event_n"), ["event_name"]);
    }

    #[test]
    fn calls_are_shown() {
        let names = names();
        assert_eq!(names.call("SELECT COUNT("), Some("expression)"));
        assert_eq!(names.call("SELECT nothing("), None);
        assert_eq!(names.call("SELECT every_day("), Some(""));
        assert_eq!(names.call("("), None);
    }
}
