//! From the bytes of a log file to its text.
//!
//! In: the bytes as delivered: gzip (one member or several, once or twice wrapped), Zstandard, base64 of these, or plain
//! text. Out: the whole text where it is small enough to hold, else a reader of it. Promise: never more than [`WHOLE`]
//! bytes in memory, never more than the caller's limit read; of compressed data that ends too early, the text up to there;
//! a damaged member costs that member; bytes that are not compressed data are never taken for events, and are reported.
//!
//! libdeflate inflates about twice as fast as zlib-rs but only whole members into a buffer of known size. It is used where
//! the size that the last member states holds for the whole file, which is every log file AWS delivers; anything else
//! goes through flate2.

mod packing;

pub(super) use packing::ZSTD;
pub(crate) use packing::fault;

use super::known;
use base64::Engine;
use packing::{Held, Limited, Members, Packing};
use std::borrow::Cow;
use std::io::{self, BufRead, Read};

/// Text up to this size is held whole; above, it is read in pieces. AWS's log files are far smaller.
pub(crate) const WHOLE: usize = 64 << 20;

/// Deflate cannot shrink data by more than this, so a stated size beyond it is no size.
const MAX_RATIO: usize = 1032;

/// How often data may be compressed again.
const WRAPPED_AGAIN: usize = 3;

/// Why the bytes of a log file have no text, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TextFault {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// Part of the compressed data is damaged.
    #[error("broken {format} data: {why}")]
    Damaged {
        /// What it was compressed with.
        format: &'static str,
        /// What is wrong.
        why: String,
        /// How much text there is before the damage, which its checksum has confirmed.
        sound: u64,
    },
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

/// What [`Inflater::text`] gives: the text, and what is missing of it.
pub(crate) struct Inflated<'a> {
    pub(crate) text: Text<'a>,
    /// Why text is missing, if it is.
    pub(crate) flaw: Option<TextFault>,
    /// Where in a whole text some is missing: what follows does not continue what is before.
    pub(crate) breaks: Vec<usize>,
}

impl<'a> Inflated<'a> {
    fn sound(text: Text<'a>) -> Self {
        Self {
            text,
            flaw: None,
            breaks: Vec::new(),
        }
    }

