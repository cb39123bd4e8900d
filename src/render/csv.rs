//! Answers for spreadsheets and data frames.
//!
//! In: a report. Out: comma-separated values as RFC 4180 has them, lines ending in LF as Unix tools expect. One section
//! is one table. Several sections become one long table: its first column, `section`, names the section, and its other
//! columns are the union of theirs; a row leaves the columns of other sections empty. Promise: every line has the same
//! number of fields; a field is one line; no field is a formula (such text gets a leading `'`); a missing value is an
//! empty field, an empty text is `""`. Lists and JSON are JSON text. Notes and coverage have no place here.

use std::io::{self, Write};

use super::value::{Value, rfc3339, rows};
use super::{Render, escape, json};
use crate::report::Report;

/// The column that tells sections apart.
const SECTION: &str = "section";

/// Comma-separated values.
pub(super) struct Csv;

impl Render for Csv {
    fn render(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let several = report.sections.len() > 1;
        let columns = union(report);
        let header = several
            .then_some(SECTION)
            .into_iter()
            .chain(columns.iter().copied());
        line(out, header.map(|name| escape::csv(name).into_owned()))?;
        for section in &report.sections {
            let places: Vec<Option<usize>> = columns
                .iter()
                .map(|name| section.schema.index_of(name).ok())
                .collect();
            for row in rows(section) {
                let first = several.then(|| escape::csv(&section.name).into_owned());
                let rest = places
                    .iter()
                    .map(|place| place.map_or_else(String::new, |index| field(&row[index])));
                line(out, first.into_iter().chain(rest))?;
            }
        }
        Ok(())
    }
}

/// The columns of all sections, in the order in which they first appear.
fn union(report: &Report) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    for name in report
        .sections
        .iter()
        .flat_map(|section| section.schema.fields())
        .map(|field| field.name().as_str())
    {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    columns
}

fn line(out: &mut dyn Write, fields: impl Iterator<Item = String>) -> io::Result<()> {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        out.write_all(field.as_bytes())?;
    }
    out.write_all(b"\n")
}

fn field(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(digits) => digits.clone(),
        Value::Time(time) => rfc3339(*time),
        Value::Text(text) => escape::csv(text).into_owned(),
        Value::Json(text) => escape::csv(&escape::json(text)).into_owned(),
        Value::List(_) | Value::Object(_) => escape::csv(&json::text(value)).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{empty, hostile, rendered, sample};

    #[test]
    fn one_section_is_one_table() {
        let expected = concat!(
            "access_key_id,last_seen,events,root,regions,other_fields\n",
            "AKIAIOSFODNN7EXAMPLE,2025-03-03T02:17:31Z,12,true,\"[\"\"eu-west-1\"\",\"\"us-east-1\"\"]\",\"{\"\"a\"\": [1]}\"\n",
            ",2025-03-03T02:17:31.250Z,-1,,[],not json\n",
        );
        assert_eq!(rendered(Format::Csv, &sample()), expected);
    }

    #[test]
    fn no_row_leaves_the_header() {
        assert_eq!(rendered(Format::Csv, &empty()), "event_name\n");
    }

    #[test]
    fn several_sections_are_one_long_table() {
        let expected = concat!(
            "section,user_agent,events,region\n",
            "users,\\x1b[2J\\u{202e}=x\\n|<b>\\x7f\\x9b,1,\n",
            "users,'=cmd|' /C calc'!A0,2,\n",
            "regions,,,'@\\x1b]0;x\\x07\n",
        );
        assert_eq!(rendered(Format::Csv, &hostile()), expected);
    }
}
