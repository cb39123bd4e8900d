//! From the bytes of one log file to rows.
//!
//! In: bytes, as delivered. Out: rows in an [`EventBuilder`] and a [`Decoded`] that accounts for every record. Promise: a
//! pure function of the bytes; one broken record rejects that record, one broken file rejects that file whole (its rows
//! are taken back), neither stops the run.

use super::build::EventBuilder;
use super::decoded::{Decoded, Outcome, Reject};
use super::fault::{FileFault, LONGEST_VALUE};
use super::gzip::{Inflater, Text, TextFault};
use super::input::Input;
use super::paths::Guesses;
use super::record::{Record, RecordFault};
use super::shape::{self, Shape};
use super::summary::Summary;
use crate::json::scan::{Fault, skip_value};

/// How often a record may be wrapped in another (CloudWatch Logs in base64 holds LookupEvents holds a record …).
const MAX_WRAPPING: u8 = 4;

/// Decodes log files; keeps its buffers from one to the next.
#[derive(Debug)]
pub struct Decoder {
    inflater: Inflater,
    guesses: Guesses,
    max_json: u64,
}

/// Called when a file too long to be held has filled the builder; takes the rows out of it.
pub type WhenFull<'a> = &'a mut dyn FnMut(&mut EventBuilder);

impl Decoder {
    /// A decoder that rejects log files with more than `max_json` bytes of JSON.
    pub fn new(max_json: u64) -> Self {
        Self {
            inflater: Inflater::new(),
            guesses: Guesses::default(),
            max_json,
        }
    }

    /// Decodes the log file `name` into `builder`. A file whose text is too long to be held calls `when_full` in between;
    /// that it is sound has been made sure of before.
    pub fn decode(
        &mut self,
        bytes: &[u8],
        name: &str,
        (builder, when_full): (&mut EventBuilder, WhenFull<'_>),
    ) -> Decoded {
        let before = builder.rows();
        builder.begin_file(name);
        let mut walk = Walk::new(Some((&mut *builder, when_full)), &mut self.guesses);
        let mut remark = None;
        let result = match self.inflater.text(bytes, self.max_json) {
            Err(fault) => Err(fault.into()),
            Ok(inflated) => {
                remark = inflated.remark;
                match inflated.text {
                    Text::Whole(text) => walk.document(&mut Input::whole(text)),
                    Text::Long(reader) => {
                        let limit = self.max_json;
                        // Rows of a long file cannot be taken back once handed over: check it first, then read it again.
                        let mut again = Inflater::new();
                        let mut guesses = Guesses::default();
                        let sound =
                            Walk::new(None, &mut guesses).document(&mut Input::long(reader, limit));
                        sound.and_then(|()| {
                            match again.text(bytes, limit).map(|inflated| inflated.text) {
                                Ok(Text::Long(reader)) => {
                                    walk.document(&mut Input::long(reader, limit))
                                }
                                Ok(Text::Whole(_)) | Err(_) => Err(FileFault::NotTwice),
                            }
                        })
                    }
                }
            }
        };
        let Walk {
            records,
            rejects,
            json_bytes,
            foreign,
            unknown,
            ..
        } = walk;
        let outcome = match result {
            Err(fault) => Outcome::Rejected(fault),
            Ok(())
                if records > rejects.len() as u64 || (foreign.is_none() && unknown.is_none()) =>
            {
                Outcome::Read
            }
            Ok(()) => match (foreign, unknown) {
                (Some((what, _)), _) => Outcome::Skipped(what.to_owned()),
                (None, fields) => Outcome::Rejected(FileFault::NoEvents {
                    fields: fields.unwrap_or_default(),
                }),
            },
        };
        if outcome == Outcome::Read {
            if let Some((what, n)) = foreign {
                remark.get_or_insert(format!("passed over {what} ({n} of its objects)"));
            }
            let summary = builder.take_summary();
            return Decoded {
                outcome,
                records,
                rejects,
                json_bytes,
                remark,
                summary,
            };
        }
        builder.truncate(before);
        Decoded {
            outcome,
            records: 0,
            rejects: Vec::new(),
            json_bytes,
            remark,
            summary: Summary::default(),
        }
    }
}

/// A builder, and what is called when it is full.
type Rows<'b> = (&'b mut EventBuilder, WhenFull<'b>);

/// One pass over a document.
struct Walk<'b> {
    /// Where rows go; nowhere when a long text is only checked.
    rows: Option<Rows<'b>>,
    guesses: &'b mut Guesses,
    records: u64,
    rejects: Vec<Reject>,
    json_bytes: u64,
    /// What well-known other things were met, and how many.
    foreign: Option<(&'static str, u64)>,
    unknown: Option<String>,
}

impl<'b> Walk<'b> {
    fn new(rows: Option<(&'b mut EventBuilder, WhenFull<'b>)>, guesses: &'b mut Guesses) -> Self {
        Self {
            rows,
            guesses,
            records: 0,
            rejects: Vec::new(),
            json_bytes: 0,
            foreign: None,
            unknown: None,
        }
    }

