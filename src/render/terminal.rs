//! Answers for people at a terminal.
//!
//! In: a report and the terminal's width. Out: title, notes, each section as a table, and the coverage. A section of one
//! row, and one whose table cannot fit, is a list of `name  value` lines. Promise: identifiers, times and numbers are
//! never cut; nothing of a value acts on the terminal.

use std::io::{self, Write};

use arrow::datatypes::{DataType, Field};
use unicode_width::UnicodeWidthStr;

use super::escape::{json as json_in_line, terminal as escaped};
use super::grid::{Column, Fit, Grid, NARROWEST};
use super::value::{Value, readable, rows};
use super::{Render, RenderOptions, block, coverage, json};
use crate::report::{FIT, Report, Section};

/// What a missing value looks like.
const MISSING: &str = "–";

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// Tables for people.
pub(super) struct Terminal(pub(super) RenderOptions);

impl Render for Terminal {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let utc = report.sections.iter().any(has_times);
        let suffix = if utc { " (times in UTC)" } else { "" };
        writeln!(out, "{}{suffix}", self.bold(&escaped(&report.title)))?;
        for note in &report.notes {
            writeln!(out, "note: {}", escaped(note))?;
        }
        for section in &report.sections {
            writeln!(out)?;
            if section.title != report.title {
                writeln!(out, "{}", self.bold(&escaped(&section.title)))?;
            }
            self.section(section, out)?;
        }
        if let Some(coverage) = &report.coverage {
            writeln!(out)?;
            for line in coverage::lines(coverage) {
                writeln!(out, "{}", self.styled(DIM, &escaped(&line)))?;
            }
        }
        Ok(())
    }
}

/// A single row with more columns than this is a summary, which is read from top to bottom, not a list of one.
const ROW_COLUMNS: usize = 8;

impl Terminal {
    fn section(&self, section: &Section, out: &mut dyn Write) -> io::Result<()> {
        if let Some(column) = block::column(section).filter(|_| section.rows() > 0) {
            return self.blocks(section, column, out);
        }
        let grid = grid(section);
        match (grid.rows.len(), grid.layout(self.0.width)) {
            (0, _) => writeln!(out, "none"),
            (1, _) if grid.columns.len() > ROW_COLUMNS => self.records(&grid, out),
            (_, Some(layout)) => {
                for line in grid.head(&layout) {
                    writeln!(out, "{}", self.bold(&line))?;
                }
                for line in grid.body(&layout) {
                    writeln!(out, "{line}")?;
                }
                if !layout.left_out.is_empty() {
                    let names = layout.left_out.join(", ");
                    writeln!(
                        out,
                        "{}",
                        self.styled(DIM, &format!("no room for: {names}"))
                    )?;
                }
                Ok(())
            }
            _ => self.records(&grid, out),
        }
    }

    /// Each row as a line, and its block below.
    fn blocks(&self, section: &Section, column: usize, out: &mut dyn Write) -> io::Result<()> {
        for (index, row) in rows(section).enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", self.bold(&block::heading(section, &row, column)))?;
            for line in block::lines(&row[column]) {
                writeln!(out, "{}", escaped(&line))?;
            }
        }
        Ok(())
    }

    fn records(&self, grid: &Grid, out: &mut dyn Write) -> io::Result<()> {
        let names = || grid.columns.iter().map(|column| column.name.as_str());
        let width = names().map(UnicodeWidthStr::width).max().unwrap_or(0);
        for (index, row) in grid.rows.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for (name, text) in names().zip(row) {
                let space = " ".repeat(width - name.width());
                writeln!(out, "{}{space}  {text}", self.bold(name))?;
            }
        }
        Ok(())
    }

    fn bold(&self, text: &str) -> String {
        self.styled(BOLD, text)
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.0.color {
            format!("{style}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }
}

fn has_times(section: &Section) -> bool {
    let mut fields = section.schema.fields().iter();
    fields.any(|field| matches!(field.data_type(), DataType::Timestamp(_, _)))
}

fn grid(section: &Section) -> Grid {
    let shown: Vec<usize> = shown(section).collect();
    let rows: Vec<Vec<String>> = rows(section)
        .map(|row| shown.iter().map(|&column| text(&row[column])).collect())
        .collect();
    let fields = shown.iter().map(|&column| section.schema.field(column));
    Grid {
        columns: fields
            .enumerate()
            .map(|(index, field)| Column {
                name: escaped(field.name()).into_owned(),
                right: field.data_type().is_numeric(),
                fit: fit(field, rows.iter().map(|row| row[index].as_str())),
            })
            .collect(),
        rows,
    }
}

/// The columns that are for people, by index.
pub(super) fn shown(section: &Section) -> impl Iterator<Item = usize> {
    let fields = section.schema.fields().iter().enumerate();
    let data = |field: &Field| field.metadata().get(FIT).is_some_and(|fit| fit == "data");
    fields
        .filter(move |(_, field)| !data(field))
        .map(|(column, _)| column)
}

/// What may happen to a column: what its field says, or what its values suggest.
fn fit<'a>(field: &Field, mut texts: impl Iterator<Item = &'a str>) -> Fit {
    match field.metadata().get(FIT).map(String::as_str) {
        Some("whole") => return Fit::Whole,
        Some("cut") => return Fit::Cut,
        Some("wrap") => return Fit::Wrap,
        Some("detail") => return Fit::Detail,
        _ => {}
    }
    let name = field.name();
    let identifier = name.ends_with("access_key_id") || name.ends_with("ip_address");
    let exact = field.data_type().is_numeric() || field.data_type().is_temporal();
    if !identifier && !exact && texts.any(|text| text.width() > NARROWEST) {
        Fit::Cut
    } else {
        Fit::Whole
    }
}

/// A value for people: times without `T` and `Z`, lists without brackets.
pub(super) fn text(value: &Value<'_>) -> String {
    match value {
        Value::Null => MISSING.to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(digits) => digits.clone(),
        Value::Time(time) => readable(*time),
        Value::Text(text) => escaped(text).into_owned(),
        Value::Json(text) => escaped(&json_in_line(text)).into_owned(),
        Value::List(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(_) => escaped(&json::text(value)).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{empty, hostile, rendered, rendered_with, sample};
    use super::*;

    fn at_width(width: u16, report: &Report) -> String {
        let options = RenderOptions {
            width: Some(width),
            color: false,
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
             access_key_id         last_seen                events  root  regions               other_fields\n\
             AKIAIOSFODNN7EXAMPLE  2025-03-03 02:17:31          12  true  eu-west-1, us-east-1  {\"a\": [1]}\n\
             –                     2025-03-03 02:17:31.250      -1  –                           not json\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_records() {
        let text = at_width(40, &sample());
        assert!(
            text.contains("access_key_id  AKIAIOSFODNN7EXAMPLE\nlast_seen      2025-03-03"),
            "{text}"
        );
        assert!(text.contains("not json"), "{text}");
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
            width: None,
            color: true,
        };
        let text = rendered_with(Format::Table, options, &sample());
        assert!(text.starts_with("\u{1b}[1mSample\u{1b}[0m"), "{text}");
        assert!(!rendered(Format::Table, &sample()).contains('\u{1b}'));
    }
}
