//! A strict JSON scanner that finds values without building them.
//!
//! In: UTF-8 text. Out: where values begin and end, as slices of that text. Promise: accepts exactly the grammar of
//! RFC 8259 (checked against `serde_json` in the tests), never recurses, never allocates.
//!
//! A log file is mostly text that is kept as it is: `requestParameters` and its like go into the lake as JSON text. A
//! parser that builds a tape or a tree unescapes all of it, only to write it out again. Scanning keeps the original
//! slices and reads a log file in one pass; `benches/decode` measures it beside simd-json's tape and serde_json.

use std::borrow::Cow;

/// How deep objects and arrays may be nested. CloudTrail stays below 20; serde_json's own limit is 128.
pub(crate) const MAX_DEPTH: usize = 128;

/// Why a scan stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends inside the value.
    Incomplete,
    /// The byte at this offset cannot stand there.
    Invalid(usize),
}

/// The offset of the first byte at or after `at` that is not white space.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The offset after the string whose opening quote is just before `at`, and whether it has escapes.
#[inline]
pub(crate) fn skip_string(bytes: &[u8], mut at: usize) -> Result<(usize, bool), Fault> {
    let mut escaped = false;
    loop {
        at += plain_bytes(&bytes[at..]);
        match bytes.get(at).ok_or(Fault::Incomplete)? {
            b'"' => return Ok((at + 1, escaped)),
            b'\\' => {
                at = skip_escape(bytes, at)?;
                escaped = true;
            }
            0..0x20 => return Err(Fault::Invalid(at)),
            _ => at += 1,
        }
    }
}

/// How many leading bytes, as far as they can be looked at in blocks, hold no quote, no backslash and no control
/// character.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<16>();
    for (done, block) in blocks.iter().enumerate() {
        // Written so that the compiler makes a few vector instructions of it.
        let mut special = [0u8; 16];
        for (special, byte) in special.iter_mut().zip(block) {
            let found = (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20);
            *special = u8::from(found).wrapping_neg();
        }
        let special = u128::from_le_bytes(special);
        if special != 0 {
            return 16 * done + (special.trailing_zeros() / 8) as usize;
        }
    }
    16 * blocks.len()
}

/// The offset after the escape sequence that starts at `at`.
fn skip_escape(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1).ok_or(Fault::Incomplete)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
        b'u' => {
            for i in at + 2..at + 6 {
                if !bytes.get(i).ok_or(Fault::Incomplete)?.is_ascii_hexdigit() {
                    return Err(Fault::Invalid(i));
                }
            }
            Ok(at + 6)
        }
        _ => Err(Fault::Invalid(at + 1)),
    }
}

/// The offset after the number that starts at `at`.
fn skip_number(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    let digits = |mut at: usize| {
        let start = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        match (at > start, at < bytes.len()) {
            (true, _) => Ok(at),
            (false, true) => Err(Fault::Invalid(at)),
            (false, false) => Err(Fault::Incomplete),
        }
    };
    if bytes[at] == b'-' {
        at += 1;
    }
    at = if bytes.get(at) == Some(&b'0') {
        at + 1
    } else {
        digits(at)?
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(at)?;
    }
    Ok(at)
}

/// The offset after `word`, which must stand at `at`.
fn skip_word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Fault> {
    let rest = &bytes[at..];
    if rest.starts_with(word) {
        Ok(at + word.len())
    } else if word.starts_with(rest) {
        Err(Fault::Incomplete)
    } else {
        Err(Fault::Invalid(at))
    }
}

/// From the opening quote of a key to the first byte of its value.
fn skip_key(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    expect(bytes, at, b'"')?;
    let (end, _) = skip_string(bytes, at + 1)?;
    let at = skip_space(bytes, end);
    expect(bytes, at, b':')?;
    Ok(skip_space(bytes, at + 1))
}

