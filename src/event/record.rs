//! One record, field by field.
//!
//! In: the JSON text of a record. Out: [`Record`]: for each column the slice of the text that holds its value, and what
//! has no column. Promise: nothing of the record is lost; what cannot be a CloudTrail event is refused with a reason.

use super::excerpt::excerpt;
use super::paths::{self, Guesses, Level, RECORD};
use super::schema::{ColumnKind, Field, WIDTH};
use super::time::TIMES;
use crate::json::scan::{self as json, Fault, expect, skip_space, skip_string, skip_value};
use std::borrow::Cow;

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    /// The text is no sound JSON object.
    #[error("not a JSON object: {0}")]
    Json(String),
    /// The text holds bytes that are not UTF-8.
    #[error("not UTF-8 text")]
    Encoding,
    /// Nothing says when it happened.
    #[error("no eventTime")]
    NoTime,
    /// The time cannot be read.
    #[error("eventTime {0:?} is not a time")]
    BadTime(String),
    /// It is a time at which there was no CloudTrail.
    #[error("eventTime {0:?} is not in the years 2013 to 2099")]
    OddTime(String),
    /// It is known, and no record can be made of it.
    #[error("{0}")]
    Refused(&'static str),
    /// It names neither a service nor a call.
    #[error("neither eventSource nor eventName: not a CloudTrail event")]
    NotAnEvent,
}

/// A record taken apart.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The JSON text of each column's value; empty where the record has none.
    values: [&'a str; WIDTH],
    /// A bit for each column that has a value.
    present: u128,
    /// A bit for each column that the text has named, null or not: the first of two values counts.
    named: u128,
    /// A column that the text names again.
    doubled: Option<Field>,
    /// A bit for each value that is a string with escapes in it.
    escaped: u128,
    /// Fields without a column: path and JSON text.
    others: Vec<(Cow<'a, str>, &'a str)>,
    /// Logstash puts the time here when it takes `eventTime` away.
    timestamp: &'a str,
}

const _: () = assert!(WIDTH <= u128::BITS as usize, "a bit for each column");

impl<'a> Record<'a> {
    /// Takes the object that starts at `text` apart; gives the record and where its text ends.
    pub(crate) fn scan(text: &'a str, guesses: &mut Guesses) -> Result<(Self, usize), Fault> {
        let mut record = Self {
            values: [""; WIDTH],
            present: 0,
            named: 0,
            doubled: None,
            escaped: 0,
            others: Vec::new(),
            timestamp: "",
        };
        let brace = skip_space(text.as_bytes(), 0);
        if text.as_bytes().get(brace) != Some(&b'{') {
            return Err(Fault::Invalid(0));
        }
        let end = record.scan_object((text, brace + 1), &RECORD, guesses)?;
        Ok((record, end))
    }

