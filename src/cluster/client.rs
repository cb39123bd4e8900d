//! The client of a cluster.
//!
//! In: a scheduler's address, and plans of a session. Out: plans whose rows come from there. Promise: a cluster that cannot work
//! is known before the first query; whatever is not known to give the same rows there runs here, and that is told.

use super::codec::Codec;
use super::guard::{self, Route};
use super::job::Jobs;
use super::rows::{ClusterExec, Sent};
use super::{Address, ClusterError, Far, Follow, functions, plan, probe, settings, unions};
use crate::session::{Carried, Elsewhere};
use datafusion::execution::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// Partitions of a plan for each executor, and for all: enough tasks for machines of many cores, not so many that each has
/// nothing to do.
const PARTITIONS_EACH: usize = 16;
const MOST_PARTITIONS: usize = 512;

/// A cluster to run queries on.
#[derive(Debug)]
pub struct Cluster {
    jobs: Arc<Jobs>,
    /// How many executors there were.
    executors: usize,
    /// How many partitions plans have, and how many of them a task takes at most.
    partitions: usize,
    partitions_per_task: usize,
    /// The name of this client; by it executors know what they can keep from one query to the next.
    session: String,
}

impl Cluster {
    /// Finds the scheduler, and waits a moment for its first executor.
    ///
    /// # Errors
    ///
    /// There is no scheduler at the address, or it has no executor.
    pub async fn connect(address: Address, follow: Arc<dyn Follow>) -> Result<Self, ClusterError> {
        let executors = probe::executors(&address).await?;
        Ok(Self {
            jobs: Arc::new(Jobs::new(address, follow)),
            executors,
            partitions: (executors * PARTITIONS_EACH).min(MOST_PARTITIONS),
            partitions_per_task: 0,
            session: uuid::Uuid::new_v4().to_string(),
        })
    }

    /// The same cluster, with tasks of so many partitions at most; 0 for as many as an executor has free slots.
    ///
    /// A task is what is done again when it fails.
    #[must_use]
    pub fn with_partitions_per_task(self, partitions_per_task: usize) -> Self {
        Self {
            partitions_per_task,
            ..self
        }
    }

    pub(super) fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
    }

    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// Something runs here that could have run there.
    pub(super) fn told(&self, why: &str) {
        self.jobs.follow().stays(why);
    }

    pub(super) fn executors(&self) -> usize {
        self.executors
    }

    /// Cancels what is still under way there.
    pub async fn end(&self) {
        self.jobs.end().await;
    }

    /// How far the query under way is.
    pub fn far(&self) -> Far {
        self.jobs.far()
    }
}

impl Elsewhere for Cluster {
    fn planner(&self, state: &SessionState) -> SessionState {
        settings::planner(state, self.partitions, self.partitions_per_task)
    }

    fn carry(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Carried {
        let plan = match unions::separate(plan) {
            Ok(plan) => plan,
            Err(error) => return Carried::Here(Some(error.strip_backtrace())),
        };
        match guard::check(plan.as_ref()) {
            Route::Travels => {}
            Route::ReadsNothing => return Carried::Here(None),
            Route::Stays(why) => return Carried::Here(Some(why)),
        }
        let codec = Codec::new(functions::known(state));
        match plan::write(&plan, &codec, &state.task_ctx()) {
            Ok(bytes) => {
                let sent = Sent {
                    plan: bytes,
                    session: self.session.clone(),
                    config: state.config().clone(),
                };
                let jobs = Arc::clone(&self.jobs);
                Carried::There(Arc::new(ClusterExec::new(jobs, sent, plan)))
            }
            Err(why) => Carried::Here(Some(why)),
        }
    }

    fn stays(&self, why: &str) {
        self.told(why);
    }
}
