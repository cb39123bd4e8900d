//! The operator that packs parcels.
//!
//! In: lists of log files, one partition for each parcel. Out: data files in the lake's folder, and for each parcel the account of them,
//! in bytes. Promise: a partition is packed on its own, so that it does not matter which task has it, or how often it is tried; a
//! fault that may pass is one that Ballista tries again; given up, it stops within the log file.

use super::reach::Reach;
use super::work;
use crate::ingest::{IngestError, Order, Place, pack_there};
use crate::lake::LakeError;
use crate::read::Stop;
use crate::source::SourceError;
use arrow::array::{BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
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
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Bytes of a row: an account may be longer than a message.
const PIECE: usize = 4 << 20;

/// Packs parcels.
#[derive(Debug)]
pub(super) struct PackExec {
    input: Arc<dyn ExecutionPlan>,
    order: Arc<Order>,
    /// None where plans are only handled.
    reach: Option<Arc<Reach>>,
    stop: Stop,
    properties: Arc<PlanProperties>,
}

fn schema() -> SchemaRef {
    let bytes = Field::new("account", DataType::Binary, false);
    Arc::new(Schema::new(vec![bytes]))
}

impl PackExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        order: Arc<Order>,
        reach: Option<Arc<Reach>>,
    ) -> Self {
        let parcels = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema()),
            Partitioning::UnknownPartitioning(parcels),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            input,
            order,
            reach,
            stop: Stop::default(),
            properties: Arc::new(properties),
        }
    }

    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    /// By this it is asked to stop: Ballista lets tasks that were cancelled go on.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

impl DisplayAs for PackExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackExec: {:?}", self.order)
    }
}

impl ExecutionPlan for PackExec {
    fn name(&self) -> &'static str {
        "PackExec"
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
            return internal_err!("parcels are packed from one list");
        };
        let (order, reach) = (Arc::clone(&self.order), self.reach.clone());
        Ok(Arc::new(Self {
            stop: self.stop.clone(),
            ..Self::new(input, order, reach)
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let Some(reach) = self.reach.clone() else {
            return exec_err!("parcels are packed by executors only");
        };
        let list = self.input.execute(partition, context)?;
        let (order, stop) = (Arc::clone(&self.order), self.stop.clone());
        let packed = async move {
            let parcel = work::parcel(&collect(list).await?)?;
            if parcel.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let account = pack(&reach, parcel, (&order, &stop)).await.map_err(fault)?;
            let pieces: Vec<_> = account.chunks(PIECE).map(row).collect();
            Ok::<_, DataFusionError>(stream::iter(pieces).boxed())
        };
        let rows = stream::once(packed).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema(), rows)))
    }
}

fn row(piece: &[u8]) -> Result<RecordBatch, DataFusionError> {
    let piece = BinaryArray::from_iter_values([piece]);
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(piece)])?)
}

async fn pack(
    reach: &Reach,
    parcel: Vec<(String, crate::source::LogFile)>,
    (order, stop): (&Order, &Stop),
) -> Result<Vec<u8>, IngestError> {
    let lake = reach.lake(&order.lake).await?;
    let (mut names, mut sources, mut log_files) = (Vec::new(), Vec::new(), Vec::new());
    for (name, file) in parcel {
        let at = match names.iter().position(|known| *known == name) {
            Some(at) => at,
            None => {
                sources.push(reach.source(&name).await?);
                names.push(name);
                names.len() - 1
            }
        };
        log_files.push((at, file));
    }
    let place = Place {
        sources,
        log_files,
        lake,
    };
    pack_there(place, order, stop).await?.to_bytes()
}

/// What Ballista is told: an error of input and output where trying again may help, else a sentence, which is all that gets
/// through to the client.
fn fault(error: IngestError) -> DataFusionError {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_said = inner.to_string();
        if !said.contains(&inner_said) {
            said = format!("{said}: {inner_said}");
        }
        cause = inner.source();
    }
    match may_pass(&error) {
        true => DataFusionError::IoError(io::Error::other(said)),
        false => DataFusionError::Execution(said),
    }
}

fn may_pass(error: &IngestError) -> bool {
    match error {
        IngestError::Source(error) => matches!(
            error,
            SourceError::Service { .. } | SourceError::Connection { .. }
        ),
        IngestError::Lake(LakeError::Storage(error)) => {
            matches!(error, object_store::Error::Generic { .. })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_an_error_that_ballista_tries_again() {
        let slow = SourceError::Service {
            uri: "s3://b/k".to_owned(),
            operation: "GetObject",
            code: "SlowDown".to_owned(),
            message: "wait".to_owned(),
        };
        let passes = fault(IngestError::Source(slow));
        assert!(matches!(passes, DataFusionError::IoError(_)), "{passes}");
        let lost = object_store::Error::Generic {
            store: "S3",
            source: "503".into(),
        };
        let passes = fault(IngestError::Lake(LakeError::Storage(lost)));
        assert!(matches!(passes, DataFusionError::IoError(_)), "{passes}");
        let gone = SourceError::NoSuchBucket {
            bucket: "b".to_owned(),
        };
        let stays = fault(IngestError::Source(gone));
        assert!(
            matches!(&stays, DataFusionError::Execution(said) if said == "there is no bucket b"),
            "{stays}"
        );
    }
}
