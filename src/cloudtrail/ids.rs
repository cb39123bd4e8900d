//! Account ids and access key ids.
//!
//! In: ids as AWS writes them. Out: [`AccountId`], [`AccessKeyId`], the kind of a key, and the account that is written
//! inside a key id. Promise: ids print back as they came; decoding needs no network and says nothing when the id holds
//! no account.

use std::fmt;
use std::str::FromStr;

/// The 12-digit number of an AWS account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

/// The text is not 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an account id (12 digits)")]
pub struct InvalidAccountId {
    /// The text as given.
    pub text: String,
}

impl AccountId {
    /// One more than the largest number that 12 digits can write.
    const END: u64 = 1_000_000_000_000;

    /// The account with this number, if 12 digits can write it.
    fn from_number(number: u64) -> Option<Self> {
        (number < Self::END).then_some(Self(number))
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAccountId {
            text: text.to_owned(),
        };
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        text.parse().map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The id of an access key, e.g. `AKIAIOSFODNN7EXAMPLE`.
///
/// Accepted are upper-case letters, digits and `*`: documentation and sanitised logs hold ids that no base32 alphabet
/// allows (`…EXAMPLE`, `AKIA****************`), and a responder must be able to ask for those too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

/// The text cannot be an access key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an access key id (16 to 128 letters A-Z, digits or *, e.g. AKIAIOSFODNN7EXAMPLE)"
)]
pub struct InvalidAccessKeyId {
    /// The text as given.
    pub text: String,
}

impl AccessKeyId {
    /// IAM's own bounds for an access key id; all known ids have 20 characters.
    const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

    /// Reads an id, loosely: see the type's own text for what is accepted.
    pub fn new(text: &str) -> Result<Self, InvalidAccessKeyId> {
        let prefix_is_plain = text.bytes().take(PREFIX).all(is_upper_or_digit);
        let body_is_known = text.bytes().all(|b| is_upper_or_digit(b) || b == b'*');
        if Self::LENGTHS.contains(&text.len()) && prefix_is_plain && body_is_known {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAccessKeyId {
                text: text.to_owned(),
            })
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the key lives until it is deleted or for a session.
    pub fn kind(&self) -> AccessKeyKind {
        access_key_kind(&self.0)
    }

    /// The account the key belongs to, read from the id itself.
    pub fn account(&self) -> Option<AccountId> {
        decode_account(&self.0)
    }
}

impl FromStr for AccessKeyId {
    type Err = InvalidAccessKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long an access key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessKeyKind {
    /// `AKIA…`: the key of a user or of root, valid until somebody deletes it.
    LongTerm,
    /// `ASIA…`: the key of a session, valid for hours.
    Temporary,
    /// Any other prefix.
    Other,
}

impl AccessKeyKind {
    /// The kind as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LongTerm => "long-term",
            Self::Temporary => "temporary",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for AccessKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of the access key with this id.
pub fn access_key_kind(id: &str) -> AccessKeyKind {
    match id.as_bytes() {
        [b'A', b'K', b'I', b'A', ..] => AccessKeyKind::LongTerm,
        [b'A', b'S', b'I', b'A', ..] => AccessKeyKind::Temporary,
        _ => AccessKeyKind::Other,
    }
}

/// How many characters of an id say what it identifies (`AKIA`, `AROA`, …).
const PREFIX: usize = 4;
/// How many base32 characters after the prefix hold the account: 50 bits.
const ACCOUNT_CHARACTERS: usize = 10;
/// Set in ids of the format that holds an account, the top one of the 50 bits.
const HOLDS_ACCOUNT: u64 = 1 << 49;
/// Below the account: 7 bits of serial number and the 2 bits that do not fill a byte.
const BITS_BELOW_ACCOUNT: u32 = 9;

/// The account that is written inside an id of any prefix (access keys, users, roles, …).
///
/// `None` when the text is no such id, is masked, or is of the old format (5th character `A` to `P`), which holds no
/// account.
pub fn decode_account(id: &str) -> Option<AccountId> {
    let (prefix, body) = id.as_bytes().split_at_checked(PREFIX)?;
    if !prefix.iter().copied().all(is_upper_or_digit) {
        return None;
    }
    let bits = body
        .get(..ACCOUNT_CHARACTERS)?
        .iter()
        .try_fold(0, |bits, &c| Some(bits << 5 | base32(c)?))?;
    if bits & HOLDS_ACCOUNT == 0 {
        return None;
    }
    AccountId::from_number((bits ^ HOLDS_ACCOUNT) >> BITS_BELOW_ACCOUNT)
}

/// The value of a character in the base32 alphabet of RFC 4648.
fn base32(character: u8) -> Option<u64> {
    match character {
        b'A'..=b'Z' => Some(u64::from(character - b'A')),
        b'2'..=b'7' => Some(u64::from(character - b'2') + 26),
        _ => None,
    }
}

fn is_upper_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// Whether a text is a GUID, as events have.
pub fn is_guid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    let mut bytes = text.bytes();
    parts == [8, 4, 4, 4, 12] && bytes.all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(id: &str) -> Option<String> {
        decode_account(id).map(|account| account.to_string())
    }

