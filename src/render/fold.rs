//! Answers that are too long to be read at once.
//!
//! In: a report, and how much room there is. Out: the report with the first rows of each table, as many as fit, and the number of
//! those that were left out. Promise: formats for programs are never folded; what is left out is counted where it is left out.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use unicode_width::UnicodeWidthStr;

use super::{Format, RenderOptions};
use crate::report::{MORE, Report, Section};

/// Lines of the smallest screen that is thought of.
pub(super) const SCREEN: usize = 24;

/// Screens that an answer takes before it is folded.
const SCREENS: usize = 2;

/// Lines for the next step, which the program adds, and for the prompt.
const RESERVED: usize = 2;

/// What a ticket takes: Jira refuses a description of more than 32,767 characters.
/// <https://support.atlassian.com/jira-cloud-administration/docs/configure-the-text-field-character-limit/>
pub(super) const TICKET: usize = 30 * 1024;

/// Rows of each table that are tried, from many to few.
const ROWS: [usize; 14] = [200, 150, 100, 60, 40, 30, 20, 15, 10, 7, 5, 3, 2, 1];

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Lines of a terminal, of so many columns.
    Lines(usize, Option<u16>),
    /// Bytes of a text.
    Bytes(usize),
}

impl Room {
    /// The room for an answer in a format; none where it is for programs.
    pub(super) fn of(format: Format, options: RenderOptions) -> Option<Self> {
        match format {
            Format::Table => Some(Self::lines(options)),
            Format::Markdown => Some(Self::Bytes(TICKET)),
            _ => None,
        }
    }

    /// Two screens.
    pub(super) fn lines(options: RenderOptions) -> Self {
        let height = options.height.map_or(SCREEN, usize::from).max(SCREEN);
        Self::Lines(SCREENS * height - RESERVED, options.width)
    }

    /// The room that is left beside so many lines.
    pub(super) fn without(self, taken: usize) -> Self {
        match self {
            Room::Lines(most, width) => Room::Lines(most.saturating_sub(taken), width),
            Room::Bytes(most) => Room::Bytes(most),
        }
    }

    /// Whether a text fits.
    pub(super) fn holds(self, text: &[u8]) -> bool {
        match self {
            Room::Bytes(most) => text.len() <= most,
            Room::Lines(most, width) => lines(&String::from_utf8_lossy(text), width) <= most,
        }
    }
}

/// The lines that a text takes on a terminal.
pub(super) fn lines(text: &str, width: Option<u16>) -> usize {
    let width = width.map_or(usize::MAX, usize::from).max(1);
    text.lines()
        .map(|line| line.width().div_ceil(width).max(1))
        .sum()
}

/// The report with as many rows of each table as fit, by what its text would be.
pub(super) fn folded(
    report: &Report,
    room: Room,
    write: impl Fn(&Report, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<Report> {
    let longest = report.sections.iter().map(Section::rows).max();
    let longest = longest.unwrap_or_default();
    let fits = |report: &Report| -> io::Result<bool> {
        let mut text = Vec::new();
        write(report, &mut text)?;
        Ok(room.holds(&text))
    };
    if longest <= ROWS[0] && fits(report)? {
        return Ok(report.clone());
    }
    let tried = || ROWS.into_iter().filter(|rows| *rows < longest);
    // As many rows of every table as fit, and then more of the first tables.
    let mut caps = vec![ROWS[ROWS.len() - 1]; report.sections.len()];
    for rows in tried() {
        let all = vec![rows; caps.len()];
        if fits(&first_rows(report, &all))? {
            caps = all;
            break;
        }
    }
    for at in 0..caps.len() {
        let (cap, has) = (caps[at], report.sections[at].rows());
        let more = ROWS.into_iter().filter(|rows| *rows > cap);
        // All of them, or as many as fit.
        let more = std::iter::once(has).chain(more.filter(|rows| *rows < has));
        for rows in more.filter(|rows| *rows > cap && *rows <= ROWS[0]) {
            let mut wider = caps.clone();
            wider[at] = rows;
            if fits(&first_rows(report, &wider))? {
                caps = wider;
                break;
            }
        }
    }
    Ok(first_rows(report, &caps))
}

/// The report with so many rows of each table.
fn first_rows(report: &Report, most: &[usize]) -> Report {
    let sections = report.sections.iter().zip(most).map(|(section, most)| {
        let rows = section.rows();
        match rows.saturating_sub(*most) {
            0 => section.clone(),
            more => shortened(section, *most, more),
        }
    });
    Report {
        sections: sections.collect(),
        ..report.clone()
    }
}

fn shortened(section: &Section, most: usize, more: usize) -> Section {
    let mut left = most;
    let batches = section.batches.iter().map_while(|batch| {
        let rows = batch.num_rows().min(left);
        left -= rows;
        (rows > 0).then(|| batch.slice(0, rows))
    });
    let mut metadata: HashMap<String, String> = section.schema.metadata().clone();
    metadata.insert(MORE.to_owned(), more.to_string());
    Section {
        schema: Arc::new(Schema::new_with_metadata(
            section.schema.fields().clone(),
            metadata,
        )),
        batches: batches.collect::<Vec<RecordBatch>>(),
        name: section.name.clone(),
        title: section.title.clone(),
    }
}

/// How many rows were left out at the end of a table.
pub(super) fn more(schema: &SchemaRef) -> Option<&str> {
    schema.metadata().get(MORE).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::testing::sample;
    use super::*;

    #[test]
    fn what_is_left_out_is_counted() {
        let report = sample();
        let fits = |rows: usize| {
            folded(&report, Room::Bytes(1), |report, text| {
                let all: usize = report.sections.iter().map(Section::rows).sum();
                text.extend(vec![b'x'; usize::from(all > rows) * 2]);
                Ok(())
            })
            .unwrap()
        };
        assert_eq!(fits(2).sections[0].rows(), 2);
        let short = fits(1);
        assert_eq!(short.sections[0].rows(), 1);
        assert_eq!(more(&short.sections[0].schema), Some("1"));
        assert_eq!(more(&report.sections[0].schema), None);
    }

    #[test]
    fn a_line_may_take_several() {
        assert_eq!(lines("abc\n\nabcdef\n", Some(3)), 4);
        assert_eq!(lines("abcdef", None), 1);
        assert!(Room::Lines(4, Some(3)).holds(b"abc\n\nabcdef\n"));
        assert!(!Room::Lines(3, Some(3)).holds(b"abc\n\nabcdef\n"));
    }
}
