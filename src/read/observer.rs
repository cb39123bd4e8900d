//! How reading shows its progress, and how it is asked to stop.
//!
//! In: what happens in the pipeline. Out: nothing, unless somebody observes. Promise: the library itself never prints;
//! an [`Observer`] may be called from many threads at once and must return quickly.

use super::LogFileOutcome;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The phases of an ingest, or of a question without a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Log files are looked for in the source.
    Listing,
    /// Log files are fetched and decoded, and stored if there is a lake.
    Reading,
    /// What was read last is being made part of the lake.
    Committing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Listing => "listing",
            Phase::Reading => "reading",
            Phase::Committing => "committing",
        })
    }
}

/// What became of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its events were read.
    Stored,
    /// Its events were in the lake before.
    AlreadyStored,
    /// It could not be read as a log file.
    Rejected,
    /// It holds something else than events, e.g. a digest file.
    Skipped,
}

impl From<LogFileOutcome> for Outcome {
    fn from(outcome: LogFileOutcome) -> Self {
        match outcome {
            LogFileOutcome::Stored | LogFileOutcome::Listed => Self::Stored,
            LogFileOutcome::Skipped | LogFileOutcome::Beside => Self::Skipped,
            LogFileOutcome::Rejected
            | LogFileOutcome::Unfetched
            | LogFileOutcome::Archived
            | LogFileOutcome::Unreadable => Self::Rejected,
        }
    }
}

/// Work that other machines do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// Stages that were given to them.
    pub stages: u64,
    /// Those that ended.
    pub stages_done: u64,
    /// Tasks of these stages.
    pub tasks: u64,
    /// Those that ended.
    pub tasks_done: u64,
}

impl Spread {
    /// Stages of so many tasks are given to other machines.
    pub fn begun(stages: usize, tasks: usize) -> Self {
        Self {
            stages: stages as u64,
            tasks: tasks as u64,
            ..Self::default()
        }
    }

    /// A stage of so many tasks ended.
    pub fn done(tasks: usize) -> Self {
        Self {
            stages_done: 1,
            tasks_done: tasks as u64,
            ..Self::default()
        }
    }
}

/// Follows the progress of an ingest or of a question. Numbers are increments since the last call.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A new phase begins. Each reading of the log files is a phase: a question may read them more than once.
    fn phase(&self, phase: Phase);

    /// More log files were found, with their size as stored in the source.
    fn listed(&self, files: u64, bytes: u64);

    /// What this phase is going to read, without what a lake already has. Not an increment.
    fn total(&self, files: u64, bytes: u64);

    /// A log file of this stored size is done.
    fn log_file(&self, bytes: u64, outcome: Outcome);

    /// Events were read; each is stored, a duplicate, or rejected.
    fn events(&self, read: u64, stored: u64, duplicates: u64, rejected: u64);

    /// Work was given to other machines, or ended there.
    fn spread(&self, _: Spread) {}
}

/// Ignores progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn phase(&self, _: Phase) {}
    fn listed(&self, _: u64, _: u64) {}
    fn total(&self, _: u64, _: u64) {}
    fn log_file(&self, _: u64, _: Outcome) {}
    fn events(&self, _: u64, _: u64, _: u64, _: u64) {}
}

/// Between two looks at whether to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// A request to end early: the log files that are being decoded are given up, what was decoded is committed, no new
/// parcel is begun. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the ingest to end.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// What `work` gives, unless the ingest is asked to end meanwhile: then the work is given up.
    pub(crate) async fn or_done<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.asked() => None,
        }
    }

    async fn asked(&self) {
        while !self.requested() {
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// What decoders look at within a log file.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Whether the ingest was asked to end.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
