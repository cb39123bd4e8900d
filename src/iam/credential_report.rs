//! IAM's credential report, a CSV file.
//!
//! In: the file (also as the AWS CLI saves it: JSON with the CSV in base64, or that base64 alone). Out: an [`Inventory`]
//! without key ids, which a report does not hold. Promise: columns are found by their names, in any order; columns that
//! nobody here knows are kept; AWS's special values (`N/A`, `no_information`, `not_supported`) stay told apart.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use csv::StringRecord;

use super::{IamError, Inventory, Key, Moment, Password, User};
use crate::cloudtrail::AccountId;
use crate::json::encoding;

/// The columns that AWS documents, in its order.
const COLUMNS: [&str; 22] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];

/// Without these there is nothing to say about keys.
const REQUIRED: [&str; 6] = [
    "user",
    "arn",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_2_active",
    "access_key_2_last_rotated",
];

/// The columns of a key: active, last rotated, last used, its region, its service.
type KeyColumns = [&'static str; 5];

const KEYS: [KeyColumns; 2] = [
    [
        COLUMNS[8],
        COLUMNS[9],
        COLUMNS[10],
        COLUMNS[11],
        COLUMNS[12],
    ],
    [
        COLUMNS[13],
        COLUMNS[14],
        COLUMNS[15],
        COLUMNS[16],
        COLUMNS[17],
    ],
];

/// The byte order mark.
const MARK: char = '\u{feff}';

/// Reads a credential report from a file.
pub fn read(path: &Path) -> Result<Inventory, IamError> {
    let bytes = fs::read(path).map_err(|source| IamError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&path.display().to_string(), &bytes)
}

/// Reads a credential report from bytes; `file` is its name in errors. A file may hold the reports of several accounts, one after
/// the other.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Inventory, IamError> {
    let text = encoding::utf8(bytes);
    let parts = match unwrapped(&text) {
        parts if parts.is_empty() => vec![(text.into_owned(), None)],
        parts => parts,
    };
    let mut inventories = Vec::new();
    for (csv, taken) in &parts {
        let users = users(file, csv)?;
        inventories.push(Inventory {
            users,
            taken: *taken,
        });
    }
    Ok(Inventory::merge(inventories).0)
}

fn users(file: &str, csv: &[u8]) -> Result<Vec<User>, IamError> {
    let report = Report { file };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let header = reader.headers().map_err(|error| report.broken(&error))?;
    let mut header = names(header);
    let missing = REQUIRED
        .iter()
        .filter(|name| !header.iter().any(|column| column == *name));
    let missing: Vec<&str> = missing.copied().collect();
    if !missing.is_empty() {
        return Err(report.refused(format!("it has no column {}", missing.join(", "))));
    }
    let mut users = Vec::new();
    for record in reader.records() {
        let mut record = record.map_err(|error| report.broken(&error))?;
        // The report of the next account begins with its own header.
        if is_header(&names(&record)) {
            header = names(&record);
            continue;
        }
        let next = next_header(&mut record, &header);
        if record.len() != header.len() {
            let line = record.position().map_or(0, csv::Position::line);
            let (has, wants) = (record.len(), header.len());
            return Err(report.refused(format!("line {line} has {has} fields instead of {wants}")));
        }
        let row = Row {
            report: &report,
            header: &header,
            record: &record,
        };
        users.push(row.user()?);
        header = next.unwrap_or(header);
    }
    Ok(users)
}

fn names(record: &StringRecord) -> Vec<String> {
    let names = record.iter();
    // Reports that were put one after the other may each have a byte order mark.
    names
        .map(|name| name.trim_matches(MARK).trim().to_lowercase())
        .collect()
}

fn is_header(names: &[String]) -> bool {
    REQUIRED
        .iter()
        .all(|required| names.iter().any(|name| name == required))
}

/// The header of the next report, where it stands on the same line: a report does not end with a line break.
fn next_header(record: &mut StringRecord, header: &[String]) -> Option<Vec<String>> {
    let last = header.len().checked_sub(1)?;
    let glued = record.get(last)?;
    let first = header.first()?;
    let own = glued.strip_suffix(first.as_str())?;
    let own = own.trim_end_matches(MARK).to_owned();
    let mut next = vec![first.clone()];
    next.extend(names(record).into_iter().skip(last + 1));
    if !is_header(&next) {
        return None;
    }
    let position = record.position().cloned();
    let mut fields: Vec<String> = record.iter().take(last).map(str::to_owned).collect();
    fields.push(own);
    *record = StringRecord::from(fields);
    record.set_position(position);
    Some(next)
}

