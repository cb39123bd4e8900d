//! How and where an answer is written, as typed.
//!
//! In: the command line. Out: format, file, columns. Promise: a format that is named counts; else the one that the name of the file
//! ends in; a command that cannot write it says so before it begins.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches};
use keytrail::render::Format;

use crate::failure::Failure;

/// How and where the answer is written.
#[derive(Debug, Clone)]
pub(crate) struct OutputArgs {
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
    pub(crate) columns: Vec<String>,
}

/// The same as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
struct TypedOutput {
    /// Output format [default: table]
    #[arg(long, short, value_name = "FORMAT", value_parser = formats(&Format::ALL))]
    format: Option<Format>,

    /// Write the answer to this file, once it is complete
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show only these columns, in this order, e.g. access_key_id,last_seen
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
}

impl Args for OutputArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        TypedOutput::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        TypedOutput::augment_args_for_update(command)
    }
}

impl FromArgMatches for OutputArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let TypedOutput {
            format,
            output,
            columns,
        } = TypedOutput::from_arg_matches(matches)?;
        let format = format_of(format, output.as_deref(), &Format::ALL)
            .map_err(|what| clap::Error::raw(ErrorKind::ValueValidation, what))?;
        Ok(Self {
            format,
            output,
            columns,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The format that is meant: the one that is named, or else the one that the name of the file ends in.
pub(crate) fn format_of(
    named: Option<Format>,
    file: Option<&Path>,
    known: &[Format],
) -> Result<Format, String> {
    let Some((file, end)) = file.and_then(|file| Some((file, file.extension()?))) else {
        return Ok(named.unwrap_or_default());
    };
    let meant = named.or_else(|| Format::of_file(file));
    let is_page = ["html", "htm"]
        .iter()
        .any(|page| end.eq_ignore_ascii_case(page));
    match meant {
        Some(format) if !known.contains(&format) => Err(format!(
            "{}: the answer of this command cannot be written as {format}",
            file.display()
        )),
        None if is_page => Err(format!(
            "{}: --output writes no page; trace and plan do, with --html FILE",
            file.display()
        )),
        meant => Ok(meant.unwrap_or_default()),
    }
}

/// How much of an answer is shown to people.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FoldArgs {
    /// Show all rows, instead of what fits two screens (or a ticket, as Markdown)
    #[arg(long)]
    pub(crate) full: bool,
}

/// A parser that knows these formats by name.
pub(crate) fn formats(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    PossibleValuesParser::new(formats.iter().map(|format| format.name()))
        .try_map(|name| name.parse::<Format>())
}

/// How and where rows are written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct RowsArgs {
    /// Output format; parquet needs --output [default: table]
    #[arg(long, short, value_name = "FORMAT", value_parser = formats(&Format::OF_ROWS))]
    format: Option<Format>,

    /// Write the rows to this file, once they are complete
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show only these columns, in this order, e.g. access_key_id,last_seen
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
}

impl RowsArgs {
    /// The output that is meant.
    pub(crate) fn output(&self) -> Result<OutputArgs, Failure> {
        let format = format_of(self.format, self.output.as_deref(), &Format::OF_ROWS)
            .map_err(Failure::usage)?;
        if format == Format::Parquet && self.output.is_none() {
            return Err(
                Failure::usage("a Parquet file cannot be written to a terminal or pipe")
                    .hint("name a file: --output FILE"),
            );
        }
        Ok(OutputArgs {
            format,
            output: self.output.clone(),
            columns: self.columns.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_that_is_named_counts_else_the_end_of_the_name() {
        let of = |named: Option<Format>, file: &str| {
            format_of(named, Some(Path::new(file)), &Format::ALL)
        };
        for (file, format) in [
            ("a.csv", Format::Csv),
            ("a.b.JSON", Format::Json),
            ("a.jsonl", Format::Jsonl),
            ("a.ndjson", Format::Jsonl),
            ("a/b.md", Format::Markdown),
            ("a.txt", Format::Table),
            ("a.log", Format::Table),
            ("csv", Format::Table),
            (".csv", Format::Table),
            ("a.csv/b", Format::Table),
        ] {
            assert_eq!(of(None, file), Ok(format), "{file}");
            assert_eq!(of(Some(Format::Json), file), Ok(Format::Json), "{file}");
        }
        assert_eq!(format_of(None, None, &Format::ALL), Ok(Format::Table));
        // Neither can be written: a table in its place would be taken for one.
        for file in ["a.parquet", "a.html", "a.HTM"] {
            assert!(of(None, file).is_err(), "{file}");
            assert_eq!(of(Some(Format::Csv), file), Ok(Format::Csv), "{file}");
        }
        let rows = format_of(None, Some(Path::new("a.parquet")), &Format::OF_ROWS);
        assert_eq!(rows, Ok(Format::Parquet));
    }
}
