//! How does an answer look?
//!
//! In: a [`Report`]. Out: bytes on a writer, in one of the [`Format`]s. Promise: what an attacker wrote into a log file
//! never acts on the reader's terminal, spreadsheet or browser; escaping lives here, in `escape`, and nowhere else.
//! Nothing is cut except by a table that has to fit a width, and there the cut is shown.

mod block;
mod coverage;
mod csv;
pub mod escape;
mod grid;
pub mod html;
mod json;
mod markdown;
mod terminal;
#[cfg(test)]
mod testing;
mod trace;
mod value;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub use coverage::lines as coverage_lines;
pub use trace::{TraceView, render_trace};

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
}

impl Format {
    /// Every format, in the order of help texts.
    pub const ALL: [Format; 5] = [
        Format::Table,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Markdown,
    ];

    /// The name people type.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Markdown => "markdown",
        }
    }

    /// Whether the format has room for rows only, so that notes and coverage have to be said elsewhere.
    pub const fn rows_only(self) -> bool {
        matches!(self, Format::Jsonl | Format::Csv)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Format::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Format::ALL
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
    /// Whether bold and dim text is welcome.
    pub color: bool,
}

/// The renderer of a format.
pub fn renderer(format: Format, options: RenderOptions) -> Box<dyn Render> {
    match format {
        Format::Table => Box::new(terminal::Terminal(options)),
        Format::Json => Box::new(json::Json),
        Format::Jsonl => Box::new(json::JsonLines),
        Format::Csv => Box::new(csv::Csv),
        Format::Markdown => Box::new(markdown::Markdown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_names_round_trip() {
        for format in Format::ALL {
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
        for format in Format::ALL {
            for width in [None, Some(200), Some(60), Some(20)] {
                let options = RenderOptions {
                    width,
                    color: false,
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
