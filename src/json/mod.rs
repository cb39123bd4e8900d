//! How is JSON read?
//!
//! In: JSON text. Out: the values in it. Promise: one reading for every question: what one room finds in a text, every
//! other room finds too.
//!
//! | file | question |
//! |---|---|
//! | `scan` | Where do values begin and end? Borrowed slices, nothing built. |
//! | `encoding` | What if the text is not in UTF-8? |
//! | `unsound` | Where does a broken value end? |
//! | `path` | Where does a value stand? One language of paths. |
//! | `value` | What is in a whole document? |
//!
//! **Doubled keys.** CloudTrail never writes a key twice into one object, but text in a record may come from an attacker,
//! and [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259#section-4) leaves open what `{"user":"a","user":"b"}` means. Here
//! the first one counts, in records, in SQL, in findings, in `trace` and in `policy`: a scan that has found what it
//! looks for need not read on. Text that is not sound JSON from end to end has no value at all.
//!
//! `serde_json` writes, and reads what is not an event: the statistics of Delta tables, the answers of IAM.

pub(crate) mod encoding;
pub(crate) mod path;
pub(crate) mod scan;
pub(crate) mod unsound;
mod value;

pub use value::{Number, Object, Value};

/// Whether the text is one JSON value from end to end, as the scanner judges it.
pub fn is_sound(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| scan::sound(text).is_some())
}
