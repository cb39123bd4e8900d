//! What a column is called in a table for people.
//!
//! In: the name of a column. Out: its heading. Promise: programs get the names as they are; a heading is shorter than its name, and
//! says the same.

use std::borrow::Cow;

/// Names that have a heading of their own.
const HEADINGS: &[(&str, &str)] = &[
    ("access_key_id", "access key"),
    ("account_id", "account"),
    ("api_calls", "API calls"),
    ("aws_region", "region"),
    ("bytes_in", "received"),
    ("bytes_out", "sent"),
    ("consumer_id", "consumer"),
    ("decoded_account_id", "account of key"),
    ("event_category", "category"),
    ("event_name", "call"),
    ("event_source", "service"),
    ("event_time", "time"),
    ("issued_access_key_id", "issued key"),
    ("key_type", "type"),
    ("objects_read", "objects"),
    ("principal_arn", "principal"),
    ("size_bytes", "size"),
    ("source_ip_address", "address"),
    ("source_ip_addresses", "addresses"),
    ("technique_id", "technique"),
    ("user_identity_arn", "ARN"),
    ("user_identity_type", "identity"),
    ("user_identity_user_name", "user"),
    ("user_name", "user"),
    ("via_service", "via"),
];

/// The heading of a column.
pub fn heading(name: &str) -> Cow<'_, str> {
    let known = HEADINGS.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, heading)) => Cow::Borrowed(heading),
        None if name.contains('_') => Cow::Owned(name.replace('_', " ")),
        None => Cow::Borrowed(name),
    }
}

/// Whether a column counts bytes.
pub(super) fn is_bytes(name: &str) -> bool {
    name.starts_with("bytes_") || name.ends_with("_bytes") || name == "bytes"
}

/// A number of bytes for people: `183.2 MiB`. What is no number stays as it is.
pub(super) fn size(digits: &str) -> Cow<'_, str> {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let Ok(bytes) = digits.parse::<u64>() else {
        return Cow::Borrowed(digits);
    };
    if bytes < 1024 {
        return Cow::Owned(format!("{bytes} B"));
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    Cow::Owned(format!("{amount:.1} {}", UNITS[unit]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_for_people() {
        assert_eq!(heading("user_identity_user_name"), "user");
        assert_eq!(heading("first_seen"), "first seen");
        assert_eq!(heading("eventName"), "eventName");
        assert_eq!(size("192070971"), "183.2 MiB");
        assert_eq!(size("512"), "512 B");
        assert_eq!(size("–"), "–");
        assert!(is_bytes("bytes_out") && !is_bytes("events"));
    }

    #[test]
    fn no_two_columns_of_a_report_share_a_heading_by_chance() {
        let mut names: Vec<&str> = HEADINGS.iter().map(|(name, _)| *name).collect();
        names.dedup();
        assert_eq!(names.len(), HEADINGS.len());
        assert!(names.is_sorted());
    }
}
