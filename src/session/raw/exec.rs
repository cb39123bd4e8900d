//! The operator that decodes log files.
//!
//! In: a list of work, as rows of another plan. Out: batches of events, decoded here or on other machines. Promise: a unary operator that keeps its input's
//! partitions, so that an engine may cut the list into as many tasks as it likes; decoding goes on while the query works on
//! what is there already; a plan that is run again reads all of it again (recursive queries do, once per step).

use super::scan::{Round, Wanted};
use super::work::parcel;
use super::{elsewhere, locked};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use std::fmt;
use std::sync::{Arc, Mutex};

/// Decodes the log files of a list.
#[derive(Debug)]
pub(crate) struct DecodeExec {
    work: Arc<dyn ExecutionPlan>,
    wanted: Arc<Wanted>,
    /// Threads that decode for each partition.
    threads: usize,
    limit: Option<usize>,
    /// How often each partition was begun, and the readings of the list that this made.
    runs: Mutex<Runs>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

#[derive(Debug)]
struct Runs {
    begun: Vec<usize>,
    rounds: Vec<Arc<Round>>,
}

impl DecodeExec {
    /// The name in plans.
    pub(crate) const NAME: &'static str = "DecodeExec";

    /// Decodes what `work` lists, with so many threads for each of its partitions.
    pub(super) fn new(work: Arc<dyn ExecutionPlan>, wanted: Arc<Wanted>, threads: usize) -> Self {
        let partitions = work.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(SchemaRef::clone(&wanted.form.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            work,
            wanted,
            threads,
            limit: None,
            runs: Mutex::new(Runs {
                begun: vec![0; partitions],
                rounds: Vec::new(),
            }),
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same, and no more rows of a partition than these.
    pub(super) fn limited(self, limit: Option<usize>) -> Self {
        Self { limit, ..self }
    }

    fn again(&self, work: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(work, Arc::clone(&self.wanted), self.threads).limited(self.limit)
    }

    /// The reading that a partition takes part in when it is begun once more.
    fn round(&self, partition: usize) -> Arc<Round> {
        let mut runs = locked(&self.runs);
        let run = runs.begun[partition];
        runs.begun[partition] += 1;
        while runs.rounds.len() <= run {
            let round = Round::begin(Arc::clone(&self.wanted), runs.begun.len());
            runs.rounds.push(Arc::new(round));
        }
        Arc::clone(&runs.rounds[run])
    }
}

/// A partition that somebody reads. Given up, it is no longer decoded for.
struct Part(Arc<Round>);

impl Drop for Part {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The events of the log files of a list.
fn here(
    listed: SendableRecordBatchStream,
    round: Arc<Round>,
    threads: usize,
) -> BoxStream<'static, Result<RecordBatch, DataFusionError>> {
    // Spawned, so that decoding goes on while the query works on what is there already.
    listed
        .map(move |batch| tokio::spawn(decoded(Arc::clone(&round), batch)))
        .buffered(threads + 1)
        .map(|read| read.map_err(|error| DataFusionError::External(Box::new(error)))?)
        .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// The events of a parcel.
async fn decoded(
    round: Arc<Round>,
    listed: Result<RecordBatch, DataFusionError>,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    round.read(parcel(&listed?)).await
}

impl DisplayAs for DecodeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Self::NAME, self.wanted.form)?;
        if self.wanted.elsewhere().is_some() {
            f.write_str(", on the cluster")?;
        }
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for DecodeExec {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.work]
    }

    /// The list is cut as it is meant to be: a row of it is a log file, and takes as long as thousands of other rows.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        match self.wanted.form.filter() {
            Some(filter) => visit(filter),
            None => Ok(TreeNodeRecursion::Continue),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        match (children.pop(), children.is_empty()) {
            (Some(work), true) => Ok(Arc::new(self.again(work))),
            _ => internal_err!("{} has one input", Self::NAME),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let round = self.round(partition);
        let listed = self.work.execute(partition, context)?;
        let part = Part(Arc::clone(&round));
        let batches = match self.wanted.elsewhere() {
            Some(there) => elsewhere::decoded(listed, round, there),
            None => here(listed, round, self.threads),
        };
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let rows = metrics.output_rows().clone();
        let counted = batches.inspect_ok(move |batch: &RecordBatch| {
            let _in_use = &part;
            rows.add(batch.num_rows());
        });
        let stream = make_cooperative(Box::pin(RecordBatchStreamAdapter::new(
            SchemaRef::clone(&self.wanted.form.schema),
            counted,
        )));
        Ok(match self.limit {
            None => stream,
            Some(limit) => {
                let unseen = BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), partition);
                Box::pin(LimitStream::new(stream, 0, Some(limit), unseen))
            }
        })
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(self.again(Arc::clone(&self.work)).limited(limit)))
    }
}
