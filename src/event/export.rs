//! Records that came out of a table.
//!
//! In: what Athena, CloudTrail Lake and CloudWatch Logs Insights export: CSV, or JSON whose field names may be in small letters
//! and whose nested fields may be text. Out: the text of each record as CloudTrail writes it. Promise: names are CloudTrail's
//! own again, values are not changed; text that only looks like a nested field stays text.
//!
//! Athena prints a struct as `{type=IAMUser, arn=arn:aws:…, sessioncontext={attributes=…}}`
//! (<https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>), so does a result of CloudTrail Lake.

use super::record::RecordFault;
use super::schema::{COLUMNS, ColumnKind};
use crate::json::scan::{self, Elements, Members, sound};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::LazyLock;

/// Columns that hold a whole record.
const WHOLE: [&str; 6] = [
    "eventjson",
    "cloudtrailevent",
    "@message",
    "message",
    "_raw",
    "detail",
];

/// How deep structs are nested in `userIdentity`, and more.
const DEEPEST: usize = 16;

/// CloudTrail's names by the same names in small letters.
static NAMES: LazyLock<FxHashMap<String, &'static str>> = LazyLock::new(|| {
    let names = COLUMNS.iter().flat_map(|column| column.path.split('.'));
    let names = names.filter(|name| !name.is_empty());
    names
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect()
});

/// The rows of a CSV file, each as the text of a record.
pub(super) struct Rows<'a> {
    header: Vec<String>,
    delimiter: u8,
    text: &'a [u8],
    records: csv::Reader<&'a [u8]>,
    /// Where in the text the reader began.
    begin: usize,
}

/// A reader of rows.
fn reader(text: &[u8], delimiter: u8, has_headers: bool) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(has_headers)
        .from_reader(text)
}

/// Whether columns of these names hold events.
pub(super) fn has_events(names: &[String]) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    (has("eventname") && has("eventtime")) || WHOLE.into_iter().any(has)
}

/// The text of the record that a row of a table is.
pub(super) fn record(names: &[String], cells: &[Option<impl AsRef<str>>]) -> String {
    let cells = names.iter().map(String::as_str).zip(cells);
    let cells = cells.filter_map(|(name, cell)| Some((name, cell.as_ref()?.as_ref())));
    let cells: Vec<(&str, &str)> = cells.filter(|(_, text)| !text.is_empty()).collect();
    let whole = cells
        .iter()
        .find(|(name, text)| is_whole(name) && text.contains('{'));
    match whole {
        Some((_, text)) => text.trim().to_owned(),
        None => {
            let members = cells.iter().map(|(name, text)| (*name, quoted(text)));
            object(members.collect(), 0)
        }
    }
}

/// The rows, if the text is CSV with the columns of events.
pub(super) fn rows(text: &[u8]) -> Option<Rows<'_>> {
    let first = text.trim_ascii_start().first()?;
    if !(first.is_ascii_alphabetic() || b"\"@_".contains(first)) {
        return None;
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiters = b"\t,;".iter().copied();
    let delimiter = delimiters
        .into_iter()
        .find(|delimiter| line.contains(delimiter))
        .unwrap_or(b',');
    let mut records = reader(text, delimiter, true);
    let header = records.byte_headers().ok()?;
    let header: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    has_events(&header).then_some(Rows {
        header,
        delimiter,
        text,
        records,
        begin: 0,
    })
}

impl Rows<'_> {
    /// A row with too many or too few fields. A stray quote takes the lines after it along: they are read again.
    fn wrong_length(&mut self, row: &csv::ByteRecord) -> (RecordFault, String) {
        let (found, columns) = (row.len(), self.header.len());
        let fault = RecordFault::Json(format!("{found} fields for {columns} columns"));
        let start = row.position().map_or(0, csv::Position::byte);
        let start = self.begin + usize::try_from(start).unwrap_or_default();
        let line = self.text.get(start..).unwrap_or_default();
        let line = line.trim_ascii_start();
        let start = self.text.len() - line.len();
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        self.begin = (start + line.len() + 1).min(self.text.len());
        let rest = self.text.get(self.begin..).unwrap_or_default();
        self.records = reader(rest, self.delimiter, false);
        (
            fault,
            String::from_utf8_lossy(line.trim_ascii_end()).into_owned(),
        )
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<String, (RecordFault, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = csv::ByteRecord::new();
        match self.records.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                let fault = RecordFault::Json(format!("broken CSV: {error}"));
                return Some(Err((fault, String::new())));
            }
        }
        if row.len() != self.header.len() {
            return Some(Err(self.wrong_length(&row)));
        }
        let cells = row.iter().map(|cell| std::str::from_utf8(cell).ok());
        let cells: Vec<Option<&str>> = cells.collect();
        if cells.contains(&None) {
            let text = String::from_utf8_lossy(row.as_slice()).into_owned();
            return Some(Err((RecordFault::Encoding, text)));
        }
        Some(Ok(record(&self.header, &cells)))
    }
}

