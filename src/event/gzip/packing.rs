//! Gzip and Zstandard, member by member.
//!
//! In: compressed data. Out: its text, held or as a stream. Promise: a damaged member is left out and named, those around it
//! are read; where one was left out, the text has a break, so that no record is put together from two halves.

use super::TextFault;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// After damage, so many places that look like the beginning of a member are tried.
const TRIES: usize = 64;

/// How data is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// What became of compressed data.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Why text is missing, if it is.
    pub(super) flaw: Option<TextFault>,
    /// Where it is missing.
    pub(super) breaks: Vec<usize>,
    /// Whether there is more text than was allowed.
    pub(super) is_long: bool,
}

impl Packing {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Some(Self::Gzip);
        }
        bytes.starts_with(&ZSTD).then_some(Self::Zstd)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "Zstandard",
        }
    }

    pub(super) fn damaged(self, why: &dyn std::fmt::Display, sound: u64) -> TextFault {
        TextFault::Damaged {
            format: self.name(),
            why: why.to_string(),
            sound,
        }
    }

    /// How each member (of gzip) or frame (of Zstandard) begins.
    fn magic(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1f, 0x8b, 0x08],
            Self::Zstd => &ZSTD,
        }
    }

    /// Inflates the first member, up to `most` bytes of text; gives what follows it.
    fn first<'a>(self, bytes: &'a [u8], text: &mut Vec<u8>, most: u64) -> io::Result<&'a [u8]> {
        match self {
            Self::Gzip => {
                let mut decoder = GzDecoder::new(bytes);
                (&mut decoder).take(most).read_to_end(text)?;
                Ok(decoder.into_inner())
            }
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(bytes)?.single_frame();
                (&mut decoder).take(most).read_to_end(text)?;
                Ok(decoder.finish())
            }
        }
    }

    /// Inflates all members into `text`, and passes over those that are damaged; stops after `most` bytes.
    pub(super) fn unpack(self, bytes: &[u8], text: &mut Vec<u8>, most: u64) -> Held {
        let mut held = Held::default();
        let mut rest = bytes;
        loop {
            let start = text.len();
            let room = (most + 1).saturating_sub(start as u64);
            let first = self.first(rest, text, room);
            if text.len() as u64 > most {
                held.is_long = true;
                return held;
            }
            let (from, why) = match first {
                Ok([]) => return held,
                Ok(after) if after.starts_with(self.magic()) => {
                    rest = after;
                    continue;
                }
                // Padding, as tapes and block devices have it.
                Ok(after) if after.iter().all(|byte| *byte == 0) => return held,
                Ok(after) => {
                    rest = after;
                    let name = self.name();
                    (
                        0,
                        format!("{} bytes after its end are not {name}", after.len()),
                    )
                }
                Err(error) => {
                    if error.kind() == io::ErrorKind::UnexpectedEof
                        && self.next_sound(rest, 1, most).is_none()
                    {
                        held.flaw.get_or_insert(TextFault::Cut);
                        return held;
                    }
                    text.truncate(start);
                    (1, error.to_string())
                }
            };
            let byte = text.len();
            let why = format!("{why}; what stood there, after {byte} bytes of text, is missing");
            held.flaw
                .get_or_insert_with(|| self.damaged(&why, byte as u64));
            held.breaks.push(byte);
            match self.next_sound(rest, from, most) {
                Some(next) => rest = &rest[next..],
                None => return held,
            }
        }
    }

    /// Where the next member begins that is sound to its end.
    fn next_sound(self, bytes: &[u8], from: usize, most: u64) -> Option<usize> {
        let searched = bytes.get(from..)?;
        let places = memchr::memmem::find_iter(searched, self.magic()).take(TRIES);
        let mut text = Vec::new();
        places.map(|place| from + place).find(|place| {
            text.clear();
            self.first(&bytes[*place..], &mut text, most).is_ok()
        })
    }
}

/// What an error in a stream of compressed data carries.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Torn(TextFault);

/// Tells a broken stream from one that is too long; the limit travels as an [`io::Error`].
pub(crate) fn fault(error: io::Error, limit: u64) -> TextFault {
    if let Some(Torn(fault)) = error.get_ref().and_then(|it| it.downcast_ref()) {
        return fault.clone();
    }
    match error.kind() {
        io::ErrorKind::FileTooLarge => TextFault::TooLarge { limit },
        io::ErrorKind::UnexpectedEof => TextFault::Cut,
        _ => TextFault::Damaged {
            format: "compressed",
            why: error.to_string(),
            sound: 0,
        },
    }
}

/// A reader that fails, rather than ends, at a limit.
pub(super) struct Limited<R> {
    left: u64,
    inner: R,
}

impl<R> Limited<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { left: limit, inner }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(n)
    }
}

/// How Zstandard data begins.
pub(in crate::event) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The members of compressed data, one after the other, as a stream; it ends with an error where they are damaged.
pub(super) struct Members<'a> {
    packing: Packing,
    member: Member<'a>,
    /// Bytes of text so far.
    given: u64,
    /// Those of whole members.
    sound: u64,
}

/// The member that is being read.
enum Member<'a> {
    Zstd(Box<zstd::Decoder<'static, Box<dyn BufRead + 'a>>>),
    Gzip(Box<GzDecoder<Box<dyn BufRead + 'a>>>),
    None,
}

impl<'a> Members<'a> {
    pub(super) fn of(packing: Packing, bytes: Box<dyn BufRead + 'a>) -> Result<Self, TextFault> {
        let mut members = Self {
            packing,
            member: Member::None,
            given: 0,
            sound: 0,
        };
        let next = members.enter(bytes);
        next.map_err(|error| packing.damaged(&error, 0))?;
        Ok(members)
    }

    fn enter(&mut self, bytes: Box<dyn BufRead + 'a>) -> io::Result<()> {
        self.member = match self.packing {
            Packing::Gzip => Member::Gzip(Box::new(GzDecoder::new(bytes))),
            Packing::Zstd => {
                Member::Zstd(Box::new(zstd::Decoder::with_buffer(bytes)?.single_frame()))
            }
        };
        Ok(())
    }

    fn torn(&self, why: &dyn std::fmt::Display) -> io::Error {
        let why = format!(
            "{why}; what stood there, after {} bytes of text, is missing",
            self.sound
        );
        io::Error::other(Torn(self.packing.damaged(&why, self.sound)))
    }
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.member {
                Member::Zstd(decoder) => decoder.read(buffer),
                Member::Gzip(decoder) => decoder.read(buffer),
                Member::None => return Ok(0),
            };
            let n = match read {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(error),
                read => read.map_err(|error| self.torn(&error))?,
            };
            self.given += n as u64;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            self.sound = self.given;
            let mut rest = match std::mem::replace(&mut self.member, Member::None) {
                Member::Zstd(decoder) => decoder.finish(),
                Member::Gzip(decoder) => decoder.into_inner(),
                Member::None => return Ok(0),
            };
            let next = rest.fill_buf()?;
            if next.starts_with(self.packing.magic()) {
                self.enter(rest)?;
            } else if next.iter().any(|byte| *byte != 0) {
                let name = self.packing.name();
                return Err(self.torn(&format!("the bytes after its end are not {name}")));
            }
        }
    }
}