    /// Takes the object apart whose opening brace is just before `at`; gives the offset after the closing one.
    fn scan_object(
        &mut self,
        (text, at): (&'a str, usize),
        level: &Level,
        guesses: &mut Guesses,
    ) -> Result<usize, Fault> {
        let bytes = text.as_bytes();
        let mut place = level.place;
        let mut at = skip_space(bytes, at);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        loop {
            let key_at = at;
            let entry = match level.guess((bytes, at), place, guesses) {
                Some((entry, after)) => {
                    at = after;
                    Some(entry)
                }
                None => {
                    expect(bytes, at, b'"')?;
                    let (end, _) = skip_string(bytes, at + 1)?;
                    at = skip_space(bytes, end);
                    expect(bytes, at, b':')?;
                    at += 1;
                    level.find(&text[key_at + 1..end - 1], place, guesses)
                }
            };
            let start = skip_space(bytes, at);
            place = entry.map_or(place, |entry| entry.place);
            at = match entry.map(|entry| &entry.kind) {
                Some(paths::Target::Object(inner)) if bytes.get(start) == Some(&b'{') => {
                    self.scan_object((text, start + 1), inner, guesses)?
                }
                Some(paths::Target::Column(field)) => {
                    let (end, escaped) = match bytes.get(start) {
                        Some(b'"') => skip_string(bytes, start + 1)?,
                        _ => (skip_value(bytes, start)?, false),
                    };
                    self.put(*field, &text[start..end], escaped);
                    end
                }
                kind => {
                    let end = skip_value(bytes, start)?;
                    let value = &text[start..end];
                    // An empty `sessionIssuer` and its like say nothing; everything else is kept.
                    if kind.is_none() || value != "null" {
                        let (key_end, _) = skip_string(bytes, key_at + 1)?;
                        self.keep(&text[key_at + 1..key_end - 1], value, level);
                    }
                    end
                }
            };
            at = skip_space(bytes, at);
            match bytes.get(at).ok_or(Fault::Incomplete)? {
                b',' => at = skip_space(bytes, at + 1),
                b'}' => return Ok(at + 1),
                _ => return Err(Fault::Invalid(at)),
            }
        }
    }

    /// Keeps a field that has no column.
    fn keep(&mut self, key: &'a str, value: &'a str, level: &Level) {
        if level.path.is_empty() {
            if key == "@timestamp" {
                self.timestamp = value;
            }
            self.others.push((Cow::Borrowed(key), value));
        } else {
            let path = format!("{}{key}", level.path);
            self.others.push((Cow::Owned(path), value));
        }
    }

    /// Stores the value of a column. What a column cannot hold goes to the other fields, as it is.
    fn put(&mut self, field: Field, value: &'a str, escaped: bool) {
        let column = field.column();
        let slot = &mut self.values[field as usize];
        let fits = match field {
            // An empty key names no key; "Success" is how some exports write that there was no error.
            Field::AccessKeyId => value != "\"\"",
            Field::ErrorCode => value != "\"\"" && value != "\"Success\"",
            _ => match column.kind {
                ColumnKind::Bool => bool_of(value).is_some(),
                ColumnKind::Time => field == Field::EventTime || string_time(value).is_some(),
                _ => true,
            },
        };
        let first = self.named >> field as usize & 1 == 0;
        if !first {
            self.doubled.get_or_insert(field);
        }
        self.named |= 1 << field as usize;
        if value == "null" {
        } else if fits && first {
            *slot = value;
            self.present |= 1 << field as usize;
            self.escaped |= u128::from(escaped) << field as usize;
        } else {
            self.others.push((Cow::Borrowed(column.path), value));
        }
    }

    /// The first field that comes a second time, of which the first value counts.
    #[inline]
    pub(crate) fn doubled(&self) -> Option<Field> {
        self.doubled
    }

    /// A bit for each column that has a value, in the order of the columns.
    #[inline]
    pub(crate) fn present(&self) -> u128 {
        self.present
    }

    /// The JSON text of a column's value; empty when there is none.
    #[inline]
    pub(crate) fn raw(&self, field: Field) -> &'a str {
        self.values[field as usize]
    }

    /// A column's value as text: a string's content, or the JSON text of anything else.
    #[inline]
    pub(crate) fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        let raw = self.raw(field);
        match raw.as_bytes().first()? {
            b'"' if self.escaped >> field as usize & 1 == 0 => {
                raw.get(1..raw.len() - 1).map(Cow::Borrowed)
            }
            b'"' => json::string(raw),
            _ => Some(Cow::Borrowed(raw)),
        }
    }

    /// A column's value as a truth value.
    pub(crate) fn bool(&self, field: Field) -> Option<bool> {
        bool_of(self.raw(field))
    }

    /// A column's value as microseconds since 1970.
    pub(crate) fn time(&self, field: Field) -> Option<i64> {
        string_time(self.raw(field))
    }

    /// When the event happened, or why this is no event.
    pub(crate) fn event_time(&self) -> Result<i64, RecordFault> {
        if self.is_nameless() {
            return Err(RecordFault::NotAnEvent);
        }
        let raw = match self.raw(Field::EventTime) {
            "" => self.timestamp,
            raw => raw,
        };
        if raw.is_empty() {
            return Err(RecordFault::NoTime);
        }
        let text = || excerpt(&json::string(raw).unwrap_or(Cow::Borrowed(raw)));
        match string_time(raw) {
            Some(time) if TIMES.contains(&time) => Ok(time),
            Some(_) => Err(RecordFault::OddTime(text())),
            None => Err(RecordFault::BadTime(text())),
        }
    }

    /// Whether it has neither of the names that every event has.
    pub(crate) fn is_nameless(&self) -> bool {
        self.raw(Field::EventName).is_empty() && self.raw(Field::EventSource).is_empty()
    }

    /// Whether the caller's identity is a text rather than an object, as in exports of tables.
    pub(crate) fn has_flat_identity(&self) -> bool {
        let mut others = self.others.iter();
        others.any(|(key, value)| key == "userIdentity" && value.starts_with("\"{"))
    }

    /// The fields that have no column, as the text of one JSON object.
    pub(crate) fn other_fields(&self) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let mut object = String::from("{");
        for (path, value) in &self.others {
            if object.len() > 1 {
                object.push(',');
            }
            // Keys are copied as written, escapes included.
            object.push('"');
            object.push_str(path);
            object.push_str("\":");
            object.push_str(value);
        }
        object.push('}');
        Some(object)
    }
}

