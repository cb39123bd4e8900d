//! Answers for programs: one JSON object, or one JSON object per row.
//!
//! In: a report. Out: `{"report": …, "coverage": {…}, "notes": […], "<section>": [ … ]}` with one row per line, so that
//! it reads in `less` and two answers differ in `diff` where they differ in fact; or, as JSON lines, the bare rows, with
//! a first field `section` if there are several sections. Promise: valid JSON whatever the values are; times are RFC
//! 3339 in UTC; a missing value is `null`; rows are streamed. Coverage and notes come last where they are not known before
//! the rows.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde::Serialize;

use super::escape;
use super::rows::{Heading, Opening, Remarks, RowsWriter};
use super::value::{Value, rfc3339, rows};
use crate::report::QUERY;

/// The whole report as one object.
#[derive(Default)]
pub(super) struct Json {
    names: Vec<String>,
    /// Rows of the section so far; none before the first section.
    rows: Option<u64>,
}

/// Rows only, one per line.
#[derive(Default)]
pub(super) struct JsonLines {
    names: Vec<String>,
    /// What a row begins with.
    start: String,
    several: bool,
}

impl RowsWriter for Json {
    fn open(&mut self, opening: &Opening, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\n  \"report\": ")?;
        serialized(out, &opening.name)?;
        let query = opening.sections.first();
        if let Some(query) = query.and_then(|heading| heading.schema.metadata().get(QUERY)) {
            write!(
                out,
                ",
  \"query\": "
            )?;
            serialized(out, query)?;
        }
        match &opening.remarks {
            Some(remarks) => told(remarks, out),
            None => Ok(()),
        }
    }

    fn section(&mut self, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
        self.end_of_section(out)?;
        write!(out, ",\n  ")?;
        serialized(out, &heading.name)?;
        write!(out, ": [")?;
        self.names = keys(&heading.schema)?;
        self.rows = Some(0);
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        let before = self.rows.unwrap_or(0);
        for (index, row) in rows(batch).enumerate() {
            let first = before == 0 && index == 0;
            out.write_all(if first { b"\n    {" } else { b",\n    {" })?;
            members(out, &self.names, &row)?;
            out.write_all(b"}")?;
        }
        self.rows = Some(before + batch.num_rows() as u64);
        Ok(())
    }

    fn close(&mut self, remarks: Option<&Remarks>, out: &mut dyn Write) -> io::Result<()> {
        self.end_of_section(out)?;
        if let Some(remarks) = remarks {
            told(remarks, out)?;
        }
        out.write_all(b"\n}\n")
    }
}

impl Json {
    fn end_of_section(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.rows.take() {
            None => Ok(()),
            Some(0) => out.write_all(b"]"),
            Some(_) => out.write_all(b"\n  ]"),
        }
    }
}

/// Coverage and notes as members.
fn told(remarks: &Remarks, out: &mut dyn Write) -> io::Result<()> {
    if let Some(coverage) = &remarks.coverage {
        write!(out, ",\n  \"coverage\": ")?;
        serialized(out, coverage)?;
    }
    write!(out, ",\n  \"notes\": ")?;
    serialized(out, &remarks.notes)
}

impl RowsWriter for JsonLines {
    fn open(&mut self, opening: &Opening, _: &mut dyn Write) -> io::Result<()> {
        self.several = opening.sections.len() > 1;
        Ok(())
    }

    fn section(&mut self, heading: &Heading, _: &mut dyn Write) -> io::Result<()> {
        self.names = keys(&heading.schema)?;
        self.start = match self.several {
            true => format!("{{\"section\":{},", json_text(&heading.name)?),
            false => "{".to_owned(),
        };
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in rows(batch) {
            out.write_all(self.start.as_bytes())?;
            members(out, &self.names, &row)?;
            out.write_all(b"}\n")?;
        }
        Ok(())
    }

    fn close(&mut self, _: Option<&Remarks>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// An object that is written member by member.
pub(super) struct Document<'a> {
    out: &'a mut dyn Write,
    begun: bool,
}

impl<'a> Document<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, begun: false }
    }

    /// A member on one line.
    pub(super) fn member(
        &mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> io::Result<()> {
        self.out
            .write_all(if self.begun { b",\n  " } else { b"{\n  " })?;
        self.begun = true;
        serialized(self.out, name)?;
        self.out.write_all(b": ")?;
        serialized(self.out, value)
    }

    /// A list with a line for each row.
    pub(super) fn rows(&mut self, name: &str, rows: &[impl Serialize]) -> io::Result<()> {
        self.out
            .write_all(if self.begun { b",\n  " } else { b"{\n  " })?;
        self.begun = true;
        serialized(self.out, name)?;
        self.out.write_all(b": [")?;
        for (index, row) in rows.iter().enumerate() {
            self.out
                .write_all(if index == 0 { b"\n    " } else { b",\n    " })?;
            serialized(self.out, row)?;
        }
        self.out
            .write_all(if rows.is_empty() { b"]" } else { b"\n  ]" })
    }

    /// The end of the object.
    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")
    }
}