#[inline]
pub(crate) fn expect(bytes: &[u8], at: usize, byte: u8) -> Result<(), Fault> {
    match bytes.get(at) {
        Some(found) if *found == byte => Ok(()),
        Some(_) => Err(Fault::Invalid(at)),
        None => Err(Fault::Incomplete),
    }
}

/// The offset after the value that starts at `at` (white space before it is skipped).
pub(crate) fn skip_value(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    // One bit per open bracket: set for an object.
    let mut objects: u128 = 0;
    let mut depth = 0;
    let mut at = skip_space(bytes, at);
    loop {
        match *bytes.get(at).ok_or(Fault::Incomplete)? {
            b'"' => (at, _) = skip_string(bytes, at + 1)?,
            open @ (b'{' | b'[') => {
                let is_object = open == b'{';
                let first = skip_space(bytes, at + 1);
                // In ASCII the closing bracket follows its opening one by two.
                if bytes.get(first) == Some(&(open + 2)) {
                    at = first + 1;
                } else {
                    if depth == MAX_DEPTH {
                        return Err(Fault::Invalid(at));
                    }
                    objects = objects << 1 | u128::from(is_object);
                    depth += 1;
                    at = if is_object {
                        skip_key(bytes, first)?
                    } else {
                        first
                    };
                    continue;
                }
            }
            b't' => at = skip_word(bytes, at, b"true")?,
            b'f' => at = skip_word(bytes, at, b"false")?,
            b'n' => at = skip_word(bytes, at, b"null")?,
            b'-' | b'0'..=b'9' => at = skip_number(bytes, at)?,
            _ => return Err(Fault::Invalid(at)),
        }
        // A value has ended: close what it was the last part of, or go on to the next one.
        loop {
            if depth == 0 {
                return Ok(at);
            }
            at = skip_space(bytes, at);
            let in_object = objects & 1 == 1;
            match bytes.get(at).ok_or(Fault::Incomplete)? {
                b',' => {
                    let next = skip_space(bytes, at + 1);
                    at = if in_object {
                        skip_key(bytes, next)?
                    } else {
                        next
                    };
                    break;
                }
                b'}' if in_object => {}
                b']' if !in_object => {}
                _ => return Err(Fault::Invalid(at)),
            }
            objects >>= 1;
            depth -= 1;
            at += 1;
        }
    }
}

/// The members of an object: key (as written, without quotes) and value (as written).
pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
    open: bool,
}

impl<'a> Members<'a> {
    /// `None` when `text` is not an object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let brace = skip_space(bytes, 0);
        if bytes.get(brace) != Some(&b'{') {
            return None;
        }
        let first = skip_space(bytes, brace + 1);
        let empty = bytes.get(first) == Some(&b'}');
        Some(Self {
            text,
            at: first + usize::from(empty),
            open: !empty,
        })
    }

    /// The next member, or `None` after the last.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(&'a str, &'a str)>, Fault> {
        if !self.open {
            return Ok(None);
        }
        let bytes = self.text.as_bytes();
        expect(bytes, self.at, b'"')?;
        let (key_end, _) = skip_string(bytes, self.at + 1)?;
        let key = &self.text[self.at + 1..key_end - 1];
        let colon = skip_space(bytes, key_end);
        expect(bytes, colon, b':')?;
        let start = skip_space(bytes, colon + 1);
        let end = skip_value(bytes, start)?;
        let after = skip_space(bytes, end);
        match bytes.get(after).ok_or(Fault::Incomplete)? {
            b',' => self.at = skip_space(bytes, after + 1),
            b'}' => {
                self.at = after + 1;
                self.open = false;
            }
            _ => return Err(Fault::Invalid(after)),
        }
        Ok(Some((key, &self.text[start..end])))
    }
}

/// The elements of an array, as written. Ends at the first thing that is no element.
pub(crate) struct Elements<'a> {
    text: &'a str,
    at: usize,
    open: bool,
}

