//! The rules about attacks.
//!
//! In: rules, and a part of a name. Out: one row per event and condition. Promise: what is listed is what a trace judges events
//! by; as CSV, it is a file of rules.

use crate::analysis::findings::{Rule, Rules};
use crate::report::Report;
use crate::report::table::{Column, Kind, section};
use arrow::error::ArrowError;
use serde::Serialize;

/// The names are those of a rules file.
const HEAD: &[Column] = &[
    ("eventSource", Kind::Text, Some("cut")),
    ("eventName", Kind::Text, Some("whole")),
    ("tactic", Kind::Text, Some("detail")),
    ("technique_id", Kind::Text, Some("detail")),
    ("technique_id_v18", Kind::Text, Some("detail")),
    ("technique_name", Kind::Text, Some("detail")),
    ("severity", Kind::Text, Some("whole")),
    ("why", Kind::Text, Some("wrap")),
    ("condition", Kind::Text, Some("detail")),
    ("rule", Kind::Text, Some("detail")),
];

#[derive(Serialize)]
struct Row<'a> {
    #[serde(rename = "eventSource")]
    event_source: &'a str,
    #[serde(rename = "eventName")]
    event_name: &'a str,
    tactic: &'a str,
    technique_id: &'a str,
    technique_id_v18: &'a str,
    technique_name: &'a str,
    severity: &'a str,
    why: &'a str,
    condition: &'a str,
    rule: &'a str,
}

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
    let rows = rules.iter().filter(of_name).map(|rule| Row {
        event_source: &rule.event_source,
        event_name: &rule.event_name,
        tactic: &rule.tactic,
        technique_id: &rule.technique_id,
        technique_id_v18: &rule.technique_id_v18,
        technique_name: &rule.technique_name,
        severity: rule.severity.as_str(),
        why: &rule.why,
        condition: &rule.condition,
        rule: &rule.id,
    });
    let rows: Vec<_> = rows.collect();
    let section = section(("rules", "Events and what they mean"), HEAD, &rows)?;
    Ok(Report::of("rules", "Attack rules", vec![section]))
}
