//! A scan of what was kept.
//!
//! In: a slot of a spool, and a scan that it covers. Out: the rows of the scan. Promise: pieces without such rows are not
//! read; columns that are only needed to tell the rows are read alone first.

use super::fault::ReadFault;
use super::fill::Spool;
use super::kept::{Kept, Piece};
use super::want::Want;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::Session as CatalogSession;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::fmt;
use std::sync::Arc;

/// A scan of kept rows.
#[derive(Debug)]
pub(super) struct KeptScan {
    spool: Arc<Spool>,
    picked: Arc<Picked>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What a scan takes of a slot.
#[derive(Debug)]
struct Picked {
    slot: usize,
    schema: SchemaRef,
    /// The columns it gives, by their place among those that are kept.
    columns: Vec<usize>,
    /// What the slot did not ask of its rows, and the places of the columns for that.
    rest: Option<(Arc<dyn PhysicalExpr>, Vec<usize>)>,
}

impl KeptScan {
    /// A scan by so many threads.
    pub(super) fn new(
        state: &dyn CatalogSession,
        (spool, slot): (Arc<Spool>, usize),
        (want, threads): (&Want, usize),
    ) -> Result<Self, DataFusionError> {
        let table = SchemaRef::clone(&spool.table);
        let place = |column: &usize| {
            let place = spool.columns.binary_search(column);
            place.map_err(|_| DataFusionError::Internal(format!("column {column} is not kept")))
        };
        let columns: Vec<usize> = want.columns.iter().map(place).collect::<Result<_, _>>()?;
        let schema = Arc::new(table.project(&want.columns)?);
        let rest = spool.slots[slot].rest(want);
        let rest = match conjunction(rest) {
            Some(condition) => {
                let mut needed = Vec::new();
                for column in condition.column_refs() {
                    let column = table.index_of(column.name())?;
                    if !needed.contains(&column) {
                        needed.push(column);
                    }
                }
                let rows = Arc::new(table.project(&needed)?);
                let rows = DFSchema::try_from(rows)?;
                let condition = state.create_physical_expr(condition, &rows)?;
                Some((
                    condition,
                    needed.iter().map(place).collect::<Result<_, _>>()?,
                ))
            }
            None => None,
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(SchemaRef::clone(&schema)),
            Partitioning::UnknownPartitioning(threads.max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            spool,
            picked: Arc::new(Picked {
                slot,
                schema,
                columns,
                rest,
            }),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

impl Picked {
    /// The rows of a piece.
    fn rows(&self, kept: &Kept, piece: &Piece) -> Result<Option<RecordBatch>, ReadFault> {
        let mut passes = None;
        if let Some((condition, columns)) = &self.rest {
            let Some(rows) = kept.read(piece, (self.slot, columns))? else {
                return Ok(None);
            };
            let found = condition.evaluate(&rows)?.into_array(rows.num_rows())?;
            let found = as_boolean_array(&found)?.clone();
            if !found.has_true() {
                return Ok(None);
            }
            passes = Some(found);
        }
        let Some(rows) = kept.read(piece, (self.slot, &self.columns))? else {
            return Ok(None);
        };
        let rows = match passes {
            Some(passes) => filter_record_batch(&rows, &passes)?,
            None => rows,
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = SchemaRef::clone(&self.schema);
        let columns = rows.columns().to_vec();
        Ok(Some(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?))
    }
}

impl DisplayAs for KeptScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |schema: &Schema| {
            let names = schema.fields().iter().map(|field| field.name().clone());
            names.collect::<Vec<_>>().join(", ")
        };
        write!(f, "KeptScan: columns=[{}]", names(&self.picked.schema))?;
        if let Some((condition, _)) = &self.picked.rest {
            write!(f, ", condition={condition}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for KeptScan {
    fn name(&self) -> &'static str {
        "KeptScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion, DataFusionError>,
    ) -> Result<TreeNodeRecursion, DataFusionError> {
        match &self.picked.rest {
            Some((condition, _)) => f(condition),
            None => Ok(TreeNodeRecursion::Continue),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let streams = self.properties.partitioning.partition_count();
        let (spool, picked) = (Arc::clone(&self.spool), Arc::clone(&self.picked));
        let rows = stream::once(async move {
            let kept = spool.filled(&context).await?;
            let pieces: Vec<Arc<Piece>> = kept.pieces.iter().map(Arc::clone).collect();
            let own = pieces.into_iter().skip(partition).step_by(streams);
            Ok::<_, DataFusionError>(stream::iter(own).then(move |piece| {
                let (kept, picked) = (Arc::clone(&kept), Arc::clone(&picked));
                async move {
                    let read = move || picked.rows(&kept, &piece);
                    let read = SpawnedTask::spawn_blocking(read).await;
                    let failed = |error| DataFusionError::ExecutionJoin(Box::new(error));
                    Ok::<_, DataFusionError>(read.map_err(failed)??)
                }
            }))
        });
        let rows = rows
            .try_flatten()
            .try_filter_map(|rows| async move { Ok(rows) })
            .inspect_ok(move |rows| metrics.record_output(rows.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            SchemaRef::clone(&self.picked.schema),
            rows.boxed(),
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
