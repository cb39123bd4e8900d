//! A query on its way to rows.
//!
//! In: a [`Statement`], values for its parameters. Out: [`Rows`], batch by batch. Promise: everything that can be wrong with
//! a query is said before its first row; rows are handed on as they come, so that a large answer needs no more memory than
//! a small one.

use super::cancel::{apart, can_be_stopped};
use super::error::fault;
use super::fault::{FaultKind, SqlFault};
use super::marks::{json_marked, marked};
use super::params::value;
use super::raw::DecodeExec;
use super::statement::Ask;
use super::{
    Elsewhere, Params, Session, SessionError, Statement, constants, elsewhere, lists, measured,
    memory, percentiles, spool, times, views,
};
use crate::lake::Lake;
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use chrono::Utc;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DataFusionError, ParamValues};
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// Batches that wait for whoever writes them: enough to go on meanwhile, too few to matter.
const WAITING: usize = 2;

impl Session {
    /// Plans a statement. The views that it names are made tables.
    ///
    /// # Errors
    ///
    /// A table, column or function does not exist, or they do not go together.
    pub async fn plan(&self, statement: Statement) -> Result<Query, SessionError> {
        let Statement { ask, text } = statement;
        let shown = match ask {
            Ask::Rows(parsed) => {
                let registered = views::register_named(&self.context, &parsed).await;
                let (state, said) = (self.context.state(), Arc::clone(&text));
                let plan = apart(async move {
                    registered?;
                    let plan = state.statement_to_plan(*parsed).await?;
                    only_asks().verify_plan(&plan)?;
                    let plan = match lists::among_texts(&plan)? {
                        Some(fault) => Err(fault),
                        None => times::read(plan, &said, Utc::now())?,
                    };
                    Ok((state, plan))
                });
                return match plan.await {
                    Ok((state, plan)) => plan.map_err(SessionError::from).map(|plan| Query {
                        about: matches!(plan, LogicalPlan::Explain(_)),
                        state,
                        plan,
                        text,
                        elsewhere: self.elsewhere.clone(),
                        lake: self.lake_asked().cloned(),
                    }),
                    Err(error) => Err(
                        match fault(error, &text)
                            .named(self.lake_asked().map(Arc::as_ref))
                            .await
                        {
                            SessionError::Sql(fault) => self.with_near_names(fault).into(),
                            error => error,
                        },
                    ),
                };
            }
            Ask::Tables(filter) => self.show_tables(&filter).await?,
            Ask::Columns(table, filter) => self.show_columns(&table.to_string(), &filter).await?,
            Ask::Functions(filter) => self.show_functions(&filter)?,
        };
        let (state, plan) = self.context.read_batch(shown)?.into_parts();
        Ok(Query {
            state,
            plan,
            text,
            about: true,
            elsewhere: None,
            lake: None,
        })
    }
}

/// The engine's own check of a plan, behind the one of [`Statement`].
fn only_asks() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

/// A planned statement, perhaps with parameters that have no value yet.
#[derive(Debug)]
pub struct Query {
    pub(super) state: SessionState,
    pub(super) plan: LogicalPlan,
    /// What the statement stood in.
    pub(super) text: Arc<str>,
    /// Whether it asks for tables, columns, functions or a plan, not for what is in the tables.
    pub(super) about: bool,
    /// Other machines that it may run on.
    pub(super) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// The lake that it reads.
    pub(super) lake: Option<Arc<Lake>>,
}

