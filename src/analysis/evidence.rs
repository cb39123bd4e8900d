//! Where do events come from, so that others can check?
//!
//! In: names of log files. Out: their SHA-256 when they were read, from the ledger. Promise: log files that were read without
//! a lake have theirs too; what is not in the ledger is left out.

use super::AnalysisError;
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
    let mut hashes = BTreeMap::new();
    if log_files.is_empty() {
        return Ok(hashes);
    }
    let names: Vec<ScalarValue> = log_files
        .iter()
        .map(|name| ScalarValue::from(*name))
        .collect();
    let names = ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8));
    let params = Params::from([("log_files".to_owned(), names)]);
    let sql = include_str!("../../queries/trace/log_files.sql");
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
    Ok(hashes)
}
