//! Records, and what they are wrapped in.
//!
//! In: a sound value. Out: a row, a rejected record, or the same for each value inside. Promise: an object is an event, or
//! one of the wrappers of `shape`, or it is named by its fields; wrappers within wrappers end somewhere.

use super::Walk;
use crate::event::export;
use crate::event::fault::LONGEST_VALUE;
use crate::event::gzip::{Inflated, Inflater, Text};
use crate::event::record::{Record, RecordFault};
use crate::event::shape::{self, Shape};
use crate::json::scan::{self, Elements, sound};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// How often a record may be wrapped in another (SQS holds SNS holds CloudWatch Logs in base64 holds a record …).
const MAX_WRAPPING: u8 = 10;

impl Walk<'_> {
    /// A sound value: an object, a list of them, or a string that holds one.
    pub(super) fn text(&mut self, text: &str, wrapping: u8) {
        let text = text.trim_ascii();
        if let Ok((record, _)) = Record::scan(text, self.guesses) {
            return self.record(record, text, wrapping);
        }
        let inner = match wrapping < MAX_WRAPPING {
            true => scan::string(text).filter(|inner| inner.trim_start().starts_with(['{', '['])),
            false => None,
        };
        match (inner, text.as_bytes().first()) {
            (Some(inner), _) => self.inner(&inner, wrapping + 1),
            (None, Some(b'[')) if wrapping < MAX_WRAPPING => match export::row(text) {
                Some(row) => self.text(&row, wrapping + 1),
                None => {
                    for element in Elements::of(text).into_iter().flatten() {
                        self.text(element, wrapping + 1);
                    }
                }
            },
            _ => match scan::string(text).filter(|it| shape::is_packed(it)) {
                Some(packed) if wrapping < MAX_WRAPPING => self.packed(&packed, wrapping + 1),
                _ => self.reject(&RecordFault::Json("another kind of value".to_owned()), text),
            },
        }
    }

    /// Text from inside a string.
    pub(super) fn inner(&mut self, text: &str, wrapping: u8) {
        match sound(text) {
            Some(text) => self.text(text, wrapping),
            None => self.reject(
                &RecordFault::Json("broken JSON inside a string".to_owned()),
                text,
            ),
        }
    }

    /// An object that may be a record.
    pub(super) fn record(&mut self, record: Record<'_>, text: &str, wrapping: u8) {
        if wrapping < MAX_WRAPPING
            && (record.is_nameless() || record.has_flat_identity())
            && let Some(text) = export::as_record(text)
        {
            return self.text(&text, MAX_WRAPPING);
        }
        let fault = match record.event_time() {
            Ok(_) if shape::is_foreign_record(&record) => RecordFault::NotAnEvent,
            Ok(time) => {
                if let Some(field) = record.doubled() {
                    let (n, name) = (self.records, field.column().path);
                    self.remark(format!(
                        "record {n} has {name} twice; the first value counts, the other is in other_fields"
                    ));
                }
                if let Some((builder, _)) = &mut self.rows {
                    builder.push(&record, (text, self.records, time));
                }
                self.records += 1;
                return;
            }
            Err(fault) => fault,
        };
        if wrapping == MAX_WRAPPING {
            return self.reject(&fault, text);
        }
        match shape::of(text) {
            Shape::Foreign(what) => self.is_foreign(what),
            Shape::Refused(why) => self.reject(&RecordFault::Refused(why), text),
            Shape::Inside(inner) => self.inner(&inner, wrapping + 1),
            Shape::Lists(lists) => {
                self.remark("several lists of records in one object".to_owned());
                for list in lists {
                    self.text(list, wrapping + 1);
                }
            }
            Shape::Table(table) => self.table(table),
            Shape::Row(cells) => self.table_row(cells, text),
            Shape::Packed(packed) => self.packed(&packed, wrapping + 1),
            Shape::Unknown(fields) => {
                if fault == RecordFault::NotAnEvent {
                    self.unknown.get_or_insert(fields);
                }
                self.reject(&fault, text);
            }
        }
    }

    /// The result of a query in Athena: the names of its columns, if there are any, and its rows.
    fn table(&mut self, table: &str) {
        let metadata = scan::member(table, "ResultSetMetadata").unwrap_or_default();
        let columns = scan::member(metadata, "ColumnInfo").unwrap_or_default();
        let columns = Elements::of(columns).into_iter().flatten();
        let names = columns.filter_map(|column| scan::string(scan::member(column, "Name")?));
        self.header = names.map(Cow::into_owned).collect();
        let rows = scan::member(table, "Rows").unwrap_or_default();
        for row in Elements::of(rows).into_iter().flatten() {
            match scan::member(row, "Data") {
                Some(cells) => self.table_row(cells, row),
                None => self.reject(&RecordFault::NotAnEvent, row),
            }
        }
    }

    /// A row of such a result; the first names the columns.
    fn table_row(&mut self, cells: &str, text: &str) {
        let cells = Elements::of(cells).into_iter().flatten();
        let cells = cells.map(|cell| scan::string(scan::member(cell, "VarCharValue")?));
        let cells: Vec<Option<Cow<'_, str>>> = cells.collect();
        let names: Vec<&str> = cells
            .iter()
            .map(|cell| cell.as_deref().unwrap_or(""))
            .collect();
        if self.header.is_empty() {
            self.header = names.into_iter().map(str::to_owned).collect();
            if !export::has_events(&self.header) {
                let fields = self.header.join(", ");
                self.unknown.get_or_insert(fields);
                self.reject(&RecordFault::NotAnEvent, text);
            }
            return;
        }
        if names == self.header {
            return;
        }
        if cells.len() != self.header.len() {
            let (found, columns) = (cells.len(), self.header.len());
            let why = format!("{found} values for {columns} columns");
            return self.reject(&RecordFault::Json(why), text);
        }
        let record = export::record(&self.header, &cells);
        self.inner(&record, 0);
    }

    /// Base64: of gzip, as CloudWatch Logs hands it on, or of JSON, as Kinesis and Firehose do.
    pub(super) fn packed(&mut self, packed: &str, wrapping: u8) {
        let unpacked = STANDARD.decode(packed).unwrap_or_default();
        let mut inflater = Inflater::new();
        let text = match inflater.text(&unpacked, LONGEST_VALUE as u64) {
            Ok(Inflated {
                text: Text::Whole(bytes),
                flaw: None,
                ..
            }) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Ok(_) | Err(_) => None,
        };
        match text.as_deref().and_then(sound) {
            Some(text) => self.text(text, wrapping),
            None => self.reject(
                &RecordFault::Json("broken data inside a string".to_owned()),
                packed,
            ),
        }
    }
}
