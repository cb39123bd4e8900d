//! How do all log files get there, once?
//!
//! In: sources and a lake. Out: every event of the sources in the lake, once, and an [`IngestSummary`] that accounts for
//! every log file and record. Promise: memory is bounded by parcels in flight, whatever the trail's size; killed at any
//! moment, the next run goes on; asked to stop, the parcels in flight are committed.
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
mod there;

pub use brought::Brought;
pub use follow::{Follow, Round};
pub use job::{Job, Order, PackedRows, Packers};
pub use plan::{NotReadBefore, Plan, plan};
pub use there::{Place, pack as pack_there};

use crate::cloudtrail::{Selection, delivery_stamp};
use crate::event::RejectKind;
use crate::integrity::{Finding, LogFileState, Problem, Trust, ValidateOptions, follow};
use crate::lake::{Lake, LakeError, Packed, Seen};
use crate::read::{
    Comparison, FetchLimits, FetchedParcel, LogFileOutcome, LogFileRow, Observer, Outcome,
    ParcelSize, Phase, ReadError, Stop, fetch, parcels,
};
use crate::report::Integrity;
use crate::source::{Source, SourceError};
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use pack::Packer;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
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

/// A log file that was not stored, and why.
#[derive(Debug, Clone)]
pub struct Refused {
    /// URI or path.
    pub log_file: String,
    /// Why.
    pub reason: String,
}

/// The account of an ingest. `events_read` is the sum of the three numbers that follow it.
#[derive(Debug, Clone, Default)]
pub struct IngestSummary {
    /// Log files the sources list.
    pub listed: u64,
    /// Log files read and stored.
    pub stored: u64,
    /// Log files the lake had already.
    pub already_stored: u64,
    /// Log files that could not be read.
    pub rejected: Vec<Refused>,
    /// Log files that an earlier ingest could not read, and that were not tried again.
    pub rejected_before: Vec<Refused>,
    /// Of the log files that could not be read, those that could not be fetched: the next ingest tries again.
    pub unfetched: Vec<String>,
    /// Files and folders that hold no events.
    pub skipped: Vec<Refused>,
    /// Log files that are readable but odd.
    pub remarks: Vec<Refused>,
    /// Records read.
    pub events_read: u64,
    /// Records stored.
    pub events_stored: u64,
    /// Records whose event the lake had already.
    pub events_duplicates: u64,
    /// Records that could not be decoded.
    pub events_rejected: u64,
    /// Bytes read from the sources.
    pub bytes_compressed: u64,
    /// Bytes of JSON.
    pub bytes_json: u64,
    /// Bytes written to the lake.
    pub bytes_lake: u64,
    /// When the last log file that was stored was delivered, by the stamp in its name.
    pub last_delivery: Option<DateTime<Utc>>,
    /// How long it took.
    pub elapsed: Duration,
    /// Log files that were left unread because the ingest was asked to stop.
    pub left: u64,
    /// Log files that were read and turned out to be rejected or to hold no events.
    read_in_vain: u64,
    /// Whether log files were compared with digest files.
    pub compared: bool,
    /// What is wrong with the digest files, and log files that they list and that are not there.
    pub integrity: Vec<Finding>,
    /// Log files that are not those that AWS delivered, and how.
    pub failed: Vec<Refused>,
    /// Log files rejected by this run, by kind of fault.
    pub rejected_by_kind: BTreeMap<RejectKind, u64>,
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
    let plan = plan(sources, &options.selection, &known, &not_read, observer).await?;
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
            .map(|parcel| fetch(Arc::clone(&all), parcel, limits))
            .buffer_unordered(PARCELS_FETCHED)
            .map_err(IngestError::from)
            .map_ok(|fetched| pack(&pool, packer.clone(), fetched))
            .try_buffer_unordered(options.threads);
        while let Some(parcel) = packed.try_next().await? {
            summary.commit(lake, (parcel, &seen), observer).await?;
        }
    }
    summary.left = to_read - summary.stored - summary.read_in_vain;
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

/// Whether the word for a log file's state says that it failed.
fn speaks_against(state: &str) -> bool {
    ![
        Integrity::VALID,
        Integrity::NOT_VERIFIED,
        Integrity::PENDING,
    ]
    .contains(&state)
}

impl IngestSummary {
    /// Log files that were read and hold something else than events.
    pub fn without_events(&self) -> u64 {
        let rejected = (self.rejected.len() + self.rejected_before.len()) as u64;
        self.listed - self.stored - self.already_stored - rejected - self.left
    }

    /// Commits a parcel, and takes it into account.
    async fn commit(
        &mut self,
        lake: &mut Lake,
        (parcel, seen): (Packed, &Mutex<Seen>),
        observer: &dyn Observer,
    ) -> Result<(), IngestError> {
        let (rows, bytes) = lake.commit(parcel, seen).await?;
        self.bytes_lake += bytes;
        for row in rows {
            self.add(row, observer);
        }
        Ok(())
    }

    /// Takes a log file into account.
    fn add(&mut self, row: LogFileRow, observer: &dyn Observer) {
        self.events_read += row.events;
        self.events_stored += row.stored;
        self.events_duplicates += row.duplicates;
        self.events_rejected += row.rejected;
        self.bytes_json += row.json_bytes;
        observer.events(row.events, row.stored, row.duplicates, row.rejected);
        self.compared |= row.integrity.is_some();
        if let Some(problem) = row.integrity.as_deref().filter(|it| speaks_against(it)) {
            self.failed.push(Refused {
                log_file: row.log_file.clone(),
                reason: problem.to_owned(),
            });
        }
        if let Some(kind) = row.rejected_as {
            *self.rejected_by_kind.entry(kind).or_default() += 1;
        }
        if row.outcome == LogFileOutcome::Stored {
            let name = row.log_file.rsplit(['/', '\\']).next();
            self.last_delivery = self.last_delivery.max(name.and_then(delivery_stamp));
        }
        if row.outcome == LogFileOutcome::Unfetched {
            self.unfetched.push(row.log_file.clone());
        }
        let outcome = Outcome::from(row.outcome);
        let list = match outcome {
            Outcome::Stored | Outcome::AlreadyStored => &mut self.remarks,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Rejected => &mut self.rejected,
        };
        if let Some(reason) = row.reason {
            list.push(Refused {
                log_file: row.log_file,
                reason,
            });
        }
        match outcome {
            Outcome::Stored => self.stored += 1,
            _ => self.read_in_vain += 1,
        }
        if row.outcome != LogFileOutcome::Unfetched {
            self.bytes_compressed += row.size_bytes;
        }
        observer.log_file(row.size_bytes, outcome);
    }
}
