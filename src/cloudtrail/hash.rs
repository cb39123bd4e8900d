//! Hashes as CloudTrail writes them: SHA-256 in lower-case hexadecimal, as in the `hashValue` of a
//! [digest file](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html).
//!
//! In: bytes. Out: text. Promise: one spelling everywhere, so that a hash in the ledger can be compared with AWS's.

use sha2::{Digest, Sha256};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The SHA-256 of bytes, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The same, unless it is to stop meanwhile.
pub fn sha256_unless(bytes: &[u8], stop: &dyn Fn() -> bool) -> Option<String> {
    /// Bytes between two looks, some milliseconds of work.
    const BETWEEN_LOOKS: usize = 4 << 20;
    let mut digest = Sha256::new();
    for piece in bytes.chunks(BETWEEN_LOOKS) {
        if stop() {
            return None;
        }
        digest.update(piece);
    }
    Some(hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_lower_case_hexadecimal() {
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
