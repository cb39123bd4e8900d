//! Answers for tickets and wikis.
//!
//! In: a report. Out: headings, notes, a table per section, and the coverage, in GitHub's Markdown. Promise: a value is
//! text and nothing else: no markup, no HTML, no link, and it cannot leave its cell.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::advice::{Advice, behind};
use super::rows::{Heading, Opening, Remarks, RowsWriter};
use super::value::{Value, rows};
use super::{RenderOptions, block, columns, coverage, escape, fold, readable};
use crate::report::Coverage;

/// Headings and tables.
#[derive(Default)]
pub(super) struct Markdown {
    title: String,
    coverage: Option<Coverage>,
    table: Option<Table>,
    advice: Option<&'static Advice>,
}

/// The table that is being written.
struct Table {
    schema: SchemaRef,
    /// The columns that are for people, by index.
    shown: Vec<usize>,
    begun: bool,
}

impl RowsWriter for Markdown {
    fn open(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
        self.title = opening.title.clone();
        if !self.title.is_empty() {
            writeln!(out, "# {}", escape::markdown(&self.title))?;
        }
        match &opening.remarks {
            Some(remarks) => self.told(remarks, out),
            None => Ok(()),
        }
    }

    fn section(&mut self, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
        self.end_of_section(out)?;
        let titled = heading.title != self.title;
        if titled {
            writeln!(out, "\n## {}", escape::markdown(&heading.title))?;
        }
        if titled || !self.title.is_empty() {
            writeln!(out)?;
        }
        self.table = Some(Table {
            schema: SchemaRef::clone(&heading.schema),
            shown: columns::shown(&heading.schema),
            begun: false,
        });
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        match &mut self.table {
            Some(table) => table.rows(batch, out),
            None => Ok(()),
        }
    }

    fn close(&mut self, remarks: Option<&Remarks>, out: &mut dyn Write) -> io::Result<()> {
        self.end_of_section(out)?;
        if let Some(remarks) = remarks {
            self.told(remarks, out)?;
        }
        match self.coverage.take() {
            Some(coverage) => list(out, Some("Coverage"), &coverage::lines(&coverage)),
            None => Ok(()),
        }
    }
}

impl Markdown {
    pub(super) fn new(options: RenderOptions) -> Self {
        Self {
            advice: options.advice,
            ..Self::default()
        }
    }

    /// Writes the notes, and keeps the coverage for the end.
    fn told(&mut self, remarks: &Remarks, out: &mut dyn Write) -> io::Result<()> {
        self.coverage = remarks.coverage.clone();
        list(out, None, &remarks.notes)
    }

    fn end_of_section(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.table.take() {
            Some(table) if fold::more(&table.schema).is_some() => {
                let more = fold::more(&table.schema).unwrap_or_default();
                let advice = behind(self.advice, |advice| advice.rows);
                writeln!(out, "\nand {more} more{advice}")
            }
            Some(table) if !table.begun => writeln!(out, "None."),
            _ => Ok(()),
        }
    }
}

fn list(out: &mut dyn Write, heading: Option<&str>, lines: &[String]) -> io::Result<()> {
    if let Some(heading) = heading {
        writeln!(out, "\n## {heading}")?;
    }
    for (index, line) in lines.iter().enumerate() {
        let break_before = if index == 0 { "\n" } else { "" };
        writeln!(out, "{break_before}- {}", escape::markdown(line))?;
    }
    Ok(())
}

impl Table {
    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        let block = block::column(&self.schema);
        for row in rows(batch) {
            let first = !self.begun;
            self.begun = true;
            match block {
                Some(column) => {
                    if !first {
                        writeln!(out)?;
                    }
                    self.block(&row, column, out)?;
                }
                None => {
                    if first {
                        self.head(out)?;
                    }
                    let cells = self.shown.iter().map(|&column| cell(&row[column]));
                    writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
                }
            }
        }
        Ok(())
    }

    /// A row as a paragraph, and its block below.
    fn block(&self, row: &[Value<'_>], column: usize, out: &mut dyn Write) -> io::Result<()> {
        let heading = block::heading(&self.schema, row, column);
        writeln!(out, "{}\n\n```json", escape::markdown(&heading))?;
        for line in block::lines(&row[column]) {
            // A line of JSON starts with a brace, a bracket, a quotation mark or space: it cannot end the block.
            writeln!(out, "{}", escape::terminal(&line))?;
        }
        writeln!(out, "```")
    }

    /// Names, and the side on which each column stands.
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let fields = || self.shown.iter().map(|&column| self.schema.field(column));
        let names = fields().map(|field| escape::markdown(field.name()));
        writeln!(out, "| {} |", names.collect::<Vec<_>>().join(" | "))?;
        let rules = fields().map(|field| match field.data_type().is_numeric() {
            true => "---:",
            false => "---",
        });
        writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "))
    }
}

fn cell(value: &Value<'_>) -> String {
    match value {
        Value::Number(digits) => digits.clone(),
        // Escaped for this page only: the terminal's notation would be escaped twice.
        Value::Text(text) => escape::markdown(text),
        Value::Json(text) => escape::markdown(&escape::json(text)),
        other => escape::markdown(&readable::text(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{empty, hostile, rendered, sample};

    #[test]
    fn headings_tables_notes() {
        assert_eq!(
            rendered(Format::Markdown, &sample()),
            "# Sample\n\n- Two rows.\n\n\
             | access\\_key\\_id | last\\_seen | events | root | regions | other\\_fields |\n\
             | --- | --- | ---: | --- | --- | --- |\n\
             | AKIAIOSFODNN7EXAMPLE | 2025-03-03 02:17:31 | 12 | true | eu-west-1, us-east-1 | {\"a\": \\[1\\]} |\n\
             | – | 2025-03-03 02:17:31.250 | -1 | – |  | not json |\n"
        );
        assert_eq!(
            rendered(Format::Markdown, &empty()),
            "# Empty\n\n## Rows\n\nNone.\n"
        );
    }

    #[test]
    fn a_value_stays_in_its_cell() {
        let text = rendered(Format::Markdown, &hostile());
        assert!(
            text.contains("| \\\\x1b\\[2J\\\\u{202e}=x\\\\n\\|&lt;b&gt;\\\\x7f\\\\x9b | 1 |"),
            "{text}"
        );
        assert!(text.contains("\n## Coverage\n\n- 3 events"), "{text}");
    }
}
