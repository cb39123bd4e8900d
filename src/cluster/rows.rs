//! The operator that has its rows worked out elsewhere.
//!
//! In: a plan in bytes. Out: its rows, as an operator of one partition that any session can run. Promise: the rows come in the
//! order of the plan; given up, the work elsewhere is cancelled.

use super::ClusterError;
use super::answer::Answer;
use super::job::Jobs;
use crate::session::ElsewhereFault;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion::prelude::SessionConfig;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::fmt;
use std::sync::Arc;

/// What is sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) plan: Vec<u8>,
    pub(super) session: String,
    pub(super) config: SessionConfig,
}

/// Runs a plan on a cluster.
#[derive(Debug)]
pub(super) struct ClusterExec {
    jobs: Arc<Jobs>,
    sent: Arc<Sent>,
    /// What runs there, to be shown.
    plan: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ClusterExec {
    pub(super) fn new(jobs: Arc<Jobs>, sent: Sent, plan: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(plan.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            jobs,
            sent: Arc::new(sent),
            plan,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterExec: ")?;
        self.plan.fmt_as(kind, f)
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &'static str {
        "ClusterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// What runs elsewhere is not carried out by this engine.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("what runs on a cluster has no inputs here"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        _: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let (jobs, sent) = (Arc::clone(&self.jobs), Arc::clone(&self.sent));
        let rows_read = MetricBuilder::new(&self.metrics).output_rows(partition);
        let answered = async move {
            let answer = jobs.run(sent.plan.clone(), sent.session.clone(), &sent.config);
            let answer = answer.await.map_err(fault)?;
            let (bytes, rows) = answer.kept();
            tracing::info!(parts = answer.parts(), bytes, rows, "cluster answered");
            Ok::<_, DataFusionError>(rows_of(answer, 0))
        };
        let rows = stream::once(answered).try_flatten();
        let counted = rows.inspect_ok(move |batch| rows_read.add(batch.num_rows()));
        let schema = SchemaRef::clone(self.properties.eq_properties.schema());
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, counted)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The parts one after the other, from one of them on.
pub(super) fn rows_of(
    answer: Answer,
    part: usize,
) -> stream::BoxStream<'static, Result<RecordBatch, DataFusionError>> {
    let next = async move {
        if part == answer.parts() {
            return Ok(stream::empty().boxed());
        }
        let rows = answer.fetch(part).await.map_err(fault)?;
        let rest = stream::once(async move { rows_of(answer, part + 1) }).flatten();
        Ok::<_, DataFusionError>(rows.chain(rest).boxed())
    };
    stream::once(next).try_flatten().boxed()
}

fn fault(error: ClusterError) -> DataFusionError {
    ElsewhereFault(Arc::new(error)).into()
}
