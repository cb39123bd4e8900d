//! One pass over the text of a log file.
//!
//! In: the text. Out: rows, rejected records, and what else was met. Promise: one broken record rejects that record, as far
//! as its brackets tell where it ends; what cannot be got past ends the pass, and the text from there on is kept among the
//! rejected records.

use super::build::EventBuilder;
use super::decoded::Reject;
use super::export;
use super::fault::FileFault;
use super::input::Input;
use super::paths::Guesses;
use super::record::{Record, RecordFault};
use super::rejects::Rejects;
use crate::json::scan::{self, Fault};
use crate::json::unsound::depth;
use std::sync::atomic::{AtomicBool, Ordering};

mod records;

/// Records between two looks at whether reading is to end.
const BETWEEN_LOOKS: u64 = 1_024;

/// Of what follows a fault, so much is kept.
const LONGEST_REST: usize = 1 << 20;

/// Called when a file too long to be held has filled the builder; takes the rows out of it.
pub type WhenFull<'a> = &'a mut dyn FnMut(&mut EventBuilder);

/// A builder, and what is called when it is full.
type Rows<'b> = (&'b mut EventBuilder, WhenFull<'b>);

/// One pass over the text of a log file, or over several files of an archive.
pub(super) struct Walk<'b> {
    /// Where rows go; nowhere when a long text is only checked.
    rows: Option<Rows<'b>>,
    guesses: &'b mut Guesses,
    pub(super) stop: &'b AtomicBool,
    records: u64,
    rejects: Rejects,
    json_bytes: u64,
    remark: Option<String>,
    /// What well-known other things were met, and how many.
    foreign: Option<(&'static str, u64)>,
    unknown: Option<String>,
}

/// What a pass has found.
pub(super) struct Walked {
    pub(super) records: u64,
    pub(super) rejects: Rejects,
    pub(super) json_bytes: u64,
    pub(super) remark: Option<String>,
    pub(super) foreign: Option<(&'static str, u64)>,
    pub(super) unknown: Option<String>,
}

impl<'b> Walk<'b> {
    pub(super) fn new(
        rows: Option<(&'b mut EventBuilder, WhenFull<'b>)>,
        guesses: &'b mut Guesses,
        stop: &'b AtomicBool,
    ) -> Self {
        Self {
            rows,
            guesses,
            stop,
            records: 0,
            rejects: Rejects::default(),
            json_bytes: 0,
            remark: None,
            foreign: None,
            unknown: None,
        }
    }

    pub(super) fn done(self) -> Walked {
        Walked {
            records: self.records,
            rejects: self.rejects,
            json_bytes: self.json_bytes,
            remark: self.remark,
            foreign: self.foreign,
            unknown: self.unknown,
        }
    }

    /// Notes what is odd about the file; the first such note stays.
    pub(super) fn remark(&mut self, remark: String) {
        self.remark.get_or_insert(remark);
    }

    /// The rows that follow come from this file of an archive.
    pub(super) fn begin_member(&mut self, name: &str) {
        if let Some((builder, _)) = &mut self.rows {
            builder.begin_member(name);
        }
    }

    /// A file of an archive that could not be read, or not to its end.
    pub(super) fn member_fault(&mut self, member: &str, fault: &FileFault) {
        let record = self.records;
        let reject = || Reject {
            record,
            kind: fault.kind(),
            reason: format!("{member}: {fault}"),
            text: member.to_owned(),
        };
        self.rejects.add(reject, member.len());
        self.records += 1;
    }

    /// Records that an export holds as rows of a table.
    pub(super) fn rows(&mut self, rows: export::Rows<'_>) -> Result<(), FileFault> {
        let mut none = true;
        for row in rows {
            none = false;
            match row {
                Ok(text) => {
                    self.json_bytes += text.len() as u64;
                    self.inner(&text, 0);
                }
                Err((fault, text)) => self.reject(&fault, &text),
            }
            self.flush_when_full();
            self.look_up()?;
        }
        match none {
            true => Err(FileFault::NoJson),
            false => Ok(()),
        }
    }

    /// All values of the document: usually one object, in JSON lines many.
    pub(super) fn document(&mut self, input: &mut Input<'_>) -> Result<(), FileFault> {
        let before = self.json_bytes;
        let result = self.values(input);
        self.json_bytes = before + input.position();
        result
    }

    fn values(&mut self, input: &mut Input<'_>) -> Result<(), FileFault> {
        let mut values = 0;
        while let Some(byte) = input.peek()? {
            match byte {
                b'[' => {
                    input.bump();
                    self.elements(input)?;
                }
                b'{' if input.enter_list()? => {
                    self.elements(input)?;
                    input.leave_object()?;
                }
                b'{' | b'"' => {
                    if let Err(fault) = self.value(input)? {
                        self.broken_value(input, fault, values > 0)?;
                    }
                }
                // Between records of RFC 7464, and between objects that were strung together.
                0x1e | b',' if values > 0 || byte == 0x1e => {
                    input.bump();
                    continue;
                }
                _ => input.skip_line_prefix(byte)?,
            }
            values += 1;
        }
        match values {
            0 => Err(FileFault::NoJson),
            _ => Ok(()),
        }
    }

