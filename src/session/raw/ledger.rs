//! What became of log files and records, where there is no lake to ask.
//!
//! In: the log files of a trail. Out: the tables `log_files` and `rejects`. Promise: they cover all log files: if no query
//! has read them all yet, they are read first.

use super::form::Form;
use super::{RawTable, locked};
use crate::lake::{TableName, ledger_batch, rejects_batch};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{TryStreamExt, stream};
use std::sync::Arc;

/// `log_files` or `rejects`.
#[derive(Debug)]
pub(crate) struct LedgerTable {
    name: TableName,
    events: Arc<RawTable>,
}

impl LedgerTable {
    pub(crate) fn new(name: TableName, events: Arc<RawTable>) -> Self {
        Self { name, events }
    }

    /// Reads all log files, for what became of them only.
    async fn read(&self, context: &Arc<TaskContext>) -> Result<(), DataFusionError> {
        let form = Form::new(self.events.trail.shape(Vec::new(), 0))?;
        let decode = self.events.decode(form, self.events.trail.work.clone())?;
        let partitions = 0..decode.output_partitioning().partition_count();
        let streams = partitions.map(|partition| decode.execute(partition, Arc::clone(context)));
        stream::iter(streams)
            .try_for_each_concurrent(None, |rows| rows.try_for_each(async |_| Ok(())))
            .await
    }
}

#[async_trait]
impl TableProvider for LedgerTable {
    fn schema(&self) -> SchemaRef {
        self.name.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let trail = &self.events.trail;
        if !trail.is_read() {
            self.read(&state.task_ctx()).await?;
        }
        let reading = trail.furthest();
        let batch = {
            let reading = locked(&reading);
            match self.name {
                TableName::Rejects => rejects_batch(&reading.rejects),
                _ => {
                    let rows: Vec<_> = reading.rows.iter().chain(&trail.skipped).cloned().collect();
                    ledger_batch(&rows)
                }
            }
        };
        let batch = batch.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        table.scan(state, projection, filters, limit).await
    }
}