/// The CSVs inside what the AWS CLI prints, one per account, and when each was made.
fn unwrapped(bytes: &[u8]) -> Vec<(Vec<u8>, Option<DateTime<Utc>>)> {
    let text = bytes.trim_ascii();
    // A CSV has commas in its first line, which base64 has not.
    if let Ok(csv) = STANDARD.decode(text) {
        return vec![(csv, None)];
    }
    let documents = serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>();
    let parts = documents.map_while(|document| {
        let document = document.ok()?;
        let csv = STANDARD.decode(document["Content"].as_str()?).ok()?;
        let made = document["GeneratedTime"].as_str();
        let made = made.and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        Some((csv, made.map(|time| time.to_utc())))
    });
    parts.collect()
}

struct Report<'a> {
    file: &'a str,
}

impl Report<'_> {
    fn refused(&self, reason: String) -> IamError {
        let file = self.file.to_owned();
        IamError::NotAReport { file, reason }
    }

    fn broken(&self, error: &csv::Error) -> IamError {
        self.refused(error.to_string())
    }
}

/// One line of the report.
struct Row<'a> {
    report: &'a Report<'a>,
    header: &'a [String],
    record: &'a StringRecord,
}

impl Row<'_> {
    fn user(&self) -> Result<User, IamError> {
        let arn = self.text("arn").unwrap_or_default();
        let account = arn
            .split(':')
            .nth(4)
            .and_then(|id| id.parse::<AccountId>().ok());
        let account =
            account.ok_or_else(|| self.wrong("arn", "the ARN of a user of an account"))?;
        let mut keys = Vec::new();
        for (slot, columns) in (1..).zip(KEYS) {
            keys.extend(self.key(slot, columns)?);
        }
        let active = |column| Ok::<_, IamError>(self.flag(column)? == Some(true));
        Ok(User {
            account,
            name: self.text("user").unwrap_or_default().to_owned(),
            arn: arn.to_owned(),
            id: None,
            created: self.moment("user_creation_time")?,
            password: Password {
                enabled: self.flag("password_enabled")?,
                last_used: self.moment("password_last_used")?,
                last_changed: self.moment("password_last_changed")?,
                next_rotation: self.moment("password_next_rotation")?,
            },
            mfa_active: self.flag("mfa_active")?,
            keys,
            active_certificates: u8::from(active("cert_1_active")?)
                + u8::from(active("cert_2_active")?),
            other: self.other(),
            source: self.report.file.to_owned(),
            taken: None,
        })
    }

    /// The key of a slot. A slot that is not active and has no time is empty.
    fn key(&self, slot: u8, columns: KeyColumns) -> Result<Option<Key>, IamError> {
        let [active, last_rotated, last_used, region, service] = columns;
        let key = Key {
            slot: Some(slot),
            id: None,
            active: self.flag(active)?.unwrap_or(false),
            created: None,
            last_rotated: self.moment(last_rotated)?,
            last_used: self.moment(last_used)?,
            last_used_region: self.known(region),
            last_used_service: self.known(service),
        };
        let held =
            key.active || key.last_rotated.time().is_some() || key.last_used.time().is_some();
        Ok(held.then_some(key))
    }

    fn index(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }

    fn text(&self, column: &str) -> Option<&str> {
        self.record.get(self.index(column)?).map(str::trim)
    }

    /// A text that is none of the special values.
    fn known(&self, column: &str) -> Option<String> {
        let text = self.text(column)?;
        special(text).is_none().then(|| text.to_owned())
    }

    fn flag(&self, column: &'static str) -> Result<Option<bool>, IamError> {
        match self.text(column) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) if special(text).is_some() => Ok(None),
            Some(_) => Err(self.wrong(column, "true, false or not_supported")),
        }
    }

    fn moment(&self, column: &'static str) -> Result<Moment, IamError> {
        let Some(text) = self.text(column) else {
            return Ok(Moment::NotApplicable);
        };
        let time = || {
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|time| Moment::At(time.to_utc()))
        };
        special(text)
            .or_else(time)
            .ok_or_else(|| self.wrong(column, "a time, N/A, no_information or not_supported"))
    }

    fn other(&self) -> BTreeMap<String, String> {
        let columns = self.header.iter().zip(self.record);
        let unknown = columns.filter(|(name, _)| !COLUMNS.contains(&name.as_str()));
        unknown
            .map(|(name, value)| (name.clone(), value.to_owned()))
            .collect()
    }

    fn wrong(&self, column: &'static str, expected: &'static str) -> IamError {
        IamError::Value {
            file: self.report.file.to_owned(),
            line: self.record.position().map_or(0, csv::Position::line),
            column,
            value: self.text(column).unwrap_or_default().to_owned(),
            expected,
        }
    }
}

