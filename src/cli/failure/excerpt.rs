//! The place in what the reader wrote, shown below the error.
//!
//! In: a line and a place in it. Out: the line with its number, and marks below the place. Promise: a long line is cut
//! around the place, so that the marks stand where they should.

use keytrail::render::escape::terminal;
use keytrail::session::Position;
use unicode_width::UnicodeWidthStr as _;

/// Characters shown before the place, and from its beginning on.
const BEFORE: usize = 50;
const AFTER: usize = 50;

/// The lines of the excerpt.
pub(super) fn lines(place: &Position) -> Vec<String> {
    let characters: Vec<char> = place.text.replace('\t', " ").chars().collect();
    let at = (place.column - 1).min(characters.len());
    let (first, last) = (
        at.saturating_sub(BEFORE),
        (at + AFTER).min(characters.len()),
    );
    let end = (at + place.length).clamp(at, last);
    let text = |from: usize, to: usize| {
        let part: String = characters[from..to].iter().collect();
        terminal(&part).into_owned()
    };
    let dots = |cut: bool| if cut { "…" } else { "" };
    let before = format!("{}{}", dots(first > 0), text(first, at));
    let marked = text(at, end);
    let after = format!("{}{}", text(end, last), dots(last < characters.len()));
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    vec![
        format!("{margin} |"),
        format!("{number} | {before}{marked}{after}"),
        format!(
            "{margin} | {}{}",
            " ".repeat(before.width()),
            "^".repeat(marked.width().max(1))
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, column: usize, length: usize) -> Position {
        Position {
            line: 2,
            column,
            length,
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_marks_stand_below() {
        assert_eq!(
            lines(&place("\tFROM événts\u{1b}", 7, 6)),
            ["  |", "2 |  FROM événts\\x1b", "  |       ^^^^^^"]
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}here{}", "a".repeat(200), "b".repeat(200));
        let shown = lines(&place(&text, 201, 4));
        assert_eq!(
            shown[1],
            format!("2 | …{}here{}…", "a".repeat(50), "b".repeat(46))
        );
        assert_eq!(shown[2], format!("  |  {}^^^^", " ".repeat(50)));
    }

    #[test]
    fn the_end_of_the_line_is_a_place() {
        assert_eq!(lines(&place("SELECT", 7, 1))[2], "  |       ^");
    }
}