impl<'a> Elements<'a> {
    /// `None` when `text` is not an array.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let bracket = skip_space(bytes, 0);
        if bytes.get(bracket) != Some(&b'[') {
            return None;
        }
        let at = skip_space(bytes, bracket + 1);
        let open = bytes.get(at) != Some(&b']');
        Some(Self { text, at, open })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if !self.open {
            return None;
        }
        let bytes = self.text.as_bytes();
        let start = self.at;
        let end = skip_value(bytes, start).ok()?;
        let after = skip_space(bytes, end);
        self.open = bytes.get(after) == Some(&b',');
        self.at = skip_space(bytes, after + 1);
        Some(&self.text[start..end])
    }
}

/// The text without the white space around it, if it is one JSON value from end to end.
pub(crate) fn sound(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let start = skip_space(bytes, 0);
    let end = skip_value(bytes, start).ok()?;
    (skip_space(bytes, end) == bytes.len()).then(|| &text[start..end])
}

/// Whether a key as written has that name.
#[inline]
pub(crate) fn is_named(key: &str, name: &str) -> bool {
    key == name || (key.contains('\\') && unescape(key) == name)
}

/// The value of the member `name` of the object `text`; `None` when there is none or `text` is not an object.
pub(crate) fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut members = Members::of(text)?;
    while let Ok(Some((key, value))) = members.next() {
        if is_named(key, name) {
            return Some(value);
        }
    }
    None
}

/// The texts of the members with these names; `None` when `text` is not a sound object.
pub(crate) fn texts<'a, const N: usize>(
    text: &'a str,
    names: &[&str; N],
) -> Option<[Option<Cow<'a, str>>; N]> {
    let mut members = Members::of(sound(text)?)?;
    let (mut texts, mut seen) = ([const { None }; N], [false; N]);
    while let Some((key, value)) = members.next().ok()? {
        let place = names.iter().position(|name| is_named(key, name));
        if let Some(place) = place.filter(|place| !seen[*place]) {
            seen[place] = true;
            texts[place] = string(value);
        }
    }
    Some(texts)
}

/// The string that `value` is, unescaped; `None` when it is not a string.
pub(crate) fn string(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        Some(Cow::Owned(unescape(inner)))
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The text with its escapes resolved. Half a surrogate pair, which JSON allows and UTF-8 does not, becomes U+FFFD.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or("");
        match code {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let high = take_hex(&mut rest);
                out.push(match high {
                    0xd800..0xdc00 if rest.starts_with("\\u") => {
                        let mut after = &rest[2..];
                        let low = take_hex(&mut after);
                        if (0xdc00..0xe000).contains(&low) {
                            rest = after;
                            let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                        } else {
                            char::REPLACEMENT_CHARACTER
                        }
                    }
                    _ => char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER),
                });
            }
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
    out
}

