//! Jobs of parcels: those of an ingest, and those of a question about log files.
//!
//! In: parcels, and what to do with them. Out: the rows that executors make of them. Promise: a job is one plan of one stage, a parcel one
//! task; what of it is done twice has no name in the lake.

use super::answer::Answer;
use super::codec::Codec;
use super::parcels::ParcelsExec;
use super::rows::rows_of;
use super::task::Task;
use super::{Cluster, ClusterError, functions, plan, settings, work};
use crate::ingest::{Job, PackedRows, Packers};
use crate::session::{ElsewhereFault, Parcels};
use arrow::array::AsArray as _;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::PhysicalExtensionCodec;
use futures::{StreamExt as _, TryStreamExt as _};
use std::error::Error;
use std::sync::Arc;

/// Jobs that wait while each executor has one: so that there is always a next one while the client is busy.
const WAITING: usize = 1;

/// Parcels of a task: what is done again when it fails.
const PARCELS_PER_TASK: usize = 1;

type Fault = Arc<dyn Error + Send + Sync>;

impl Cluster {
    /// Jobs of parcels to have at once.
    pub(super) fn jobs_at_once(&self) -> usize {
        self.executors() + WAITING
    }

    /// Has executors work on parcels.
    pub(super) async fn work_on(
        &self,
        parcels: &Parcels,
        task: impl FnOnce(&dyn PhysicalExtensionCodec, &TaskContext) -> Result<Task, DataFusionError>,
    ) -> Result<Answer, Fault> {
        let (bytes, config) = self.parcels_plan(parcels, task).map_err(|reason| {
            let address = self.jobs().address().clone();
            Arc::new(ClusterError::Refused { address, reason }) as Fault
        })?;
        let jobs = Arc::clone(self.jobs());
        let answer = jobs.run(bytes, self.session().to_owned(), &config);
        answer.await.map_err(|error| Arc::new(error) as Fault)
    }

    fn parcels_plan(
        &self,
        parcels: &Parcels,
        task: impl FnOnce(&dyn PhysicalExtensionCodec, &TaskContext) -> Result<Task, DataFusionError>,
    ) -> Result<(Vec<u8>, datafusion::prelude::SessionConfig), String> {
        let said = |error: DataFusionError| error.strip_backtrace();
        let state = functions::anywhere().map_err(said)?;
        let state = settings::planner(&state, parcels.len(), PARCELS_PER_TASK);
        let codec = Codec::new(functions::known(&state));
        let task = task(&codec, &state.task_ctx()).map_err(said)?;
        let list = work::list(parcels).map_err(said)?;
        let plan: Arc<dyn ExecutionPlan> = Arc::new(ParcelsExec::new(list, Arc::new(task), None));
        let bytes = plan::write(&plan, &codec, &state.task_ctx())?;
        Ok((bytes, state.config().clone()))
    }
}

#[async_trait]
impl Packers for Cluster {
    fn at_once(&self) -> usize {
        self.jobs_at_once()
    }

    async fn pack(&self, job: Job) -> Result<PackedRows, Fault> {
        let Job { order, parcels } = job;
        let answer = self.work_on(&parcels, |_, _| Ok(Task::Pack(order))).await?;
        let pieces = rows_of(answer, 0).map_ok(|batch| {
            let pieces = batch
                .columns()
                .first()
                .and_then(|it| it.as_binary_opt::<i32>());
            let pieces: Vec<Bytes> = pieces
                .into_iter()
                .flat_map(|pieces| pieces.iter().flatten().map(Bytes::copy_from_slice))
                .collect();
            futures::stream::iter(pieces.into_iter().map(Ok))
        });
        Ok(pieces.try_flatten().map_err(fault).boxed())
    }
}

/// What went wrong on the way of the rows.
fn fault(error: DataFusionError) -> Fault {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<ElsewhereFault>() {
            Ok(fault) => fault.0,
            Err(inner) => Arc::from(inner),
        },
        error => Arc::new(error),
    }
}
