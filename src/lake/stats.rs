//! How large is the lake, and in what pieces?
//!
//! In: a lake. Out: a [`Stats`]. Promise: read from the logs of the tables; no data file is opened.

use super::tables::TableName;
use super::{Lake, LakeError};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Files below this size are better merged.
pub(super) const SMALL_BYTES: u64 = 32 << 20;

/// A table in figures.
#[derive(Debug, Clone)]
pub struct TableStats {
    /// Which.
    pub table: TableName,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// The version of the table.
    pub version: u64,
}

/// A lake in figures.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Table by table.
    pub tables: Vec<TableStats>,
    /// Days with events.
    pub days: u64,
    /// The first of them.
    pub first_day: Option<NaiveDate>,
    /// The last of them.
    pub last_day: Option<NaiveDate>,
    /// Days with more than one small file, and the number of those files.
    pub small: (u64, u64),
}

impl Lake {
    /// The lake in figures.
    pub fn stats(&self) -> Result<Stats, LakeError> {
        let mut tables = Vec::new();
        let mut small = BTreeMap::<Option<NaiveDate>, u64>::new();
        for name in TableName::ALL {
            let table = self.table(name);
            let files = table.files()?;
            tables.push(TableStats {
                table: name,
                files: files.len() as u64,
                bytes: files.iter().map(|file| file.size).sum(),
                rows: files.iter().map(|file| file.rows).sum(),
                version: table.delta().version().unwrap_or_default(),
            });
            if name == TableName::Events {
                for file in files {
                    let day = small.entry(file.date).or_default();
                    *day += u64::from(file.size < SMALL_BYTES);
                }
            }
        }
        let many = small.values().filter(|files| **files > 1);
        Ok(Stats {
            tables,
            days: small.len() as u64,
            first_day: small.keys().flatten().next().copied(),
            last_day: small.keys().flatten().last().copied(),
            small: (many.clone().count() as u64, many.sum()),
        })
    }
}
