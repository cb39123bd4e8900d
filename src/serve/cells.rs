//! A table as the template takes it.
//!
//! In: rows of JSON values. Out: cells with their links. Promise: every value is text for the template to escape; characters that
//! hide or reorder are written out.

use super::case::Notes;
use super::links;
use super::query::Address;
use crate::cloudtrail::second;
use crate::render::{escape, heading};
use crate::report::note::Note;
use crate::service::{Table, View};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// Items of a list that a cell shows.
const ITEMS: usize = 5;

/// The longest parts that share a line: names of services.
const TIGHT: usize = 14;

/// The longest text that stays in one line: an id, a time, the name of a region.
const WORD: usize = 40;

/// The characters of a note that a table shows.
const NOTE: usize = 120;

/// A table.
#[derive(Debug, Serialize)]
pub(super) struct Grid {
    name: String,
    title: String,
    heads: Vec<Head>,
    rows: Vec<Vec<Cell>>,
    total: usize,
    first: usize,
    last: usize,
    /// Whether it stands alone, so that it can be sorted, filtered and paged.
    alone: bool,
    /// A record, shown with its columns below each other.
    record: bool,
    /// Whether there is something to draw by day.
    days: bool,
    whole: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Head {
    name: String,
    /// As people call it; statements and their answers have names as they are.
    heading: String,
    /// Where it is sorted by this column, if it can be.
    sort: Option<String>,
    sorted: Option<&'static str>,
    number: bool,
}

/// A cell.
#[derive(Debug, Default, Serialize)]
struct Cell {
    text: String,
    link: Option<String>,
    number: bool,
    /// A word, which stays in one line.
    word: bool,
    /// Parts of a list.
    items: Vec<Cell>,
    more: usize,
    /// Whether the parts are short enough to stand in one line.
    tight: bool,
    /// A document.
    json: Option<String>,
    /// A class for words with a meaning: severities, verdicts, who is behind it.
    mark: Option<&'static str>,
}

/// The table, as it is seen on a page.
pub(super) fn grid(here: &Address, notes: &Notes, table: &Table, view: &View, alone: bool) -> Grid {
    let section = table.name.as_str();
    let paged = |offset: usize| {
        let offset = offset.to_string();
        here.with(&[("section", Some(section)), ("offset", Some(&offset))])
    };
    let rows_before = table
        .offset
        .checked_sub(1)
        .map(|_| table.offset.saturating_sub(table.rows.len().max(100)));
    let record = table.total == 1 && table.columns.len() > 12;
    let number = |column: &str| {
        table
            .rows
            .iter()
            .any(|row| row.get(column).is_some_and(Value::is_number))
    };
    let heads = table.columns.iter().map(|column| {
        let sorted = (view.sort.as_deref() == Some(column)).then_some(match view.descending {
            true => "descending",
            false => "ascending",
        });
        let order = match sorted {
            Some("descending") => "up",
            Some(_) => "down",
            // Of numbers and times, the highest matter most.
            None if number(column) || column.ends_with("_seen") || column.ends_with("_time") => {
                "down"
            }
            None => "up",
        };
        Head {
            sort: Some(here.with(&[
                ("section", Some(section)),
                ("sort", Some(column)),
                ("order", Some(order)),
                ("offset", None),
            ])),
            heading: match matches!(here.page.as_str(), "sql" | "query" | "table") {
                true => visible(column),
                false => visible(&heading(column)),
            },
            name: column.clone(),
            sorted,
            number: number(column),
        }
    });
    let rows = table.rows.iter().map(|row| {
        let columns = table.columns.iter();
        let cells =
            columns.map(|column| cell(here, column, row.get(column).unwrap_or(&Value::Null)));
        (notes.of_row(row), cells.collect::<Vec<_>>())
    });
    let rows: Vec<_> = rows.collect();
    // A table of notes has them already.
    let noted = !record
        && !table.columns.iter().any(|column| column == "note")
        && rows.iter().any(|(note, _)| note.is_some());
    let rows = rows.into_iter().map(|(note, mut cells)| {
        if noted {
            cells.insert(
                0,
                note.map_or_else(Cell::default, |note| note_cell(here, note)),
            );
        }
        cells
    });
    let first = noted.then(|| Head {
        name: "note".to_owned(),
        heading: "note".to_owned(),
        ..Head::default()
    });
    Grid {
        name: table.name.clone(),
        title: visible(&table.title),
        heads: first.into_iter().chain(heads).collect(),
        rows: rows.collect(),
        total: table.total,
        first: table.offset + 1,
        last: table.offset + table.rows.len(),
        alone,
        record,
        days: ["day", "events"]
            .iter()
            .all(|name| table.columns.iter().any(|column| column == name)),
        whole: here.with(&[("section", Some(section))]),
        before: rows_before.map(paged),
        after: table.next().map(paged),
    }
}

fn cell(here: &Address, column: &str, value: &Value) -> Cell {
    match value {
        Value::Null => Cell::default(),
        Value::String(text) => Cell {
            text: moment(text).unwrap_or_else(|| visible(text)),
            link: links::of(here, column, text),
            mark: mark(column, text),
            word: text.len() <= WORD && !text.contains(char::is_whitespace),
            ..Cell::default()
        },
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            Cell {
                items: items
                    .iter()
                    .take(ITEMS)
                    .map(|item| cell(here, column, item))
                    .collect(),
                more: items.len().saturating_sub(ITEMS),
                tight: items
                    .iter()
                    .all(|item| item.as_str().is_some_and(|text| text.len() <= TIGHT)),
                ..Cell::default()
            }
        }
        Value::Array(_) | Value::Object(_) => {
            let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
            let lines = pretty.lines().map(visible).collect::<Vec<_>>().join("\n");
            Cell {
                json: Some(lines),
                ..Cell::default()
            }
        }
        Value::Number(_) => Cell {
            text: value.to_string(),
            number: true,
            ..Cell::default()
        },
        Value::Bool(_) => Cell {
            text: value.to_string(),
            ..Cell::default()
        },
    }
}

/// What was noted about an event, in a few words.
fn note_cell(here: &Address, note: &Note) -> Cell {
    let words = note.in_short();
    let cut = words.char_indices().nth(NOTE).map(|(at, _)| &words[..at]);
    Cell {
        text: match cut {
            Some(cut) => visible(cut) + "…",
            None => visible(&words),
        },
        link: Some(here.other("event", &[("event_id", &note.event_id)])),
        mark: Some("noted"),
        ..Cell::default()
    }
}

/// A moment as people write it: `2025-03-07 02:17:03`, in UTC.
fn moment(text: &str) -> Option<String> {
    let is_one = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    let time = is_one
        .then(|| text.parse::<DateTime<Utc>>().ok())
        .flatten()?;
    Some(second(time))
}

/// A text in which nothing hides.
pub(super) fn visible(text: &str) -> String {
    escape::terminal(text).into_owned()
}

/// The class of a word that has a meaning.
fn mark(column: &str, text: &str) -> Option<&'static str> {
    let known = match column {
        "severity" => ["critical", "high", "medium", "low", "info"].as_slice(),
        "origin" | "used_by" | "attribution" => {
            ["intruder", "both", "suspicious", "owner", "unknown"].as_slice()
        }
        "verdict" => ["incident", "unused", "deactivate", "delete"].as_slice(),
        "error_code" => return Some("err"),
        _ => return None,
    };
    known.iter().copied().find(|word| *word == text)
}
