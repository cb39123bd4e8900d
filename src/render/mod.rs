//! How does an answer look?
//!
//! In: a [`Report`], or rows as they come ([`RowsWriter`]). Out: bytes on a writer, in one of the [`Format`]s. Promise: what an attacker wrote into a log file
//! never acts on the reader's terminal, spreadsheet or browser; escaping lives here, in `escape`, and nowhere else.
//! Nothing is cut except by a table that has to fit a width, and there the cut is shown.

mod advice;
mod block;
mod columns;
mod coverage;
mod csv;
pub mod escape;
mod fold;
mod grid;
mod hang;
mod heading;
pub mod html;
mod json;
mod markdown;
mod parquet;
mod plan;
mod readable;
mod rows;
mod terminal;
#[cfg(test)]
mod testing;
mod tone;
mod trace;
mod value;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

pub use advice::Advice;
pub use coverage::lines as coverage_lines;
pub use hang::hanging;
pub use heading::heading;
pub use plan::{PlanView, render_plan};
pub use rows::{Heading, Opening, Remarks, RowsWriter};
pub use trace::{SECTIONS, TraceSection, TraceView, notes_section, render_trace};

use crate::report::Report;

/// A way to write a report.
pub trait Render {
    /// Writes the whole report.
    ///
    /// # Errors
    ///
    /// Only those of the writer.
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// The formats of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// One JSON object with coverage, notes and all sections.
    Json,
    /// One JSON object per row.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Headings and tables for tickets and wikis.
    Markdown,
    /// Each row as a list of its own, for people.
    Records,
    /// Columns for programs: one table, with its types.
    Parquet,
}

impl Format {
    /// Every format of text, in the order of help texts.
    pub const ALL: [Format; 5] = [
        Format::Table,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Markdown,
    ];

    /// Every format of an answer that is one table.
    pub const OF_ROWS: [Format; 7] = [
        Format::Table,
        Format::Records,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Markdown,
        Format::Parquet,
    ];

    /// The name people type.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Records => "records",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Markdown => "markdown",
            Format::Parquet => "parquet",
        }
    }

    /// The format that the name of a file ends in.
    pub fn of_file(file: &Path) -> Option<Self> {
        let end = file.extension()?.to_str()?.to_lowercase();
        match end.as_str() {
            "md" => Some(Format::Markdown),
            "ndjson" => Some(Format::Jsonl),
            "txt" => Some(Format::Table),
            end => end.parse().ok(),
        }
    }

    /// Whether the format has room for rows only, so that notes and coverage have to be said elsewhere.
    pub const fn rows_only(self) -> bool {
        matches!(self, Format::Jsonl | Format::Csv | Format::Parquet)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Format::OF_ROWS`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Format::OF_ROWS
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// What a renderer may assume about the place its text goes to.
#[derive(Debug, Clone, Copy, Default)]
pub struct RenderOptions {
    /// Columns of the terminal; `None` means that lines may be as long as they need to be.
    pub width: Option<u16>,
    /// Whether bold, dim and coloured text is welcome.
    pub color: bool,
    /// Lines of the terminal, if they are known.
    pub height: Option<u16>,
    /// Whether an answer that takes more than two screens, or does not fit a ticket, is shown with its first rows only.
    pub folded: bool,
    /// What to tell people who miss something.
    pub advice: Option<&'static Advice>,
}

/// The renderer of a format.
pub fn renderer(format: Format, options: RenderOptions) -> Box<dyn Render> {
    Box::new(rows::Whole { format, options })
}

/// Rows from which a table takes its widths when the rest of them is still to come.
pub const SAMPLE: usize = 1_000;

/// The writer of a format, for rows as they come. Tables take their widths from the first [`SAMPLE`] rows: later values
/// that are longer are shown like any other that does not fit.
pub fn writer(format: Format, options: RenderOptions) -> Box<dyn RowsWriter> {
    writer_of(format, options, Some(SAMPLE))
}

/// The writer of a format; tables take their widths from so many rows, or from all.
fn writer_of(format: Format, options: RenderOptions, sample: Option<usize>) -> Box<dyn RowsWriter> {
    match format {
        Format::Table => Box::new(terminal::Terminal::new(options, sample)),
        Format::Records => Box::new(terminal::Terminal::of_records(options, sample)),
        Format::Json => Box::<json::Json>::default(),
        Format::Jsonl => Box::<json::JsonLines>::default(),
        Format::Csv => Box::<csv::Csv>::default(),
        Format::Markdown => Box::new(markdown::Markdown::new(options)),
        Format::Parquet => Box::<parquet::Parquet>::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_names_round_trip() {
        for format in Format::OF_ROWS {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "yaml".parse::<Format>().unwrap_err().to_string(),
            "unknown format \"yaml\""
        );
    }

    /// Whatever the format, a terminal that shows the output raw sees no character that acts or hides.
    #[test]
    fn no_format_lets_a_hostile_value_through() {
        let report = testing::hostile();
        for format in Format::ALL.into_iter().chain([Format::Records]) {
            for width in [None, Some(200), Some(60), Some(20)] {
                let options = RenderOptions {
                    width,
                    ..RenderOptions::default()
                };
                let text = testing::rendered_with(format, options, &report);
                let bad: Vec<char> = text
                    .chars()
                    .filter(|&c| c != '\n' && escape::is_hidden(c))
                    .collect();
                assert!(bad.is_empty(), "{format} at {width:?} let through {bad:?}");
            }
        }
    }
}