impl Query {
    /// The parameters (`$name`) by name, with the type of what they are compared with.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub fn parameters(&self) -> Result<BTreeMap<String, Option<DataType>>, SessionError> {
        let mut found = BTreeMap::<String, Option<DataType>>::new();
        let walked = self.plan.apply_with_subqueries(|plan| {
            plan.apply_expressions(|expression| {
                expression.apply(|expression| {
                    if let Expr::Placeholder(Placeholder { id, field }) = expression {
                        let wanted = found
                            .entry(id.trim_start_matches('$').to_owned())
                            .or_default();
                        if wanted.is_none() {
                            *wanted = field.as_ref().map(|field| field.data_type().clone());
                        }
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        });
        walked.map_err(|error| self.fault(error))?;
        Ok(found)
    }

    /// Gives the parameters their values. Values without a parameter are ignored.
    ///
    /// # Errors
    ///
    /// A parameter has no value.
    pub fn bind(self, params: &Params) -> Result<Self, SessionError> {
        let wanted = self.parameters()?;
        if wanted.is_empty() {
            return Ok(self);
        }
        if let Some(missing) = wanted.keys().find(|name| !params.contains_key(*name)) {
            return Err(SqlFault {
                kind: FaultKind::NoValue(missing.clone()),
                ..SqlFault::new(format!("parameter ${missing} has no value"))
            }
            .into());
        }
        let plan = self
            .plan
            .with_param_values(ParamValues::from(params.clone()));
        let plan = plan.map_err(|error| fault(error, &self.text))?;
        Ok(Self { plan, ..self })
    }

    /// Gives the parameters their values from texts, each read as the type of what it is compared with. Values without a
    /// parameter are ignored.
    ///
    /// # Errors
    ///
    /// A parameter has no value, or a text that is no such value.
    pub fn bind_texts(self, texts: &BTreeMap<String, String>) -> Result<Self, SessionError> {
        let mut params = Params::new();
        for (name, wanted) in self.parameters()? {
            if let Some(text) = texts.get(&name) {
                params.insert(name.clone(), value(&name, text, wanted.as_ref())?);
            }
        }
        self.bind(&params)
    }

    /// Plans how to do it.
    ///
    /// # Errors
    ///
    /// Types do not fit, or the input cannot be read.
    pub async fn ready(self) -> Result<Ready, SessionError> {
        let there = match &self.elsewhere {
            Some(engine) if !self.about => {
                elsewhere::physical(engine.as_ref(), &self.state, &self.plan).await
            }
            _ => None,
        };
        let plan = match there {
            Some(plan) => plan,
            None => {
                let (state, plan) = (self.state.clone(), self.plan.clone());
                let plan = apart(async move {
                    let plan = spool::physical(&state, &plan).await?;
                    percentiles::bounded(&plan)?;
                    let most = memory::Most::of(state.runtime_env());
                    constants::bounded(&plan, state.config().batch_size(), most)?;
                    can_be_stopped(plan)
                });
                match plan.await {
                    Ok(plan) => plan,
                    Err(error) => {
                        let error = self.fault(error);
                        return Err(error.named(self.lake.as_deref()).await);
                    }
                }
            }
        };
        Ok(Ready {
            lines: matches!(self.plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)),
            state: self.state,
            schema: json_marked(&plan.schema()),
            plan,
            text: self.text,
            about: self.about,
            lake: self.lake,
        })
    }

    fn fault(&self, error: DataFusionError) -> SessionError {
        fault(error, &self.text)
    }
}

/// A query that can begin at once.
#[derive(Debug)]
pub struct Ready {
    state: SessionState,
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    text: Arc<str>,
    /// Whether the rows are plans, texts of many lines.
    lines: bool,
    about: bool,
    lake: Option<Arc<Lake>>,
}

impl Ready {
    /// Whether the rows rest on events; names of tables, columns and functions, and plans, do not.
    pub fn rests_on_events(&self) -> bool {
        !self.about
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// Marks the columns: `mark` makes the metadata of the schema and its fields, for those who show the rows.
    pub fn marked(self, mark: impl FnOnce(&Schema) -> SchemaRef) -> Self {
        Self {
            schema: mark(&self.schema),
            ..self
        }
    }

    /// Begins.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub fn run(self) -> Result<Rows, SessionError> {
        let mut stream = execute_stream(Arc::clone(&self.plan), self.state.task_ctx())
            .map_err(|error| fault(error, &self.text))?;
        let (sender, batches) = mpsc::channel(WAITING);
        // A task of its own: whoever waits for the rows can do something else, and give up, while the engine computes.
        let plan = Arc::clone(&self.plan);
        let task = SpawnedTask::spawn(async move {
            let begun = Instant::now();
            while let Some(batch) = stream.next().await {
                if sender.send(batch).await.is_err() {
                    return;
                }
            }
            measured::emit(plan.as_ref(), begun.elapsed());
        });
        Ok(Rows {
            batches,
            task: Some(task),
            plan: self.plan,
            schema: self.schema,
            text: self.text,
            lines: self.lines,
            lake: self.lake,
        })
    }
}

/// The rows of a query, as they come. Dropping them ends the query.
pub struct Rows {
    batches: mpsc::Receiver<Result<RecordBatch, DataFusionError>>,
    task: Option<SpawnedTask<()>>,
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    text: Arc<str>,
    lines: bool,
    lake: Option<Arc<Lake>>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

impl Rows {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The rows that are still to come, all at once.
    ///
    /// # Errors
    ///
    /// Those of [`Rows::next`].
    pub async fn all(mut self) -> Result<(SchemaRef, Vec<RecordBatch>), SessionError> {
        let mut gathered = memory::Gathered::default();
        while let Some(batch) = self.next().await? {
            gathered.add(batch).map_err(DataFusionError::from)?;
        }
        let batches = gathered.finish().map_err(DataFusionError::from)?;
        Ok((self.schema, batches))
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    ///
    /// The input cannot be read, a value cannot be computed, or there is not enough memory.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, SessionError> {
        match self.batches.recv().await {
            None => match self.task.take() {
                // It may have ended by a fault of the engine.
                Some(task) => match task.join().await {
                    Ok(()) => Ok(None),
                    Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error)).into()),
                },
                None => Ok(None),
            },
            Some(Ok(batch)) if self.lines => Ok(Some(line_by_line(&batch)?)),
            Some(Ok(batch)) => Ok(Some(marked(&batch, &self.schema)?)),
            Some(Err(error)) => {
                let error = fault(error, &self.text);
                Err(error.named(self.lake.as_deref()).await)
            }
        }
    }

    /// Rows that were read from the tables so far.
    pub fn read(&self) -> u64 {
        read(self.plan.as_ref())
    }
}

/// Rows that the leaves of a plan have given.
fn read(plan: &dyn ExecutionPlan) -> u64 {
    let inputs = plan.children();
    // Below that are log files, not rows.
    if inputs.is_empty() || plan.name() == DecodeExec::NAME {
        let rows = plan.metrics().and_then(|metrics| metrics.output_rows());
        return rows.unwrap_or(0) as u64;
    }
    inputs.into_iter().map(|input| read(input.as_ref())).sum()
}

/// The rows of EXPLAIN with a row for each line of a plan.
fn line_by_line(batch: &RecordBatch) -> Result<RecordBatch, SessionError> {
    let texts = |index: usize| batch.column(index).as_string_opt::<i32>();
    let (Some(kinds), Some(plans)) = (texts(0), texts(1)) else {
        return Ok(batch.clone());
    };
    let rows = kinds.iter().zip(plans).flat_map(|(kind, plan)| {
        let lines = plan.unwrap_or_default().lines();
        lines.map(move |line| (kind, line))
    });
    let (kinds, lines): (Vec<_>, Vec<_>) = rows.unzip();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(kinds)),
        Arc::new(StringArray::from(lines)),
    ];
    RecordBatch::try_new(batch.schema(), columns)
        .map_err(|error| DataFusionError::from(error).into())
}
