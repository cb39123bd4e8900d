//! What is ours and what is known: the lists that conditions look into.
//!
//! In: entries that the user gives, and what a trail says about itself. Out: [`Lists`]. Promise: a list that nobody
//! filled is empty: nothing is known, so that everything is "not in" it and nothing is "in" it.

use crate::event::Field;
use crate::json::Value;
use crate::knowledge::address_range;
use arrow::array::RecordBatch;
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::created;
use super::events::{Columns, Row};
use super::list_name::ListName;

/// Why an entry or a file of lists is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListsError {
    /// A line does not have the form `list entry`.
    #[error(
        "{file}: line {line}: expected a list and an entry, e.g. `known_accounts 123456789012`"
    )]
    NoEntry {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// There is no such list.
    #[error("{file}: line {line}: unknown list {name:?}")]
    NoList {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// An address range is none.
    #[error("{text:?} is not an address range such as 10.0.0.0/8")]
    NoRange {
        /// What was given.
        text: String,
    },
}

/// The lists, filled as far as anybody knows.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    entries: HashMap<ListName, HashSet<String>>,
    ranges: Vec<IpNet>,
}

impl Lists {
    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// Only of [`ListName::VpcRanges`], when the entry is no address or range.
    pub fn add(&mut self, list: ListName, entry: &str) -> Result<(), ListsError> {
        let entry = entry.trim();
        if list == ListName::VpcRanges {
            let range = address_range(entry).ok_or_else(|| ListsError::NoRange {
                text: entry.to_owned(),
            })?;
            self.ranges.push(range);
            return Ok(());
        }
        self.insert(list, entry);
        Ok(())
    }

    fn insert(&mut self, list: ListName, entry: &str) {
        let entry = bucket_name(entry).unwrap_or(entry);
        self.entries
            .entry(list)
            .or_default()
            .insert(entry.to_owned());
        if list == ListName::OwnAccounts {
            self.insert(ListName::KnownAccounts, entry);
            // The account's own registry, in whatever region.
            self.insert(ListName::OwnRegistries, &format!("{entry}.dkr.ecr"));
        }
    }

    /// Adds the entries of a text with lines `list entry`; `#` begins a remark. `file` is how errors call it.
    ///
    /// # Errors
    ///
    /// When a line names no list or has no entry.
    pub fn read(&mut self, file: &str, text: &str) -> Result<(), ListsError> {
        for (at, line) in text.lines().enumerate() {
            let (file, line_number) = (|| file.to_owned(), at + 1);
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let no_entry = || ListsError::NoEntry {
                file: file(),
                line: line_number,
            };
            let (name, entry) = line.split_once(char::is_whitespace).ok_or_else(no_entry)?;
            let no_list = || ListsError::NoList {
                file: file(),
                line: line_number,
                name: name.to_owned(),
            };
            self.add(ListName::named(name).ok_or_else(no_list)?, entry)?;
        }
        Ok(())
    }

    /// Learns from events what a trail says about itself: the accounts whose logs they come from are own ones, buckets of
    /// those accounts too, and the buckets that log files lie in are trail buckets.
    pub fn learn(&mut self, batches: &[RecordBatch]) {
        let columns = batches.iter().map(Columns::of);
        let columns: Vec<Columns> = columns.collect();
        for row in columns.iter().flat_map(Columns::rows) {
            if let Some(account) = row.text(Field::AccountId) {
                self.learned(ListName::OwnAccounts, account);
            }
            if let Some(bucket) = row.text(Field::LogFile).and_then(bucket_of_url) {
                self.learned(ListName::TrailBuckets, bucket);
            }
        }
        for row in columns.iter().flat_map(Columns::rows) {
            self.learn_resources(&row);
        }
    }

    fn learned(&mut self, list: ListName, entry: &str) {
        if !self.has(list, entry) {
            self.insert(list, entry);
        }
    }

    fn learn_resources(&mut self, row: &Row<'_>) {
        let trail = row.text(Field::EventSource) == Some("cloudtrail.amazonaws.com")
            && matches!(
                row.text(Field::EventName),
                Some("CreateTrail" | "UpdateTrail")
            );
        if trail {
            let request = row.json(Field::RequestParameters);
            for (key, list) in [
                ("s3BucketName", ListName::TrailBuckets),
                ("kmsKeyId", ListName::TrailKmsKeys),
            ] {
                if let Some(entry) = request.get(key).and_then(Value::as_str) {
                    self.learned(list, entry);
                }
            }
        }
        let text = row.text(Field::Resources).unwrap_or_default();
        if !text.contains("AWS::S3::Bucket") {
            return;
        }
        let resources = row.json(Field::Resources);
        for resource in resources.as_array().into_iter().flatten() {
            let field = |name| resource.get(name).and_then(Value::as_str);
            if field("type") == Some("AWS::S3::Bucket")
                && let (Some(arn), Some(account)) = (field("ARN"), field("accountId"))
                && self.has(ListName::OwnAccounts, account)
                && let Some(bucket) = bucket_name(arn)
            {
                self.learned(ListName::OwnBuckets, bucket);
            }
        }
    }

    /// Fills the lists of what was made in the incident from its events.
    pub(super) fn with_created(mut self, columns: &[Columns]) -> Self {
        for row in columns.iter().flat_map(Columns::rows) {
            created::made(&row, &mut |list, id| self.learned(list, id));
        }
        self
    }

    /// Whether an entry covers the value.
    pub(in crate::analysis) fn has(&self, list: ListName, value: &str) -> bool {
        if list == ListName::VpcRanges {
            return match value.parse::<IpAddr>() {
                Ok(address) => {
                    is_private(address) || self.ranges.iter().any(|range| range.contains(&address))
                }
                // A service's name is no address of anybody's.
                Err(_) => true,
            };
        }
        let Some(entries) = self.entries.get(&list) else {
            return false;
        };
        match list {
            ListName::OwnRegistries => entries.iter().any(|entry| {
                let rest = value.strip_prefix(entry.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.', ':', '@']))
            }),
            ListName::OwnBuckets | ListName::TrailBuckets => {
                entries.contains(bucket_name(value).unwrap_or(value))
            }
            _ => entries.contains(value),
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The bucket of an S3 ARN.
fn bucket_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let s3 = parts.next() == Some("arn") && parts.nth(1) == Some("s3");
    let name = parts.nth(2).filter(|_| s3)?;
    name.split('/').next()
}

fn bucket_of_url(url: &str) -> Option<&str> {
    url.strip_prefix("s3://")?.split('/').next()
}
