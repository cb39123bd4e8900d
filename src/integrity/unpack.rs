//! The content of a file as CloudTrail hashed it.
//!
//! In: the bytes of a log file or digest file as stored. Out: the SHA-256 of the uncompressed content, and the content itself
//! if it was asked for. Promise: strict, unlike the reader of events: one gzip member and nothing after it, since whatever
//! follows is not in the hash; memory does not grow with the file.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::cloudtrail::hex;

/// Bytes that are decompressed at a time.
const PIECE: usize = 64 << 10;

/// Why a file has no content that could be compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackFault {
    /// The compressed data ends too early.
    #[error("the compressed data ends too early")]
    Truncated,
    /// There is more after the end of the compressed data.
    #[error("{0} bytes follow the end of the compressed data")]
    Padded(usize),
    /// The compressed data is damaged.
    #[error("broken gzip data: {0}")]
    Damaged(io::Error),
    /// There is no end.
    #[error("more than {0} bytes when decompressed")]
    TooLarge(u64),
}

/// Hands the content to `take`, piece by piece; gives its SHA-256.
pub(super) fn unpack(
    bytes: &[u8],
    limit: u64,
    take: &mut dyn FnMut(&[u8]),
) -> Result<String, UnpackFault> {
    let mut hash = Sha256::new();
    // Somebody may have decompressed the copy: the hash is that of the content.
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        hash.update(bytes);
        take(bytes);
        return Ok(hex(&hash.finalize()));
    }
    let mut decoder = GzDecoder::new(bytes);
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let read = decoder
            .read(&mut piece)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => UnpackFault::Truncated,
                _ => UnpackFault::Damaged(error),
            })?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > limit {
            return Err(UnpackFault::TooLarge(limit));
        }
        hash.update(&piece[..read]);
        take(&piece[..read]);
    }
    match decoder.into_inner().len() {
        0 => Ok(hex(&hash.finalize())),
        more => Err(UnpackFault::Padded(more)),
    }
}

/// The whole content, and its SHA-256.
pub(super) fn whole(bytes: &[u8], limit: u64) -> Result<(Vec<u8>, String), UnpackFault> {
    let mut content = Vec::new();
    let hash = unpack(bytes, limit, &mut |piece| content.extend_from_slice(piece))?;
    Ok((content, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn only_one_whole_member_has_a_hash() {
        let text = b"{\"Records\":[]}".repeat(10_000);
        let packed = gzip(&text);
        let (content, hash) = whole(&packed, 1 << 20).unwrap();
        assert_eq!(content, text);
        assert_eq!(hash, crate::cloudtrail::sha256(&text));
        assert_eq!(whole(&text, 1 << 20).unwrap().1, hash);
        for cut in [packed.len() - 1, packed.len() / 2, 11, 3] {
            let fault = whole(&packed[..cut], 1 << 20).unwrap_err();
            assert!(matches!(fault, UnpackFault::Truncated), "{cut}: {fault}");
        }
        for tail in [b"x".to_vec(), vec![0; 512], gzip(b"more")] {
            let padded = [packed.clone(), tail.clone()].concat();
            let fault = whole(&padded, 1 << 20).unwrap_err();
            assert!(matches!(fault, UnpackFault::Padded(n) if n == tail.len()));
        }
        let mut flipped = packed.clone();
        let at = flipped.len() - 5;
        flipped[at] ^= 1;
        assert!(matches!(
            whole(&flipped, 1 << 20),
            Err(UnpackFault::Damaged(_))
        ));
        assert!(matches!(whole(&packed, 10), Err(UnpackFault::TooLarge(10))));
    }
}
