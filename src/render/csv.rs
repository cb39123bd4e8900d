//! Answers for spreadsheets and data frames.
//!
//! In: a report. Out: comma-separated values as RFC 4180 has them, lines ending in LF as Unix tools expect. One section
//! is one table. Several sections become one long table: its first column, `section`, names the section, and its other
//! columns are the union of theirs; a row leaves the columns of other sections empty. Promise: every line has the same
//! number of fields; a field is one line; no field is a formula (such text gets a leading `'`); a missing value is an
//! empty field, an empty text is `""`. Lists and JSON are JSON text. Notes and coverage have no place here.

use std::io::{self, Write};

use arrow::array::RecordBatch;

use super::rows::{Heading, Opening, Remarks, RowsWriter};
use super::value::{Value, rfc3339, rows};
use super::{escape, json};

/// The column that tells sections apart.
const SECTION: &str = "section";

/// Comma-separated values.
#[derive(Default)]
pub(super) struct Csv {
    columns: Vec<String>,
    several: bool,
    /// What the lines of a section begin with.
    first: Option<String>,
    /// Where each column stands in the section.
    places: Vec<Option<usize>>,
}

impl RowsWriter for Csv {
    fn open(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
        self.several = opening.sections.len() > 1;
        self.columns = match opening.sections.as_slice() {
            // As they are, even if two columns of one table have the same name.
            [one] => names(one).map(str::to_owned).collect(),
            sections => union(sections),
        };
        let header = self
            .several
            .then_some(SECTION)
            .into_iter()
            .chain(self.columns.iter().map(String::as_str));
        line(out, header.map(|name| escape::csv(name).into_owned()))
    }

    fn section(&mut self, heading: &Heading, _: &mut dyn Write) -> io::Result<()> {
        let schema = &heading.schema;
        self.first = self
            .several
            .then(|| escape::csv(&heading.name).into_owned());
        self.places = match self.several {
            true => self
                .columns
                .iter()
                .map(|name| schema.index_of(name).ok())
                .collect(),
            false => (0..schema.fields().len()).map(Some).collect(),
        };
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in rows(batch) {
            let fields = self
                .places
                .iter()
                .map(|place| place.map_or_else(String::new, |index| field(&row[index])));
            line(out, self.first.clone().into_iter().chain(fields))?;
        }
        Ok(())
    }

    fn close(&mut self, _: Option<&Remarks>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn names(heading: &Heading) -> impl Iterator<Item = &str> {
    heading
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
}

/// The columns of all sections, in the order in which they first appear.
fn union(sections: &[Heading]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in sections.iter().flat_map(names) {
        if !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
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
