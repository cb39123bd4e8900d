//! Tables of the program: tab-separated text.
//!
//! In: the text of a table. Out: its rows. Promise: lines that begin with `#` are comments; a line with another number of columns
//! is no row, and a test of each table counts them.

/// The rows of a table of this many columns.
pub(super) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// Whether a name fits a pattern: the name itself, or its beginning before a `*`.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}
