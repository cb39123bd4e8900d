//! Every field of a log file was written by somebody else, perhaps by an attacker.
//!
//! In: such text. Out: the same text, made harmless for one place (a terminal, a JSON document, a spreadsheet, a Markdown
//! page). Promise: characters that act or that cannot be seen become visible, in a notation of their place; everything
//! else, `é` and `日本語` included, stays as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character acts on a terminal, reorders text, or cannot be seen: control characters, line and paragraph
/// separators, direction marks and overrides, zero-width and filler characters, tags.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether there is nothing but printable ASCII: most of what logs hold, told many bytes at a time.
fn is_printable_ascii(text: &str) -> bool {
    let bytes = text.as_bytes().iter();
    bytes.fold(true, |printable, byte| {
        printable & matches!(byte, b' '..=b'~')
    })
}

/// Whether a text is the same in JSON, but for the quotes.
pub(super) fn is_plain_in_json(text: &str) -> bool {
    let bytes = text.as_bytes().iter();
    bytes.fold(true, |plain, byte| {
        plain & matches!(byte, b' '..=b'~') & (*byte != b'"') & (*byte != b'\\')
    })
}

/// Replaces each hidden character by what `write` makes of it; borrows when there is none.
fn replace_hidden(text: &str, write: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if is_printable_ascii(text) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(is_hidden) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    for c in text[first..].chars() {
        if is_hidden(c) {
            write(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Appends the notation `\n`, `\x1b` or `\u{202e}`.
fn push_visible(safe: &mut String, c: char) {
    // Writing to a `String` cannot fail.
    let _ = match c {
        '\n' => safe.write_str("\\n"),
        '\r' => safe.write_str("\\r"),
        '\t' => safe.write_str("\\t"),
        c if u32::from(c) < 0x100 => write!(safe, "\\x{:02x}", u32::from(c)),
        c => write!(safe, "\\u{{{:x}}}", u32::from(c)),
    };
}

/// Text for a terminal: hidden characters become `\n`, `\x1b`, `\u{202e}`.
///
/// ```
/// use keytrail::render::escape::terminal;
///
/// assert_eq!(terminal("curl/8 日本語"), "curl/8 日本語");
/// assert_eq!(terminal("a\u{1b}[2Jb\u{202e}c\n"), "a\\x1b[2Jb\\u{202e}c\\n");
/// ```
pub fn terminal(text: &str) -> Cow<'_, str> {
    replace_hidden(text, push_visible)
}

/// Most characters of a value in a table or a page: more than a policy may have. CSV and JSON have values whole.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MOST_SHOWN: usize = 16 << 10;

/// The beginning of a text that is too long to be shown, with its length; any other text as it is.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    match beginning(text) {
        None => Cow::Borrowed(text),
        Some((shown, characters)) => Cow::Owned(format!("{shown}… ({characters} characters)")),
    }
}

/// The beginning of a text that is too long to be shown, and how many characters it has in all.
pub(super) fn beginning(text: &str) -> Option<(&str, usize)> {
    // Characters are at least as many bytes.
    if text.len() <= MOST_SHOWN {
        return None;
    }
    let (end, _) = text.char_indices().nth(MOST_SHOWN)?;
    Some((&text[..end], text.chars().count()))
}

/// A value for a table or a page: not longer than can be shown, and visible.
pub(super) fn shown(text: &str) -> String {
    terminal(&shortened(text)).into_owned()
}

/// A JSON text for a document that may be shown on a terminal: hidden characters inside strings become `\u202e`, line
/// breaks between tokens become spaces. The argument must be valid JSON, in which raw control characters below U+0020
/// can only stand between tokens.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    replace_hidden(text, |safe, c| {
        if c < ' ' {
            safe.push(' ');
            return;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(safe, "\\u{unit:04x}");
        }
    })
}

/// One CSV field: visible, not a formula, and quoted where RFC 4180 asks for it.
pub(super) fn csv(text: &str) -> Cow<'_, str> {
    let mut field = terminal(text);
    if is_formula(text) {
        field.to_mut().insert(0, '\'');
    }
    // An empty text is quoted, which tells it from a missing value.
    if field.is_empty() || field.contains([',', '"']) {
        return Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")));
    }
    field
}