    #[test]
    fn the_account_is_read_from_the_id() {
        assert_eq!(decoded("ASIAQNZGKIQY56JQ7WML").unwrap(), "029608264753");
        assert_eq!(decoded("AKIAU7JNXC7K6YHPTBHL").unwrap(), "342082656213");
        assert_eq!(decoded("ASIATFQR7NSC2J5TBPPV").unwrap(), "218007301253");
    }

    #[test]
    fn every_prefix_of_one_account_decodes_alike() {
        for id in ["AIDAYOSFODNNQ7EXAMPLE", "AROAYOSFODNNQAAAAAAAA:session"] {
            assert_eq!(decoded(id).unwrap(), "581039954779", "{id}");
        }
    }

    #[test]
    fn old_masked_and_foreign_ids_hold_no_account() {
        for id in [
            "ASIAIJVY3C6EKPZGGHTA",
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAJ4XYEXAMPLE12345",
            "AKIA****************",
            "AKIA",
            "",
            "HIDDEN_DUE_TO_SECURITY_REASONS",
            "akiau7jnxc7k6yhptbhl",
            "AKIAÜÜÜÜÜÜÜÜ",
            "äöü",
        ] {
            assert_eq!(decoded(id), None, "{id}");
        }
    }

    #[test]
    fn a_number_of_more_than_12_digits_is_no_account() {
        assert_eq!(decoded("AKIA7777777777777777"), None);
    }

    #[test]
    fn the_kind_is_the_prefix() {
        let kind = |id: &str| AccessKeyId::new(id).unwrap().kind().as_str();
        assert_eq!(kind("AKIAIOSFODNN7EXAMPLE"), "long-term");
        assert_eq!(kind("ASIAIOSFODNN7EXAMPLE"), "temporary");
        assert_eq!(kind("ABIAIOSFODNN7EXAMPLE"), "other");
    }

    #[test]
    fn masked_and_documented_key_ids_are_accepted() {
        for id in ["AKIA****************", "AKIAIOSFODNN7EXAMPLE"] {
            assert_eq!(AccessKeyId::new(id).unwrap().to_string(), id);
        }
        for text in [
            "",
            "AKIA",
            "akiaiosfodnn7example",
            "AKIA' OR '1'='1'''''",
            "********************",
        ] {
            assert!(text.parse::<AccessKeyId>().is_err(), "{text}");
        }
    }

    #[test]
    fn accounts_keep_their_zeros() {
        let account: AccountId = "000000000012".parse().unwrap();
        assert_eq!(account.to_string(), "000000000012");
        for text in ["12", "", "+12345678901", "1234567890123", "o-0123456789"] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
