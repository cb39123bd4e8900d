//! The page's data: JSON that cannot end the block it stands in.
//!
//! In: a trace. Out: the text of a JSON block in which no character can end the block or act. Promise: every event is in it;
//! texts that occur often stand in it once, so that a hundred thousand events fit into a page.

use super::{Sources, shortened, visible};
use crate::render::escape;
use crate::report::note::Note;
use crate::report::trace::{TimelineEvent, Trace};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The JSON text.
pub(super) fn block(
    trace: &Trace,
    sources: &Sources,
    notes: &[Note],
) -> Result<String, serde_json::Error> {
    let noted = notes
        .iter()
        .map(|note| (note.event_id.as_str(), note.in_short()));
    let noted: BTreeMap<&str, String> = noted.collect();
    let tactics: FxHashMap<&str, &str> = trace
        .findings
        .iter()
        .flat_map(|finding| {
            let ids = finding.event_ids.iter();
            ids.map(|id| (id.as_str(), finding.tactic.as_str()))
        })
        .collect();
    let value = json!({
        "summary": visible(&json!({
            "sources": trace.summary.sources,
            "first_suspicious_use": trace.summary.first_suspicious_use,
        }))?,
        "credentials": visible(&trace.credentials)?,
        "findings": visible(&trace.findings)?,
        "created": visible(&trace.created)?,
        "data_access": visible(&trace.data_access)?,
        "denied": visible(&trace.denied)?,
        "pivot": visible(&trace.pivot)?,
        "not_followed": visible(&trace.not_followed)?,
        "timeline": timeline(&trace.timeline, &tactics, &sources.records),
        "log_files": visible(&sources.log_files)?,
        "integrity": visible(&sources.integrity)?,
        "networks": visible(&sources.networks)?,
        "noted": visible(&noted)?,
    });
    Ok(inert(&serde_json::to_string(&value)?))
}

/// JSON without a character that means something to HTML.
pub(super) fn inert(json: &str) -> String {
    let mut safe = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    safe
}

/// A value of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cell<'t> {
    Text(Option<&'t str>),
    Number(Option<i64>),
    Flag(Option<bool>),
}

impl Cell<'_> {
    fn value(self) -> Value {
        match self {
            Cell::Text(text) => text
                .map(shortened)
                .map(|text| escape::terminal(&text).into_owned())
                .into(),
            Cell::Number(number) => number.into(),
            Cell::Flag(flag) => flag.into(),
        }
    }
}

/// By column the distinct values, and by row which of them.
fn timeline(
    events: &[TimelineEvent],
    tactics: &FxHashMap<&str, &str>,
    records: &BTreeMap<String, String>,
) -> Value {
    let mut columns = Map::new();
    let mut add = |name: &str, cell: &dyn Fn(&TimelineEvent) -> Cell<'_>| {
        columns.insert(name.to_owned(), packed(events, cell));
    };
    macro_rules! texts {
        ($($field:ident)*) => {
            $(add(stringify!($field), &|event| Cell::Text(event.$field.as_deref()));)*
        };
    }
    add("event_id", &|event| Cell::Text(Some(&event.event_id)));
    add("event_time", &|event| Cell::Text(Some(&event.event_time)));
    add("event_name", &|event| Cell::Text(Some(&event.event_name)));
    add("relation", &|event| {
        Cell::Text(Some(event.relation.as_str()))
    });
    add("origin", &|event| Cell::Text(Some(event.origin.as_str())));
    add("confidence", &|event| {
        Cell::Text(Some(event.confidence.as_str()))
    });
    add("credential", &|event| {
        Cell::Number(event.credential.map(i64::from))
    });
    add("log_file_record", &|event| {
        Cell::Number(event.log_file_record)
    });
    add("bytes_out", &|event| Cell::Number(event.bytes_out));
    add("read_only", &|event| Cell::Flag(event.read_only));
    texts! {
        access_key_id user_identity_arn event_source target aws_region account_id source_ip_address user_agent error_code
        error_message via_service event_category finding severity request_parameters response_elements log_file
    }
    if !records.is_empty() {
        columns.insert("record".to_owned(), {
            let record = |event: &TimelineEvent| records.get(&event.event_id).map(String::as_str);
            pack(events.iter().map(|event| Cell::Text(record(event))))
        });
    }
    columns.insert("tactic".to_owned(), {
        let tactic = |event: &TimelineEvent| tactics.get(event.event_id.as_str()).copied();
        let cells = events.iter().map(|event| Cell::Text(tactic(event)));
        pack(cells)
    });
    json!({ "count": events.len(), "columns": columns })
}

fn packed(events: &[TimelineEvent], cell: &dyn Fn(&TimelineEvent) -> Cell<'_>) -> Value {
    pack(events.iter().map(cell))
}

fn pack<'t>(cells: impl Iterator<Item = Cell<'t>>) -> Value {
    let mut known: FxHashMap<Cell<'t>, usize> = FxHashMap::default();
    let mut values = Vec::new();
    let rows: Vec<usize> = cells
        .map(|cell| {
            *known.entry(cell).or_insert_with(|| {
                values.push(cell.value());
                values.len() - 1
            })
        })
        .collect();
    json!({ "values": values, "rows": rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_block() {
        let safe = inert(r#"{"a":"</script><!--\u2028&"}"#);
        assert!(!safe.contains(['<', '>', '&']), "{safe}");
        let value: Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(value["a"], "</script><!--\u{2028}&");
    }

    #[test]
    fn what_occurs_often_stands_once() {
        let packed = pack(
            ["a", "b", "a"]
                .map(|text| Cell::Text(Some(text)))
                .into_iter(),
        );
        assert_eq!(packed, json!({"values": ["a", "b"], "rows": [0, 1, 0]}));
        let hostile = pack([Cell::Text(Some("a\u{202e}b")), Cell::Text(None)].into_iter());
        assert_eq!(hostile["values"], json!(["a\\u{202e}b", null]));
    }
}
