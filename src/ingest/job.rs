//! Parcels that other machines pack.
//!
//! In: parcels. Out: jobs, and their results as they come. Promise: a job is bounded, so that little is done again after a failure;
//! how work gets to the other machines is for [`Packers`] to say; stopped, the jobs under way are cancelled.

use super::{IngestError, IngestOptions};
use crate::lake::ParcelId;
use crate::read::{Observer, Parcel, Spread, Stop};
use crate::source::LogFile;
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Parcels of a job at most: some 500 MiB of log files as stored.
const MOST_PARCELS: usize = 32;

/// Log files of a job at most: each is named in what is sent.
const MOST_LOG_FILES: usize = 65_536;

/// What is to be done with all parcels of an ingest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The job. Its data files have this name, so that they are committed as one parcel.
    pub id: ParcelId,
    /// The lake that gets the data files.
    pub lake: String,
    /// The most JSON a log file may have.
    pub max_json: u64,
    /// Log files of a parcel fetched at once.
    pub fetches: usize,
    /// Whether session tokens and passwords that services log are stored.
    pub keep_secrets: bool,
}

impl Order {
    pub(super) fn new(lake: String, options: &IngestOptions) -> Self {
        Self {
            id: ParcelId::default(),
            lake,
            max_json: options.max_json,
            fetches: options.fetches,
            keep_secrets: options.keep_secrets,
        }
    }
}

/// Parcels that are packed together.
#[derive(Debug)]
pub struct Job {
    /// What is to be done.
    pub order: Order,
    /// The log files of each parcel, each with the name of its source.
    pub parcels: Vec<Vec<(Arc<str>, LogFile)>>,
}

/// The accounts of packed parcels, one after the other, cut anywhere; see [`Brought`](super::Brought).
pub type PackedRows = BoxStream<'static, Result<Bytes, Arc<dyn Error + Send + Sync>>>;

/// Machines that pack parcels.
#[async_trait::async_trait]
pub trait Packers: fmt::Debug + Send + Sync {
    /// How many jobs they should have at once.
    fn at_once(&self) -> usize;

    /// Packs the parcels of a job with [`pack_there`](super::pack_there). Given up, the job is cancelled.
    ///
    /// # Errors
    ///
    /// A parcel cannot be packed, also when it is tried again.
    async fn pack(&self, job: Job) -> Result<PackedRows, Arc<dyn Error + Send + Sync>>;
}

/// The jobs of an ingest from sources of these names.
pub(super) fn jobs(parcels: Vec<Parcel>, names: &[Arc<str>], order: &Order) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut log_files = 0;
    for parcel in parcels {
        let parcel: Vec<_> = parcel
            .log_files
            .into_iter()
            .map(|planned| (Arc::clone(&names[planned.source]), planned.log_file))
            .collect();
        let fits = jobs.last().is_some_and(|job| {
            job.parcels.len() < MOST_PARCELS && log_files + parcel.len() <= MOST_LOG_FILES
        });
        if !fits {
            let id = ParcelId::default();
            let order = Order {
                id,
                ..order.clone()
            };
            let parcels = Vec::new();
            jobs.push(Job { order, parcels });
            log_files = 0;
        }
        log_files += parcel.len();
        if let Some(job) = jobs.last_mut() {
            job.parcels.push(parcel);
        }
    }
    jobs
}

/// Runs jobs, some at once; gives what was packed as jobs end. Asked to stop, it gives up those that have not ended.
pub(super) fn run<'a>(
    packers: &'a Arc<dyn Packers>,
    jobs: Vec<Job>,
    (observer, stop): (&'a dyn Observer, &'a Stop),
) -> impl Stream<Item = Result<(ParcelId, PackedRows), IngestError>> + Unpin + Send + 'a {
    let tasks = jobs.iter().map(|job| job.parcels.len()).sum();
    observer.spread(Spread::begun(jobs.len(), tasks));
    let done = stream::iter(jobs)
        .take_while(|_| std::future::ready(!stop.requested()))
        .map(move |job| async move {
            let (id, tasks) = (job.order.id, job.parcels.len());
            match stop.or_done(packers.pack(job)).await {
                Some(Ok(rows)) => {
                    observer.spread(Spread::done(tasks));
                    Ok(Some((id, rows)))
                }
                Some(Err(error)) => Err(IngestError::Elsewhere(error)),
                None => Ok(None),
            }
        })
        .buffer_unordered(packers.at_once().max(1));
    Box::pin(done.try_filter_map(|done| std::future::ready(Ok(done))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Planned;

    #[test]
    fn jobs_are_bounded() {
        let parcel = |files: usize| Parcel {
            log_files: (0..files)
                .map(|n| Planned {
                    source: 0,
                    log_file: LogFile::new(format!("s3://b/{n}"), 1, String::new(), None),
                })
                .collect(),
        };
        let order = Order {
            id: ParcelId::default(),
            lake: "s3://lake".to_owned(),
            max_json: 1,
            fetches: 1,
            keep_secrets: false,
        };
        let cut = |parcels: Vec<Parcel>| -> Vec<usize> {
            let jobs = jobs(parcels, &["s3://b".into()], &order);
            let ids: std::collections::HashSet<_> = jobs.iter().map(|job| job.order.id).collect();
            assert_eq!(ids.len(), jobs.len());
            jobs.iter().map(|job| job.parcels.len()).collect()
        };
        assert_eq!(cut((0..70).map(|_| parcel(1)).collect()), [32, 32, 6]);
        assert_eq!(cut((0..9).map(|_| parcel(8_192)).collect()), [8, 1]);
        assert!(cut(Vec::new()).is_empty());
    }
}
