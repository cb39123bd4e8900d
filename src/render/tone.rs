//! Which words deserve a colour.
//!
//! In: a column and a value. Out: the terminal's code for its colour, or none. Promise: colour only repeats what the word says:
//! red for what an intruder did or what is urgent, yellow for what needs a look, green for what is safe.

pub(super) const URGENT: &str = "\u{1b}[1;31m";
pub(super) const RED: &str = "\u{1b}[31m";
pub(super) const YELLOW: &str = "\u{1b}[33m";
const GREEN: &str = "\u{1b}[32m";

/// Ends a colour.
pub(super) const PLAIN: &str = "\u{1b}[0m";

/// The colour of a value.
pub(super) fn of(column: &str, value: &str) -> Option<&'static str> {
    match (column, value) {
        ("severity", "critical") => Some(URGENT),
        ("severity", "high") => Some(RED),
        ("severity", "medium") => Some(YELLOW),
        ("who" | "origin" | "actor" | "attribution", value) => of_actor(value),
        ("verdict" | "state", "incident") => Some(URGENT),
        ("verdict", "unused" | "deactivate" | "delete") => Some(GREEN),
        ("verdict", "migrate-first" | "migrate first" | "wait") => Some(YELLOW),
        _ => None,
    }
}

fn of_actor(value: &str) -> Option<&'static str> {
    match value {
        "intruder" => Some(RED),
        "both" => Some(YELLOW),
        "owner" | "consumer" => Some(GREEN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_decides() {
        assert_eq!(of("severity", "high"), Some(RED));
        assert_eq!(of("who", "intruder"), Some(RED));
        assert_eq!(of("who", "unknown"), None);
        // What a log says elsewhere is only text.
        assert_eq!(of("user_name", "intruder"), None);
    }
}
