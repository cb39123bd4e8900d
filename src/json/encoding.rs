//! Text in other encodings.
//!
//! In: bytes. Out: the same text in UTF-8. Promise: UTF-16, which PowerShell's `>` writes
//! (<https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>), is read with and
//! without its byte order mark; other bytes stay as they are.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// The bytes in UTF-8, without a byte order mark.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Some(plain) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Cow::Borrowed(plain);
    }
    match utf16(bytes) {
        None => Cow::Borrowed(bytes),
        Some(encoding) => {
            let (text, _) = encoding.decode_with_bom_removal(bytes);
            Cow::Owned(text.into_owned().into_bytes())
        }
    }
}

/// Which kind of UTF-16 the text is in, if it is. JSON and CSV begin with an ASCII character, so that without a mark the
/// place of the first zero tells.
pub(crate) fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match *bytes.first_chunk::<4>()? {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [1..0x80, 0, 1..0x80, 0] => Some(UTF_16LE),
        [0, 1..0x80, 0, 1..0x80] => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_read_with_and_without_its_mark() {
        let text = "{\"a\":\"é日😀\"}\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            little.clone(),
            big.clone(),
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            text.as_bytes().to_vec(),
        ] {
            assert_eq!(utf8(&bytes).as_ref(), text.as_bytes());
        }
        assert_eq!(utf8(b"\x1f\x8b\x08\0").as_ref(), b"\x1f\x8b\x08\0");
        assert_eq!(utf8(b"").as_ref(), b"");
    }
}
