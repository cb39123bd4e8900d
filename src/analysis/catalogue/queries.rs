//! The saved queries.
//!
//! In: a library. Out: one row per query, by aim, with the commands that answer questions; or one query in full. Promise: what is
//! listed can be run.

use crate::analysis::Analysis as _;
use crate::analysis::question::{Group, Library, Question};
use crate::report::Report;
use crate::report::table::{Column, Kind, section};
use arrow::error::ArrowError;
use serde::Serialize;

const QUERIES: &[Column] = &[
    ("name", Kind::Text, Some("whole")),
    ("title", Kind::Text, Some("wrap")),
    ("parameters", Kind::Text, Some("wrap")),
    ("when", Kind::Text, Some("detail")),
];

#[derive(Serialize)]
struct QueryRow<'a> {
    name: &'a str,
    title: &'a str,
    parameters: Option<String>,
    when: Option<&'a str>,
}

const COMMANDS: &[Column] = &[
    ("name", Kind::Text, Some("whole")),
    ("title", Kind::Text, Some("wrap")),
];

#[derive(Serialize)]
struct CommandRow {
    name: &'static str,
    title: &'static str,
}

/// The commands that answer a question about log files, in the order of the help.
const ANSWERS: [(&str, &str); 11] = [
    ("keys", "Every access key, its owner, and its use"),
    ("key", "One access key: addresses, programs, calls, errors"),
    ("trace", "What a compromised key did, and what to clean up"),
    ("validate", "Whether log files are as AWS delivered them"),
    ("consumers", "Who uses access keys, and what to use instead"),
    (
        "coverage",
        "Which accounts, regions and days the logs cover",
    ),
    (
        "credentials",
        "Unused, duplicate and unlogged IAM credentials",
    ),
    ("plan", "A runbook to remove access keys"),
    ("policy", "The least-privilege policy for a key's use"),
    ("ready", "Which keys can be deactivated or deleted"),
    ("progress", "Which consumers stopped, moved or stayed"),
];

const QUERY: &[Column] = &[
    ("name", Kind::Text, Some("wrap")),
    ("group", Kind::Text, Some("wrap")),
    ("title", Kind::Text, Some("wrap")),
    ("when", Kind::Text, Some("wrap")),
    ("grain", Kind::Text, Some("wrap")),
    ("file", Kind::Text, Some("wrap")),
    ("sql", Kind::Text, Some("wrap")),
];

#[derive(Serialize)]
struct WholeQueryRow<'a> {
    name: &'a str,
    group: &'a str,
    title: &'a str,
    when: Option<&'a str>,
    grain: &'a str,
    file: &'a str,
    sql: &'a str,
}

const PARAMETERS: &[Column] = &[
    ("name", Kind::Text, Some("wrap")),
    ("type", Kind::Text, Some("wrap")),
    ("default", Kind::Text, Some("wrap")),
    ("meaning", Kind::Text, Some("wrap")),
];

#[derive(Serialize)]
struct ParameterRow<'a> {
    name: &'a str,
    r#type: &'a str,
    default: Option<&'a str>,
    meaning: &'a str,
}

/// Every query, a section per aim, and the commands that answer questions too.
///
/// # Errors
///
/// Those of Arrow.
pub fn saved_queries(library: &Library) -> Result<Report, ArrowError> {
    let mut sections = Vec::new();
    for group in Group::ALL {
        let rows = library.of(group).map(|question| {
            let header = question.header();
            QueryRow {
                name: question.name(),
                title: &header.title,
                parameters: Some(parameters(question)).filter(|text| !text.is_empty()),
                when: header.when.as_deref(),
            }
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            sections.push(section((group.name(), group.title()), QUERIES, &rows)?);
        }
    }
    let commands = ANSWERS.map(|(name, title)| CommandRow { name, title });
    let title = "Commands (run as keytrail NAME)";
    sections.push(section(("commands", title), COMMANDS, &commands)?);
    let title = "Saved queries (run with keytrail run NAME)";
    Ok(Report::of("list", title, sections))
}

fn parameters(question: &Question) -> String {
    let parameters = question.header().parameters.iter();
    let texts = parameters.map(|parameter| match parameter.default_text() {
        Some(default) => format!("{}={default}", parameter.name),
        None => parameter.name.clone(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// One query as rows.
///
/// # Errors
///
/// Those of Arrow.
pub fn saved_query(question: &Question) -> Result<Report, ArrowError> {
    let header = question.header();
    let row = WholeQueryRow {
        name: question.name(),
        group: question.group().name(),
        title: &header.title,
        when: header.when.as_deref(),
        grain: &header.grain,
        file: question.file(),
        sql: question.sql(),
    };
    let parameters = header.parameters.iter().map(|parameter| ParameterRow {
        name: &parameter.name,
        r#type: parameter.kind.name(),
        default: parameter.default_text(),
        meaning: &parameter.meaning,
    });
    let parameters: Vec<_> = parameters.collect();
    let sections = vec![
        section(("query", "Question"), QUERY, &[row])?,
        section(("parameters", "Parameters"), PARAMETERS, &parameters)?,
    ];
    Ok(Report::of("list", &header.title, sections))
}
