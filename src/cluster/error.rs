//! What can go wrong with a cluster.
//!
//! In: answers of schedulers and executors, or none. Out: [`ClusterError`]. Promise: who failed is named, by address; no advice,
//! that is the command line's.

use super::Address;
use std::path::PathBuf;

/// Why a cluster did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Nobody answers at the scheduler's address.
    #[error("the scheduler {address} cannot be reached")]
    Unreachable {
        /// The scheduler.
        address: Address,
        /// What the network said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody answers there who is not a scheduler.
    #[error("{address} is not a scheduler of a keytrail cluster: {answer:?}")]
    Foreign {
        /// The address.
        address: Address,
        /// The first line that was answered.
        answer: String,
    },
    /// The scheduler has no executor.
    #[error("the cluster {address} has no executor: none registered within {seconds} s")]
    NoExecutor {
        /// The scheduler.
        address: Address,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Parts of the cluster are of different versions.
    #[error("{0}")]
    Version(String),
    /// The scheduler does not take the plan.
    #[error("the scheduler {address} refused the job: {reason}")]
    Refused {
        /// The scheduler.
        address: Address,
        /// What it said.
        reason: String,
    },
    /// The connection to the scheduler broke while it worked.
    #[error("the scheduler {address} went away during the job")]
    Lost {
        /// The scheduler.
        address: Address,
        /// What the network said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An executor went away during the job, again and again.
    #[error("executors of the cluster {address} went away during the job, again and again")]
    ExecutorLost {
        /// The scheduler.
        address: Address,
    },
    /// All executors went away while they worked.
    #[error("all executors of the cluster {address} went away during the job")]
    ExecutorsLost {
        /// The scheduler.
        address: Address,
    },
    /// The work failed on an executor.
    #[error("the job failed on the cluster: {reason}")]
    Failed {
        /// What the executor said.
        reason: String,
    },
    /// There is no room for what executors hand to each other.
    #[error("the work folder of an executor is full: {reason}")]
    Full {
        /// What the executor said.
        reason: String,
    },
    /// The rows are there and could not be fetched.
    #[error("the answer could not be fetched from executor {executor}: {reason}")]
    Fetch {
        /// Host and port.
        executor: String,
        /// What went wrong.
        reason: String,
    },
    /// A scheduler or an executor cannot listen.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// An executor's folder cannot be used.
    #[error("work folder {}: {source}", folder.display())]
    WorkDir {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An executor's folder belongs to another executor.
    #[error("work folder {}: another executor uses it", folder.display())]
    WorkDirTaken {
        /// The folder.
        folder: PathBuf,
    },
    /// A scheduler or an executor ended by itself.
    #[error("{what} ended: {reason}")]
    Ended {
        /// The process.
        what: &'static str,
        /// What Ballista said.
        reason: String,
    },
}

impl ClusterError {
    /// What a failed job means, from Ballista's text.
    pub(super) fn of_job(address: &Address, said: &str) -> Self {
        if let Some((_, mismatch)) = said.split_once(super::settings::MISMATCH) {
            let mismatch = mismatch.lines().next().unwrap_or_default();
            let mismatch = mismatch
                .split_once(')')
                .map_or(mismatch, |(words, _)| words);
            return Self::Version(format!("{}{mismatch})", super::settings::MISMATCH));
        }
        let reason = plain(said);
        if said.contains("no executor re-registered") || said.contains("all executors were lost") {
            return Self::ExecutorsLost {
                address: address.clone(),
            };
        }
        if said.contains("FetchPartition")
            || said.contains("fetch partition")
            || said.contains("FetchFailed")
            || said.contains("Shuffle fetch")
            || said.contains("has failed 1 times")
            || said.contains("Executor lost")
        {
            return Self::ExecutorLost {
                address: address.clone(),
            };
        }
        match said.contains("No space left on device") || said.contains("StorageFull") {
            true => Self::Full { reason },
            false => Self::Failed { reason },
        }
    }
}

/// Ballista's text without the layers through which the error went.
fn plain(said: &str) -> String {
    const LAYERS: [&str; 12] = [
        "Task failed due to runtime execution error: ",
        "DataFusion error: ",
        "DataFusionError(",
        "ArrowError(",
        "Execution(",
        "Execution error: ",
        "External(",
        "External error: ",
        "Arrow error: ",
        "Parquet error: ",
        "IO error: ",
        "Shared(",
    ];
    let first = said.trim().lines().next().unwrap_or_default();
    // Job failed due to stage 1 failed: …
    let mut said = match first.strip_prefix("Job failed due to stage ") {
        Some(rest) => rest
            .split_once(" failed: ")
            .map_or(first, |(_, reason)| reason),
        None => first,
    };
    let mut open = 0;
    while let Some((layer, inside)) = LAYERS
        .iter()
        .find_map(|layer| Some((layer, said.strip_prefix(layer)?)))
    {
        open += usize::from(layer.ends_with('('));
        said = inside.trim();
    }
    for _ in 0..open {
        said = said.strip_suffix(')').unwrap_or(said);
    }
    match said.trim_matches('"').trim_end_matches(", None") {
        // As the engine says it where it does not pass through others.
        "DivideByZero" => "Divide by zero error".to_owned(),
        said => said.trim_end_matches('"').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_said_without_the_way_it_came() {
        let said = "Job failed due to stage 1 failed: Task failed due to runtime execution error: DataFusionError(Shared(External(ArrowError(DivideByZero))))\n";
        assert_eq!(plain(said), "Divide by zero error");
        let said = "Job failed due to stage 12 failed: Task failed due to runtime execution error: DataFusionError(Execution(\"a (b) c\"))";
        assert_eq!(plain(said), "a (b) c");
        assert_eq!(plain("Cancelled"), "Cancelled");
    }

    #[test]
    fn failures_have_their_own_names() {
        let address = "df://a:1".parse().unwrap();
        let of = |said: &str| ClusterError::of_job(&address, said);
        let full = "Task failed due to runtime execution error: IoError(Os { code: 28, kind: StorageFull, message: \"No space left on device\" })";
        assert!(matches!(of(full), ClusterError::Full { .. }));
        let lost = "all executors were lost and no executor re-registered within 10s";
        assert!(matches!(of(lost), ClusterError::ExecutorsLost { .. }));
        let mismatch = format!(
            "Failed to create SessionContext: DataFusionError(Execution(\"{}the query comes from 2, the scheduler is 1 (all must be equal)\"))",
            super::super::settings::MISMATCH
        );
        assert_eq!(
            of(&mismatch).to_string(),
            "different versions of keytrail: the query comes from 2, the scheduler is 1 (all must be equal)"
        );
    }
}
