//! Records, and what they are wrapped in.
//!
//! In: a sound value. Out: a row, a rejected record, or the same for each value inside. Promise: an object is an event, or
//! one of the wrappers of `shape`, or it is named by its fields; wrappers within wrappers end somewhere.

use super::Walk;
use crate::event::export;
use crate::event::gzip::{Inflater, Text};
use crate::event::input::LONGEST_VALUE;
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
            _ => self.reject(&RecordFault::Json("another kind of value".to_owned()), text),
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
            Shape::Foreign(what) => {
                self.foreign = Some((what, self.foreign.map_or(1, |(_, n)| n + 1)))
            }
            Shape::Inside(inner) => self.inner(&inner, wrapping + 1),
            Shape::Packed(packed) => self.packed(&packed, wrapping + 1),
            Shape::Unknown(fields) => {
                if fault == RecordFault::NotAnEvent {
                    self.unknown.get_or_insert(fields);
                }
                self.reject(&fault, text);
            }
        }
    }

    /// Base64: of gzip, as CloudWatch Logs hands it on, or of JSON, as Kinesis and Firehose do.
    fn packed(&mut self, packed: &str, wrapping: u8) {
        let unpacked = STANDARD.decode(packed).unwrap_or_default();
        let mut inflater = Inflater::new();
        let text = match inflater.text(&unpacked, LONGEST_VALUE as u64) {
            Ok(inflated) if !inflated.cut => match inflated.text {
                Text::Whole(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
                Text::Long(_) => None,
            },
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
