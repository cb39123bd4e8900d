//! How an executor runs its part of a plan.
//!
//! In: a stage of a plan. Out: what Ballista's own engine makes of it. Promise: a plan of another version of keytrail is refused
//! by name; a fault that may pass (the object store or the network, after their own retries) is one that Ballista tries again.

use super::connections::Connections;
use super::parcels::ParcelsExec;
use super::settings;
use crate::read::Stop;
use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::{
    RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport,
};
use ballista_executor::execution_engine::{
    DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor,
};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Ballista's engine.
pub(super) struct Engine {
    ballista: DefaultExecutionEngine,
}

impl Engine {
    pub(super) fn new() -> Self {
        let connections = Arc::new(Connections::default());
        Self {
            ballista: DefaultExecutionEngine::with_client_pool(connections),
        }
    }
}

impl ExecutionEngine for Engine {
    fn create_query_stage_exec(
        &self,
        job: JobId,
        stage: usize,
        task: usize,
        partitions: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        settings::same_version("the executor", config)?;
        let mut stops = Vec::new();
        plan.apply(|node| {
            stops.extend(node.downcast_ref::<ParcelsExec>().map(ParcelsExec::stop));
            Ok(TreeNodeRecursion::Continue)
        })?;
        let stage = self
            .ballista
            .create_query_stage_exec(job, stage, task, partitions, plan, work_dir, config)?;
        Ok(Arc::new(Stage { stage, stops }))
    }
}

/// A part of a plan.
#[derive(Debug)]
struct Stage {
    stage: Arc<dyn QueryStageExecutor>,
    /// Those who work on parcels within it.
    stops: Vec<Stop>,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stage.fmt(f)
    }
}

/// Stops those who work on parcels when it is given up: Ballista does not stop the tasks of a job that was cancelled.
struct Running<'a> {
    stops: &'a [Stop],
    ended: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.stops.iter().for_each(Stop::request);
        }
    }
}

#[async_trait]
impl QueryStageExecutor for Stage {
    async fn execute_query_stage(
        &self,
        task: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        let mut running = Running {
            stops: &self.stops,
            ended: false,
        };
        let done = self.stage.execute_query_stage(task, context).await;
        running.ended = true;
        done.map_err(|error| match may_pass(&error) {
            true => DataFusionError::IoError(io::Error::other(error.strip_backtrace())),
            false => error,
        })
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.stage.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.stage.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.stage.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.stage.collect_column_stats()
    }
}

/// Whether doing it again may help. An object store says `Generic` of what it could not get through to; what it was refused,
/// or what is not there, has a name.
fn may_pass(error: &DataFusionError) -> bool {
    let mut error: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = error {
        if let Some(store) = inner.downcast_ref::<object_store::Error>() {
            return matches!(store, object_store::Error::Generic { .. });
        }
        error = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::errors::ParquetError;

    #[test]
    fn what_a_bucket_did_not_answer_is_tried_again() {
        let generic = || object_store::Error::Generic {
            store: "S3",
            source: "503 Slow Down".into(),
        };
        let missing = || object_store::Error::NotFound {
            path: "a".to_owned(),
            source: "404".into(),
        };
        let through = |error: object_store::Error| {
            let parquet = ParquetError::External(Box::new(error));
            DataFusionError::ParquetError(Box::new(parquet))
        };
        assert!(may_pass(&through(generic())));
        assert!(may_pass(&DataFusionError::ObjectStore(Box::new(generic()))));
        assert!(!may_pass(&through(missing())));
        assert!(!may_pass(&DataFusionError::Execution("1 / 0".to_owned())));
    }
}
