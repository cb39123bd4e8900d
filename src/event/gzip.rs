//! From the bytes of a log file to its text.
//!
//! In: the bytes as delivered: gzip (one member or several, once or twice wrapped), base64 of it, Zstandard, or plain text.
//! Out: the whole text where it is small enough to hold, else a reader of it. Promise: never more than [`WHOLE`] bytes in
//! memory, never more than the caller's limit read; of compressed data that ends too early, the text up to there; bytes
//! after the end of the gzip stream are never taken for events, and whole texts say that there were some.
//!
//! libdeflate inflates about twice as fast as zlib-rs but only whole members into a buffer of known size. It is used where
//! the size that the last member states holds for the whole file, which is every log file AWS delivers; anything else
//! goes through flate2.

use base64::Engine;
use flate2::bufread::GzDecoder;
use std::io::{self, Read};

/// Text up to this size is held whole; above, it is read in pieces. AWS's log files are far smaller.
pub(crate) const WHOLE: usize = 64 << 20;

/// Deflate cannot shrink data by more than this, so a stated size beyond it is no size.
const MAX_RATIO: usize = 1032;

/// Why the bytes of a log file have no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextFault {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The compressed data is damaged.
    #[error("broken gzip data: {0}")]
    Gzip(io::Error),
    /// The compressed data ends before its text does.
    #[error("the compressed data ends too early")]
    Cut,
    /// The text is larger than allowed.
    #[error("more than {limit} bytes of JSON when decompressed")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Another file format.
    #[error("{0}, not gzip or JSON")]
    Format(&'static str),
}

/// The text of a log file.
pub(crate) enum Text<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// Too much to hold.
    Long(Box<dyn Read + 'a>),
}

/// Inflates log files; keeps its buffers from one to the next.
pub(crate) struct Inflater {
    fast: libdeflater::Decompressor,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater")
            .field("buffer", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// What [`Inflater::text`] gives: the text, and a remark where the file is readable but odd.
pub(crate) struct Inflated<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) remark: Option<String>,
    /// Whether the compressed data ended before the text did.
    pub(crate) cut: bool,
}

