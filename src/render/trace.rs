//! How a trace looks.
//!
//! In: a [`Trace`]. Out: JSON with its sections; tables for the terminal and for Markdown; the timeline as CSV or JSON lines, in
//! the shape that Timesketch imports. Promise: tables are made of the same data as the JSON and go through the same
//! renderers as every other report, so that nothing of a log acts anywhere.

mod fold;
mod rows;
mod screen;
mod ticket;
mod timesketch;
mod tree;

use super::{Format, RenderOptions, json, renderer};
use crate::report::note::Note;
use crate::report::table::{Kind, shown};
use crate::report::trace::Trace;
use crate::report::{Report, Section};
use arrow::error::ArrowError;
use std::io::{self, Write};

/// What of a trace is shown.
#[derive(Debug, Clone, Default)]
pub struct TraceView {
    /// Whether runs of the same call are shown one by one.
    pub all: bool,
    /// Whether all sections are shown, instead of what fits one screen or one ticket.
    pub full: bool,
    /// The sections that are shown, by the names of [`SECTIONS`]; none means what fits.
    pub sections: Vec<String>,
    /// What was noted about its events; there is a section for it where there is any.
    pub notes: Vec<Note>,
}

/// A section of a trace.
#[derive(Debug, Clone, Copy)]
pub struct TraceSection {
    /// As people name it in an option.
    pub name: &'static str,
    /// Its member of the JSON.
    pub member: &'static str,
    /// What stands above it.
    pub title: &'static str,
}

const fn section(name: &'static str, member: &'static str, title: &'static str) -> TraceSection {
    TraceSection {
        name,
        member,
        title,
    }
}

/// The sections of a trace, in the order in which a page shows them: what is known, what to do, then what it rests on.
pub const SECTIONS: [TraceSection; 15] = [
    section("summary", "summary", "In short"),
    section("case", "case", "Notes of the case"),
    section(
        "steps",
        "containment",
        "What to do (keytrail runs none of these commands)",
    ),
    section("cleanup", "undo", "Clean-up: what still exists"),
    section("secrets", "rotate", "Secrets to replace"),
    section("lineage", "credentials", "Lineage"),
    section("findings", "findings", "Findings"),
    section("timeline", "timeline", "Timeline"),
    section("sources", "sources", "Where it was used from"),
    section("created", "created", "Created and changed"),
    section("data", "data_access", "Data and secrets touched"),
    section("denied", "denied", "Tried and failed"),
    section("others", "pivot", "Others seen from the same addresses"),
    section(
        "not-followed",
        "not_followed",
        "Changes by the owner, not followed",
    ),
    section("unseen", "unseen", "What these logs do not show"),
];

/// What stands above a section; its member is the JSON's.
fn titled(member: &'static str) -> (&'static str, &'static str) {
    let of = SECTIONS.iter().find(|section| section.member == member);
    (member, of.map_or(member, |section| section.title))
}

/// Writes a trace in a format.
///
/// # Errors
///
/// Those of the writer.
pub fn render_trace(
    trace: &Trace,
    format: Format,
    (options, view): (RenderOptions, &TraceView),
    out: &mut dyn Write,
) -> io::Result<()> {
    // Where something came from is short, and has no screen of its own.
    let in_short = !view.full && view.sections.is_empty() && trace.summary.direction != "up";
    let report = match format {
        Format::Json => return document(trace, &view.notes, out),
        // Programs take the rows: those of the timeline.
        Format::Csv | Format::Jsonl | Format::Parquet => timesketch::report(trace),
        Format::Table if in_short => return screen::write(trace, options, out),
        Format::Markdown if in_short => return ticket::write(trace, view, options, out),
        Format::Table | Format::Records | Format::Markdown => {
            rows::report(trace, view, options.advice)
        }
    };
    let mut report = report.map_err(io::Error::other)?;
    if !view.sections.is_empty() && !format.rows_only() {
        let wanted = |name: &str| {
            let named = SECTIONS.iter().find(|section| section.member == name);
            let named = named.map_or(name, |section| section.name);
            view.sections
                .iter()
                .any(|wanted| wanted == named || wanted == name)
        };
        report.sections.retain(|section| wanted(&section.name));
    }
    renderer(format, options).render(&report, out)
}

