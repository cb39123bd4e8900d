//! The text of a log file, read from front to back.
//!
//! In: JSON in one piece, or a reader of it. Out: bytes and a position among them. Promise: a text of any length is read
//! in bounded memory; of what stands around records, no more is understood than where it ends.

use super::fault::{FileFault, LONGEST_VALUE};
use super::gzip::{self, TextFault};
use crate::json::scan::{self, Fault, skip_space, skip_value};
use crate::json::unsound::skip_unsound;
use std::io::Read;

/// How much of a long text is read at a time. A record is at most 256 KiB, in old versions somewhat more.
const PIECE: usize = 4 << 20;

/// The text of a log file with a position in it.
pub(super) enum Input<'a> {
    /// All of it, and sound UTF-8: the fast path.
    Whole { text: &'a str, at: usize },
    /// Piece by piece, or with bytes that are not UTF-8, which only the record that has them suffers for.
    Pieces {
        reader: Option<Box<dyn Read + 'a>>,
        bytes: Vec<u8>,
        at: usize,
        done: u64,
        limit: u64,
    },
}

impl<'a> Input<'a> {
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Input::Whole { text, at: 0 },
            Err(_) => Input::Pieces {
                reader: None,
                bytes: bytes.to_vec(),
                at: 0,
                done: 0,
                limit: u64::MAX,
            },
        }
    }

    pub(super) fn long(reader: Box<dyn Read + 'a>, limit: u64) -> Self {
        Input::Pieces {
            reader: Some(reader),
            bytes: Vec::new(),
            at: 0,
            done: 0,
            limit,
        }
    }

    pub(super) fn bytes(&self) -> (&[u8], usize) {
        match self {
            Input::Whole { text, at } => (text.as_bytes(), *at),
            Input::Pieces { bytes, at, .. } => (bytes, *at),
        }
    }

    pub(super) fn set(&mut self, to: usize) {
        let (Input::Whole { at, .. } | Input::Pieces { at, .. }) = self;
        *at = to;
    }

    /// Bytes passed so far.
    pub(super) fn position(&self) -> u64 {
        match self {
            Input::Whole { at, .. } => *at as u64,
            Input::Pieces { at, done, .. } => done + *at as u64,
        }
    }

    /// Reads another piece; false when there is none.
    fn more(&mut self) -> Result<bool, FileFault> {
        let Input::Pieces {
            reader: Some(reader),
            bytes,
            at,
            done,
            limit,
        } = self
        else {
            return Ok(false);
        };
        bytes.drain(..*at);
        *done += *at as u64;
        *at = 0;
        if bytes.len() > LONGEST_VALUE {
            return Err(FileFault::LongValue);
        }
        let read = reader.take(PIECE as u64).read_to_end(bytes);
        read.map(|n| n > 0)
            .map_err(|error| match gzip::fault(error, *limit) {
                TextFault::Cut => FileFault::CutGzip {
                    byte: *done + bytes.len() as u64,
                },
                fault => fault.into(),
            })
    }

    /// The next byte that is not white space, without taking it.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, FileFault> {
        loop {
            let (bytes, at) = self.bytes();
            let next = skip_space(bytes, at);
            let found = bytes.get(next).copied();
            self.set(next);
            if found.is_some() || !self.more()? {
                return Ok(found);
            }
        }
    }

    /// Takes the byte that [`Input::peek`] gave.
    pub(super) fn bump(&mut self) {
        let (_, at) = self.bytes();
        self.set(at + 1);
    }

    /// Makes sure that the value at the position is there in full; gives its end.
    pub(super) fn value_end(&mut self) -> Result<Result<usize, Fault>, FileFault> {
        loop {
            let (bytes, at) = self.bytes();
            match skip_value(bytes, at) {
                Err(Fault::Incomplete) if self.more()? => {}
                end => return Ok(end),
            }
        }
    }

    /// The end of the value at the position as far as its brackets tell, sound or not.
    pub(super) fn unsound_end(&mut self) -> Result<Option<usize>, FileFault> {
        loop {
            let (bytes, at) = self.bytes();
            match skip_unsound(bytes, at) {
                Ok(end) => return Ok(Some(end)),
                Err(_) if self.more()? => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// When the object at the position holds a list of records, after a few other fields or none, takes everything up to and
    /// with the opening bracket.
    pub(super) fn enter_list(&mut self) -> Result<bool, FileFault> {
        // A piece is always long enough for the few bytes looked at here.
        let (bytes, at) = self.bytes();
        let list = list_of_records(&bytes[at..], &ENVELOPES, false);
        if let Some(bracket) = list {
            self.set(at + bracket + 1);
        }
        Ok(list.is_some())
    }

    /// The same of an object that is broken further on, whatever comes before its list.
    pub(super) fn enter_any_list(&mut self) -> bool {
        let (bytes, at) = self.bytes();
        let list = list_of_records(&bytes[at..], &LISTS, true);
        if let Some(bracket) = list {
            self.set(at + bracket + 1);
        }
        list.is_some()
    }

    /// Takes the key at the position and the colon after it; whether lists of records are called so. A broken key is taken
    /// for none.
    pub(super) fn take_key(&mut self) -> Result<bool, FileFault> {
        let Ok(end) = self.value_end()? else {
            self.bump();
            return Ok(false);
        };
        let (bytes, at) = self.bytes();
        let key = std::str::from_utf8(&bytes[at..end]).unwrap_or_default();
        let name = scan::string(key).unwrap_or_default();
        let is_list = is_list(&name);
        self.set(end);
        if self.peek()? == Some(b':') {
            self.bump();
        }
        Ok(is_list)
    }

    /// Where the line at the position ends.
    pub(super) fn line_end(&mut self) -> Result<usize, FileFault> {
        loop {
            let (bytes, at) = self.bytes();
            let length = bytes.len() - at;
            if let Some(end) = memchr::memchr(b'\n', &bytes[at..]) {
                return Ok(at + end);
            }
            if !self.more()? {
                // What was read before was moved to the front.
                return Ok(self.bytes().1 + length);
            }
        }
    }

    /// Logs and the AWS CLI put a time and other words before a record: everything up to the brace is passed over, if there is
    /// a record.
    pub(super) fn skip_line_prefix(&mut self) -> Result<bool, FileFault> {
        let end = self.line_end()?;
        let (bytes, at) = self.bytes();
        let line = &bytes[at..end];
        let Some(brace) = memchr::memchr(b'{', line).filter(|brace| *brace <= LONGEST_PREFIX)
        else {
            return Ok(false);
        };
        let prefix = line[..brace].trim_ascii_end();
        let is_words = std::str::from_utf8(prefix).is_ok_and(|words| {
            let odd = |char: char| char == '"' || char == '\'' || char.is_control() && char != '\t';
            !words.contains(odd)
        });
        // After a time stands a record, also a broken one.
        let is_record = line[0].is_ascii_digit() || skip_value(line, brace).is_ok();
        if is_words && is_record {
            self.set(at + brace);
        }
        Ok(is_words && is_record)
    }

    /// The AWS CLI's text output puts other columns after a record: they repeat what is in it.
    pub(super) fn skip_line_suffix(&mut self) -> Result<(), FileFault> {
        let end = self.line_end()?;
        let (bytes, at) = self.bytes();
        if bytes.get(at) == Some(&b'\t') {
            self.set(end);
        }
        Ok(())
    }
}

/// The longest text before a record on its line.
const LONGEST_PREFIX: usize = 1 << 10;

/// What lists of records are called where little else comes before them.
const ENVELOPES: [&[u8]; 4] = [b"\"Records\"", b"\"Events\"", b"\"records\"", b"\"events\""];

/// What they are called anywhere.
const LISTS: [&[u8]; 9] = [
    b"\"Records\"",
    b"\"Events\"",
    b"\"records\"",
    b"\"events\"",
    b"\"logEvents\"",
    b"\"QueryResultRows\"",
    b"\"Messages\"",
    b"\"results\"",
    b"\"hits\"",
];

/// Whether lists of records are called so.
pub(super) fn is_list(name: &str) -> bool {
    let quoted = |list: &&[u8]| list.get(1..list.len() - 1) == Some(name.as_bytes());
    LISTS.iter().any(quoted)
}

/// Where the list of records opens in an object: after a few plain values, or after `any` values.
fn list_of_records(object: &[u8], names: &[&[u8]], any: bool) -> Option<usize> {
    /// More fields than `NextToken` and its like are not an envelope.
    const BEFORE: usize = 8;
    let mut at = skip_space(object, 1);
    for _ in 0..BEFORE {
        let key = at;
        let key_end = skip_value(object, key)
            .ok()
            .filter(|_| object[key] == b'"')?;
        let colon = skip_space(object, key_end);
        let value = skip_space(object, colon + 1);
        match object.get(value)? {
            b'[' if names.contains(&&object[key..key_end]) => return Some(value),
            b'[' | b'{' if !any => return None,
            _ => {}
        }
        // What comes before the list may be broken.
        let end = skip_value(object, value);
        let end = match any {
            true => end.or_else(|_| skip_unsound(object, value)),
            false => end,
        };
        let after = skip_space(object, end.ok().filter(|end| *end > value)?);
        at = (object.get(after) == Some(&b',')).then(|| skip_space(object, after + 1))?;
    }
    None
}