/// Whether a spreadsheet would compute the text: it starts with a sign of a formula (also in full width) and is not
/// just a number.
fn is_formula(text: &str) -> bool {
    let number = text.parse::<f64>().is_ok_and(f64::is_finite);
    let start = text.trim_start_matches(' ');
    !number && start.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// Text for a Markdown page, good in a table cell and in a paragraph: no markup, no HTML, no link.
pub(super) fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = shown(text.trim());
    // A paragraph that starts like a heading, a list or a quotation.
    if rest.starts_with(['#', '-', '+', '=', ':']) {
        safe.push('\\');
        safe.push(rest.remove(0));
    }
    for (at, c) in rest.char_indices() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            // GitHub turns bare addresses into links; a backslash before the mark stops it.
            ':' if rest[at..].starts_with("://") => safe.push_str("\\:"),
            '.' if rest[..at].to_ascii_lowercase().ends_with("www") => safe.push_str("\\."),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_borrowed() {
        for text in ["", "arn:aws:iam::123456789012:user/é", "日本語", "a b\\n"] {
            assert!(matches!(terminal(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn terminal_shows_what_hides() {
        assert_eq!(terminal("a\r\n\tb"), "a\\r\\n\\tb");
        assert_eq!(
            terminal("\u{1b}]0;x\u{7}\u{7f}\u{9b}"),
            "\\x1b]0;x\\x07\\x7f\\x9b"
        );
        assert_eq!(
            terminal("\u{61c}\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}"),
            "\\u{61c}\\u{200e}\\u{202a}\\u{202e}\\u{2066}\\u{2069}"
        );
        assert_eq!(
            terminal("\u{200b}\u{feff}\u{2028}\u{2029}"),
            "\\u{200b}\\u{feff}\\u{2028}\\u{2029}"
        );
    }

    #[test]
    fn json_stays_the_same_document() {
        let text = "{\n\t\"a\": \"\u{7f}\u{202e}\u{e0041}é\"\r\n}";
        let safe = json(text);
        assert_eq!(safe, "{  \"a\": \"\\u007f\\u202e\\udb40\\udc41é\"  }");
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(&safe), parse(text));
    }

    #[test]
    fn csv_quotes_and_defuses() {
        assert_eq!(csv("plain"), "plain");
        assert_eq!(csv(""), "\"\"");
        assert_eq!(csv("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(csv("=A1,B1"), "\"'=A1,B1\"");
        assert_eq!(csv(" @SUM(A1)"), "' @SUM(A1)");
        assert_eq!(csv("\t=1"), "'\\t=1");
        assert_eq!(csv("＝1"), "'＝1");
        assert_eq!(csv("-"), "'-");
        assert_eq!(csv("-12.5"), "-12.5");
        assert_eq!(csv("+1e3"), "+1e3");
        assert_eq!(csv("-inf"), "'-inf");
        assert_eq!(csv("a\nb"), "a\\nb");
    }

    #[test]
    fn markdown_has_no_markup() {
        assert_eq!(markdown("a|b `c` *d* _e_"), "a\\|b \\`c\\` \\*d\\* \\_e\\_");
        assert_eq!(
            markdown("<img src=x onerror=alert(1)>&amp;"),
            "&lt;img src=x onerror=alert(1)&gt;&amp;amp;"
        );
        assert_eq!(markdown("[x](http://evil)"), "\\[x\\](http\\://evil)");
        assert_eq!(markdown("see WWW.evil.test"), "see WWW\\.evil.test");
        assert_eq!(markdown("# heading"), "\\# heading");
        assert_eq!(markdown("a\nb"), "a\\\\nb");
    }

    #[test]
    fn long_values_are_shortened_where_people_read_them() {
        let long = "é".repeat(1 << 20);
        for text in [shown(&long), markdown(&long)] {
            assert!(text.len() < 5 * MOST_SHOWN, "{}", text.len());
            assert!(text.contains("1048576 characters"), "no length");
        }
        assert_eq!(csv(&long), long);
        assert_eq!(json(&long), long);
        let short = "é".repeat(MOST_SHOWN);
        assert_eq!(shown(&short), short);
    }
}