/// One object, with a line for each row of a section.
fn document(trace: &Trace, notes: &[Note], out: &mut dyn Write) -> io::Result<()> {
    let mut document = json::Document::new(out);
    document.member("report", &trace.report)?;
    document.member("title", &trace.title)?;
    document.member("coverage", &trace.coverage)?;
    document.member("notes", &trace.notes)?;
    document.member("summary", &trace.summary)?;
    document.rows("credentials", &trace.credentials)?;
    document.rows("timeline", &trace.timeline)?;
    document.rows("findings", &trace.findings)?;
    document.rows("created", &trace.created)?;
    document.rows("data_access", &trace.data_access)?;
    document.rows("denied", &trace.denied)?;
    document.rows("pivot", &trace.pivot)?;
    document.rows("containment", &trace.containment)?;
    document.rows("rotate", &trace.rotate)?;
    document.rows("not_followed", &trace.not_followed)?;
    document.rows("unseen", &trace.unseen)?;
    if !notes.is_empty() {
        document.rows("case", notes)?;
    }
    document.end()
}

/// The notes of a case as a table.
///
/// # Errors
///
/// None are known.
pub fn notes_section(notes: &[Note]) -> Result<Section, ArrowError> {
    shown(
        titled("case"),
        &[
            ("event_time", Kind::Time, None),
            ("event_name", Kind::Text, Some("whole")),
            ("bookmark", Kind::Flag, None),
            ("tags", Kind::Texts, Some("detail")),
            ("note", Kind::Text, Some("wrap")),
            ("access_key_id", Kind::Text, Some("detail")),
            ("source_ip_address", Kind::Text, None),
            ("event_id", Kind::Text, Some("detail")),
            ("changed", Kind::Time, Some("detail")),
        ],
        notes,
    )
}

/// The report around some tables.
fn framed(trace: &Trace, sections: Vec<Section>) -> Report {
    Report {
        name: trace.report.clone(),
        title: trace.title.clone(),
        sections,
        notes: trace.notes.clone(),
        coverage: Some(trace.coverage.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::escape::is_hidden;
    use crate::report::trace::{Answer, Asked, Created, Credential, TimelineEvent};

    const BAD: &str = "=cmd|\u{1b}[2J\u{202e}<b>\n`x`";

    fn hostile() -> Trace {
        let bad = || Some(BAD.to_owned());
        Trace {
            report: "trace".to_owned(),
            title: BAD.to_owned(),
            notes: vec![BAD.to_owned()],
            summary: crate::report::trace::Summary {
                answers: vec![Answer {
                    question: Asked::Subject,
                    answer: BAD.to_owned(),
                    event_ids: vec![BAD.to_owned()],
                }],
                ..Default::default()
            },
            credentials: vec![Credential {
                access_key_id: bad(),
                principal_arn: bad(),
                session_name: bad(),
                ..Credential::default()
            }],
            timeline: vec![TimelineEvent {
                event_id: BAD.to_owned(),
                event_time: "2025-03-03T02:17:31Z".to_owned(),
                event_name: BAD.to_owned(),
                target: bad(),
                user_agent: bad(),
                source_ip_address: bad(),
                request_parameters: Some(format!("{{\"a\":\"{}\"}}", "\u{202e}<b>")),
                ..TimelineEvent::default()
            }],
            created: vec![Created {
                id: BAD.to_owned(),
                undo: BAD.to_owned(),
                event_time: "2025-03-03T02:17:31Z".to_owned(),
                ..Created::default()
            }],
            ..Trace::default()
        }
    }

    #[test]
    fn nothing_of_a_log_acts_in_any_format() {
        for format in Format::ALL {
            for width in [None, Some(60)] {
                let options = RenderOptions {
                    width,
                    ..RenderOptions::default()
                };
                for full in [false, true] {
                    let mut out = Vec::new();
                    let view = TraceView {
                        full,
                        ..TraceView::default()
                    };
                    render_trace(&hostile(), format, (options, &view), &mut out).unwrap();
                    let text = String::from_utf8(out).unwrap();
                    let hidden: Vec<char> = text
                        .chars()
                        .filter(|c| *c != '\n' && is_hidden(*c))
                        .collect();
                    assert!(
                        hidden.is_empty(),
                        "{format} at {width:?} let through {hidden:?}"
                    );
                    match format {
                        Format::Markdown => {
                            // In a block of commands nothing is markup; no line of a log ends the block.
                            let (before, block) =
                                text.split_once("```sh\n").unwrap_or((&text, "```\n"));
                            let (block, after) = block.split_once("```\n").unwrap();
                            assert!(!before.contains("<b>") && !after.contains("<b>"), "{text}");
                            assert!(block.lines().all(|line| !line.starts_with("```")));
                        }
                        Format::Csv => assert!(
                            !text.contains("\n=cmd") && !text.contains(",=cmd"),
                            "{text}"
                        ),
                        Format::Json => {
                            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                            assert_eq!(value["timeline"][0]["event_name"], BAD);
                            assert_eq!(
                                value["timeline"][0]["request_parameters"]["a"],
                                "\u{202e}<b>"
                            );
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}
