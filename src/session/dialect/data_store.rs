//! Which event data store is meant?
//!
//! In: SQL text with a placeholder (`$EDS_ID`, `<EDS ID>`, `<event_data_store_id>` …) or the id of an event data store where
//! a table's name stands. Out: the same text with a quoted name. Promise: strings, quoted names and comments stay as they
//! are.

use std::borrow::Cow;

/// What stands inside the brackets of a placeholder, without spaces, dashes, underscores, dollar signs and capitals.
const PLACEHOLDERS: [&str; 6] = [
    "eds",
    "edsid",
    "edsname",
    "eventdatastore",
    "eventdatastoreid",
    "eventdatastorename",
];

/// The length of `01234567-0123-0123-0123-0123456789ab`.
const UUID: usize = 36;

/// Puts the name of an event data store where a query has a placeholder for it.
pub fn fill_event_data_store(sql: &str, name: &str) -> String {
    let name = quoted(name);
    outside_quotes(sql, |code, out| {
        let taken = placeholder(code)?;
        out.push_str(&name);
        Some(taken)
    })
}

/// Puts quotes around ids of event data stores, which CloudTrail Lake takes without.
pub(crate) fn quote_ids(sql: &str) -> Cow<'_, str> {
    if !sql.contains('-') {
        return Cow::Borrowed(sql);
    }
    Cow::Owned(outside_quotes(sql, |code, out| {
        let id = code.get(..UUID).filter(|text| is_uuid(text))?;
        let goes_on = code[UUID..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (!goes_on).then(|| {
            out.push_str(&quoted(id));
            UUID
        })
    }))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// How long the placeholder is that `code` begins with.
fn placeholder(code: &str) -> Option<usize> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !matches!(c, ' ' | '-' | '_' | '$'))
            .flat_map(char::to_lowercase)
            .collect()
    };
    if let Some(inside) = code.strip_prefix('<') {
        // No placeholder is longer than forty characters.
        let end = inside.char_indices().take(40).find(|(_, c)| *c == '>')?.0;
        return PLACEHOLDERS
            .contains(&plain(&inside[..end]).as_str())
            .then_some(end + 2);
    }
    let word = code.strip_prefix('$')?;
    let (open, word) = match word.strip_prefix('{') {
        Some(word) => (1, word),
        None => (0, word),
    };
    let end = word
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(word.len());
    if open == 1 && !word[end..].starts_with('}') {
        return None;
    }
    PLACEHOLDERS
        .contains(&plain(&word[..end]).as_str())
        .then_some(1 + end + 2 * open)
}

/// Copies SQL; at each place that is neither in a string, a quoted name nor a comment, nor within a word, `replace` may
/// write something else and say how many bytes it stands for.
fn outside_quotes(
    sql: &str,
    mut replace: impl FnMut(&str, &mut String) -> Option<usize>,
) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => 0,
        };
        if skipped > 0 {
            out.push_str(&rest[..skipped]);
            rest = &rest[skipped..];
            before = ' ';
            continue;
        }
        let within_word = before.is_alphanumeric() || before == '_';
        let taken = match within_word {
            true => None,
            false => replace(rest, &mut out),
        };
        let length = taken.unwrap_or_else(|| {
            out.push(first);
            first.len_utf8()
        });
        before = first;
        rest = &rest[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_names() {
        for placeholder in [
            "$EDS_ID",
            "<EDS ID>",
            "<EDS_ID>",
            "<$EDS_ID>",
            "${EDS_ID}",
            "<event_data_store_id>",
            "<Event data store Id>",
            "<event-data-store-ID>",
            "<EVENT_DATA_STORE_ID>",
        ] {
            assert_eq!(
                fill_event_data_store(&format!("SELECT 1 FROM {placeholder}\nWHERE x"), "my store"),
                "SELECT 1 FROM \"my store\"\nWHERE x",
                "{placeholder}"
            );
        }
        for untouched in [
            "SELECT '<EDS ID>' FROM t",
            "/* <EDS ID> */ SELECT 1 -- $EDS_ID\n",
            "SELECT a <b AND c> d",
            "SELECT $eds_idea, x$EDS_ID, '${date_filter}'",
            "SELECT 'an open string $EDS_ID",
            "SELECT é <é>",
        ] {
            assert_eq!(fill_event_data_store(untouched, "n"), untouched);
        }
    }

    #[test]
    fn ids_are_names() {
        let id = "3270e016-59a1-4448-8dd1-d27a4796502d";
        assert_eq!(
            quote_ids(&format!("SELECT '{id}' FROM {id} WHERE a-b")),
            format!("SELECT '{id}' FROM \"{id}\" WHERE a-b")
        );
        for untouched in [format!("FROM \"{id}\""), format!("x{id}"), format!("{id}0")] {
            assert_eq!(quote_ids(&untouched), untouched);
        }
    }
}
