//! Answers for people at a terminal.
//!
//! In: a report and the terminal's width. Out: title, notes, each section as a table, and the coverage. A section of one
//! row, and one whose table cannot fit, is a list of `name  value` lines. Promise: identifiers, times and numbers are
//! never cut; nothing of a value acts on the terminal. Rows are kept only until the widths are chosen.

use std::collections::BTreeSet;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use unicode_width::UnicodeWidthStr;

use super::advice::behind;
use super::columns::{columns, has_times, shown};
use super::escape::terminal as escaped;
use super::grid::{self, Fit, GAP, Grid, Layout, WIDEST};
use super::heading::{heading, is_bytes, size};
use super::readable::text;
use super::rows::{Heading, Opening, Remarks, RowsWriter};
use super::value::rows;
use super::{RenderOptions, block, coverage, fold, tone};
use crate::report::Coverage;

/// Said once of all times.
const UTC: &str = " (times in UTC)";

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// Tables for people.
pub(super) struct Terminal {
    options: RenderOptions,
    /// Rows from which widths are taken; all when none.
    sample: Option<usize>,
    /// Whether every row is a list of its own.
    records: bool,
    title: String,
    coverage: Option<Coverage>,
    table: Option<Table>,
}

/// The table that is being written.
struct Table {
    schema: SchemaRef,
    /// The columns that are for people, by index.
    shown: Vec<usize>,
    grid: Grid,
    /// How it is shown, once that is decided.
    shape: Option<Shape>,
    rows: u64,
    /// Columns with a value that was cut although there is no width to keep to.
    cut: BTreeSet<String>,
}

/// How a table is shown.
enum Shape {
    Columns(Layout),
    Records,
}

/// The most lines of a cell in an answer that is folded.
const TALLEST: usize = 2;

/// A single row with more columns than this is a summary, which is read from top to bottom, not a list of one.
const ROW_COLUMNS: usize = 8;

impl RowsWriter for Terminal {
    fn open(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
        self.title = opening.title.clone();
        if !self.title.is_empty() {
            let mut schemas = opening.sections.iter().map(|section| &section.schema);
            let utc = schemas.any(|schema| has_times(schema));
            let suffix = if utc { UTC } else { "" };
            writeln!(out, "{}{suffix}", self.bold(&escaped(&self.title)))?;
        }
        match &opening.remarks {
            Some(remarks) => self.told(remarks, out),
            None => Ok(()),
        }
    }

    fn section(&mut self, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
        let first = self.table.is_none() && self.title.is_empty();
        self.end_of_section(out)?;
        if !first {
            writeln!(out)?;
        }
        if heading.title != self.title {
            writeln!(out, "{}", self.bold(&escaped(&heading.title)))?;
        }
        self.table = Some(Table {
            schema: SchemaRef::clone(&heading.schema),
            shown: shown(&heading.schema),
            grid: Grid::default(),
            shape: None,
            rows: 0,
            cut: BTreeSet::new(),
        });
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        let Some(mut table) = self.table.take() else {
            return Ok(());
        };
        if let Some(column) = block::column(&table.schema) {
            self.blocks(&mut table, column, batch, out)?;
            self.table = Some(table);
            return Ok(());
        }
        table.rows += batch.num_rows() as u64;
        for row in rows(batch) {
            let schema = &table.schema;
            let cells = table.shown.iter().map(|&column| {
                let text = text(&row[column]);
                let is_size = self.sample.is_none() && is_bytes(schema.field(column).name());
                match is_size {
                    true => size(&text).into_owned(),
                    false => text,
                }
            });
            table.grid.rows.push(cells.collect());
        }
        let enough = |sample| table.grid.rows.len() > sample;
        if table.shape.is_some() || self.sample.is_some_and(enough) {
            self.show(&mut table, out)?;
        }
        self.table = Some(table);
        Ok(())
    }

    fn close(&mut self, remarks: Option<&Remarks>, out: &mut dyn Write) -> io::Result<()> {
        self.end_of_section(out)?;
        if let Some(remarks) = remarks {
            if !remarks.notes.is_empty() {
                writeln!(out)?;
            }
            self.told(remarks, out)?;
        }
        if let Some(coverage) = self.coverage.take() {
            writeln!(out)?;
            for line in coverage::footer(&coverage) {
                self.remark(&escaped(&line), out)?;
            }
        }
        Ok(())
    }
}

impl Terminal {
    pub(super) fn new(options: RenderOptions, sample: Option<usize>) -> Self {
        Self {
            options,
            sample,
            records: false,
            title: String::new(),
            coverage: None,
            table: None,
        }
    }

