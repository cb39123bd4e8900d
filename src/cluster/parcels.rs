//! The operator that works on parcels.
//!
//! In: lists of log files, one partition for each parcel. Out: what the task makes of each: the account of the data files that were
//! packed, or decoded events. Promise: a partition is worked on alone, so that it does not matter which task has it, or how often it
//! is tried; a fault that may pass is one that Ballista tries again; given up, it stops within the log file.

use super::parcel::{Parcel, fault};
use super::reach::Reach;
use super::task::Task;
use super::{pack, read, work};
use crate::read::Stop;
use crate::session::schema_there;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, exec_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, PlanProperties,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::fmt;
use std::sync::Arc;

/// Works on parcels.
#[derive(Debug)]
pub(super) struct ParcelsExec {
    input: Arc<dyn ExecutionPlan>,
    task: Arc<Task>,
    /// None where plans are only handled.
    reach: Option<Arc<Reach>>,
    stop: Stop,
    properties: Arc<PlanProperties>,
}

impl ParcelsExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        task: Arc<Task>,
        reach: Option<Arc<Reach>>,
    ) -> Self {
        let parcels = input.output_partitioning().partition_count();
        let schema = match task.as_ref() {
            Task::Pack(_) => pack::schema(),
            Task::Read { form, .. } => schema_there(form),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(parcels),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            input,
            task,
            reach,
            stop: Stop::default(),
            properties: Arc::new(properties),
        }
    }

    pub(super) fn task(&self) -> &Task {
        &self.task
    }

    /// By this it is asked to stop: Ballista lets tasks that were cancelled go on.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

impl DisplayAs for ParcelsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task.as_ref() {
            Task::Pack(order) => write!(f, "ParcelsExec: pack {order:?}"),
            Task::Read { form, .. } => write!(f, "ParcelsExec: read {:?} {form}", form.shape()),
        }
    }
}

impl ExecutionPlan for ParcelsExec {
    fn name(&self) -> &'static str {
        "ParcelsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// Parcels stay whole.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("parcels come from one list");
        };
        let (task, reach) = (Arc::clone(&self.task), self.reach.clone());
        Ok(Arc::new(Self {
            stop: self.stop.clone(),
            ..Self::new(input, task, reach)
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let Some(reach) = self.reach.clone() else {
            return exec_err!("only executors work on parcels");
        };
        let list = self.input.execute(partition, context)?;
        let (task, stop) = (Arc::clone(&self.task), self.stop.clone());
        let done = async move {
            let parcel = work::parcel(&collect(list).await?)?;
            if parcel.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let parcel = Parcel::reached(&reach, parcel).await.map_err(fault)?;
            let rows = match task.as_ref() {
                Task::Pack(order) => pack::rows(&reach, parcel, (order, &stop)).await?,
                Task::Read { form, .. } => read::rows(parcel, form, &stop).await?,
            };
            Ok::<_, DataFusionError>(stream::iter(rows.into_iter().map(Ok)).boxed())
        };
        let rows = stream::once(done).try_flatten();
        let schema: SchemaRef = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