/// Whether a column of this name holds whole records.
fn is_whole(name: &str) -> bool {
    WHOLE.iter().any(|whole| name.eq_ignore_ascii_case(whole))
}

/// One row of a query's result: a list of objects that hold one column each.
pub(super) fn row(list: &str) -> Option<String> {
    let (mut members, mut seen) = (Vec::new(), FxHashSet::default());
    for element in Elements::of(list)? {
        let mut scan = Members::of(element)?;
        let (name, value) = scan.next().ok()??;
        let (name, value) = match scan.next().ok()? {
            None => (name, value),
            // CloudWatch Logs Insights.
            Some(("value", text)) if name == "field" => {
                (value.strip_prefix('"')?.strip_suffix('"')?, text)
            }
            Some(_) => return None,
        };
        if !seen.insert(name) {
            return None;
        }
        members.push(format!("\"{name}\":{value}"));
    }
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
}

/// The record that an exported object is, written as CloudTrail does; `None` when it has neither names in small letters nor
/// an identity as text, or holds a whole record in one of its fields.
pub(super) fn as_record(text: &str) -> Option<String> {
    let mut scan = Members::of(text)?;
    let (mut members, mut names, mut other_case, mut flat) = (Vec::new(), 0, false, false);
    while let Some((name, value)) = scan.next().ok()? {
        // A wrapper that repeats some of its record's fields, as LookupEvents does.
        if is_whole(name) && value.contains('{') {
            return None;
        }
        if name.eq_ignore_ascii_case("eventname") || name.eq_ignore_ascii_case("eventtime") {
            names += 1;
            other_case |= !matches!(name, "eventName" | "eventTime");
        }
        flat |= name == "userIdentity" && value.starts_with("\"{");
        members.push((name, value.to_owned()));
    }
    let exported = flat || (names == 2 && other_case);
    exported.then(|| object(members, 0))
}

/// An object with CloudTrail's names; its values are JSON texts.
fn object(members: Vec<(&str, String)>, depth: usize) -> String {
    let mut written = Vec::with_capacity(members.len());
    for (name, value) in members {
        let known = NAMES.get(&name.to_ascii_lowercase()).copied();
        let value = match known {
            Some(known) => nested(known, value, depth),
            None => value,
        };
        if value != "null" {
            let name = known.unwrap_or(name);
            written.push(format!("\"{name}\":{value}"));
        }
    }
    format!("{{{}}}", written.join(","))
}

/// The value of a field that CloudTrail writes as JSON, where an export has it as text.
fn nested(name: &str, value: String, depth: usize) -> String {
    // What a call was given or gave keeps its names.
    let own = COLUMNS
        .iter()
        .any(|column| column.kind == ColumnKind::Json && column.path == name);
    let holds_columns = COLUMNS.iter().any(|column| {
        let mut parts = column.path.split('.');
        parts.next_back();
        parts.any(|part| part == name)
    });
    if !(own || holds_columns) || depth == DEEPEST {
        return value;
    }
    let text = scan::string(&value).map(|text| text.trim().to_owned());
    let text = text.as_deref().unwrap_or(&value);
    if text == "null" {
        return text.to_owned();
    }
    if !text.starts_with(['{', '[']) {
        return value;
    }
    let Some(text) = sound(text) else {
        return match structure(text, depth) {
            Some((written, "")) => written,
            Some(_) | None => value,
        };
    };
    let Some(mut scan) = Members::of(text).filter(|_| !own) else {
        return text.to_owned();
    };
    let mut members = Vec::new();
    while let Ok(Some((name, value))) = scan.next() {
        members.push((name, value.to_owned()));
    }
    object(members, depth + 1)
}

/// What Athena prints for a struct or an array, as JSON, and what follows it.
fn structure(text: &str, depth: usize) -> Option<(String, &str)> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut elements = Vec::new();
        while !rest.starts_with(']') {
            let (element, after) = printed(rest, depth, &|_| true)?;
            elements.push(element);
            rest = after.strip_prefix(", ").unwrap_or(after);
        }
        return Some((format!("[{}]", elements.join(",")), &rest[1..]));
    }
    let mut rest = text.strip_prefix('{')?;
    let mut members = Vec::new();
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once('=')?;
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return None;
        }
        let (value, after) = printed(after, depth, &begins_member)?;
        members.push((name, value));
        rest = after.strip_prefix(", ").unwrap_or(after);
    }
    Some((object(members, depth + 1), &rest[1..]))
}

