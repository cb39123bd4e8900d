//! Secrets that services write into records: session tokens, passwords, keys.
//!
//! In: JSON text. Out: the same text, byte for byte, with `(not shown)` in the place of each secret. Promise: the members of
//! `secrets.tsv`, at any depth, also in JSON that is the text of a string; text that has none is not copied; of text that
//! breaks off, a secret that breaks off is left out, too.

use crate::json::scan::{skip_space, skip_string, skip_value, sound, unescape};
use regex::Regex;
use std::borrow::Cow;
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

/// Whether a text may name a secret. `None`, were the pattern none, has every text looked at.
static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = names().flat_map(|name| [name.to_owned(), capitalized(name)]);
    let names: Vec<String> = names.map(|name| regex::escape(&name)).collect();
    // The quote before the name may be escaped, and so may that after it.
    Regex::new(&format!(r#""(?:{})\\*""#, names.join("|"))).ok()
});

fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_ascii_uppercase() + rest
}

fn is_secret(key: &str) -> bool {
    names().any(|name| {
        let same_first = key
            .get(..1)
            .is_some_and(|first| first.eq_ignore_ascii_case(&name[..1]));
        same_first && key.get(1..) == Some(&name[1..])
    })
}

/// The text without its secrets.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    match HINT.as_ref().is_none_or(|hint| hint.is_match(text)) {
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
    let hint = HINT.as_ref();
    if !string.contains("\\\"") || hint.is_some_and(|hint| !hint.is_match(string)) {
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
        assert!(HINT.is_some());
        assert!(names().count() > 30);
        for name in names() {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
            for name in [name.to_owned(), capitalized(name)] {
                let text = format!(r#"{{"a":{{"{name}":"s3cr3t"}}}}"#);
                assert!(!without_secrets(&text).contains("s3cr3t"), "{name}");
            }
        }
    }
}
