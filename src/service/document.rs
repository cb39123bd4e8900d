//! An answer as rows of JSON values, a part at a time.
//!
//! In: a report, or the JSON of another answer. Out: a [`Document`]. Promise: what is left out is counted; texts are as they were
//! written, and escaping is for those who show them.

use super::table::{self, Part};
use super::{ServiceError, View};
use crate::render::{Format, RenderOptions, SECTIONS, renderer};
use crate::report::{FIT, Report, Section};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A part of an answer.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The name of the report.
    pub report: String,
    /// One line for people.
    pub title: String,
    /// Remarks a reader must not miss.
    pub notes: Vec<String>,
    /// What is no table, by name: the summary of a trace, say.
    pub facts: Map<String, Value>,
    /// The tables.
    pub tables: Vec<Table>,
}

/// A part of a table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The name of the section.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// What may happen to a column where a table has to fit, by name: see [`FIT`].
    pub fits: BTreeMap<String, String>,
    /// All rows there are.
    pub total: usize,
    /// The number of the first row that is here, from 0.
    pub offset: usize,
    /// The rows.
    pub rows: Vec<Map<String, Value>>,
}

impl Table {
    /// The number of the first row after those that are here; none if there is no more.
    pub fn next(&self) -> Option<usize> {
        let next = self.offset + self.rows.len();
        (next < self.total && !self.rows.is_empty()).then_some(next)
    }
}

/// A part of a report.
pub(super) fn of_report(
    report: &Report,
    view: &View,
    part: &Part,
) -> Result<Document, ServiceError> {
    let wanted = |name: &str| {
        part.section
            .as_deref()
            .is_none_or(|section| section == name)
    };
    let mut document = Document {
        report: report.name.clone(),
        title: report.title.clone(),
        notes: report.notes.clone(),
        ..Document::default()
    };
    for section in report
        .sections
        .iter()
        .filter(|section| wanted(&section.name))
    {
        document.tables.push(of_section(section, view, part)?);
    }
    Ok(document)
}

fn of_section(section: &Section, view: &View, part: &Part) -> Result<Table, ServiceError> {
    let all = table::rows(section, view)?;
    let offset = part.offset.min(all.num_rows());
    let here = all.slice(offset, part.rows.min(all.num_rows() - offset));
    let fields = section.schema.fields().iter();
    let fits = fields.clone().filter_map(|field| {
        let fit = field.metadata().get(FIT)?;
        Some((field.name().clone(), fit.clone()))
    });
    let page = Section {
        name: "rows".to_owned(),
        batches: vec![here],
        ..section.clone()
    };
    let cut = Report::of("", "", vec![page]);
    let mut json = Vec::new();
    renderer(Format::Json, RenderOptions::default()).render(&cut, &mut json)?;
    let mut json: Value = parsed(&json)?;
    let rows = json.get_mut("rows").map_or(Value::Null, Value::take);
    Ok(Table {
        name: section.name.clone(),
        title: section.title.clone(),
        columns: fields.map(|field| field.name().clone()).collect(),
        fits: fits.collect(),
        total: all.num_rows(),
        offset,
        rows: objects(rows),
    })
}

/// A part of an answer that is JSON: lists of objects are its tables.
pub(super) fn of_value(json: &[u8], part: &Part) -> Result<Document, ServiceError> {
    let Value::Object(members) = parsed(json)? else {
        return Ok(Document::default());
    };
    let mut document = Document::default();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("report", Value::String(text)) => document.report = text,
            ("title", Value::String(text)) => document.title = text,
            ("coverage", _) => {}
            ("notes", Value::Array(notes)) => {
                let notes = notes.into_iter().filter_map(|note| match note {
                    Value::String(note) => Some(note),
                    _ => None,
                });
                document.notes = notes.collect();
            }
            (_, Value::Array(rows)) => {
                if part.section.as_ref().is_none_or(|section| *section == name) {
                    document.tables.push(of_list(name, rows, part));
                }
            }
            (_, value) => drop(document.facts.insert(name, value)),
        }
    }
    Ok(document)
}

/// A part of a trace: its sections in reading order, with their titles.
pub(super) fn of_trace(json: &[u8], part: &Part) -> Result<Document, ServiceError> {
    let mut document = of_value(json, part)?;
    let place = |table: &Table| {
        let mut sections = SECTIONS.iter();
        sections.position(|section| section.member == table.name)
    };
    for table in &mut document.tables {
        if let Some(place) = place(table) {
            table.title = SECTIONS[place].title.to_owned();
        }
    }
    document
        .tables
        .sort_by_key(|table| place(table).unwrap_or(SECTIONS.len()));
    Ok(document)
}

fn of_list(name: String, rows: Vec<Value>, part: &Part) -> Table {
    let (total, offset) = (rows.len(), part.offset.min(rows.len()));
    let columns = match rows.first() {
        Some(Value::Object(row)) => row.keys().cloned().collect(),
        _ => vec!["value".to_owned()],
    };
    let here = rows.into_iter().skip(offset).take(part.rows);
    Table {
        title: heading(&name),
        rows: objects(Value::Array(here.collect())),
        name,
        columns,
        total,
        offset,
        fits: BTreeMap::new(),
    }
}

/// `data_access` as people read it.
fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn objects(rows: Value) -> Vec<Map<String, Value>> {
    let Value::Array(rows) = rows else {
        return Vec::new();
    };
    let rows = rows.into_iter().map(|row| match row {
        Value::Object(row) => row,
        other => Map::from_iter([("value".to_owned(), other)]),
    });
    rows.collect()
}

fn parsed(json: &[u8]) -> Result<Value, ServiceError> {
    serde_json::from_slice(json).map_err(|error| ServiceError::Write(error.into()))
}
