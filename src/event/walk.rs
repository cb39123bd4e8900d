//! One pass over the text of a log file.
//!
//! In: the text. Out: rows, rejected records, and what else was met. Promise: one broken record rejects that record, and a
//! line that is no JSON that line; where its brackets do not tell where a record ends, the beginning of the next one may;
//! what cannot be got past ends the pass, and the text from there on is kept among the rejected records.

use super::build::EventBuilder;
use super::decoded::Reject;
use super::export;
use super::fault::FileFault;
use super::input::Input;
use super::paths::Guesses;
use super::record::{Record, RecordFault};
use super::rejects::Rejects;
use crate::json::scan::Fault;
use std::sync::atomic::{AtomicBool, Ordering};

mod broken;
mod records;

/// Of what is rejected at once, so much is kept.
const LONGEST_REST: usize = 1 << 20;

/// A text whose first lines are no JSON, so many of them, is no log file.
const LINES_BEFORE_JSON: u64 = 1_000;

/// Remarks on a file that are kept.
const REMARKS: usize = 3;

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
    remarks: Vec<String>,
    /// What well-known other things were met, and how many.
    foreign: Option<(&'static str, u64)>,
    unknown: Option<String>,
    /// Files of an archive that were passed over for their names: the first, and how many.
    passed_over: Option<(String, u64)>,
    /// The columns of a table whose rows come one by one.
    header: Vec<String>,
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
            remarks: Vec::new(),
            foreign: None,
            unknown: None,
            passed_over: None,
            header: Vec::new(),
        }
    }

    pub(super) fn done(self) -> Walked {
        let foreign = self.foreign;
        let foreign = foreign.map(|(what, n)| format!("passed over {what} ({n} of its objects)"));
        let over = self.passed_over;
        let over = over.map(|(first, n)| match n {
            1 => format!("passed over {first}, by its name"),
            n => format!("passed over {n} of its files by their names, the first: {first}"),
        });
        let others = [foreign, over, self.rejects.remark()];
        let remarks: Vec<String> = self
            .remarks
            .into_iter()
            .chain(others.into_iter().flatten())
            .collect();
        Walked {
            records: self.records,
            rejects: self.rejects,
            json_bytes: self.json_bytes,
            remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
            foreign: self.foreign,
            unknown: self.unknown,
        }
    }

    /// Notes what is odd about the file; the first such notes stay.
    pub(super) fn remark(&mut self, remark: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(remark);
        }
    }

    /// Notes something well known that holds no events.
    pub(super) fn is_foreign(&mut self, what: &'static str) {
        self.foreign = Some((what, self.foreign.map_or(1, |(_, n)| n + 1)));
    }

    /// A file of an archive is left out for its name.
    pub(super) fn passed_over(&mut self, member: &str) {
        let over = self.passed_over.get_or_insert((member.to_owned(), 0));
        over.1 += 1;
    }

    /// The rows that follow come from this file of an archive.
    pub(super) fn begin_member(&mut self, name: &str) {
        self.header.clear();
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
        let (before, records, rejected) = (self.json_bytes, self.records, self.rejects.mark());
        let result = match self.values(input) {
            Ok(lines) if lines > 0 && self.is_text(records, rejected) => Err(FileFault::NotJson),
            Ok(_) => Ok(()),
            Err(fault) => Err(fault),
        };
        self.json_bytes = before + input.position();
        if result == Err(FileFault::NotJson) {
            // Its lines are no broken records.
            self.rejects.back_to(rejected);
            self.records = records;
        }
        result
    }

    /// Whether nothing could be read since, and no record began.
    fn is_text(&self, records: u64, rejected: (u64, usize)) -> bool {
        self.records - records == self.rejects.count() - rejected.0
            && !self
                .rejects
                .since(rejected)
                .any(|text| text.starts_with('{'))
    }

    /// Reads values, and tells how many lines were none.
    fn values(&mut self, input: &mut Input<'_>) -> Result<u64, FileFault> {
        let (mut values, mut lines) = (0, 0);
        while let Some(byte) = input.peek()? {
            let prefixed = !matches!(byte, b'[' | b'{' | b'"');
            match byte {
                b'[' => {
                    input.bump();
                    self.elements(input)?;
                }
                b'{' if input.enter_list()? => {
                    self.elements(input)?;
                    self.rest_of_object(input)?;
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
                _ if input.skip_line_prefix()? => {
                    if let Err(fault) = self.value(input)? {
                        self.broken_value(input, fault, values > 0)?;
                    }
                }
                _ if self.odd_line(input, (values, lines))? => {}
                _ => {
                    lines += 1;
                    continue;
                }
            }
            values += 1;
            if prefixed {
                input.skip_line_suffix()?;
            }
        }
        match (values, lines) {
            (0, 0) => Err(FileFault::NoJson),
            (0, _) => Err(FileFault::NotJson),
            _ => Ok(lines),
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
                Some(b'}') => {
                    let byte = input.position();
                    self.remark(format!("a list that is not closed, at byte {byte}"));
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
                Some(b']' | b'}') => {}
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

    /// The rest of an object after its list of records, and the brace. Further lists are read, too: a key that comes twice
    /// must not hide records. Other members say nothing about events.
    fn rest_of_object(&mut self, input: &mut Input<'_>) -> Result<(), FileFault> {
        loop {
            match input.peek()? {
                Some(b'}') => {
                    input.bump();
                    return Ok(());
                }
                Some(b',') => input.bump(),
                Some(b'"') => {
                    let is_list = input.take_key()?;
                    match input.peek()? {
                        Some(b'}' | b',') => {}
                        Some(b'[') if is_list => {
                            let byte = input.position();
                            self.remark(format!("another list of records, at byte {byte}"));
                            input.bump();
                            self.elements(input)?;
                        }
                        Some(_) => match input.value_end()? {
                            Ok(end) => input.set(end),
                            Err(fault) => self.broken_member(input, fault)?,
                        },
                        None => return Err(FileFault::AfterRecords),
                    }
                }
                Some(_) => {
                    let fault = Fault::Invalid(input.bytes().1);
                    self.broken_member(input, fault)?;
                }
                None => return Err(FileFault::AfterRecords),
            }
        }
    }

    /// Ends the pass when it is to stop, or when there is nothing but rejected records.
    fn look_up(&self) -> Result<(), FileFault> {
        if self.stop.load(Ordering::Relaxed) {
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

    fn flush_when_full(&mut self) {
        if let Some((builder, when_full)) = &mut self.rows
            && builder.is_full()
        {
            when_full(builder);
        }
    }
}
