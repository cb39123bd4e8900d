//! The text of a log file, read from front to back.
//!
//! In: JSON in one piece, or a reader of it. Out: bytes and a position among them. Promise: a text of any length is read
//! in bounded memory; of what stands around records, no more is understood than where it ends.

use super::fault::{FileFault, LONGEST_VALUE};
use super::gzip;
use crate::json::scan::{Fault, skip_space, skip_value};
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
            .map_err(|error| gzip::fault(error, *limit).into())
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

    /// When the object at the position begins with a list of records, takes everything up to and with the opening bracket.
    pub(super) fn enter_list(&mut self) -> Result<bool, FileFault> {
        // A piece is always long enough for the few bytes looked at here.
        let (bytes, at) = self.bytes();
        let key = skip_space(bytes, at + 1);
        let Some(after) = [
            &b"\"Records\""[..],
            b"\"Events\"",
            b"\"records\"",
            b"\"events\"",
        ]
        .iter()
        .find_map(|name| bytes[key..].starts_with(name).then_some(key + name.len())) else {
            return Ok(false);
        };
        let colon = skip_space(bytes, after);
        let bracket = skip_space(bytes, colon + 1);
        let found = bytes.get(colon) == Some(&b':') && bytes.get(bracket) == Some(&b'[');
        if found {
            self.set(bracket + 1);
        }
        Ok(found)
    }

    /// The rest of an object after its list of records: further members, which say nothing about events, and the brace.
    pub(super) fn leave_object(&mut self) -> Result<(), FileFault> {
        let broken = |_| FileFault::AfterRecords;
        loop {
            match self.peek()? {
                Some(b'}') => {
                    self.bump();
                    return Ok(());
                }
                Some(b',' | b':' | b'"') => {
                    if self.peek()? != Some(b'"') {
                        self.bump();
                        self.peek()?;
                    }
                    let end = self.value_end()?.map_err(broken)?;
                    self.set(end);
                }
                Some(_) | None => return Err(broken(Fault::Incomplete)),
            }
        }
    }

    /// The command line of CloudWatch Logs puts a time before each record: everything up to the brace is passed over.
    pub(super) fn skip_line_prefix(&mut self, byte: u8) -> Result<(), FileFault> {
        let (bytes, at) = self.bytes();
        let line = bytes[at..]
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        match memchr::memchr(b'{', line).filter(|_| byte.is_ascii_digit()) {
            Some(brace) if !line[..brace].contains(&b'"') => {
                self.set(at + brace);
                Ok(())
            }
            _ => Err(FileFault::NotJson),
        }
    }
}
