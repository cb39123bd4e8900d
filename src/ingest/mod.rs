//! How do all log files get there, once?
//!
//! In: sources and a lake. Out: every event of the sources in the lake, once, and an [`IngestSummary`] that accounts for
//! every log file and record. Promise: memory is bounded by parcels in flight, whatever the trail's size; killed at any
//! moment, the next run goes on; asked to stop, what is listed and fetched is given up, and what was packed is committed.
//!
//! ```text
//! plan ─▶ parcels ─▶ fetch (tokio, spawned) ─▶ pack (rayon) ─▶ commit (one at a time) ─▶ summary
//! ```
//!
//! Listing, fetching and decoding are those of [`read`](crate::read). Packing runs on threads of its own, so that no CPU
//! work delays the threads that talk to S3.

mod brought;
mod follow;
mod job;
mod pack;
mod plan;
mod summary;
mod there;

pub use brought::Brought;
pub use follow::{Follow, Round};
pub use job::{Job, Order, PackedRows, Packers};
pub use plan::{NotReadBefore, Plan, plan};
pub use summary::{IngestSummary, Refused};
pub use there::{Place, pack as pack_there};

use crate::cloudtrail::Selection;
use crate::integrity::{LogFileState, Problem, Trust, ValidateOptions, follow};
use crate::lake::{Lake, LakeError, Packed};
use crate::read::{
    Comparison, FetchLimits, FetchedParcel, Observer, ParcelSize, Phase, ReadError, Stop, fetch,
    parcels,
};
use crate::source::{Source, SourceError};
use futures::{StreamExt, TryStreamExt, stream};
use pack::Packer;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, oneshot};

/// Parcels that are fetched while others are packed.
const PARCELS_FETCHED: usize = 2;

/// Why an ingest ended before its time. What was committed until then stays.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The source could not be listed or refused everything.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The lake could not be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// Columns could not be sorted or cut.
    #[error("events as columns: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The threads that pack could not be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
    /// The machines that pack failed.
    #[error(transparent)]
    Elsewhere(Arc<dyn std::error::Error + Send + Sync>),
    /// The account of a parcel is not what was sent.
    #[error("the account of a packed parcel is damaged: {0}")]
    Account(String),
    /// Nobody waits for it any more.
    #[error("the job was cancelled")]
    Cancelled,
    /// A part of the pipeline ended without an answer.
    #[error("internal fault: {0} ended without a result")]
    Lost(&'static str),
}

/// How an ingest is to go about it.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Which log files. A log file is stored whole: the selection chooses files, not events.
    pub selection: Selection,
    /// The most JSON a log file may have.
    pub max_json: u64,
    /// Log files to fetch at once.
    pub fetches: usize,
    /// Threads that pack.
    pub threads: usize,
    /// Whether log files that were rejected before are read again.
    pub retry_rejected: bool,
    /// Whether session tokens and passwords that services log are stored; see [`without_secrets`](crate::event::without_secrets).
    pub keep_secrets: bool,
    /// What log files are compared with while they are read, if they are.
    pub verify: Option<Trust>,
    /// Other machines that fetch and pack, if they do; they must reach the sources and the lake. They compare with nothing.
    pub packers: Option<Arc<dyn Packers>>,
}

