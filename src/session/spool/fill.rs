//! The one reading of the log files.
//!
//! In: the scans that are to come. Out: what is kept for them. Promise: nothing is read before somebody asks; whoever asks
//! meanwhile waits for the same reading; when nobody wants it any more, it ends.

use super::fault::ReadFault;
use super::kept::{Keeper, Kept};
use super::want::{Slot, Want, common};
use arrow::array::{Array as _, BooleanArray, RecordBatch};
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::TableProviderFilterPushDown;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// Batches that one stream of the reading works on at once.
const AT_ONCE: usize = 2;

/// Kept rows that are there, or on their way.
pub(super) type Filling = Shared<BoxFuture<'static, Result<Arc<Kept>, ReadFault>>>;

/// One reading of the log files, and what is kept of it.
#[derive(Debug)]
pub(in crate::session) struct Spool {
    pub(super) slots: Vec<Slot>,
    /// The columns that are kept, by their number in the table.
    pub(super) columns: Vec<usize>,
    /// All columns of the table.
    pub(super) table: SchemaRef,
    reading: Reading,
    filling: OnceLock<Filling>,
}

/// How the log files are read.
#[derive(Debug, Clone)]
struct Reading {
    input: Arc<dyn ExecutionPlan>,
    /// Per slot, what tells its rows from others; all are its when none.
    marks: Arc<Vec<Option<Arc<dyn PhysicalExpr>>>>,
    /// Where the columns that are kept stand in a row of the input, and which slots want them.
    kept: Arc<Vec<(usize, Vec<usize>)>>,
    schema: SchemaRef,
    in_memory: usize,
}

/// What is to be kept.
#[derive(Debug)]
pub(super) struct Keeping {
    /// For these scans.
    pub(super) wants: Vec<Want>,
    /// Whether all log files are to be read, also those that no scan asks for.
    pub(super) whole: bool,
    /// The most bytes in memory.
    pub(super) in_memory: usize,
}

impl Spool {
    /// A spool of what is to be kept; nothing is read yet.
    pub(super) async fn new(
        state: &dyn CatalogSession,
        all: &Arc<dyn TableProvider>,
        keeping: Keeping,
    ) -> Result<Self, DataFusionError> {
        let table = all.schema();
        let slots = Slot::of(&table, keeping.wants);
        // A condition that all scans share may leave out log files.
        let mut common = match keeping.whole {
            true => Vec::new(),
            false => common(&slots),
        };
        // What the table does not filter by itself is filtered here.
        let pushed = all.supports_filters_pushdown(&common.iter().collect::<Vec<_>>())?;
        let mut pushed = pushed.into_iter();
        common.retain(|_| pushed.next() == Some(TableProviderFilterPushDown::Exact));
        let columns: BTreeSet<usize> = slots
            .iter()
            .flat_map(|slot| slot.columns.iter().copied())
            .collect();
        let own = |slot: &Slot| {
            let conditions = slot.conditions.iter();
            let own = conditions.filter(|condition| !common.contains(condition));
            own.cloned().collect::<Vec<_>>()
        };
        let mut read = columns.clone();
        for condition in slots.iter().flat_map(own) {
            for column in condition.column_refs() {
                read.insert(table.index_of(column.name())?);
            }
        }
        let read: Vec<usize> = read.into_iter().collect();
        let decoded = Arc::new(table.project(&read)?);
        let rows = DFSchema::try_from(SchemaRef::clone(&decoded))?;
        let marks = slots.iter().map(|slot| {
            let condition = conjunction(own(slot));
            condition
                .map(|condition| state.create_physical_expr(condition, &rows))
                .transpose()
        });
        let marks = marks.collect::<Result<Vec<_>, _>>()?;
        let kept = columns.iter().filter_map(|column| {
            let place = read.binary_search(column).ok()?;
            let slots = slots.iter().enumerate();
            let wanting = slots.filter(|(_, slot)| slot.columns.contains(column));
            Some((place, wanting.map(|(slot, _)| slot).collect()))
        });
        let kept: Vec<(usize, Vec<usize>)> = kept.collect();
        // A value that nobody wants of a row is null there.
        let fields = kept.iter().map(|(place, _)| {
            let field: &Field = decoded.field(*place);
            field.clone().with_nullable(true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let input = all.scan(state, Some(&read), &common, None).await?;
        Ok(Self {
            columns: columns.into_iter().collect(),
            reading: Reading {
                input,
                marks: Arc::new(marks),
                kept: Arc::new(kept),
                schema,
                in_memory: keeping.in_memory,
            },
            filling: OnceLock::new(),
            table,
            slots,
        })
    }

    /// What is kept; the first call begins to read.
    pub(super) fn filled(&self, context: &Arc<TaskContext>) -> Filling {
        let begin = || {
            // A task of its own: it goes on whichever scan is waited for.
            let task = SpawnedTask::spawn(self.reading.clone().read(Arc::clone(context)));
            let kept = async move {
                let kept = task.await;
                let failed = |error| DataFusionError::ExecutionJoin(Box::new(error));
                kept.map_err(failed)?.map(Arc::new)
            };
            kept.boxed().shared()
        };
        self.filling.get_or_init(begin).clone()
    }
}

impl Reading {
    async fn read(self, context: Arc<TaskContext>) -> Result<Kept, ReadFault> {
        let consumer = MemoryConsumer::new("events that are kept");
        let wanted = self.kept.iter().map(|(_, slots)| slots.clone()).collect();
        let keeper = Arc::new(Keeper::new(
            SchemaRef::clone(&self.schema),
            wanted,
            (self.in_memory, consumer.register(context.memory_pool())),
        ));
        let streams = 0..self.input.output_partitioning().partition_count();
        let tasks: Vec<SpawnedTask<Result<(), ReadFault>>> = streams
            .map(|stream| {
                let (reading, keeper) = (self.clone(), Arc::clone(&keeper));
                let context = Arc::clone(&context);
                SpawnedTask::spawn(async move {
                    let rows = reading.input.execute(stream, context)?;
                    let kept = rows.map_err(ReadFault::from).map(|batch| {
                        let (reading, keeper) = (reading.clone(), Arc::clone(&keeper));
                        async move {
                            let batch = batch?;
                            let keep = move || reading.keep(&batch, &keeper);
                            let done = SpawnedTask::spawn_blocking(keep).await;
                            done.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
                        }
                    });
                    kept.buffer_unordered(AT_ONCE).try_collect().await
                })
            })
            .collect();
        for task in tasks {
            let done = task.await;
            done.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??;
        }
        match Arc::try_unwrap(keeper) {
            Ok(keeper) => keeper.finish(),
            Err(_) => Err(DataFusionError::Internal("rows are still to come".to_owned()).into()),
        }
    }

    fn keep(&self, batch: &RecordBatch, keeper: &Keeper) -> Result<(), ReadFault> {
        let marks = self.marks.iter().map(|mark| match mark {
            Some(mark) => {
                let passes = mark.evaluate(batch)?.into_array(batch.num_rows())?;
                let passes = as_boolean_array(&passes)?;
                // An unknown answer is a no.
                Ok(match passes.null_count() {
                    0 => passes.clone(),
                    _ => prep_null_mask_filter(passes),
                })
            }
            None => Ok(BooleanArray::from(vec![true; batch.num_rows()])),
        });
        let marks = marks.collect::<Result<Vec<_>, DataFusionError>>()?;
        let places: Vec<usize> = self.kept.iter().map(|(place, _)| *place).collect();
        keeper.take(&batch.project(&places)?, marks)
    }
}
