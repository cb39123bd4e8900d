//! How is the lake asked?
//!
//! In: a lake, or sources without ingest. Out: a [`Session`]: DataFusion's own `SessionContext` with the tables `events`,
//! `log_files` and `rejects`, and what they cover. Promise: a question sees the same events either way, each once; the
//! selection (times, accounts, regions) holds for every question asked.

mod count_texts;
mod dialect;
mod functions;
mod raw;
mod views;

pub use dialect::fill_event_data_store;
pub use views::{VIEWS, View};

use crate::cloudtrail::Selection;
use crate::lake::{Lake, LakeError, TableName};
use crate::report::Coverage;
use crate::source::{Source, SourceError};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, ParamValues, ScalarValue};
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use raw::{RawTable, Trail};
use std::collections::HashMap;
use std::sync::Arc;

/// Why a question could not be asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The lake could not be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The log files could not be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The engine refused the query or failed on the way.
    #[error("{0}")]
    Engine(Box<DataFusionError>),
}

impl From<DataFusionError> for SessionError {
    fn from(error: DataFusionError) -> Self {
        // An error of a source that comes through the engine is the source's.
        match error {
            DataFusionError::External(inner) => match inner.downcast::<SourceError>() {
                Ok(source) => SessionError::Source(*source),
                Err(inner) => SessionError::Engine(Box::new(DataFusionError::External(inner))),
            },
            error => SessionError::Engine(Box::new(error)),
        }
    }
}

/// How to ask.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Which events every question sees.
    pub selection: Selection,
    /// Threads that work on a question.
    pub threads: usize,
    /// The most JSON a log file may have; only for log files without ingest.
    pub max_json: u64,
}

/// A place to ask questions.
pub struct Session {
    context: SessionContext,
    origin: Origin,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Origin {
    Lake(Box<Lake>),
    Trail(Arc<Trail>),
}

/// Named parameters of a query, e.g. `$access_key_id`.
pub type Params = HashMap<String, ScalarValue>;

impl Session {
    /// Asks a lake.
    pub async fn lake(lake: Lake, options: &SessionOptions) -> Result<Self, SessionError> {
        let context = context(options.threads)?;
        for name in TableName::ALL {
            let provider =
                lake.delta(name)
                    .table_provider()
                    .await
                    .map_err(|error| LakeError::Delta {
                        table: name.as_str(),
                        source: Box::new(error.into()),
                    })?;
            let table = if name == TableName::Events {
                ALL_EVENTS
            } else {
                name.as_str()
            };
            context.register_table(table, provider)?;
        }
        register_selected(&context, &options.selection).await?;
        Ok(Self {
            context,
            origin: Origin::Lake(Box::new(lake)),
        })
    }

    /// Asks log files. `log_files` is there once `events` has been scanned: see [`Session::ledger`].
    pub async fn trail(
        sources: Vec<Arc<dyn Source>>,
        options: &SessionOptions,
    ) -> Result<Self, SessionError> {
        let trail = Arc::new(Trail::list(sources, &options.selection, options.max_json).await?);
        let streams = options.threads.div_ceil(DECODERS_PER_STREAM).max(1);
        let context = context(streams)?;
        context.register_table(
            ALL_EVENTS,
            Arc::new(RawTable::new(Arc::clone(&trail), options.threads, streams)),
        )?;
        register_selected(&context, &options.selection).await?;
        Ok(Self {
            context,
            origin: Origin::Trail(trail),
        })
    }

    /// Runs a query; anything else is refused.
    pub async fn sql(
        &self,
        sql: &str,
        params: &Params,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), SessionError> {
        let statement = dialect::statement(sql)?;
        self.read_for_ledger(&statement).await?;
        views::register_named(&self.context, std::iter::once(&statement)).await?;
        let plan = self.context.state().statement_to_plan(statement).await?;
        let only_queries = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        only_queries.verify_plan(&plan)?;
        let mut frame = self.context.execute_logical_plan(plan).await?;
        if !params.is_empty() {
            frame = frame.with_param_values(ParamValues::from(params.clone()))?;
        }
        let schema = SchemaRef::clone(frame.schema().inner());
        Ok((schema, frame.collect().await?))
    }

    /// Where there is no lake, `log_files` is what came of reading every log file: a query that asks for it has them read.
    async fn read_for_ledger(&self, statement: &Statement) -> Result<(), SessionError> {
        let ledger = TableName::LogFiles.as_str();
        if matches!(self.origin, Origin::Lake(_)) || self.context.table_exist(ledger)? {
            return Ok(());
        }
        let tables = self.context.state().resolve_table_references(statement)?;
        if tables.iter().any(|table| table.table() == ledger) {
            self.context.table(ALL_EVENTS).await?.count().await?;
            self.ledger()?;
        }
        Ok(())
    }

