//! Queries that can be stopped.
//!
//! In: a plan. Out: a plan that gives way now and then. Promise: a query that is given up leaves its threads to the next
//! one soon, and planning keeps nobody from giving up.
//!
//! A task ends only where it waits. The engine's leaves see to that: they wait a moment now and then, however quickly rows
//! come. But a join can make millions of rows of the few that it was given by its leaves, and what is above it
//! would add them up without ever waiting.

use datafusion::common::DataFusionError;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use std::sync::Arc;

/// The plan with a place to wait above all that can give more rows than it takes.
pub(super) fn can_be_stopped(
    plan: Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let placed = plan.transform_up(|plan| {
        let multiplies = plan.children().len() > 1 || plan.name() == "UnnestExec";
        Ok(match multiplies {
            true => Transformed::yes(Arc::new(CooperativeExec::new(plan))),
            false => Transformed::no(plan),
        })
    });
    placed.map(|placed| placed.data)
}

/// Computes in a task of its own: whoever waits can give up, whatever the planner is at.
pub(super) async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, DataFusionError>> + Send + 'static,
) -> Result<T, DataFusionError> {
    match SpawnedTask::spawn(work).join().await {
        Ok(done) => done,
        Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error))),
    }
}
