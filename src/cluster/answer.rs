//! The rows of a job that ended.
//!
//! In: where executors keep them. Out: the rows, part by part. Promise: as long as somebody holds the answer, the executors keep it.

use super::{ClusterError, MESSAGE};
use ballista_core::client::BallistaClient;
use ballista_core::serde::protobuf::PartitionLocation;
use datafusion::execution::SendableRecordBatchStream;
use std::any::Any;

/// How often the rows are asked for, and the milliseconds between.
const FETCHES: u8 = 3;
const FETCH_PAUSE: u64 = 250;

/// Rows that executors keep.
pub(super) struct Answer {
    /// The executors keep them as long as this is there.
    _job: Box<dyn Any + Send + Sync>,
    places: Vec<PartitionLocation>,
}

impl Answer {
    /// The rows of a job, in these places.
    pub(super) fn new(job: impl Any + Send + Sync, places: Vec<PartitionLocation>) -> Self {
        Self {
            _job: Box::new(job),
            places,
        }
    }

    /// How many parts the rows are in.
    pub(super) fn parts(&self) -> usize {
        self.places.len()
    }

    /// Bytes and rows that the executors keep.
    pub(super) fn kept(&self) -> (i64, i64) {
        let stats = self
            .places
            .iter()
            .filter_map(|p| p.partition_stats.as_ref());
        stats.fold((0, 0), |(bytes, rows), stats| {
            (bytes + stats.num_bytes, rows + stats.num_rows)
        })
    }

    /// Fetches one part.
    pub(super) async fn fetch(
        &self,
        part: usize,
    ) -> Result<SendableRecordBatchStream, ClusterError> {
        let place = &self.places[part];
        let executor = place.executor_meta.clone().unwrap_or_default();
        let failed = |reason: String| ClusterError::Fetch {
            executor: format!("{}:{}", executor.host, executor.port),
            reason,
        };
        let incomplete = || failed("the scheduler does not say where".to_owned());
        let id = place.partition_id.clone().ok_or_else(incomplete)?.into();
        let port = u16::try_from(executor.port).map_err(|_| incomplete())?;
        let client = BallistaClient::try_new(
            &executor.host,
            port,
            MESSAGE,
            false,
            None,
            FETCHES,
            FETCH_PAUSE,
            0,
            0,
        );
        let mut client = client.await.map_err(|error| failed(error.to_string()))?;
        let rows = client.fetch_partition_proxied(
            &executor.id,
            &id,
            place.file_id,
            place.layout(),
            &executor.host,
            port,
            true,
        );
        rows.await.map_err(|error| failed(error.to_string()))
    }
}