    /// Makes rows a table for the queries that follow.
    pub fn register(
        &self,
        name: &str,
        (schema, batches): (SchemaRef, Vec<RecordBatch>),
    ) -> Result<(), SessionError> {
        // Batches may differ from the plan's schema in nullability only; the table takes the batches' own.
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        self.context.deregister_table(name)?;
        self.context
            .register_table(name, Arc::new(MemTable::try_new(schema, vec![batches])?))?;
        Ok(())
    }

    /// Makes all [`VIEWS`] tables, e.g. to list them. A query makes those that it names by itself.
    pub async fn register_views(&self) -> Result<(), SessionError> {
        Ok(views::register_all(&self.context).await?)
    }

    /// Gives the view `event_data_store` another name: that of an event data store in somebody's queries.
    pub async fn name_event_data_store(&self, name: &str) -> Result<(), SessionError> {
        Ok(views::name_event_data_store(&self.context, name).await?)
    }

    /// Makes `log_files` of what was read, where there is no lake to have it.
    pub fn ledger(&self) -> Result<(), SessionError> {
        match &self.origin {
            Origin::Lake(_) => Ok(()),
            Origin::Trail(trail) => {
                let batch = crate::lake::ledger_batch(&trail.ledger())?;
                self.register(TableName::LogFiles.as_str(), (batch.schema(), vec![batch]))
            }
        }
    }

    /// What the answers rest on. For log files without ingest: what was read so far.
    pub async fn coverage(&self) -> Result<Coverage, SessionError> {
        match &self.origin {
            Origin::Lake(lake) => Ok(lake.coverage().await?),
            Origin::Trail(trail) => Ok(trail.tally().coverage(trail.name())),
        }
    }
}

/// The table behind `events`, before the selection.
const ALL_EVENTS: &str = "all_events";

/// Threads that decode log files for one that works on the query. Decoding is most of the work, and the fewer parts a
/// query is cut into, the less there is to put together again.
const DECODERS_PER_STREAM: usize = 4;

fn context(partitions: usize) -> Result<SessionContext, SessionError> {
    let mut config = SessionConfig::new().with_target_partitions(partitions.max(1));
    let parquet = &mut config.options_mut().execution.parquet;
    // Rows are filtered while they are read: one key's events touch few pages of the wide columns.
    parquet.pushdown_filters = true;
    parquet.reorder_filters = true;
    let functions = functions::all();
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .with_expr_planners(dialect::planners(&functions))
        .build();
    let mut context = SessionContext::new_with_state(state);
    for function in functions {
        context.register_udf(function);
    }
    context.register_udaf(count_texts::count_texts());
    // `json_get`, `->`, `->>` and their like.
    datafusion_functions_json::register_all(&mut context)?;
    Ok(context)
}

/// `events`: the events of the selection.
async fn register_selected(
    context: &SessionContext,
    selection: &Selection,
) -> Result<(), SessionError> {
    let mut frame = context.table(ALL_EVENTS).await?;
    for condition in conditions(selection) {
        frame = frame.filter(condition)?;
    }
    context.register_table(TableName::Events.as_str(), frame.into_view())?;
    Ok(())
}

fn conditions(selection: &Selection) -> Vec<Expr> {
    let time = |time: chrono::DateTime<chrono::Utc>| {
        lit(ScalarValue::TimestampMicrosecond(
            Some(time.timestamp_micros()),
            Some("UTC".into()),
        ))
    };
    let date = |time: chrono::DateTime<chrono::Utc>| {
        lit(ScalarValue::Date32(Some(time.date_naive().to_epoch_days())))
    };
    let mut conditions = Vec::new();
    if let Some(since) = selection.since {
        conditions.push(col("event_time").gt_eq(time(since)));
        conditions.push(col("event_date").gt_eq(date(since)));
    }
    if let Some(until) = selection.until {
        conditions.push(col("event_time").lt(time(until)));
        conditions.push(col("event_date").lt_eq(date(until)));
    }
    if !selection.accounts.is_empty() {
        let accounts = selection
            .accounts
            .iter()
            .map(|account| lit(account.to_string()))
            .collect();
        conditions.push(col("account_id").in_list(accounts, false));
    }
    if !selection.regions.is_empty() {
        let regions = selection
            .regions
            .iter()
            .map(|region| lit(region.clone()))
            .collect();
        conditions.push(col("aws_region").in_list(regions, false));
    }
    conditions
}
