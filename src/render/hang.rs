//! Lines of text within a terminal's width.
//!
//! In: lines, each perhaps with a label or an indent. Out: the same, broken between words; what follows hangs below the text, not below
//! the label. Promise: a word stays whole, so that a path can be copied; without a width nothing changes.

use unicode_width::UnicodeWidthStr;

use super::grid::between_words;

/// How far the rest of an indented line is set in, below its beginning.
const DEEPER: usize = 2;

/// The narrowest column of text.
const LEAST: usize = 20;

/// The lines, wider than `width` only where a word is.
pub fn hanging(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else {
        return text.to_owned();
    };
    let mut whole = String::with_capacity(text.len());
    for line in text.lines() {
        let hang = hang(line);
        if line.width() <= width || width < hang + LEAST {
            whole += line;
        } else {
            // Labels and indents are of one column a byte.
            let first = line.len() - line.trim_start().len();
            let first = if first == 0 { hang } else { first };
            let (label, rest) = line.split_at(first);
            whole += label;
            whole += &between_words(rest, width - hang).join(&format!("\n{}", " ".repeat(hang)));
        }
        whole.push('\n');
    }
    whole
}

/// Where the further lines of a line begin: below the text after its label, or a little within its indent.
fn hang(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    if indent > 0 {
        return indent + DEEPER;
    }
    let label = line.find("  ").filter(|at| line[..*at].is_ascii());
    label.map_or(0, |at| line.len() - line[at..].trim_start().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_hangs_below_the_text() {
        let text =
            "events     368 read = 336 stored\n\nskipped:\n  a/b: it is not a log file\nshort\n";
        assert_eq!(
            hanging(text, Some(31)),
            "events     368 read = 336\n           stored\n\nskipped:\n  a/b: it is not a log file\nshort\n"
        );
        assert_eq!(
            hanging("  a/b: it is not any log file\n", Some(27)),
            "  a/b: it is not any log\n    file\n"
        );
        assert_eq!(hanging(text, None), text);
    }

    #[test]
    fn a_word_stays_whole() {
        let path = "é".repeat(40);
        let text = format!("skipped  {path}: it is no log file\n");
        let lines = hanging(&text, Some(36));
        assert_eq!(
            lines,
            format!("skipped  {path}:\n         it is no log file\n")
        );
    }
}
