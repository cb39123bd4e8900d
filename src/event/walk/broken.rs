//! What is broken in the text of a log file.
//!
//! In: a place at which no sound value stands. Out: a rejected record, and the place where reading goes on; or a fault, where
//! there is none. Promise: a bad spot costs no more than one record or one line, as far as brackets, lines and the beginning
//! of the next record tell where that ends; its text is kept.

use super::{LINES_BEFORE_JSON, LONGEST_REST, Walk};
use crate::event::decoded::Reject;
use crate::event::fault::FileFault;
use crate::event::input::Input;
use crate::event::record::RecordFault;
use crate::event::shape;
use crate::json::scan::{self, Fault};
use crate::json::unsound::{depth, skip_unsound};

/// How CloudTrail begins a record. Text from elsewhere cannot hold this: there, the quotes are escaped.
const FIRST_FIELD: &[u8] = b"\"eventVersion\"";

/// What lines of the AWS CLI's text output begin with where they hold no record.
const LINES_OF_TEXT_OUTPUT: [&[u8]; 3] = [b"RESOURCES\t", b"NEXTTOKEN\t", b"SEARCHEDLOGSTREAMS\t"];

impl Walk<'_> {
    /// A syntax error in an element of a list: it costs that element, if its brackets or the next record tell where it ends.
    pub(super) fn broken_element(
        &mut self,
        input: &mut Input<'_>,
        fault: Fault,
    ) -> Result<(), FileFault> {
        let error = self.syntax_error(input, fault);
        let end = input.unsound_end()?;
        let (bytes, at) = input.bytes();
        let until = end.unwrap_or(bytes.len());
        let is_deep = end.is_some() && depth(&bytes[at..until]) > scan::MAX_DEPTH;
        let next = match is_deep {
            true => None,
            false => next_record(bytes, (at, until)),
        };
        match next.or(end) {
            Some(end) if end > at => self.broken_text(input, &error, end),
            _ => Err(self.rest(input, error)),
        }
    }

    /// A syntax error in a member of an object that also holds a list of records: it costs that member.
    pub(super) fn broken_member(
        &mut self,
        input: &mut Input<'_>,
        fault: Fault,
    ) -> Result<(), FileFault> {
        if fault == Fault::Incomplete {
            return Err(FileFault::AfterRecords);
        }
        let error = self.syntax_error(input, fault);
        match input.unsound_end()? {
            Some(end) if end > input.bytes().1 => self.broken_text(input, &error, end),
            Some(end) => self.broken_text(input, &error, end + 1),
            None => Err(FileFault::AfterRecords),
        }
    }

    /// A syntax error between whole values: in a list of records it costs that record, in JSON lines that line, elsewhere the
    /// value up to its closing bracket.
    pub(super) fn broken_value(
        &mut self,
        input: &mut Input<'_>,
        fault: Fault,
        among_others: bool,
    ) -> Result<(), FileFault> {
        let error = self.syntax_error(input, fault);
        if input.enter_any_list() {
            let byte = input.position();
            self.remark(format!(
                "broken JSON before the list of records at byte {byte}"
            ));
            self.elements(input)?;
            return self.rest_of_object(input);
        }
        let line_end = input.line_end()?;
        let (bytes, at) = input.bytes();
        let line = bytes[at..line_end].trim_ascii_end();
        // Several values may stand on a line.
        if let Ok(end) = skip_unsound(bytes, at)
            && end <= line_end
            && ends_value(&bytes[end..line_end])
        {
            return self.broken_text(input, &error, end);
        }
        let last = among_others && line_end == bytes.len();
        if line.ends_with(b"}") || last || bytes[line_end..].starts_with(b"\n{\"") {
            return self.broken_text(input, &error, line_end);
        }
        match input.unsound_end()? {
            Some(end) => self.broken_text(input, &error, end),
            None => Err(self.rest(input, error)),
        }
    }

    /// A line in which no object begins: it costs that line, unless there has been nothing else so far. Whether there was a
    /// value in it all the same.
    pub(super) fn odd_line(
        &mut self,
        input: &mut Input<'_>,
        (values, lines): (u64, u64),
    ) -> Result<bool, FileFault> {
        let end = input.line_end()?;
        let (bytes, at) = input.bytes();
        let line = &bytes[at..end];
        if LINES_OF_TEXT_OUTPUT
            .iter()
            .any(|start| line.starts_with(start))
        {
            input.set(end);
            return Ok(false);
        }
        let words = std::str::from_utf8(line).unwrap_or_default();
        if shape::is_packed(words.split_ascii_whitespace().next().unwrap_or_default()) {
            for packed in words.split_ascii_whitespace() {
                self.packed(packed, 0);
            }
            input.set(end);
            return Ok(true);
        }
        let is_value = scan::sound(words).is_some();
        if values == 0 && !is_value && (line.contains(&0) || lines >= LINES_BEFORE_JSON) {
            return Err(FileFault::NotJson);
        }
        let kept = &line[..line.len().min(LONGEST_REST)];
        let text = String::from_utf8_lossy(kept.trim_ascii_end()).into_owned();
        let what = match is_value {
            true => "another kind of value",
            false => "a line of other text",
        };
        self.reject(&RecordFault::Json(what.to_owned()), &text);
        input.set(end);
        self.look_up()?;
        Ok(is_value)
    }

    /// Rejects the text up to `end`, and goes on there.
    fn broken_text(
        &mut self,
        input: &mut Input<'_>,
        error: &FileFault,
        end: usize,
    ) -> Result<(), FileFault> {
        let (bytes, at) = input.bytes();
        let text = String::from_utf8_lossy(bytes[at..end].trim_ascii_end()).into_owned();
        let fault = match (error, depth(text.as_bytes()) > scan::MAX_DEPTH) {
            (_, true) => format!("nested deeper than {} levels", scan::MAX_DEPTH),
            (FileFault::BrokenJson { byte, .. }, _) => format!("broken JSON at byte {byte}"),
            (FileFault::CutOff { byte, .. }, _) => format!("cut off at byte {byte}"),
            (other, _) => other.to_string(),
        };
        self.reject(&RecordFault::Json(fault), &text);
        input.set(end);
        self.look_up()
    }

    pub(super) fn cut_off(&mut self, input: &Input<'_>) -> FileFault {
        let error = self.syntax_error(input, Fault::Incomplete);
        self.rest(input, error)
    }

    /// Keeps the text from here on among the rejected records; says why reading ends.
    pub(super) fn rest(&mut self, input: &Input<'_>, error: FileFault) -> FileFault {
        let (bytes, at) = input.bytes();
        let rest = &bytes[at.min(bytes.len())..];
        if !rest.trim_ascii().is_empty() {
            let kept = &rest[..rest.len().min(LONGEST_REST)];
            let record = self.records;
            let reject = || Reject {
                record,
                kind: error.kind(),
                reason: match kept.len() == rest.len() {
                    true => error.to_string(),
                    false => format!("{error} (its first {LONGEST_REST} bytes are kept)"),
                },
                text: String::from_utf8_lossy(kept).into_owned(),
            };
            self.rejects.add(reject, kept.len());
            self.records += 1;
        }
        error
    }

    /// A syntax error in words; `fault` counts from the start of the bytes held.
    pub(super) fn syntax_error(&self, input: &Input<'_>, fault: Fault) -> FileFault {
        let record = self.records;
        match fault {
            Fault::Incomplete => FileFault::CutOff {
                byte: input.position() - input.bytes().1 as u64 + input.bytes().0.len() as u64,
                record,
            },
            Fault::Invalid(offset) => {
                let byte = input.position() - input.bytes().1 as u64 + offset as u64;
                FileFault::BrokenJson { byte, record }
            }
        }
    }
}

/// Whether after a value on a line another one comes, or nothing.
fn ends_value(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let next = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    matches!(next.first(), None | Some(b'{' | b'[' | 0x1e))
}

/// Where in a list of records the next sound one begins, before its comma: strings may be out of step after damage, so that
/// brackets do not tell.
fn next_record(bytes: &[u8], (from, until): (usize, usize)) -> Option<usize> {
    let places = memchr::memmem::find_iter(bytes.get(from + 1..until)?, FIRST_FIELD);
    places.map(|place| from + 1 + place).find_map(|field| {
        let brace = before(bytes, field, b'{')?;
        let comma = before(bytes, brace, b',')?;
        before(bytes, comma, b'}').filter(|end| *end > from)?;
        scan::skip_value(bytes, brace).ok().map(|_| comma)
    })
}

/// The place of this byte, if it stands before `at` with nothing but white space between.
fn before(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let last = bytes[..at].trim_ascii_end().len().checked_sub(1)?;
    (bytes[last] == byte).then_some(last)
}
