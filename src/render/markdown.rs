//! Answers for tickets and wikis.
//!
//! In: a report. Out: headings, notes, a table per section, and the coverage, in GitHub's Markdown. Promise: a value is
//! text and nothing else: no markup, no HTML, no link, and it cannot leave its cell.

use std::io::{self, Write};

use super::value::{Value, rows};
use super::{Render, block, coverage, escape, terminal};
use crate::report::{Report, Section};

/// Headings and tables.
pub(super) struct Markdown;

impl Render for Markdown {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# {}", escape::markdown(&report.title))?;
        list(out, None, &report.notes)?;
        for section in &report.sections {
            if section.title != report.title {
                writeln!(out, "\n## {}", escape::markdown(&section.title))?;
            }
            writeln!(out)?;
            table(section, out)?;
        }
        if let Some(coverage) = &report.coverage {
            list(out, Some("Coverage"), &coverage::lines(coverage))?;
        }
        Ok(())
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

/// Each row as a paragraph, and its block below.
fn blocks(section: &Section, column: usize, out: &mut dyn Write) -> io::Result<()> {
    for (index, row) in rows(section).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}\n\n```json",
            escape::markdown(&block::heading(section, &row, column))
        )?;
        for line in block::lines(&row[column]) {
            // A line of JSON starts with a brace, a bracket, a quotation mark or space: it cannot end the block.
            writeln!(out, "{}", escape::terminal(&line))?;
        }
        writeln!(out, "```")?;
    }
    Ok(())
}

fn table(section: &Section, out: &mut dyn Write) -> io::Result<()> {
    if section.rows() == 0 {
        return writeln!(out, "None.");
    }
    if let Some(column) = block::column(section) {
        return blocks(section, column, out);
    }
    let shown: Vec<usize> = terminal::shown(section).collect();
    let fields = || shown.iter().map(|&column| section.schema.field(column));
    let names: Vec<String> = fields()
        .map(|field| escape::markdown(field.name()))
        .collect();
    writeln!(out, "| {} |", names.join(" | "))?;
    let rules: Vec<&str> = fields()
        .map(|field| {
            if field.data_type().is_numeric() {
                "---:"
            } else {
                "---"
            }
        })
        .collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    for row in rows(section) {
        let cells: Vec<String> = shown.iter().map(|&column| cell(&row[column])).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn cell(value: &Value<'_>) -> String {
    match value {
        Value::Number(digits) => digits.clone(),
        // Escaped for this page only: the terminal's notation would be escaped twice.
        Value::Text(text) => escape::markdown(text),
        Value::Json(text) => escape::markdown(&escape::json(text)),
        other => escape::markdown(&terminal::text(other)),
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