impl<'a> Inflated<'a> {
    fn sound(text: Text<'a>) -> Self {
        Self {
            text,
            remark: None,
            cut: false,
        }
    }
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self {
            fast: libdeflater::Decompressor::new(),
            buffer: Vec::new(),
        }
    }

    /// The text in `bytes`, of at most `limit` bytes.
    pub(crate) fn text<'a>(
        &'a mut self,
        bytes: &'a [u8],
        limit: u64,
    ) -> Result<Inflated<'a>, TextFault> {
        if let Some(format) = foreign_format(bytes) {
            return Err(TextFault::Format(format));
        }
        if bytes.is_empty() {
            return Err(TextFault::Empty);
        }
        // Base64 of gzip, as Kinesis hands on what a CloudWatch Logs subscription sends.
        if bytes.starts_with(b"H4sI") {
            let packed: Vec<u8> = bytes
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            let unpacked = base64::engine::general_purpose::STANDARD
                .decode(packed)
                .map_err(|error| TextFault::Gzip(io::Error::other(error)))?;
            return self.slow(Box::new(io::Cursor::new(unpacked)), limit);
        }
        if bytes.starts_with(&ZSTD) {
            let decoder = zstd::Decoder::with_buffer(bytes).map_err(TextFault::Gzip)?;
            return self.held(Members::Zstd(Box::new(decoder)), limit);
        }
        if !is_gzip(bytes) {
            return match bytes.len() as u64 > limit {
                true => Err(TextFault::TooLarge { limit }),
                false if bytes.len() > WHOLE => Ok(Inflated::sound(Text::Long(Box::new(bytes)))),
                false => Ok(Inflated::sound(Text::Whole(bytes))),
            };
        }
        match self.fast(bytes, limit) {
            Some(size) if !is_gzip(&self.buffer[..size]) => {
                Ok(Inflated::sound(Text::Whole(&self.buffer[..size])))
            }
            _ => self.slow(Box::new(bytes), limit),
        }
    }

    /// The size of the text, now in the buffer; `None` when it has to be found out the slow way.
    fn fast(&mut self, bytes: &[u8], limit: u64) -> Option<usize> {
        let (crc, size) = bytes.last_chunk::<8>().map(|trailer| {
            let [c1, c2, c3, c4, s1, s2, s3, s4] = *trailer;
            (
                u32::from_le_bytes([c1, c2, c3, c4]),
                u32::from_le_bytes([s1, s2, s3, s4]) as usize,
            )
        })?;
        if size > WHOLE || size as u64 > limit || size > bytes.len().saturating_mul(MAX_RATIO) {
            return None;
        }
        // libdeflate stops after the first member. Where another could begin, the slow way finds out.
        if memchr::memmem::find(&bytes[1..], &[0x1f, 0x8b, 0x08]).is_some() {
            return None;
        }
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        let out = &mut self.buffer[..size];
        // libdeflate checks the trailer of the member itself; that it is the file's last bytes shows that nothing follows.
        let whole = self
            .fast
            .gzip_decompress(bytes, out)
            .is_ok_and(|n| n == size)
            && libdeflater::crc32(out) == crc;
        whole.then_some(size)
    }

    /// Member by member. `bytes` are those of `Box<dyn BufRead>` so that borrowed and unpacked data are read alike.
    fn slow<'a>(
        &'a mut self,
        bytes: Box<dyn io::BufRead + 'a>,
        limit: u64,
    ) -> Result<Inflated<'a>, TextFault> {
        self.held(Members::of(bytes), limit)
    }

    /// Inflates into the buffer as far as it goes.
    fn held<'a>(&'a mut self, inner: Members<'a>, limit: u64) -> Result<Inflated<'a>, TextFault> {
        let mut members = Limited { left: limit, inner };
        self.buffer.clear();
        let held = (&mut members)
            .take(WHOLE as u64 + 1)
            .read_to_end(&mut self.buffer);
        match held.map_err(|error| fault(error, limit)) {
            // What was inflated until then stands.
            Err(TextFault::Cut) if !self.buffer.is_empty() && !is_gzip(&self.buffer) => {
                return Ok(Inflated {
                    cut: true,
                    ..Inflated::sound(Text::Whole(&self.buffer))
                });
            }
            held => held?,
        };
        if is_gzip(&self.buffer) && self.buffer.len() <= WHOLE {
            // Compressed twice: by CloudWatch Logs and again by Firehose.
            let inner = std::mem::take(&mut self.buffer);
            let mut decoder = Limited {
                left: limit,
                inner: Members::of(Box::new(io::Cursor::new(inner))),
            };
            let held = (&mut decoder)
                .take(WHOLE as u64 + 1)
                .read_to_end(&mut self.buffer);
            held.map_err(|error| fault(error, limit))?;
            if self.buffer.len() > WHOLE {
                return Err(TextFault::TooLarge {
                    limit: WHOLE as u64,
                });
            }
            return Ok(Inflated::sound(Text::Whole(&self.buffer)));
        }
        if self.buffer.len() > WHOLE {
            let start = io::Cursor::new(std::mem::take(&mut self.buffer));
            return Ok(Inflated::sound(Text::Long(Box::new(start.chain(members)))));
        }
        let remark = matches!(members.inner, Members::Leftover)
            .then(|| "bytes after the end of the gzip data were not read".to_owned());
        Ok(Inflated {
            remark,
            ..Inflated::sound(Text::Whole(&self.buffer))
        })
    }
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The name of a well-known format that is neither gzip nor text.
fn foreign_format(bytes: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 7] = [
        (b"PAR1", "a Parquet file"),
        (b"Obj\x01", "an Avro file"),
        (b"ORC", "an ORC file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"SQLite format 3", "a SQLite database"),
        (b"BZh", "bzip2 data"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "xz data"),
    ];
    FORMATS
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, name)| *name)
}

/// Tells a broken stream from one that is too long; the limit travels as an [`io::Error`].
pub(crate) fn fault(error: io::Error, limit: u64) -> TextFault {
    match error.kind() {
        io::ErrorKind::FileTooLarge => TextFault::TooLarge { limit },
        io::ErrorKind::UnexpectedEof => TextFault::Cut,
        _ => TextFault::Gzip(error),
    }
}