/// The column names of a table as JSON strings, made once for all rows.
fn keys(schema: &Schema) -> io::Result<Vec<String>> {
    let fields = schema.fields().iter();
    fields.map(|field| json_text(field.name())).collect()
}

/// The members of a row, without the braces.
fn members(out: &mut dyn Write, names: &[String], row: &[Value<'_>]) -> io::Result<()> {
    for (index, (name, value)) in names.iter().zip(row).enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        out.write_all(name.as_bytes())?;
        out.write_all(b":")?;
        write_value(out, value)?;
    }
    Ok(())
}

/// A value as JSON, on one line.
pub(super) fn text(value: &Value<'_>) -> String {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = write_value(&mut text, value);
    String::from_utf8_lossy(&text).into_owned()
}

fn write_value(out: &mut dyn Write, value: &Value<'_>) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(flag) => write!(out, "{flag}"),
        Value::Number(digits) => out.write_all(digits.as_bytes()),
        Value::Time(time) => write!(out, "\"{}\"", rfc3339(*time)),
        Value::Text(text) if escape::is_plain_in_json(text) => {
            out.write_all(b"\"")?;
            out.write_all(text.as_bytes())?;
            out.write_all(b"\"")
        }
        Value::Text(text) => serialized(out, text),
        Value::Json(text) if crate::json::is_sound(text.as_bytes()) => {
            out.write_all(escape::json(text).as_bytes())
        }
        Value::Json(text) => serialized(out, text),
        Value::List(items) => {
            out.write_all(b"[")?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                write_value(out, item)?;
            }
            out.write_all(b"]")
        }
        Value::Object(fields) => {
            out.write_all(b"{")?;
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                serialized(out, name)?;
                out.write_all(b":")?;
                write_value(out, value)?;
            }
            out.write_all(b"}")
        }
    }
}

fn serialized(out: &mut dyn Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    out.write_all(json_text(value)?.as_bytes())
}

fn json_text(value: &(impl Serialize + ?Sized)) -> io::Result<String> {
    let text = serde_json::to_string(value)?;
    Ok(escape::json(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::testing::{empty, hostile, rendered, sample};
    use serde_json::Value as Json;

    #[test]
    fn one_object_with_one_row_per_line() {
        let expected = concat!(
            "{\n",
            "  \"report\": \"sample\",\n",
            "  \"notes\": [\"Two rows.\"],\n",
            "  \"rows\": [\n",
            "    {\"access_key_id\":\"AKIAIOSFODNN7EXAMPLE\",\"last_seen\":\"2025-03-03T02:17:31Z\",\"events\":12,",
            "\"root\":true,\"regions\":[\"eu-west-1\",\"us-east-1\"],\"other_fields\":{\"a\": [1]}},\n",
            "    {\"access_key_id\":null,\"last_seen\":\"2025-03-03T02:17:31.250Z\",\"events\":-1,",
            "\"root\":null,\"regions\":[],\"other_fields\":\"not json\"}\n",
            "  ]\n",
            "}\n",
        );
        assert_eq!(rendered(Format::Json, &sample()), expected);
        serde_json::from_str::<Json>(expected).unwrap();
    }

    #[test]
    fn a_section_without_rows_is_an_empty_list() {
        let text = rendered(Format::Json, &empty());
        assert!(text.contains("\"rows\": []"), "{text}");
        assert_eq!(rendered(Format::Jsonl, &empty()), "");
    }

    #[test]
    fn hostile_values_survive_the_round_trip() {
        let report = hostile();
        let document: Json = serde_json::from_str(&rendered(Format::Json, &report)).unwrap();
        assert_eq!(
            document["users"][0]["user_agent"],
            "\u{1b}[2J\u{202e}=x\n|<b>\u{7f}\u{9b}"
        );
        assert_eq!(document["coverage"]["accounts"][0], "1\u{1b}[31m");
    }

    #[test]
    fn lines_name_their_section_only_when_there_are_several() {
        let one = rendered(Format::Jsonl, &sample());
        assert_eq!(one.lines().count(), 2);
        assert!(one.starts_with("{\"access_key_id\":"), "{one}");
        let several = rendered(Format::Jsonl, &hostile());
        assert!(several.starts_with("{\"section\":\"users\","), "{several}");
        for line in one.lines().chain(several.lines()) {
            serde_json::from_str::<Json>(line).unwrap();
        }
    }
}