fn bool_of(value: &str) -> Option<bool> {
    match value.trim_matches('"') {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn string_time(value: &str) -> Option<i64> {
    super::time::micros(value.strip_prefix('"')?.strip_suffix('"')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Record<'_> {
        Record::scan(text, &mut Guesses::default())
            .expect("sound")
            .0
    }

    #[test]
    fn fields_find_their_columns_at_every_depth() {
        let record = scan(
            r#"{"eventTime":"2025-03-05T02:17:31Z","eventName":"GetObject","readOnly":"true","userIdentity":{"type":"AssumedRole",
               "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/x"},"attributes":{"creationDate":"20131102T010628Z","mfaAuthenticated":"false"}}}}"#,
        );
        assert_eq!(record.text(Field::EventName).as_deref(), Some("GetObject"));
        assert_eq!(record.bool(Field::ReadOnly), Some(true));
        assert_eq!(
            record.text(Field::SessionIssuerArn).as_deref(),
            Some("arn:aws:iam::1:role/x")
        );
        assert_eq!(record.bool(Field::SessionMfaAuthenticated), Some(false));
        assert_eq!(
            record.time(Field::SessionCreationTime),
            Some(1_383_354_388_000_000)
        );
        assert_eq!(record.event_time(), Ok(1_741_141_051_000_000));
        assert_eq!(record.other_fields(), None);
    }

    #[test]
    fn what_has_no_column_or_does_not_fit_is_kept() {
        let record = scan(
            r#"{"eventName":"X","new":{"a":[1]},"userIdentity":{"accessKeyId":"","brandNew":7,"sessionContext":"odd"},
               "readOnly":"perhaps","errorCode":"Success","eventSource":["a"],"tlsDetails":null}"#,
        );
        assert_eq!(record.text(Field::EventSource).as_deref(), Some(r#"["a"]"#));
        assert_eq!(record.text(Field::AccessKeyId), None);
        assert_eq!(record.text(Field::ErrorCode), None);
        assert_eq!(
            record.other_fields().as_deref(),
            Some(
                r#"{"new":{"a":[1]},"userIdentity.accessKeyId":"","userIdentity.brandNew":7,"userIdentity.sessionContext":"odd","readOnly":"perhaps","errorCode":"Success"}"#
            )
        );
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        assert_eq!(
            scan(r#"{"a":1}"#).event_time(),
            Err(RecordFault::NotAnEvent)
        );
        assert_eq!(
            scan(r#"{"eventName":"X"}"#).event_time(),
            Err(RecordFault::NoTime)
        );
        assert_eq!(
            scan(r#"{"eventName":"X","eventTime":"yesterday"}"#).event_time(),
            Err(RecordFault::BadTime("yesterday".into()))
        );
        let odd = scan(r#"{"eventName":"X","eventTime":"9999-12-31T23:59:59Z"}"#).event_time();
        assert_eq!(
            odd.unwrap_err().to_string(),
            "eventTime \"9999-12-31T23:59:59Z\" is not in the years 2013 to 2099"
        );
        assert!(
            scan(r#"{"eventName":"X","@timestamp":"2020-09-14T00:44:22.000Z"}"#)
                .event_time()
                .is_ok()
        );
    }
}
