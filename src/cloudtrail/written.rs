//! Points in time as people read them.
//!
//! In: an instant. Out: text, in UTC. Promise: `parse_time` reads each of them.

use chrono::{DateTime, SecondsFormat, Utc};

/// `2026-03-01`.
pub fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}

/// `2026-03-01 12:00`.
pub fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// `2026-03-01 12:00:30`.
pub fn second(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-03-01T12:00:30Z`, with a fraction if there is one: for programs.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
