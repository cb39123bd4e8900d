//! What became of the log files, when a query asks for it beside the events.
//!
//! In: the tables `log_files` and `rejects` of log files without a lake. Out: the same tables. Promise: planning reads nothing;
//! if the events are to be kept, their reading is the one that these tables tell of; if not, the log files are read once for
//! both.

use super::Spooled;
use super::fill::Spool;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, execute_stream,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// `log_files` or `rejects`.
#[derive(Debug)]
pub(in crate::session) struct Deferred {
    table: Arc<dyn TableProvider>,
    events: Arc<Spooled>,
    /// Held while the log files are read for this alone.
    alone: Arc<Mutex<()>>,
}

impl Deferred {
    /// The tables, with the events that they tell of.
    pub(in crate::session) fn all<const N: usize>(
        tables: [Arc<dyn TableProvider>; N],
        events: &Arc<Spooled>,
    ) -> [Self; N] {
        let alone = Arc::default();
        tables.map(|table| Self {
            table,
            events: Arc::clone(events),
            alone: Arc::clone(&alone),
        })
    }

    /// The table of events.
    pub(super) fn events(&self) -> &Arc<Spooled> {
        &self.events
    }
}

#[async_trait]
impl TableProvider for Deferred {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let state = state.as_any().downcast_ref::<SessionState>();
        let state =
            state.ok_or_else(|| DataFusionError::Internal("a session without state".to_owned()))?;
        let schema = match projection {
            Some(columns) => Arc::new(self.table.schema().project(columns)?),
            None => self.table.schema(),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(DeferredScan {
            table: Arc::clone(&self.table),
            alone: Arc::clone(&self.alone),
            spool: self.events.last(),
            state: Arc::new(state.clone()),
            projection: projection.cloned(),
            limit,
            properties: Arc::new(properties),
        }))
    }
}

/// A scan that looks at the table once the log files were read.
struct DeferredScan {
    table: Arc<dyn TableProvider>,
    alone: Arc<Mutex<()>>,
    spool: Option<Arc<Spool>>,
    state: Arc<SessionState>,
    projection: Option<Vec<usize>>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for DeferredScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredScan")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for DeferredScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeferredScan: what became of the log files")
    }
}

impl ExecutionPlan for DeferredScan {
    fn name(&self) -> &'static str {
        "DeferredScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

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
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        Ok(self)
    }

    fn execute(
        &self,
        _: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let (table, alone) = (Arc::clone(&self.table), Arc::clone(&self.alone));
        let (spool, state) = (self.spool.clone(), Arc::clone(&self.state));
        let (projection, limit) = (self.projection.clone(), self.limit);
        let rows = stream::once(async move {
            if let Some(spool) = spool {
                spool.filled(&context).await?;
            }
            let reading = alone.lock().await;
            let plan = table.scan(&*state, projection.as_ref(), &[], limit).await?;
            drop(reading);
            execute_stream(plan, context)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            rows.try_flatten().boxed(),
        )))
    }
}
