//! Text of a log file in a reason.
//!
//! In: a name or a value. Out: its beginning. Promise: a reason stays short, also if a name is as long as its log file.

/// The beginning of a text that stands in a reason: a name or a time may be as long as its log file.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
