//! A ZIP archive without its directory.
//!
//! In: the bytes of a ZIP archive that is cut off or damaged at its end. Out: the files that are there, by the headers before
//! each (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, 4.3.7). Promise: what is given is what the archive
//! held, or the beginning of it; a file whose checksum is wrong is given as a fault; always an error at the end, which says
//! after which file the rest is missing.

use super::{Visit, unpacked};
use crate::event::fault::FileFault;
use std::io::{self, Read};

/// How the header of a file begins.
const HEADER: &[u8; 4] = b"PK\x03\x04";

/// How what follows a file begins, where its header does not say how long it is.
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

/// A header without the name and what else follows it.
const HEADER_LENGTH: usize = 30;

/// A flag of a file that is encrypted, and of one whose length stands after it.
const ENCRYPTED: u16 = 1;
const LENGTH_AFTER: u16 = 1 << 3;

/// A file in the archive.
struct File<'a> {
    name: String,
    encrypted: bool,
    length_after: bool,
    /// How it is compressed: 0 is not, 8 is deflate.
    method: u16,
    checksum: u32,
    /// How long it is in the archive.
    length: usize,
    /// The archive from its content on.
    content: &'a [u8],
}

/// Visits the files before the damage.
pub(super) fn zip(bytes: &[u8], limit: u64, visit: Visit<'_>) -> Result<(), FileFault> {
    let mut rest = bytes;
    let mut last = None;
    while let Some(file) = File::first(rest) {
        let Some(after) = file.visit(limit, visit)? else {
            last = Some(file.name);
            break;
        };
        rest = after;
        last = Some(file.name);
    }
    let after = last.map_or_else(String::new, |name| format!(" after {name}"));
    Err(FileFault::Archive(format!(
        "the ZIP archive has no directory at its end; what stood{after} is missing"
    )))
}

impl<'a> File<'a> {
    /// The file whose header these bytes begin with.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_LENGTH)?;
        let short = |at: usize| {
            let bytes = header.get(at..at + 2)?.try_into().ok()?;
            Some(u16::from_le_bytes(bytes))
        };
        let long = |at: usize| {
            let bytes = header.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_le_bytes(bytes))
        };
        if !header.starts_with(HEADER) {
            return None;
        }
        let flags = short(6)?;
        let named = HEADER_LENGTH + usize::from(short(26)?);
        let name = String::from_utf8_lossy(bytes.get(HEADER_LENGTH..named)?).into_owned();
        Some(Self {
            name,
            encrypted: flags & ENCRYPTED != 0,
            length_after: flags & LENGTH_AFTER != 0,
            method: short(8)?,
            checksum: long(14)?,
            length: usize::try_from(long(18)?).ok()?,
            content: bytes.get(named + usize::from(short(28)?)..)?,
        })
    }

    /// Visits the file; gives what follows it, if that is known.
    fn visit(&self, limit: u64, visit: Visit<'_>) -> Result<Option<&'a [u8]>, FileFault> {
        if self.name.ends_with('/') {
            return Ok(self.after(self.length));
        }
        let unreadable = match (self.encrypted, self.method) {
            (true, _) => Some("it is encrypted".to_owned()),
            (false, 0 | 8) => None,
            (false, method) => Some(format!("it is compressed by method {method}")),
        };
        if let Some(why) = unreadable {
            visit(&self.name, Err(FileFault::Archive(why)))?;
            return Ok(self.after(self.length).filter(|_| !self.length_after));
        }
        match self.method {
            0 => self.stored(visit),
            _ => self.deflated(limit, visit),
        }
    }

    fn stored(&self, visit: Visit<'_>) -> Result<Option<&'a [u8]>, FileFault> {
        if self.length_after {
            let why = "its header does not say how long it is".to_owned();
            visit(&self.name, Err(FileFault::Archive(why)))?;
            return Ok(None);
        }
        let there = self.content.len().min(self.length);
        let content = self.content.get(..there).unwrap_or_default();
        let after = self.after(self.length);
        self.give((content, after.is_some()), visit)?;
        Ok(after)
    }

    fn deflated(&self, limit: u64, visit: Visit<'_>) -> Result<Option<&'a [u8]>, FileFault> {
        let mut decoder = flate2::bufread::DeflateDecoder::new(self.content);
        let mut text = Vec::new();
        let read = (&mut decoder).take(limit + 1).read_to_end(&mut text);
        if text.len() as u64 > limit {
            visit(&self.name, Err(FileFault::TooLarge { limit }))?;
            return Ok(self.after(self.length).filter(|_| !self.length_after));
        }
        match read {
            Ok(_) => {
                self.give((&text, !self.length_after), visit)?;
                let packed = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
                Ok(self.after(packed))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.give((&text, false), visit)?;
                Ok(None)
            }
            Err(error) => {
                visit(&self.name, Err(unpacked(&error, limit)))?;
                Ok(self.after(self.length).filter(|_| !self.length_after))
            }
        }
    }

    /// Gives the content, `whole` or the beginning of it.
    fn give(&self, (content, whole): (&[u8], bool), visit: Visit<'_>) -> Result<(), FileFault> {
        match whole && crc32fast::hash(content) != self.checksum {
            true => visit(
                &self.name,
                Err(FileFault::Archive("its checksum is wrong".to_owned())),
            ),
            false if content.is_empty() && !whole => Ok(()),
            false => visit(&self.name, Ok(content)),
        }
    }

    /// What follows a file of this length, and what may stand after it.
    fn after(&self, length: usize) -> Option<&'a [u8]> {
        let mut after = self.content.get(length..)?;
        if self.length_after {
            if after.starts_with(DESCRIPTOR) {
                after = after.get(4..)?;
            }
            // A checksum and two lengths, of four bytes each or, in large archives, of eight.
            let next = [12, 20].map(|length| after.get(length..));
            let is_header = |next: &&[u8]| next.starts_with(b"PK");
            after = next.into_iter().flatten().find(is_header)?;
        }
        Some(after)
    }
}
