//! A trace for a ticket.
//!
//! In: a trace. Out: Markdown: the alarm, what is known, the commands to run now, and the tables that matter, the intruder's rows first.
//! Promise: it fits a ticket; what is left out is counted.

use super::super::advice::{Advice, behind};
use super::super::fold::{self, Room};
use super::super::{Format, RenderOptions, escape, renderer};
use super::{TraceView, rows};
use crate::report::Report;
use crate::report::trace::{Brief, Trace};
use std::io::{self, Write};

/// The tables of a ticket.
const PARTS: [&str; 8] = [
    "case",
    "findings",
    "credentials",
    "created",
    "data_access",
    "denied",
    "rotate",
    "unseen",
];

/// The longest text in a cell.
const CELL: usize = 300;

/// The most commands of a ticket.
const COMMANDS: usize = 20;

pub(super) fn write(
    trace: &Trace,
    view: &TraceView,
    options: RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let brief = trace.brief();
    let report = rows::report(trace, view, options.advice).map_err(io::Error::other)?;
    let sections = report.sections.into_iter();
    let sections = sections.filter(|section| PARTS.contains(&section.name.as_str()));
    let report = Report {
        sections: sections.filter(|section| section.rows() > 0).collect(),
        title: String::new(),
        ..report
    };
    let whole = |report: &Report, text: &mut Vec<u8>| {
        head(&brief, options.advice, text)?;
        let options = RenderOptions {
            advice: options.advice,
            ..RenderOptions::default()
        };
        renderer(Format::Markdown, options).render(report, text)
    };
    let report = fold::folded(&report, Room::Bytes(fold::TICKET), whole)?;
    let mut text = Vec::new();
    whole(&report, &mut text)?;
    out.write_all(&text)
}

fn head(brief: &Brief, advice: Option<&Advice>, out: &mut dyn Write) -> io::Result<()> {
    let text = |text: &str| escape::markdown(&short(text)).to_string();
    writeln!(out, "# {}\n", text(&brief.headline))?;
    if let Some(alarm) = &brief.alarm {
        writeln!(
            out,
            "**{}**, because {}\n",
            text(alarm),
            text(&brief.why.join("; "))
        )?;
    }
    writeln!(out, "{}\n", text(&brief.subject))?;
    for fact in &brief.facts {
        writeln!(out, "- **{}** {}", fact.label, text(&fact.text))?;
    }
    if brief.steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n\n```sh", brief.when)?;
    for step in brief.steps.iter().take(COMMANDS) {
        // A line of its own each: a comment, and a command that begins with the name of a program. Neither ends the block.
        writeln!(out, "# {}", escape::terminal(&short(&step.what)))?;
        writeln!(out, "{}", escape::terminal(&step.command))?;
    }
    writeln!(out, "```")?;
    match brief.steps.len().saturating_sub(COMMANDS) {
        0 => Ok(()),
        more => {
            let advice = behind(advice, |advice| advice.rows);
            writeln!(out, "\nand {more} more{advice}")
        }
    }
}

/// The beginning of a long text.
fn short(text: &str) -> String {
    match text.char_indices().nth(CELL * 2) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
