//! Where do events come from, so that others can check?
//!
//! In: names of log files, ids of events. Out: the SHA-256 of the log files when they were read, from the ledger; the events' records.
//! Promise: log files that were read without a lake have theirs too; what is not in the ledger is left out. A record is put together
//! from the columns, which hold all of it; secrets are left out.

use super::AnalysisError;
use crate::event::without_secrets;
use crate::session::{Params, Session};
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, BTreeSet};

/// SHA-256 by log file.
pub async fn log_file_hashes(
    session: &Session,
    log_files: &BTreeSet<&str>,
) -> Result<BTreeMap<String, String>, AnalysisError> {
    let sql = include_str!("../../queries/trace/log_files.sql");
    of_log_files(session, log_files, sql).await
}

/// What digest files say of each log file, of those that ingest compared with them.
pub async fn log_file_states(
    session: &Session,
    log_files: &BTreeSet<&str>,
) -> Result<BTreeMap<String, String>, AnalysisError> {
    let sql = include_str!("../../queries/trace/log_file_states.sql");
    of_log_files(session, log_files, sql).await
}

/// A text of the ledger by log file.
async fn of_log_files(
    session: &Session,
    log_files: &BTreeSet<&str>,
    sql: &str,
) -> Result<BTreeMap<String, String>, AnalysisError> {
    let mut hashes = BTreeMap::new();
    if log_files.is_empty() {
        return Ok(hashes);
    }
    // A file in an archive has the archive's row in the ledger.
    let archives = |name: &str| -> Vec<String> {
        let above = name.match_indices('/').map(|(at, _)| name[..at].to_owned());
        let above = above.filter(|name| {
            name.rsplit('/')
                .next()
                .is_some_and(|last| last.contains('.'))
        });
        above.collect()
    };
    let wanted: BTreeSet<String> = log_files
        .iter()
        .flat_map(|name| archives(name).into_iter().chain([(*name).to_owned()]))
        .collect();
    let names: Vec<ScalarValue> = wanted.into_iter().map(ScalarValue::from).collect();
    let names = ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8));
    let params = Params::from([("log_files".to_owned(), names)]);
    let (_, batches) = session.sql(sql, &params).await?;
    for batch in &batches {
        let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
        let (names, sums) = (text(0)?, text(1)?);
        let (names, sums) = (names.as_string::<i32>(), sums.as_string::<i32>());
        for row in 0..batch.num_rows() {
            if names.is_valid(row) && sums.is_valid(row) {
                hashes.insert(names.value(row).to_owned(), sums.value(row).to_owned());
            }
        }
    }
    let found = log_files.iter().filter_map(|name| {
        let mut places = archives(name).into_iter().rev();
        let sum = hashes
            .get(*name)
            .or_else(|| places.find_map(|archive| hashes.get(&archive)))?;
        Some(((*name).to_owned(), sum.clone()))
    });
    Ok(found.collect())
}

/// Most bytes of records.
const MOST: usize = 8 << 20;

/// Records by event, of as many of these as have room, the first first.
pub async fn event_records(
    session: &Session,
    events: &[&str],
) -> Result<BTreeMap<String, String>, AnalysisError> {
    if events.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<ScalarValue> = events.iter().map(|id| ScalarValue::from(*id)).collect();
    let ids = ScalarValue::List(ScalarValue::new_list_nullable(&ids, &DataType::Utf8));
    let params = Params::from([("event_ids".to_owned(), ids)]);
    let sql = include_str!("../../queries/trace/records.sql");
    let (_, batches) = session.sql(sql, &params).await?;
    let mut found = BTreeMap::new();
    for batch in &batches {
        let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
        let (ids, records) = (text(0)?, text(1)?);
        let (ids, records) = (ids.as_string::<i32>(), records.as_string::<i32>());
        for row in 0..batch.num_rows() {
            if ids.is_valid(row) && records.is_valid(row) {
                let record = without_secrets(records.value(row)).into_owned();
                found.insert(ids.value(row).to_owned(), record);
            }
        }
    }
    let mut room = MOST;
    let mut kept = BTreeMap::new();
    for id in events {
        if let Some(record) = found.remove(*id).filter(|record| record.len() <= room) {
            room -= record.len();
            kept.insert((*id).to_owned(), record);
        }
    }
    Ok(kept)
}
