//! Text that is not sound JSON.
//!
//! In: bytes. Out: where a broken value ends, and how deep brackets are nested. Promise: only strings and brackets are looked
//! at; any depth is borne, without recursion.

use super::scan::{Fault, skip_space, skip_string};

/// The offset after the value that starts at `at`, sound or not: after the bracket that closes it or, where it begins with
/// none, before the comma or bracket that ends it. Only strings and brackets are looked at, to any depth; a bracket closes
/// what stands open within its own pair.
pub(crate) fn skip_unsound(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let mut at = skip_space(bytes, at);
    let bracketed = matches!(bytes.get(at), Some(b'{' | b'['));
    let mut open = Vec::new();
    loop {
        let next = bytes[at..]
            .iter()
            .position(|byte| b"\"{}[],".contains(byte));
        at += next.ok_or(Fault::Incomplete)?;
        match bytes[at] {
            b'"' => loop {
                let next = memchr::memchr2(b'"', b'\\', &bytes[at + 1..]);
                at += 1 + next.ok_or(Fault::Incomplete)?;
                if bytes[at] == b'"' {
                    break;
                }
                at += 1;
                bytes.get(at).ok_or(Fault::Incomplete)?;
            },
            bracket @ (b'{' | b'[') => open.push(bracket),
            b',' if open.is_empty() => return Ok(at),
            b',' => {}
            _ if open.is_empty() => return Ok(at),
            // In ASCII the closing bracket follows its opening one by two.
            closing => {
                if let Some(place) = open.iter().rposition(|bracket| bracket + 2 == closing) {
                    open.truncate(place);
                }
                if open.is_empty() && bracketed {
                    return Ok(at + 1);
                }
            }
        }
        at += 1;
    }
}

/// How deep brackets are nested, outside of strings.
pub(crate) fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0usize, 0, 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = skip_string(bytes, at).map_or(bytes.len(), |(end, _)| end),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_unsound_text_is_found_by_its_brackets() {
        let deep = "[".repeat(500) + &"]".repeat(500);
        for (value, after) in [
            (r#"{"a":NaN}"#, ",{}"),
            (r#"{"a":"}]\"","b":[{},]}"#, " , {}"),
            (r#"{"a":[1,2}"#, ",{}]"),
            (r#"{"a":1]}"#, ",{}"),
            ("NaN", ",{}"),
            ("NaN", "]"),
            ("", ",{}"),
            ("", "]"),
            ("{\"a\":\"\0\"}", "]"),
            (deep.as_str(), ",{}"),
        ] {
            let text = format!("{value}{after}");
            assert_eq!(skip_unsound(text.as_bytes(), 0), Ok(value.len()), "{text}");
        }
        for cut in [r#"{"a":"x"#, r#"{"a":[1]"#, "", "\"\\"] {
            assert_eq!(skip_unsound(cut.as_bytes(), 0), Err(Fault::Incomplete));
        }
    }
}
