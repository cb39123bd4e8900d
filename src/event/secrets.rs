//! Secrets that services write into records: session tokens, passwords, keys.
//!
//! In: JSON text. Out: the same text, byte for byte, with `(not shown)` in the place of each secret. Promise: the members of
//! `secrets.tsv`, at any depth, also in JSON that is the text of a string; text that has none is not copied; of text that
//! breaks off, a secret that breaks off is left out, too.

use crate::json::scan::{skip_space, skip_string, skip_value, sound, unescape};
use regex::Regex;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

/// What stands in the place of a secret.
pub const NOT_SHOWN: &str = "(not shown)";

/// How AWS itself marks what it has left out.
const LEFT_OUT: [&str; 4] = [
    NOT_SHOWN,
    "HIDDEN_DUE_TO_SECURITY_REASONS",
    "Value hidden due to security reasons.",
    "",
];

/// JSON that is the text of a string, in one that is … no deeper than this.
const DEEPEST: u8 = 4;

/// The members of the table.
fn names() -> impl Iterator<Item = &'static str> {
    let rows = include_str!("secrets.tsv").lines();
    let rows = rows.filter(|row| !row.starts_with('#'));
    rows.filter_map(|row| row.split('\t').next())
}

/// How the names may be written: their first letter is small or capital.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let names = names().flat_map(|name| {
        let (first, rest) = name.split_at(1);
        [
            first.to_ascii_lowercase() + rest,
            first.to_ascii_uppercase() + rest,
        ]
    });
    names.collect()
});

/// Letters at the end of a name: few, so that texts without a secret are passed over quickly.
const ENDING: usize = 5;

/// Two questions, the quick one first: does a text have the end of a name in it, does it have a name? `None`, were a pattern none,
/// has every text looked at.
static HINTS: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
    let endings = names().map(|name| &name[name.len().saturating_sub(ENDING)..]);
    let endings: BTreeSet<&str> = endings.collect();
    let names: BTreeSet<&str> = NAMES.iter().map(String::as_str).collect();
    // The quote before a name may be escaped, and so may that after it.
    [("", endings), ("\"", names)].map(|(before, texts)| {
        let texts: Vec<String> = texts.into_iter().map(regex::escape).collect();
        Regex::new(&format!(r#"{before}(?:{})\\*""#, texts.join("|"))).ok()
    })
});

/// Whether a text may name a secret.
fn hints(text: &str) -> bool {
    let mut hints = HINTS.iter().flatten();
    hints.all(|hint| hint.is_match(text))
}

fn is_secret(key: &str) -> bool {
    NAMES.contains(key)
}

/// The text without its secrets.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    match hints(text) {
        true => left_out(text, DEEPEST),
        false => Cow::Borrowed(text),
    }
}

fn left_out(text: &str, deepest: u8) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut safe = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(quote) = memchr::memchr(b'"', &bytes[at..]).map(|found| at + found) {
        let Ok((end, _)) = skip_string(bytes, quote + 1) else {
            break;
        };
        at = end;
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            let inside = &text[quote..end];
            if let Some(inside) = nested(inside, deepest) {
                safe.push_str(&text[copied..quote]);
                safe.push_str(&inside);
                copied = end;
            }
            continue;
        }
        let value = skip_space(bytes, colon + 1);
        if !is_secret(&text[quote + 1..end - 1]) || !is_leaf(bytes.get(value)) {
            continue;
        }
        let after = skip_value(bytes, value).unwrap_or(bytes.len());
        if !LEFT_OUT.contains(&text[value..after].trim_matches('"')) {
            safe.push_str(&text[copied..value]);
            safe.push('"');
            safe.push_str(NOT_SHOWN);
            safe.push('"');
            copied = after;
        }
        at = after;
    }
    match copied {
        0 => Cow::Borrowed(text),
        _ => {
            safe.push_str(&text[copied..]);
            Cow::Owned(safe)
        }
    }
}

/// A text or a number.
fn is_leaf(first: Option<&u8>) -> bool {
    first.is_some_and(|first| matches!(first, b'"' | b'-' | b'0'..=b'9'))
}

/// A string in which there is JSON with secrets, written anew without them.
fn nested(string: &str, deepest: u8) -> Option<String> {
    let deeper = deepest.checked_sub(1)?;
    if !string.contains("\\\"") || !hints(string) {
        return None;
    }
    let text = unescape(&string[1..string.len() - 1]);
    sound(&text)?;
    match left_out(&text, deeper) {
        Cow::Borrowed(_) => None,
        Cow::Owned(safe) => serde_json::to_string(&safe).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_and_nothing_else() {
        for (text, safe) in [
            (
                r#"{"credentials":{"accessKeyId":"ASIAX","sessionToken":"IQoJ\"x","expiration":"x"}}"#,
                r#"{"credentials":{"accessKeyId":"ASIAX","sessionToken":"(not shown)","expiration":"x"}}"#,
            ),
            (
                r#"[{"MasterUserPassword" : "p1"},{"l":[{"password":123456789012345678901234567890}]}]"#,
                r#"[{"MasterUserPassword" : "(not shown)"},{"l":[{"password":"(not shown)"}]}]"#,
            ),
            (
                r#"{"body":"{\"user\":\"u\",\"newPassword\":\"p\"}","n":1}"#,
                r#"{"body":"{\"user\":\"u\",\"newPassword\":\"(not shown)\"}","n":1}"#,
            ),
            (
                r#"{"sessionToken":"IQoJ broken off"#,
                r#"{"sessionToken":"(not shown)""#,
            ),
        ] {
            assert_eq!(without_secrets(text), safe);
            assert_eq!(without_secrets(safe), safe);
        }
        for text in [
            r#"{"password":"HIDDEN_DUE_TO_SECURITY_REASONS","passwordResetRequired":true}"#,
            r#"{"password":true,"sessionToken":null,"secretString":{"a":1},"privateKey":""}"#,
            r#"{"key":"password","value":"sessionToken","policy":"{\"Action\":\"iam:ChangePassword\"}"}"#,
            "not JSON \"sessionToken\"",
            "",
        ] {
            assert!(
                matches!(without_secrets(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn every_row_of_the_table_is_left_out() {
        assert!(HINTS.iter().all(Option::is_some));
        assert!(names().count() > 30);
        for name in names() {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
            let capital = name[..1].to_ascii_uppercase() + &name[1..];
            for name in [name, &capital] {
                let text = format!(r#"{{"a":{{"{name}":"s3cr3t"}}}}"#);
                assert!(!without_secrets(&text).contains("s3cr3t"), "{name}");
            }
        }
    }
}