/// A reader that fails, rather than ends, at a limit.
struct Limited<R> {
    left: u64,
    inner: R,
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
pub(super) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The members of a gzip file, one after the other, or Zstandard data.
enum Members<'a> {
    Zstd(Box<zstd::Decoder<'static, &'a [u8]>>),
    Member(Box<GzDecoder<Box<dyn io::BufRead + 'a>>>),
    /// What follows the last member is not gzip.
    Leftover,
    Done,
}

impl<'a> Members<'a> {
    fn of(bytes: Box<dyn io::BufRead + 'a>) -> Self {
        Members::Member(Box::new(GzDecoder::new(bytes)))
    }
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Members::Zstd(decoder) = self {
            return decoder.read(buffer);
        }
        while let Members::Member(decoder) = self {
            let n = decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Members::Member(decoder) = std::mem::replace(self, Members::Done) else {
                break;
            };
            let mut rest = decoder.into_inner();
            let next = rest.fill_buf()?;
            if is_gzip(next) {
                *self = Members::of(rest);
            } else if !next.is_empty() {
                *self = Members::Leftover;
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder
            .write_all(text)
            .and_then(|()| encoder.finish())
            .expect("in memory")
    }

    fn inflate(bytes: &[u8]) -> Result<(Vec<u8>, Option<String>), TextFault> {
        let mut inflater = Inflater::new();
        let inflated = inflater.text(bytes, 1 << 20)?;
        match inflated.text {
            Text::Whole(text) => Ok((text.to_vec(), inflated.remark)),
            Text::Long(mut reader) => {
                let mut text = Vec::new();
                reader
                    .read_to_end(&mut text)
                    .map_err(|error| fault(error, 1 << 20))?;
                Ok((text, inflated.remark))
            }
        }
    }

    #[test]
    fn every_wrapping_gives_the_same_text() -> Result<(), TextFault> {
        let text = b"{\"Records\":[]}".to_vec();
        let base64 = base64::engine::general_purpose::STANDARD
            .encode(gzip(&text))
            .into_bytes();
        let members = [gzip(&text[..5]), gzip(&text[5..])].concat();
        for bytes in [
            text.clone(),
            gzip(&text),
            members,
            gzip(&gzip(&text)),
            base64,
        ] {
            assert_eq!(inflate(&bytes)?, (text.clone(), None));
        }
        // Two equal members have the trailer of one: the copy is not missed.
        assert_eq!(
            inflate(&[gzip(&text), gzip(&text)].concat())?.0,
            [text.clone(), text].concat()
        );
        Ok(())
    }

    #[test]
    fn bytes_after_the_end_are_reported() -> Result<(), TextFault> {
        let (text, remark) = inflate(&[gzip(b"[]"), b"hidden".to_vec()].concat())?;
        assert_eq!(text, b"[]");
        assert!(remark.is_some_and(|remark| remark.contains("after the end")));
        Ok(())
    }

    #[test]
    fn what_comes_before_a_cut_stands() -> Result<(), TextFault> {
        let text: Vec<u8> = (0..60_000u32)
            .flat_map(|n| n.to_string().into_bytes())
            .collect();
        let zstd = zstd::encode_all(&text[..], 3).expect("in memory");
        for packed in [gzip(&text), zstd] {
            let mut inflater = Inflater::new();
            let cut = inflater.text(&packed[..packed.len() / 2], 1 << 20)?;
            let Text::Whole(held) = cut.text else {
                panic!("small");
            };
            assert!(cut.cut && held.len() > 1_000, "{}", held.len());
            assert!(text.starts_with(held));
            assert_eq!(inflate(&packed)?.0, text);
        }
        assert!(matches!(inflate(&gzip(&text)[..10]), Err(TextFault::Cut)));
        Ok(())
    }

    #[test]
    fn damage_and_bombs_are_refused() {
        let whole = gzip(&b"0123456789".repeat(5_000));
        let mut flipped = whole.clone();
        let trailer = flipped.len() - 6;
        flipped[trailer] ^= 1;
        assert!(matches!(inflate(&flipped), Err(TextFault::Gzip(_))));
        let bomb = gzip(&vec![0; 3 << 20]);
        assert!(matches!(
            inflate(&bomb),
            Err(TextFault::TooLarge { limit: 1_048_576 })
        ));
        assert!(matches!(inflate(b""), Err(TextFault::Empty)));
        assert!(matches!(
            inflate(b"PAR1..."),
            Err(TextFault::Format("a Parquet file"))
        ));
    }
}
