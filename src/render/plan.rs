//! How a plan looks.
//!
//! In: a [`Plan`]. Out: JSON with its keys, consumers and steps; a runbook to read for the terminal and for Markdown; one row per step
//! as CSV or JSON lines, for a tracker of tasks. Promise: a command stands in a line of its own, whole, to be copied; nothing
//! of a log acts anywhere.

mod markdown;
mod rows;
mod terminal;

use super::{Format, Heading, RenderOptions, json, renderer, writer_of};
use crate::report::Section;
use crate::report::plan::{Plan, PlannedKey};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

/// What of a plan is shown on a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanView {
    /// Whether the steps of each key are shown, or the order of keys alone.
    pub steps: bool,
}

/// Writes a plan in a format.
///
/// # Errors
///
/// Those of the writer.
pub fn render_plan(
    plan: &Plan,
    format: Format,
    (options, view): (RenderOptions, PlanView),
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => document(plan, out),
        Format::Csv | Format::Jsonl | Format::Parquet => {
            let report = rows::report(plan).map_err(io::Error::other)?;
            renderer(format, options).render(&report, out)
        }
        Format::Table | Format::Records => terminal::write(plan, (options, view), out),
        Format::Markdown => markdown::write(plan, options, out),
    }
}

/// One object, with a line for each key.
fn document(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let mut document = json::Document::new(out);
    document.member("report", &plan.report)?;
    document.member("title", &plan.title)?;
    document.member("as_of", &plan.as_of)?;
    document.member("coverage", &plan.coverage)?;
    document.member("notes", &plan.notes)?;
    document.rows("first", &plan.first)?;
    document.rows("keys", &plan.keys)?;
    document.rows("last", &plan.last)?;
    document.end()
}

/// One table, under its title.
fn table(
    section: &Section,
    format: Format,
    options: RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = writer_of(format, options, None);
    let heading = Heading {
        name: section.name.clone(),
        title: section.title.clone(),
        schema: Arc::clone(&section.schema),
    };
    writer.section(&heading, out)?;
    for batch in &section.batches {
        writer.rows(batch, out)?;
    }
    writer.close(None, out)
}

/// What the consumers that are left move to, each once with its number.
pub(super) fn targets(key: &PlannedKey) -> String {
    let mut targets: BTreeMap<&str, u64> = BTreeMap::new();
    for consumer in key.consumers.iter().filter(|one| !one.steps.is_empty()) {
        *targets.entry(consumer.move_to).or_default() += 1;
    }
    let said = targets.into_iter().map(|(target, number)| match number {
        1 => target.to_owned(),
        number => format!("{number} × {target}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

/// A moment for people.
fn moment(text: &str) -> String {
    text.replace('T', " ").trim_end_matches('Z').to_owned()
}

/// What a step is, where it is more than something to do.
fn mark(kind: &str) -> &'static str {
    match kind {
        "check" => "Check: ",
        "back" => "If it goes wrong: ",
        _ => "",
    }
}
