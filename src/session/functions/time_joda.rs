//! Joda's formats of times, which Athena's `format_datetime` and `parse_datetime` take.
//!
//! In: formats like `yyyy-MM-dd'T'HH:mm:ssZ`. Out: the same in the words of `chrono`. Promise: a letter that Joda does not
//! have, or that cannot be written here, is an error, never left out.
//!
//! The letters: <https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html>

use datafusion::common::{Result, exec_datafusion_err, exec_err};

/// The format as `chrono` writes it.
pub(super) fn translated(format: &str) -> Result<String> {
    let mut out = String::with_capacity(format.len() + 8);
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            // Two quotes are one, inside of quotes and outside.
            if let Some(after) = quoted.strip_prefix('\'') {
                out.push('\'');
                rest = after;
                continue;
            }
            rest = quote(quoted, &mut out)
                .ok_or_else(|| exec_datafusion_err!("a quote is not closed in {format:?}"))?;
            continue;
        }
        let count = rest.chars().take_while(|other| *other == letter).count();
        rest = &rest[count * letter.len_utf8()..];
        match letter.is_ascii_alphabetic() {
            true => out.push_str(specifier(letter, count)?),
            false => (0..count).for_each(|_| literal(letter, &mut out)),
        }
    }
    Ok(out)
}

/// The same to read texts with: an offset may be written as `Z`.
pub(super) fn for_reading(format: &str) -> Result<String> {
    let translated = translated(format)?;
    let parts = translated
        .split("%%")
        .map(|part| part.replace("%:z", "%#z").replace("%z", "%#z"));
    Ok(parts.collect::<Vec<_>>().join("%%"))
}

fn literal(letter: char, out: &mut String) {
    match letter {
        '%' => out.push_str("%%"),
        letter => out.push(letter),
    }
}

/// Takes what is quoted; gives what follows the closing quote.
fn quote<'f>(quoted: &'f str, out: &mut String) -> Option<&'f str> {
    let mut rest = quoted;
    loop {
        let end = rest.find('\'')?;
        rest[..end].chars().for_each(|letter| literal(letter, out));
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Some(rest),
        }
    }
}

/// A letter that stands so often in a row.
fn specifier(letter: char, count: usize) -> Result<&'static str> {
    Ok(match (letter, count) {
        ('y' | 'Y', 2) => "%y",
        ('y' | 'Y', _) => "%Y",
        ('x', 2) => "%g",
        ('x', _) => "%G",
        ('w', 1) => "%-V",
        ('w', 2) => "%V",
        ('e', 1) => "%u",
        ('E', 1..=3) => "%a",
        ('E', _) => "%A",
        ('D', 1) => "%-j",
        ('D', 3) => "%j",
        ('M', 1) => "%-m",
        ('M', 2) => "%m",
        ('M', 3) => "%b",
        ('M', _) => "%B",
        ('d', 1) => "%-d",
        ('d', 2) => "%d",
        ('a', _) => "%p",
        ('h', 1) => "%-I",
        ('h', 2) => "%I",
        ('H', 1) => "%-H",
        ('H', 2) => "%H",
        ('m', 1) => "%-M",
        ('m', 2) => "%M",
        ('s', 1) => "%-S",
        ('s', 2) => "%S",
        ('S', 3) => "%3f",
        ('S', 6) => "%6f",
        ('S', 9) => "%9f",
        ('Z', 1) => "%z",
        ('Z', 2) => "%:z",
        ('z', 1..=3) => "%Z",
        _ => {
            let letters: String = std::iter::repeat_n(letter, count.min(20)).collect();
            return exec_err!("{letters:?} is not supported in a date format");
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::functions::time_format::micros;

    #[test]
    fn letters_and_quotes() -> Result<()> {
        for (format, meant) in [
            ("yyyy-MM-dd'T'HH:mm:ss'Z'", "%Y-%m-%dT%H:%M:%SZ"),
            ("EEE, d MMM yy h:mm a", "%a, %-d %b %y %-I:%M %p"),
            ("xxxx-'W'ww-e", "%G-W%V-%u"),
            ("HH 'o''clock' ''Z''", "%H o'clock '%z'"),
            ("100%", "100%%"),
        ] {
            assert_eq!(translated(format)?, meant);
        }
        for wrong in ["yyyy-MM-dd'T", "SS", "kk", "G", "b"] {
            assert!(translated(wrong).is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn texts_are_read_with_their_offset() -> Result<()> {
        let read = |text: &str, format: &str| -> Result<Option<i64>> {
            Ok(micros(text, &for_reading(format)?))
        };
        let expected = Some(1_741_141_051_000_000);
        for (text, format) in [
            ("2025-03-05T02:17:31Z", "yyyy-MM-dd'T'HH:mm:ss'Z'"),
            ("2025-03-05T02:17:31Z", "yyyy-MM-dd'T'HH:mm:ssZ"),
            ("2025-03-05T11:17:31+0900", "yyyy-MM-dd'T'HH:mm:ssZ"),
            ("2025-03-05T11:17:31+09:00", "yyyy-MM-dd'T'HH:mm:ssZZ"),
            ("2025-03-05 02:17:31.000", "yyyy-MM-dd HH:mm:ss.SSS"),
        ] {
            assert_eq!(read(text, format)?, expected, "{format}");
        }
        Ok(())
    }
}
