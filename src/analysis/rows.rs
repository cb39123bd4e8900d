//! Rows of a query as structs.
//!
//! In: a query, and a struct with the names of its columns. Out: the structs, at once or one by one. Promise: a row that does not fit is an
//! error, not a missing value.

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::AnalysisError;
use crate::session::{Params, Session};

/// Asks, and takes the rows one by one; what was taken is not held any more.
pub(super) async fn each<T: DeserializeOwned>(
    session: &Session,
    (sql, params): (&str, &Params),
    mut take: impl FnMut(T),
) -> Result<(), AnalysisError> {
    let mut rows = session.rows(sql, params).await?;
    while let Some(batch) = rows.next().await? {
        read(&[batch])?.into_iter().for_each(&mut take);
    }
    Ok(())
}

/// A time in a row: microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Micros(pub(super) DateTime<Utc>);

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        let time = DateTime::from_timestamp_micros(micros);
        time.map(Self)
            .ok_or_else(|| D::Error::custom("a time that no calendar has"))
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.timestamp_micros())
    }
}

/// The rows of a query; the fields of a row have the names of the columns.
pub(super) fn read<T: DeserializeOwned>(batches: &[RecordBatch]) -> Result<Vec<T>, AnalysisError> {
    let mut rows = Vec::new();
    for batch in batches {
        let of_batch: Vec<T> = serde_arrow::from_record_batch(batch)?;
        rows.extend(of_batch);
    }
    Ok(rows)
}