/// Takes four hexadecimal digits off the front of `rest`.
fn take_hex(rest: &mut &str) -> u32 {
    let (digits, after) = rest.split_at_checked(4).unwrap_or((rest, ""));
    *rest = after;
    u32::from_str_radix(digits, 16).unwrap_or(u32::from(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str) -> bool {
        skip_value(text.as_bytes(), 0)
            .is_ok_and(|end| skip_space(text.as_bytes(), end) == text.len())
    }

    /// Every text of the list and every damaged copy of it (a byte dropped, doubled or replaced, the end cut off) must
    /// be judged as serde_json judges it.
    #[test]
    fn agrees_with_serde_json_on_sound_and_broken_text() {
        let seeds = [
            r#"{"a":[1,-2.5e+3,0,true,false,null,"x\"y\\z\u00e9 \ud83d\ude00"],"b":{},"c":[],"d":{"e":[{"f":"12345678901234567890"}]}}"#,
            r#" [ { "long string without escapes in it" : "0123456789abcdef0123456789abcdef" } , 0.0 , -0 , 1E9 ] "#,
            "\"tab\\tand \u{e9}\u{65e5}\"",
            "[[[[[[]]]]]]",
        ];
        let mut judged = 0;
        for seed in seeds {
            let bytes = seed.as_bytes();
            let mut variants = vec![bytes.to_vec()];
            for i in 0..bytes.len() {
                variants.push(bytes[..i].to_vec());
                variants.push([&bytes[..i], &bytes[i + 1..]].concat());
                variants.push([&bytes[..=i], &bytes[i..]].concat());
                for replacement in *b"\"\\{}[],:0-+.eu tn\x00\x1f/" {
                    let mut copy = bytes.to_vec();
                    copy[i] = replacement;
                    variants.push(copy);
                }
            }
            for variant in variants {
                let Ok(text) = std::str::from_utf8(&variant) else {
                    continue;
                };
                let expected = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
                assert_eq!(accepts(text), expected, "{text:?}");
                judged += 1;
            }
        }
        assert!(judged > 5_000);
    }

    #[test]
    fn cut_text_is_incomplete_not_invalid() {
        let text = r#"{"a":["x\u00e9",tru"#;
        for end in 1..text.len() {
            if text.is_char_boundary(end) {
                assert_eq!(
                    skip_value(&text.as_bytes()[..end], 0),
                    Err(Fault::Incomplete),
                    "{}",
                    &text[..end]
                );
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(accepts(&deep(MAX_DEPTH)));
        // The innermost list is empty and needs no bit.
        assert_eq!(
            skip_value(deep(MAX_DEPTH + 2).as_bytes(), 0),
            Err(Fault::Invalid(MAX_DEPTH))
        );
        assert!(skip_value("[".repeat(1_000_000).as_bytes(), 0).is_err());
    }

    #[test]
    fn members_are_slices_of_the_text() -> Result<(), Fault> {
        let text = r#" { "a" : 1 , "b\n" : { "c" : [ "}" ] } } "#;
        let mut members = Members::of(text).ok_or(Fault::Incomplete)?;
        assert_eq!(members.next()?, Some(("a", "1")));
        assert_eq!(members.next()?, Some(("b\\n", r#"{ "c" : [ "}" ] }"#)));
        assert_eq!(members.next()?, None);
        assert!(Members::of("[1]").is_none());
        for broken in [r#"{"a":1,}"#, r#"{,"a":1}"#, r#"{"a":1 "b":2}"#, r#"{"a"}"#] {
            let mut members = Members::of(broken).ok_or(Fault::Incomplete)?;
            assert!(
                members.next().and_then(|_| members.next()).is_err(),
                "{broken}"
            );
        }
        Ok(())
    }

    #[test]
    fn members_are_found_by_name_and_the_first_counts() {
        let text = r#" {"a":1,"\u0062":"x","b":"y","c":7,"c":"z"} "#;
        assert_eq!(member(text, "b"), Some("\"x\""));
        assert_eq!(member(text, "c"), Some("7"));
        let found = texts(text, &["b", "c", "d"]).expect("an object");
        assert_eq!(found, [Some("x".into()), None, None]);
        assert_eq!(texts("{\"a\":\"x\"", &["a"]), None);
        assert_eq!(texts("[1]", &["a"]), None);
        assert_eq!(sound(" [1] "), Some("[1]"));
        assert_eq!(sound("[1] ]"), None);
    }

    #[test]
    fn strings_are_unescaped_like_serde_json_and_half_surrogates_survive() {
        for text in [
            r#""plain""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u00e9\ud83d\ude00 é""#,
        ] {
            let expected: String = serde_json::from_str(text).expect("sound");
            assert_eq!(string(text).as_deref(), Some(expected.as_str()));
        }
        assert_eq!(string(r#""a\ud800b""#).as_deref(), Some("a\u{fffd}b"));
        assert_eq!(string(r#""\ud800\u0041""#).as_deref(), Some("\u{fffd}A"));
        assert_eq!(string("12"), None);
    }
}
