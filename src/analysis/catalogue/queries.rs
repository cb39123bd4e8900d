//! The saved queries.
//!
//! In: a library. Out: one row per query, by aim, with the commands that answer questions; or one query in full. Promise: what is
//! listed can be run.

use super::{Head, section};
use crate::analysis::question::{Group, Library, Question};
use crate::analysis::{ANALYSES, Analysis as _};
use crate::report::Report;
use arrow::error::ArrowError;

const QUERIES: [Head; 4] = [
    ("name", "whole"),
    ("title", "wrap"),
    ("parameters", "wrap"),
    ("when", "detail"),
];

/// Every query, a section per aim, and the commands that answer questions too.
///
/// # Errors
///
/// Those of Arrow.
pub fn saved_queries(library: &Library) -> Result<Report, ArrowError> {
    let mut sections = Vec::new();
    for group in Group::ALL {
        let questions: Vec<(&Question, String)> = library
            .of(group)
            .map(|question| (question, parameters(question)))
            .collect();
        let rows = questions.iter().map(|(question, parameters)| {
            let header = question.header();
            vec![
                Some(question.name()),
                Some(header.title.as_str()),
                Some(parameters.as_str()).filter(|text| !text.is_empty()),
                header.when.as_deref(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            sections.push(section((group.name(), group.title()), &QUERIES, &rows)?);
        }
    }
    let commands = ANALYSES.iter();
    let commands: Vec<_> = commands
        .map(|analysis| vec![Some(analysis.name()), Some(analysis.title())])
        .collect();
    let title = "Analyses (run as keytrail NAME)";
    sections.push(section(("commands", title), &QUERIES[..2], &commands)?);
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
    let row = vec![
        Some(question.name()),
        Some(question.group().name()),
        Some(header.title.as_str()),
        header.when.as_deref(),
        Some(header.grain.as_str()),
        Some(question.file()),
        Some(question.sql()),
    ];
    let head =
        ["name", "group", "title", "when", "grain", "file", "sql"].map(|name| (name, "wrap"));
    let parameters = header.parameters.iter().map(|parameter| {
        vec![
            Some(parameter.name.as_str()),
            Some(parameter.kind.name()),
            parameter.default_text(),
            Some(parameter.meaning.as_str()),
        ]
    });
    let parameters: Vec<_> = parameters.collect();
    let names = ["name", "type", "default", "meaning"].map(|name| (name, "wrap"));
    let sections = vec![
        section(("query", "Question"), &head, &[row])?,
        section(("parameters", "Parameters"), &names, &parameters)?,
    ];
    Ok(Report::of("list", &header.title, sections))
}
