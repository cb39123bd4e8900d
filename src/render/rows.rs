//! Answers whose rows arrive piece by piece.
//!
//! In: what is known before the first row, rows, what is known after the last. Out: the same bytes that the whole report
//! would have given, as soon as they are known. Promise: memory does not grow with the number of rows, except for formats
//! that say so.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::fold::{Room, folded};
use super::{Format, Render, RenderOptions, writer_of};
use crate::report::{Coverage, FIT, Report, Section};

/// What is known of an answer before its first row.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The name in the JSON field `report`.
    pub name: String,
    /// One line for people; nothing is shown when empty.
    pub title: String,
    /// The tables of the answer, in reading order.
    pub sections: Vec<Heading>,
    /// Notes and coverage, if they are known already; otherwise they are told at the end.
    pub remarks: Option<Remarks>,
}

/// What is known of a table before its first row.
#[derive(Debug, Clone)]
pub struct Heading {
    /// The field name in JSON.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The columns.
    pub schema: SchemaRef,
}

/// What goes with the rows of an answer.
#[derive(Debug, Clone, Default)]
pub struct Remarks {
    /// Remarks a reader must not miss, one sentence each.
    pub notes: Vec<String>,
    /// What the answer rests on.
    pub coverage: Option<Coverage>,
}

/// Writes an answer piece by piece: [`open`](Self::open), for each table [`section`](Self::section) and its
/// [`rows`](Self::rows), [`close`](Self::close).
pub trait RowsWriter: Send {
    /// What comes before the first table.
    ///
    /// # Errors
    ///
    /// Only those of the writer, and what the format has no place for.
    fn open(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()>;

    /// The next table begins.
    ///
    /// # Errors
    ///
    /// Only those of the writer.
    fn section(&mut self, heading: &Heading, out: &mut dyn Write) -> io::Result<()>;

    /// Rows of the table.
    ///
    /// # Errors
    ///
    /// Only those of the writer, and values that the format has no place for.
    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()>;

    /// What comes after the last table; remarks only if they were not known before.
    ///
    /// # Errors
    ///
    /// Only those of the writer.
    fn close(&mut self, remarks: Option<&Remarks>, out: &mut dyn Write) -> io::Result<()>;
}

/// A whole report, written by the writer of its rows.
pub(super) struct Whole {
    pub(super) format: Format,
    pub(super) options: RenderOptions,
}

impl Render for Whole {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let room = Room::of(self.format, self.options).filter(|_| self.options.folded);
        match room {
            Some(room) => {
                let of = |color, folded| Whole {
                    options: RenderOptions {
                        color,
                        folded,
                        ..self.options
                    },
                    ..*self
                };
                // Codes of colours take no room.
                let (open, plain) = (of(false, false), of(false, true));
                let mut text = Vec::new();
                open.write(report, &mut text)?;
                if room.holds(&text) {
                    return of(self.options.color, false).write(report, out);
                }
                let report = folded(report, room, |report, text| plain.write(report, text))?;
                self.write(&report, out)
            }
            None => self.write(report, out),
        }
    }
}

impl Whole {
    /// Whether a section is for the readers of this format: one that is for programs is not for people.
    fn shows(&self, section: &Section) -> bool {
        let is_data = section
            .schema
            .metadata()
            .get(FIT)
            .is_some_and(|fit| fit == "data");
        let for_people = matches!(
            self.format,
            Format::Table | Format::Records | Format::Markdown
        );
        !(is_data && for_people)
    }

    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let sections = || report.sections.iter().filter(|section| self.shows(section));
        let headings = sections().map(|section| Heading {
            name: section.name.clone(),
            title: section.title.clone(),
            schema: SchemaRef::clone(&section.schema),
        });
        let opening = Opening {
            name: report.name.clone(),
            title: report.title.clone(),
            sections: headings.collect(),
            remarks: Some(Remarks {
                notes: report.notes.clone(),
                coverage: report.coverage.clone(),
            }),
        };
        let mut writer = writer_of(self.format, self.options, None);
        writer.open(&opening, out)?;
        for (section, heading) in sections().zip(&opening.sections) {
            writer.section(heading, out)?;
            for batch in &section.batches {
                writer.rows(batch, out)?;
            }
        }
        writer.close(None, out)
    }
}