/// Reads everything the sources have and the lake lacks.
pub async fn ingest(
    lake: &mut Lake,
    sources: &[Arc<dyn Source>],
    options: &IngestOptions,
    (observer, stop): (&dyn Observer, &Stop),
) -> Result<IngestSummary, IngestError> {
    let begun = Instant::now();
    let known = lake.known_log_files(options.retry_rejected).await?;
    let not_read = lake.not_read().await?;
    let planned = plan(sources, &options.selection, &known, &not_read, observer);
    let Some(plan) = stop.or_done(planned).await else {
        return Ok(IngestSummary {
            stopped_listing: true,
            elapsed: begun.elapsed(),
            ..IngestSummary::default()
        });
    };
    let plan = plan?;
    drop((known, not_read));
    let to_read = plan.log_files.len() as u64;
    let mut summary = IngestSummary {
        listed: plan.listed,
        already_stored: plan.already_stored,
        rejected_before: plan.rejected_before,
        skipped: plan
            .skipped
            .into_iter()
            .map(|s| Refused {
                log_file: s.uri,
                reason: s.reason.to_string(),
            })
            .collect(),
        ..IngestSummary::default()
    };
    observer.phase(Phase::Reading);
    let seen = Arc::new(Mutex::new(lake.seen().await?));
    lake.settle(&seen).await?;
    if !plan.ledger_rows.is_empty() {
        let unread = Packed {
            log_files: plan.ledger_rows,
            ..Packed::default()
        };
        summary.bytes_lake += lake.commit(unread, &seen).await?.1;
    }
    if let Some(packers) = &options.packers {
        let order = Order::new(lake.name(), options);
        let names: Vec<Arc<str>> = sources.iter().map(|source| source.uri().into()).collect();
        let jobs = job::jobs(parcels(plan.log_files, ParcelSize::INGEST), &names, &order);
        let mut done = job::run(packers, jobs, (observer, stop));
        while let Some((id, rows)) = done.try_next().await? {
            let parcel = brought::packed(lake, (id, rows), &seen).await?;
            summary.commit(lake, (parcel, &seen), observer).await?;
        }
    } else {
        let comparison = match &options.verify {
            Some(trust) => {
                Some(comparison(sources, trust, options, (observer, &mut summary)).await?)
            }
            None => None,
        };
        let packer = Packer {
            max_json: options.max_json,
            keep_secrets: options.keep_secrets,
            comparison,
            stop: stop.clone(),
            seen: Arc::clone(&seen),
            handle: tokio::runtime::Handle::current(),
            idle: Arc::default(),
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .build();
        let pool = pool.map_err(|source| IngestError::Threads {
            threads: options.threads,
            source,
        })?;
        let all: Arc<[Arc<dyn Source>]> = sources.into();
        let limits = FetchLimits {
            at_once: options.fetches,
            max_json: options.max_json,
        };
        let mut packed = stream::iter(parcels(plan.log_files, ParcelSize::INGEST))
            .take_while(|_| std::future::ready(!stop.requested()))
            .map(|parcel| stop.or_done(fetch(Arc::clone(&all), parcel, limits)))
            .buffer_unordered(PARCELS_FETCHED)
            .filter_map(std::future::ready)
            .map_err(IngestError::from)
            .map_ok(|fetched| pack(&pool, packer.clone(), fetched))
            .try_buffer_unordered(options.threads);
        while let Some(parcel) = packed.try_next().await? {
            summary.commit(lake, (parcel, &seen), observer).await?;
        }
    }
    summary.end(to_read);
    summary.elapsed = begun.elapsed();
    Ok(summary)
}

/// Follows the digest files of the sources; what is wrong with them, and log files that they list and that are not there, go into
/// the summary.
async fn comparison(
    sources: &[Arc<dyn Source>],
    trust: &Trust,
    options: &IngestOptions,
    (observer, summary): (&dyn Observer, &mut IngestSummary),
) -> Result<Comparison, IngestError> {
    let mut all = Vec::new();
    for source in sources {
        let options = ValidateOptions {
            selection: options.selection.clone(),
            trust: trust.clone(),
            fetches: options.fetches,
            max_json: options.max_json,
            now: chrono::Utc::now(),
        };
        let (listed, findings) = follow(source, &options, observer).await?;
        all.push(listed);
        summary.integrity.extend(findings);
    }
    observer.phase(Phase::Reading);
    Ok(Comparison::new(move |file, bytes| {
        let unlisted = LogFileState::Failed(Problem::LogFileUnlisted);
        let mut states = all.iter().map(|listed| listed.verdict(file, bytes).state);
        let state = states.find(|state| *state != unlisted);
        state.unwrap_or(unlisted).as_str().to_owned()
    }))
}

/// Packs a parcel on one of the pool's threads.
async fn pack(
    pool: &rayon::ThreadPool,
    packer: Packer,
    fetched: FetchedParcel,
) -> Result<Packed, IngestError> {
    let (done, result) = oneshot::channel();
    pool.spawn(move || {
        // Nobody waits any more when the ingest has failed elsewhere.
        let _gone = done.send(packer.pack(fetched));
    });
    result.await.map_err(|_| IngestError::Lost("a parcel"))?
}

impl From<ReadError> for IngestError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Source(error) => IngestError::Source(error),
            ReadError::Lost(what) => IngestError::Lost(what),
        }
    }
}