    /// The stretches of a whole text.
    pub(crate) fn parts(text: &'a [u8], breaks: &[usize]) -> Vec<&'a [u8]> {
        let ends = breaks.iter().copied().chain([text.len()]);
        let mut begin = 0;
        let parts = ends.map(|end| {
            let part = text.get(begin..end).unwrap_or_default();
            begin = end;
            part
        });
        let parts: Vec<&[u8]> = parts.collect();
        match parts.len() {
            1 => parts,
            _ => parts.into_iter().filter(|part| !part.is_empty()).collect(),
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
        if let Some(format) = known::format(bytes) {
            return Err(TextFault::Format(format));
        }
        if bytes.is_empty() {
            return Err(TextFault::Empty);
        }
        // Base64 of gzip, as Kinesis hands on what a CloudWatch Logs subscription sends; wrapped in lines, or one to a line.
        if bytes.starts_with(b"H4sI") {
            let mut text = bytes.to_vec();
            text.retain(|byte| !byte.is_ascii_whitespace());
            if let Ok(unpacked) = base64::engine::general_purpose::STANDARD.decode(text) {
                return self.unpacked(Cow::Owned(unpacked), Packing::Gzip, limit);
            }
        }
        let Some(packing) = Packing::of(bytes) else {
            return match bytes.len() as u64 > limit {
                true => Err(TextFault::TooLarge { limit }),
                false if bytes.len() > WHOLE => Ok(Inflated::sound(Text::Long(Box::new(bytes)))),
                false => Ok(Inflated::sound(Text::Whole(bytes))),
            };
        };
        let size = match packing {
            Packing::Gzip => self.fast(bytes, limit),
            Packing::Zstd => None,
        };
        match size {
            Some(size) if Packing::of(&self.buffer[..size]).is_none() => {
                Ok(Inflated::sound(Text::Whole(&self.buffer[..size])))
            }
            _ => self.unpacked(Cow::Borrowed(bytes), packing, limit),
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
        // libdeflate stops after the first member. Where another could begin, or where that could have ended before the last
        // bytes, which say the same of it, the slow way finds out.
        let trailer = bytes.last_chunk::<8>()?;
        let before = bytes.get(1..bytes.len() - 1)?;
        if memchr::memmem::find(before, &[0x1f, 0x8b, 0x08]).is_some()
            || memchr::memmem::find(before, trailer).is_some()
        {
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

    /// Member by member, into the buffer.
    fn unpacked<'a>(
        &'a mut self,
        bytes: Cow<'a, [u8]>,
        packing: Packing,
        limit: u64,
    ) -> Result<Inflated<'a>, TextFault> {
        self.buffer.clear();
        let most = limit.min(WHOLE as u64);
        let mut held = packing.unpack(&bytes, &mut self.buffer, most);
        // Compressed twice: by CloudWatch Logs and again by Firehose, and perhaps by whoever saved it.
        for _ in 0..WRAPPED_AGAIN {
            let Some(inner) = Packing::of(&self.buffer).filter(|_| !held.is_long) else {
                break;
            };
            let packed = std::mem::take(&mut self.buffer);
            let outer = held.flaw;
            held = inner.unpack(&packed, &mut self.buffer, most);
            held.flaw = outer.or(held.flaw);
            if held.is_long {
                return Err(TextFault::TooLarge { limit: most });
            }
        }
        match held {
            Held { is_long: true, .. } if limit <= WHOLE as u64 => {
                Err(TextFault::TooLarge { limit })
            }
            Held { is_long: true, .. } => {
                self.buffer = Vec::new();
                let bytes: Box<dyn BufRead + 'a> = match bytes {
                    Cow::Borrowed(bytes) => Box::new(bytes),
                    Cow::Owned(bytes) => Box::new(io::Cursor::new(bytes)),
                };
                let members = Members::of(packing, bytes)?;
                let text = Box::new(Limited::new(members, limit));
                Ok(Inflated::sound(Text::Long(text)))
            }
            Held {
                flaw: Some(flaw), ..
            } if self.buffer.is_empty() => Err(flaw),
            Held { flaw, breaks, .. } => Ok(Inflated {
                text: Text::Whole(&self.buffer),
                flaw,
                breaks,
            }),
        }
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
        let flaw = inflated.flaw.map(|flaw| flaw.to_string());
        match inflated.text {
            Text::Whole(text) => Ok((text.to_vec(), flaw)),
            Text::Long(mut reader) => {
                let mut text = Vec::new();
                reader
                    .read_to_end(&mut text)
                    .map_err(|error| fault(error, 1 << 20))?;
                Ok((text, flaw))
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
        let (text, flaw) = inflate(&[gzip(b"[]"), b"hidden".to_vec()].concat())?;
        assert_eq!(text, b"[]");
        assert!(flaw.is_some_and(|flaw| flaw.contains("6 bytes after its end are not gzip")));
        // Not even if the last bytes are those of the member.
        let mut copy = gzip(b"[]");
        copy[0] = 0;
        let (text, flaw) = inflate(&[gzip(b"[]"), copy].concat())?;
        assert!(text == b"[]" && flaw.is_some(), "{flaw:?}");
        // Padding is not hidden text.
        let padded = [gzip(b"[]"), vec![0; 600]].concat();
        assert_eq!(inflate(&padded)?, (b"[]".to_vec(), None));
        Ok(())
    }

    #[test]
    fn a_damaged_member_costs_that_member() -> Result<(), TextFault> {
        let zstd = |text: &[u8]| zstd::encode_all(text, 3).expect("in memory");
        for (pack, name) in [
            (&gzip as &dyn Fn(&[u8]) -> Vec<u8>, "gzip"),
            (&zstd, "Zstandard"),
        ] {
            let (one, two, three) = (pack(b"[1]\n"), pack(b"[2]\n"), pack(b"[3]\n"));
            for at in [0, two.len() / 2, two.len() - 1] {
                let mut damaged = two.clone();
                damaged[at] ^= 0xff;
                let bytes = [one.clone(), damaged, three.clone()].concat();
                let mut inflater = Inflater::new();
                let inflated = inflater.text(&bytes, 1 << 20)?;
                let Text::Whole(text) = inflated.text else {
                    panic!("small");
                };
                // A frame of Zstandard need not have a checksum.
                if name == "gzip" || at == 0 {
                    let flaw = inflated.flaw.expect("damaged").to_string();
                    assert!(flaw.starts_with(&format!("broken {name} data: ")), "{flaw}");
                    assert_eq!(text, b"[1]\n[3]\n", "{flaw}");
                    assert_eq!(inflated.breaks, [4]);
                }
            }
        }
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
            assert!(
                cut.flaw == Some(TextFault::Cut) && held.len() > 1_000,
                "{}",
                held.len()
            );
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
        assert!(matches!(inflate(&flipped), Err(TextFault::Damaged { .. })));
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