    /// All values of the document: usually one object, in JSON lines many.
    fn document(&mut self, input: &mut Input<'_>) -> Result<(), FileFault> {
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
                b'{' => {
                    if let Err(fault) = self.value(input)? {
                        self.broken_line(input, fault, values > 0)?;
                    }
                }
                _ => input.skip_line_prefix(byte)?,
            }
            values += 1;
        }
        self.json_bytes = input.position();
        if values == 0 {
            Err(FileFault::NoJson)
        } else {
            Ok(())
        }
    }

    /// The elements of a list whose opening bracket has been taken, and the closing one.
    fn elements(&mut self, input: &mut Input<'_>) -> Result<(), FileFault> {
        if input.peek()? == Some(b']') {
            input.bump();
            return Ok(());
        }
        loop {
            if let Err(fault) = self.value(input)? {
                return Err(self.syntax_error(input, fault));
            }
            match input.peek()? {
                Some(b',') => input.bump(),
                Some(b']') => {
                    input.bump();
                    return Ok(());
                }
                Some(_) => return Err(self.syntax_error(input, Fault::Invalid(input.bytes().1))),
                None => return Err(self.syntax_error(input, Fault::Incomplete)),
            }
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
        Ok(Ok(()))
    }

    /// A sound value.
    fn text(&mut self, text: &str, wrapping: u8) {
        match Record::scan(text, self.guesses) {
            Ok((record, _)) => self.record(record, text, wrapping),
            Err(_) => self.reject(&RecordFault::Json("another kind of value".to_owned()), text),
        }
    }

    /// An object that may be a record.
    fn record(&mut self, record: Record<'_>, text: &str, wrapping: u8) {
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
            Shape::List(list) => {
                let mut input = Input::Whole { text: list, at: 1 };
                // The list is part of a sound value, so it has no syntax errors.
                let _sound = self.elements(&mut input);
            }
            Shape::Record(inner) => match skip_value(inner.as_bytes(), 0) {
                Ok(_) => self.text(&inner, wrapping + 1),
                Err(_) => self.reject(
                    &RecordFault::Json("broken JSON inside a string".to_owned()),
                    &inner,
                ),
            },
            Shape::Packed(packed) => self.packed(&packed, wrapping + 1),
            Shape::Unknown(fields) => {
                if fault == RecordFault::NotAnEvent {
                    self.unknown.get_or_insert(fields);
                }
                self.reject(&fault, text);
            }
        }
    }

    /// What CloudWatch Logs handed to a Lambda function.
    fn packed(&mut self, packed: &str, wrapping: u8) {
        let mut inflater = Inflater::new();
        let sound = match inflater.text(packed.as_bytes(), LONGEST_VALUE as u64) {
            Ok(inflated) => match inflated.text {
                Text::Whole(bytes) => std::str::from_utf8(bytes)
                    .ok()
                    .filter(|text| skip_value(text.as_bytes(), 0).is_ok())
                    .map(|text| self.text(text, wrapping)),
                Text::Long(_) => None,
            },
            Err(
                TextFault::Empty
                | TextFault::Gzip(_)
                | TextFault::TooLarge { .. }
                | TextFault::Format(_),
            ) => None,
        };
        if sound.is_none() {
            self.reject(
                &RecordFault::Json("broken data inside a string".to_owned()),
                packed,
            );
        }
    }

    fn reject(&mut self, fault: &RecordFault, text: &str) {
        self.rejects.push(Reject {
            record: self.records,
            kind: fault.kind(),
            reason: fault.to_string(),
            text: text.to_owned(),
        });
        self.records += 1;
    }

    /// A syntax error between whole values: in JSON lines it costs that line, elsewhere the file.
    fn broken_line(
        &mut self,
        input: &mut Input<'_>,
        fault: Fault,
        among_others: bool,
    ) -> Result<(), FileFault> {
        let error = self.syntax_error(input, fault);
        let (bytes, at) = input.bytes();
        let line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let line = bytes[at..line_end].trim_ascii_end();
        if !(line.ends_with(b"}") || (among_others && line_end == bytes.len())) {
            return Err(error);
        }
        let text = String::from_utf8_lossy(line).into_owned();
        self.reject(&RecordFault::Json(error.to_string()), &text);
        input.set(line_end);
        Ok(())
    }

    /// A syntax error in words; `fault` counts from the start of the bytes held.
    fn syntax_error(&self, input: &Input<'_>, fault: Fault) -> FileFault {
        let record = self.records;
        match fault {
            Fault::Incomplete => FileFault::CutOff { record },
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