/// The values by which AWS says that there is none.
fn special(text: &str) -> Option<Moment> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match text {
        _ if text.is_empty() || is("N/A") => Some(Moment::NotApplicable),
        _ if is("no_information") => Some(Moment::NoInformation),
        _ if is("not_supported") => Some(Moment::NotSupported),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

    fn report(rows: &[&str]) -> Result<Inventory, IamError> {
        parse(
            "report.csv",
            [&[HEADER], rows].concat().join("\n").as_bytes(),
        )
    }

    fn at(text: &str) -> Moment {
        Moment::At(text.parse().unwrap())
    }

    #[test]
    fn every_special_value_is_kept_apart() {
        let inventory = report(&[
            "<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2024-01-01T00:00:00+00:00,not_supported,not_supported,true,TRUE,2020-02-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A",
            "alice,arn:aws:iam::111122223333:user/staff/alice,2021-01-01T00:00:00+00:00,True,no_information,2021-01-01T00:00:00+00:00,N/A,FALSE,false,N/A,N/A,N/A,N/A,false,2022-01-01T00:00:00+00:00,2022-06-01T10:00:00+00:00,us-east-1,s3,true,2021-01-02T00:00:00+00:00,false,N/A",
        ])
        .unwrap();
        let [root, alice] = inventory.users.as_slice() else {
            panic!("{inventory:?}");
        };
        assert!(root.is_root());
        assert_eq!(root.password.enabled, None);
        assert_eq!(root.password.last_changed, Moment::NotSupported);
        assert_eq!(root.mfa_active, Some(true));
        let [key] = root.keys.as_slice() else {
            panic!("{root:?}");
        };
        assert!(key.active && key.slot == Some(1));
        assert_eq!(key.last_used, Moment::NotApplicable);
        assert_eq!(key.last_used_region, None);

        assert_eq!((alice.name.as_str(), alice.path()), ("alice", "/staff/"));
        assert_eq!(alice.password.enabled, Some(true));
        assert_eq!(alice.password.last_used, Moment::NoInformation);
        assert_eq!(alice.password.next_rotation, Moment::NotApplicable);
        assert_eq!(alice.active_certificates, 1);
        let [key] = alice.keys.as_slice() else {
            panic!("{alice:?}");
        };
        assert!(!key.active && key.slot == Some(2));
        assert_eq!(key.last_rotated, at("2022-01-01T00:00:00Z"));
        assert_eq!(key.last_used, at("2022-06-01T10:00:00Z"));
        assert_eq!(key.last_used_service.as_deref(), Some("s3"));
        assert_eq!(inventory.accounts().count(), 1);
        assert_eq!(inventory.latest(), at("2024-01-01T00:00:00Z").time());
    }

    #[test]
    fn columns_are_found_by_name_and_unknown_ones_kept() {
        let csv = "\u{feff}additional_credentials_info,arn,user,access_key_2_active,access_key_2_last_rotated,access_key_1_active,access_key_1_last_rotated\n\
            N/A,arn:aws:iam::111122223333:user/bob,bob,true,2025-01-01T00:00:00Z,false,N/A\n";
        let inventory = parse("x", csv.as_bytes()).unwrap();
        let bob = &inventory.users[0];
        assert_eq!(bob.keys[0].slot, Some(2));
        assert_eq!(bob.path(), "/");
        assert_eq!(bob.other["additional_credentials_info"], "N/A");
        assert_eq!(bob.created, Moment::NotApplicable);
    }

    #[test]
    fn what_the_command_line_tool_saves_is_unwrapped() {
        let row = "bob,arn:aws:iam::111122223333:user/bob,2025-01-01T00:00:00Z,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
        let content = STANDARD.encode(format!("{HEADER}\n{row}\n"));
        let json = format!(
            r#"{{"Content": "{content}", "ReportFormat": "text/csv", "GeneratedTime": "2025-03-07T12:00:00+00:00"}}"#
        );
        let wide = json.encode_utf16().flat_map(u16::to_le_bytes);
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
        assert_eq!(
            parse("x.json", &wide).unwrap().users,
            parse("x.json", json.as_bytes()).unwrap().users
        );
        let inventory = parse("x.json", json.as_bytes()).unwrap();
        assert_eq!(inventory.latest(), at("2025-03-07T12:00:00Z").time());
        // The CSV alone does not say when IAM was asked.
        let mut users = parse("x", json.as_bytes()).unwrap().users;
        users.iter_mut().for_each(|user| user.taken = None);
        assert_eq!(parse("x", content.as_bytes()).unwrap().users, users);
    }

    #[test]
    fn reports_of_many_accounts_are_read_one_after_the_other() {
        let row = |account: &str, user: &str| {
            format!(
                "{user},arn:aws:iam::{account}:user/{user},2025-01-01T00:00:00Z,false,N/A,N/A,N/A,false,true,2025-01-01T00:00:00Z,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
            )
        };
        let (a, b) = (row("111122223333", "ann"), row("444455556666", "bob"));
        let apart = format!("{HEADER}\n{a}\n{HEADER}\n{b}\n");
        let glued = format!("{HEADER}\n{a}{HEADER}\n{b}");
        let wrapped = |csv: String, time: &str| {
            let content = STANDARD.encode(csv);
            format!(r#"{{"Content": "{content}", "GeneratedTime": "{time}"}}"#)
        };
        let documents = [
            wrapped(format!("{HEADER}\n{a}"), "2025-03-07T12:00:00+00:00"),
            wrapped(format!("{HEADER}\n{b}"), "2025-03-08T12:00:00+00:00"),
        ]
        .join("\n");
        for text in [apart, glued, documents] {
            let inventory = parse("all.csv", text.as_bytes()).unwrap();
            let names: Vec<&str> = inventory
                .users
                .iter()
                .map(|user| user.name.as_str())
                .collect();
            assert_eq!(names, ["ann", "bob"], "{text}");
            assert_eq!(inventory.accounts().count(), 2);
            assert!(
                inventory
                    .users
                    .iter()
                    .all(|user| user.active_certificates == 0)
            );
        }
        // The header of the second account counts for its rows.
        let other = "arn,user,access_key_2_active,access_key_2_last_rotated,access_key_1_active,access_key_1_last_rotated\n\
            arn:aws:iam::444455556666:user/eve,eve,true,2025-01-01T00:00:00Z,false,N/A\n";
        let inventory = parse("all.csv", format!("{HEADER}\n{a}\n{other}").as_bytes()).unwrap();
        assert_eq!(inventory.users[1].keys[0].slot, Some(2));
    }

    #[test]
    fn what_powershell_saves_is_read() {
        let row = "ann,arn:aws:iam::111122223333:user/ann,2025-01-01T00:00:00Z,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
        let content = STANDARD.encode(format!("{HEADER}\r\n{row}\r\n"));
        let json = format!("{{\r\n  \"Content\": \"{content}\"\r\n}}\r\n");
        let csv = format!("{HEADER}\r\n{row}\r\n");
        for text in [json, csv] {
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in [
                [b"\xff\xfe", &little[..]].concat(),
                [b"\xfe\xff", &big[..]].concat(),
            ] {
                let inventory = parse("report", &bytes).unwrap();
                assert_eq!(inventory.users[0].name, "ann");
            }
        }
    }

    #[test]
    fn errors_name_file_line_and_column() {
        let error = |result: Result<Inventory, IamError>| result.unwrap_err().to_string();
        assert_eq!(
            error(parse("keys.csv", b"user,password\nbob,secret\n")),
            "keys.csv is not a credential report: it has no column arn, access_key_1_active, access_key_1_last_rotated, access_key_2_active, access_key_2_last_rotated"
        );
        let row = "bob,arn:aws:iam::111122223333:user/bob,yesterday,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
        assert_eq!(
            error(report(&[row])),
            "report.csv, line 2, column user_creation_time: \"yesterday\" is not a time, N/A, no_information or not_supported"
        );
        let maybe = row
            .replace("yesterday", "N/A")
            .replacen("false,false", "maybe,false", 1);
        assert_eq!(
            error(report(&[&maybe])),
            "report.csv, line 2, column mfa_active: \"maybe\" is not true, false or not_supported"
        );
        assert!(error(report(&["bob,who"])).contains("line 2 has 2 fields instead of 22"));
        let stranger = row.replace("arn:aws:iam::111122223333:user/bob", "bob");
        assert!(error(report(&[&stranger])).contains("column arn: \"bob\" is not the ARN"));
    }
}
