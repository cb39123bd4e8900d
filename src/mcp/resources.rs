//! What agents read beforehand: columns, rules, saved queries.
//!
//! In: a URI. Out: its text. Promise: there is nothing behind a URI but what the program itself brings along, and the saved queries
//! that its user named at the start.

use crate::analysis::Analysis as _;
use crate::analysis::question::Library;
use crate::render::Format;
use crate::service::{Answer, Question};
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use std::io;

const COLUMNS: &str = "keytrail://columns";
const RULES: &str = "keytrail://rules";
const QUERIES: &str = "keytrail://saved-queries";
const QUERY: &str = "keytrail://saved-query/";

/// Every resource.
pub(super) fn all(library: &Library) -> Vec<Resource> {
    let fixed = [
        (
            COLUMNS,
            "columns",
            "The columns of an event, with their meaning",
        ),
        (
            RULES,
            "rules",
            "The attack rules that a trace judges events by",
        ),
        (QUERIES, "saved-queries", "The saved queries, by purpose"),
    ];
    let fixed = fixed.into_iter().map(|(uri, name, title)| {
        Resource::new(uri, name)
            .with_title(title)
            .with_mime_type("application/json")
    });
    let queries = library.questions().iter().map(|query| {
        Resource::new(format!("{QUERY}{}", query.name()), query.name())
            .with_title(query.title())
            .with_mime_type("application/sql")
    });
    fixed.chain(queries).collect()
}

/// The saved queries, for clients that fill in names.
pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{QUERY}{{name}}"), "saved-query")
        .with_title("The SQL of a saved query")
}

/// The SQL of a saved query.
pub(super) fn saved_query(uri: &str, library: &Library) -> Option<ReadResourceResult> {
    let query = library.get(uri.strip_prefix(QUERY)?).ok()?;
    let text = ResourceContents::text(query.sql(), uri).with_mime_type("application/sql");
    Some(ReadResourceResult::new(vec![text]))
}

/// The question whose answer a resource is.
pub(super) fn question(uri: &str) -> Option<Question> {
    match uri {
        COLUMNS => Some(Question::Columns),
        RULES => Some(Question::Rules(String::new())),
        QUERIES => Some(Question::SavedQueries),
        _ => None,
    }
}

/// An answer as a resource.
pub(super) fn written(uri: &str, answer: &Answer) -> io::Result<ReadResourceResult> {
    let mut json = Vec::new();
    answer.write(Format::Json, &mut json)?;
    let text = String::from_utf8_lossy(&json).into_owned();
    let text = ResourceContents::text(text, uri).with_mime_type("application/json");
    Ok(ReadResourceResult::new(vec![text]))
}