    /// The elements of a list whose opening bracket has been taken, and the closing one.
    fn elements(&mut self, input: &mut Input<'_>) -> Result<(), FileFault> {
        loop {
            match input.peek()? {
                Some(b']') => {
                    input.bump();
                    return Ok(());
                }
                Some(b',') => {
                    let byte = input.position();
                    self.remark(format!("a comma with no record before it, at byte {byte}"));
                    input.bump();
                    continue;
                }
                Some(_) => {}
                None => return Err(self.cut_off(input)),
            }
            if let Err(fault) = self.value(input)? {
                self.broken_element(input, fault)?;
            }
            match input.peek()? {
                Some(b',') => {
                    let byte = input.position();
                    input.bump();
                    if input.peek()? == Some(b']') {
                        self.remark(format!("a comma with no record after it, at byte {byte}"));
                    }
                }
                Some(b']') => {}
                Some(b'{') => {
                    let byte = input.position();
                    self.remark(format!("no comma between two records, at byte {byte}"));
                }
                Some(_) => {
                    let fault = Fault::Invalid(input.bytes().1);
                    self.broken_element(input, fault)?;
                }
                None => return Err(self.cut_off(input)),
            }
        }
    }

    /// A syntax error in an element of a list: it costs that element, if its brackets tell where it ends.
    fn broken_element(&mut self, input: &mut Input<'_>, fault: Fault) -> Result<(), FileFault> {
        let error = self.syntax_error(input, fault);
        match input.unsound_end()? {
            Some(end) if end > input.bytes().1 => self.broken_text(input, &error, end),
            _ => Err(self.rest(input, error)),
        }
    }

    /// A syntax error between whole values: in a list of records it costs that record, in JSON lines that line, elsewhere the
    /// value up to its closing bracket.
    fn broken_value(
        &mut self,
        input: &mut Input<'_>,
        fault: Fault,
        among_others: bool,
    ) -> Result<(), FileFault> {
        let error = self.syntax_error(input, fault);
        if input.enter_any_list() {
            self.elements(input)?;
            return input.leave_object();
        }
        let (bytes, at) = input.bytes();
        let line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let line = bytes[at..line_end].trim_ascii_end();
        let last = among_others && line_end == bytes.len();
        if line.ends_with(b"}") || last || bytes[line_end..].starts_with(b"\n{\"") {
            return self.broken_text(input, &error, line_end);
        }
        match input.unsound_end()? {
            Some(end) => self.broken_text(input, &error, end),
            None => Err(self.rest(input, error)),
        }
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

    fn cut_off(&mut self, input: &Input<'_>) -> FileFault {
        let error = self.syntax_error(input, Fault::Incomplete);
        self.rest(input, error)
    }

    /// Keeps the text from here on among the rejected records; says why reading ends.
    fn rest(&mut self, input: &Input<'_>, error: FileFault) -> FileFault {
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

    /// Ends the pass when it is to stop, or when there is nothing but rejected records.
    fn look_up(&self) -> Result<(), FileFault> {
        if self.records.is_multiple_of(BETWEEN_LOOKS) && self.stop.load(Ordering::Relaxed) {
            return Err(FileFault::Stopped);
        }
        let records = self.records;
        match self.rejects.are_hopeless(records) {
            true => Err(FileFault::OnlyRejects { records }),
            false => Ok(()),
        }
    }

    /// The value at the position: a record, or something that holds records.
    fn value(&mut self, input: &mut Input<'_>) -> Result<Result<(), Fault>, FileFault> {
        if input.peek()?.is_none() {
            return Ok(Err(Fault::Incomplete));
        }
        if let Input::Whole { text, at } = input {
            let rest = &text[*at..];
            match Record::scan(rest, self.guesses) {
                Ok((record, end)) => {
                    self.record(record, &rest[..end], 0);
                    *at += end;
                    self.look_up()?;
                    return Ok(Ok(()));
                }
                // Not an object: skipped below as a value of another kind, if it is one.
                Err(Fault::Invalid(0)) => {}
                Err(Fault::Invalid(offset)) => return Ok(Err(Fault::Invalid(*at + offset))),
                Err(Fault::Incomplete) => return Ok(Err(Fault::Incomplete)),
            }
        }
        let end = match input.value_end()? {
            Ok(end) => end,
            Err(fault) => return Ok(Err(fault)),
        };
        let (bytes, at) = input.bytes();
        match std::str::from_utf8(&bytes[at..end]) {
            Err(_) => self.reject(
                &RecordFault::Encoding,
                &String::from_utf8_lossy(&bytes[at..end]),
            ),
            Ok(text) => self.text(text, 0),
        }
        input.set(end);
        self.flush_when_full();
        self.look_up()?;
        Ok(Ok(()))
    }

    fn reject(&mut self, fault: &RecordFault, text: &str) {
        let record = self.records;
        let reject = || Reject {
            record,
            kind: fault.kind(),
            reason: fault.to_string(),
            text: text.to_owned(),
        };
        self.rejects.add(reject, text.len());
        self.records += 1;
    }

    /// A syntax error in words; `fault` counts from the start of the bytes held.
    fn syntax_error(&self, input: &Input<'_>, fault: Fault) -> FileFault {
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

    fn flush_when_full(&mut self) {
        if let Some((builder, when_full)) = &mut self.rows
            && builder.is_full()
        {
            when_full(builder);
        }
    }
}