/// Whether a text goes on with `name=`.
fn begins_member(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    name.len() < text.len()
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// One printed value as JSON, and what follows it. A comma ends it where `ends` says so.
fn printed<'t>(
    text: &'t str,
    depth: usize,
    ends: &dyn Fn(&str) -> bool,
) -> Option<(String, &'t str)> {
    if text.starts_with(['{', '[']) {
        return structure(text, depth + 1);
    }
    let mut at = 0;
    loop {
        at += text[at..].find(['}', ']', ','])?;
        let comma = text[at..].strip_prefix(", ");
        if comma.is_some_and(ends) || !text[at..].starts_with(',') {
            break;
        }
        at += 1;
    }
    let (value, rest) = text.split_at(at);
    let value = match value {
        "null" => "null".to_owned(),
        value => quoted(value),
    };
    Some((value, rest))
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_athena_prints_is_json_again() {
        let printed = r#"{"eventname":"GetObject","eventtime":"2026-10-01T00:00:00Z","useridentity":"{type=AssumedRole, principalid=AROA:a,b, arn=arn:aws:sts::1:assumed-role/r/s=x, accesskeyid=ASIA1, sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-10-01T00:00:00Z}, sessionissuer={type=Role, username=r}}, username=null}",
            "requestparameters":"{\"bucketName\":\"b\"}","resources":"[{arn=arn:aws:s3:::b, accountid=1, type=AWS::S3::Bucket}, {arn=arn:aws:s3:::c}]","responseelements":null,"useragent":"[x]","readonly":"true"}"#;
        let record = as_record(printed).expect("exported");
        let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
        assert_eq!(
            record,
            serde_json::json!({
                "eventName": "GetObject", "eventTime": "2026-10-01T00:00:00Z",
                "userIdentity": {"type": "AssumedRole", "principalId": "AROA:a,b", "arn": "arn:aws:sts::1:assumed-role/r/s=x",
                    "accessKeyId": "ASIA1", "sessionContext": {
                        "attributes": {"mfaAuthenticated": "false", "creationDate": "2026-10-01T00:00:00Z"},
                        "sessionIssuer": {"type": "Role", "userName": "r"}}},
                "requestParameters": {"bucketName": "b"},
                "resources": [{"arn": "arn:aws:s3:::b", "accountId": "1", "type": "AWS::S3::Bucket"}, {"arn": "arn:aws:s3:::c"}],
                "userAgent": "[x]", "readOnly": "true",
            })
        );
        // A record as CloudTrail writes it is not an export.
        assert_eq!(
            as_record(r#"{"eventName":"X","userIdentity":{"type":"y"}}"#),
            None
        );
        assert_eq!(as_record(r#"{"a":1}"#), None);
    }

    #[test]
    fn a_row_of_a_result_is_one_object() {
        assert_eq!(
            row(r#"[{"eventName":"X"},{"eventTime":"t"}]"#).as_deref(),
            Some(r#"{"eventName":"X","eventTime":"t"}"#)
        );
        assert_eq!(
            row(r#"[{"field":"@message","value":"{}"},{"field":"@ptr","value":"p"}]"#).as_deref(),
            Some(r#"{"@message":"{}","@ptr":"p"}"#)
        );
        for list in ["[]", "[1]", r#"[{"a":1,"b":2}]"#, r#"[{"a":1},{"a":2}]"#] {
            assert_eq!(row(list), None, "{list}");
        }
    }

    #[test]
    fn only_tables_of_events_are_rows() {
        for text in [
            "a,b\n1,2\n",
            "{}",
            "",
            "2026-10-01 {}",
            "\"{}\"",
            "user,arn\nx,y",
        ] {
            assert!(rows(text.as_bytes()).is_none(), "{text}");
        }
        let text =
            "eventtime,eventname,requestparameters\n2026-10-01T00:00:00Z,X,\"{\"\"a\"\":1}\"\n";
        let rows: Vec<_> = rows(text.as_bytes()).expect("a table").collect();
        assert_eq!(
            rows,
            [Ok(r#"{"eventTime":"2026-10-01T00:00:00Z","eventName":"X","requestParameters":{"a":1}}"#.to_owned())]
        );
    }
}