    /// Never in columns.
    pub(super) fn of_records(options: RenderOptions, sample: Option<usize>) -> Self {
        Self {
            records: true,
            ..Self::new(options, sample)
        }
    }

    /// Writes the notes, and keeps the coverage for the end.
    fn told(&mut self, remarks: &Remarks, out: &mut dyn Write) -> io::Result<()> {
        self.coverage = remarks.coverage.clone();
        for note in &remarks.notes {
            for line in self.prose("note: ", &escaped(note)) {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }

    /// A text after a word, in lines that fit; those after the first are indented.
    fn prose(&self, word: &str, text: &str) -> Vec<String> {
        let indent = word.width();
        let mut lines = match self.options.width {
            Some(width) if usize::from(width) > 2 * indent => {
                grid::wrapped(text, usize::from(width) - indent)
            }
            _ => vec![text.to_owned()],
        };
        if lines.is_empty() {
            lines.push(String::new());
        }
        for (at, line) in lines.iter_mut().enumerate() {
            let before = if at == 0 { word } else { &" ".repeat(indent) };
            *line = format!("{before}{line}");
        }
        lines
    }

    /// A remark of the program's own, in lines that fit.
    fn remark(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for line in self.prose("", text) {
            writeln!(out, "{}", self.styled(DIM, &line))?;
        }
        Ok(())
    }

    /// Writes the rows that are there, after the head if they are the first.
    fn show(&self, table: &mut Table, out: &mut dyn Write) -> io::Result<()> {
        let Table {
            grid,
            shape,
            schema,
            shown,
            rows,
            cut,
        } = table;
        let first = shape.is_none();
        let shape = shape.get_or_insert_with(|| {
            grid.columns = columns(schema, shown, &grid.rows);
            // A report may say less in a narrow terminal; rows of a query have the columns that were asked for.
            let is_report = self.sample.is_none();
            let is_folded = fold::more(schema).is_some();
            if is_report {
                for column in &mut grid.columns {
                    column.heading = heading(&column.name).into_owned();
                }
                grid.drops = *rows > 1 || is_folded;
            }
            if self.options.folded {
                grid.tallest = Some(TALLEST);
            }
            if self.options.color {
                grid.tone = Some(tone::of);
            }
            match grid.layout(self.options.width) {
                _ if self.records => Shape::Records,
                Some(layout) if *rows > 1 || is_folded || grid.columns.len() <= ROW_COLUMNS => {
                    Shape::Columns(layout)
                }
                _ => Shape::Records,
            }
        });
        match shape {
            Shape::Records => self.records(grid, first, out)?,
            Shape::Columns(layout) => {
                if first {
                    for line in grid.head(layout) {
                        writeln!(out, "{}", self.bold(&line))?;
                    }
                }
                cut.extend(grid.capped(layout).map(str::to_owned));
                for line in grid.body(layout) {
                    writeln!(out, "{line}")?;
                }
            }
        }
        grid.rows.clear();
        Ok(())
    }

    /// Writes each row as a line, and its block below.
    fn blocks(
        &self,
        table: &mut Table,
        column: usize,
        batch: &RecordBatch,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for row in rows(batch) {
            if table.rows > 0 {
                writeln!(out)?;
            }
            table.rows += 1;
            let heading = block::heading(&table.schema, &row, column);
            writeln!(out, "{}", self.bold(&heading))?;
            for line in block::lines(&row[column]) {
                writeln!(out, "{}", escaped(&line))?;
            }
        }
        Ok(())
    }

    fn end_of_section(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(mut table) = self.table.take() else {
            return Ok(());
        };
        match (table.rows, self.sample) {
            (0, None) => return writeln!(out, "none"),
            (0, Some(_)) => {}
            // Blocks are written already.
            _ if block::column(&table.schema).is_some() => {}
            _ => self.show(&mut table, out)?,
        }
        if let Some(Shape::Columns(layout)) = &table.shape
            && !layout.left_out.is_empty()
        {
            self.remark(&self.hidden(&layout.left_out), out)?;
        }
        if let Some(more) = fold::more(&table.schema) {
            let advice = behind(self.options.advice, |advice| advice.rows);
            self.remark(&format!("and {more} more{advice}"), out)?;
        }
        if !table.cut.is_empty() {
            let names: Vec<&str> = table.cut.iter().map(String::as_str).collect();
            let names = names.join(", ");
            self.remark(&format!("cut at {WIDEST} characters: {names}"), out)?;
        }
        // Where rows come one by one, their number is known only now.
        if self.sample.is_some() {
            let counted = match table.rows {
                0 => "no rows".to_owned(),
                1 => "1 row".to_owned(),
                rows => format!("{rows} rows"),
            };
            let untold = self.title.is_empty() && has_times(&table.schema);
            let suffix = if untold && table.rows > 0 { UTC } else { "" };
            writeln!(out, "{}", self.styled(DIM, &format!("{counted}{suffix}")))?;
        }
        Ok(())
    }

    /// The columns that are hidden: as many names as the line holds.
    fn hidden(&self, columns: &[String]) -> String {
        let advice = behind(self.options.advice, |advice| advice.columns);
        let line = |shown: usize| {
            let more = match columns.len() - shown {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = columns[..shown].join(", ");
            format!("hidden columns: {names}{more}{advice}")
        };
        let width = self.options.width.map_or(usize::MAX, usize::from);
        let fits = |shown: &usize| line(*shown).width() <= width;
        line((1..=columns.len()).rev().find(fits).unwrap_or(1))
    }

    fn records(&self, grid: &Grid, first: bool, out: &mut dyn Write) -> io::Result<()> {
        let names = || grid.columns.iter().map(|column| column.heading.as_str());
        let width = names().map(UnicodeWidthStr::width).max().unwrap_or(0);
        for (index, row) in grid.rows.iter().enumerate() {
            if index > 0 || !first {
                writeln!(out)?;
            }
            for (column, text) in grid.columns.iter().zip(row) {
                let name = column.heading.as_str();
                let space = " ".repeat(width - name.width());
                let indent = " ".repeat(width + GAP);
                // What is to be copied stays in one piece.
                let lines = match column.fit {
                    Fit::Whole => vec![format!("{indent}{text}")],
                    _ => self.prose(&indent, text),
                };
                let tone = grid.tone.and_then(|tone| tone(&column.name, text));
                for (at, line) in lines.iter().enumerate() {
                    let line = line.get(indent.len()..).unwrap_or_default();
                    let line = match tone {
                        Some(tone) => self.styled(tone, line),
                        None => line.to_owned(),
                    };
                    match at {
                        0 => writeln!(out, "{}{space}  {line}", self.bold(name))?,
                        _ => writeln!(out, "{indent}{line}")?,
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.styled(BOLD, text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.styled(DIM, text)
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.options.color {
            format!("{style}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{empty, hostile, rendered, rendered_with, sample};
    use super::*;
    use crate::report::Report;

    fn at_width(width: u16, report: &Report) -> String {
        let options = RenderOptions {
            width: Some(width),
            ..RenderOptions::default()
        };
        rendered_with(Format::Table, options, report)
    }

    #[test]
    fn a_table() {
        assert_eq!(
            rendered(Format::Table, &sample()),
            "Sample (times in UTC)\n\
             note: Two rows.\n\
             \n\
             access key            last seen                events  root  regions               other fields\n\
             AKIAIOSFODNN7EXAMPLE  2025-03-03 02:17:31          12  true  eu-west-1, us-east-1  {\"a\": [1]}\n\
             –                     2025-03-03 02:17:31.250      -1  –                           not json\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_records() {
        let text = at_width(40, &sample());
        assert!(
            text.contains("access key    AKIAIOSFODNN7EXAMPLE\nlast seen     2025-03-03"),
            "{text}"
        );
        assert!(text.contains("not json"), "{text}");
    }

    #[test]
    fn records_are_wanted_or_needed() {
        let text = rendered(Format::Records, &sample());
        assert!(
            text.contains("access key    AKIAIOSFODNN7EXAMPLE\nlast seen     2025-03-03"),
            "{text}"
        );
    }

    #[test]
    fn values_are_escaped_and_no_row_is_said() {
        let text = rendered(Format::Table, &hostile());
        assert!(text.contains("@\\x1b]0;x\\x07"), "{text}");
        assert!(text.contains("1\\x1b[31m"), "{text}");
        assert_eq!(rendered(Format::Table, &empty()), "Empty\n\nRows\nnone\n");
    }

    #[test]
    fn colour_only_when_asked() {
        let options = RenderOptions {
            color: true,
            ..RenderOptions::default()
        };
        let text = rendered_with(Format::Table, options, &sample());
        assert!(text.starts_with("\u{1b}[1mSample\u{1b}[0m"), "{text}");
        assert!(!rendered(Format::Table, &sample()).contains('\u{1b}'));
    }
}
