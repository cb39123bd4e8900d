//! What of a resource will come again?
//!
//! In: an ARN. Out: the part of an object's key that is worth naming, its last part apart. Promise: a part that is a date, a number or
//! an id will not come again, and `*` stands for it and all after it.

use super::passing::is_date;

/// A resource, and the last part of an object's key apart. Of a key, what comes after the first part that will not come
/// again is `*`; of a log stream's name, all is.
pub(super) fn split(resource: String) -> (String, Option<String>) {
    if let Some((group, _)) = resource.split_once(":log-stream:") {
        return (format!("{group}:log-stream:*"), None);
    }
    let Some((start, key)) = resource.split_once(":s3:::").and_then(|(start, path)| {
        let (bucket, key) = path.split_once('/')?;
        Some((format!("{start}:s3:::{bucket}/"), key))
    }) else {
        return (resource, None);
    };
    let mut known = start;
    let mut parts = key.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        if passes(part) || part == "*" {
            return (known + "*", None);
        }
        if last {
            return (known, Some(part.to_owned()));
        }
        known.push_str(part);
        known.push('/');
    }
    (known, None)
}

/// Whether a part of a key is one of many by its look: a date, a number, an id.
fn passes(part: &str) -> bool {
    // Hive writes `dt=2025-03-01`.
    let value = part.rsplit('=').next().unwrap_or(part);
    let value = value.split('.').next().unwrap_or(value);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let number = digits > 0
        && value
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b':' | b'T' | b'Z'));
    number || (hex && value.len() >= 8 && digits >= 2) || is_date(value)
}
