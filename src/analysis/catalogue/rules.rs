//! The rules about attacks.
//!
//! In: rules, and a part of a name. Out: one row per event and condition. Promise: what is listed is what a trace judges events
//! by; as CSV, it is a file of rules.

use super::{Head, section};
use crate::analysis::findings::{Rule, Rules};
use crate::report::Report;
use arrow::error::ArrowError;

/// The names are those of a rules file.
const HEAD: [Head; 10] = [
    ("eventSource", "cut"),
    ("eventName", "whole"),
    ("tactic", "detail"),
    ("technique_id", "detail"),
    ("technique_id_v18", "detail"),
    ("technique_name", "detail"),
    ("severity", "whole"),
    ("why", "wrap"),
    ("condition", "detail"),
    ("rule", "detail"),
];

/// The rules about services, calls and rules whose name contains a text.
///
/// # Errors
///
/// Those of Arrow.
pub fn rules(rules: &Rules, text: &str) -> Result<Report, ArrowError> {
    let wanted = text.to_lowercase();
    let of_name = |rule: &&Rule| {
        let mut names = [&rule.event_source, &rule.event_name, &rule.id].into_iter();
        names.any(|name| name.to_lowercase().contains(&wanted))
    };
    let rows = rules.iter().filter(of_name).map(|rule| {
        let texts: [&str; 10] = [
            &rule.event_source,
            &rule.event_name,
            &rule.tactic,
            &rule.technique_id,
            &rule.technique_id_v18,
            &rule.technique_name,
            rule.severity.as_str(),
            &rule.why,
            &rule.condition,
            &rule.id,
        ];
        texts.map(Some).to_vec()
    });
    let rows: Vec<_> = rows.collect();
    let section = section(("rules", "Events and what they mean"), &HEAD, &rows)?;
    Ok(Report::of("rules", "Attack rules", vec![section]))
}
