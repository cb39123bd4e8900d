//! An ingest on a cluster.
//!
//! In: jobs of parcels. Out: the accounts of what executors packed. Promise: a job is one plan of one stage, a parcel one task; what
//! of it is done twice has no name in the lake.

use super::codec::Codec;
use super::pack::PackExec;
use super::rows::rows_of;
use super::{Cluster, ClusterError, functions, plan, settings, work};
use crate::ingest::{Job, PackedRows, Packers};
use crate::session::ElsewhereFault;
use arrow::array::AsArray as _;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::{StreamExt as _, TryStreamExt as _};
use std::error::Error;
use std::sync::Arc;

/// Jobs that wait while each executor has one: so that there is always a next one while the client commits.
const WAITING: usize = 1;

/// Parcels that a task packs: what is done again when it fails.
const PARCELS_PER_TASK: usize = 1;

type Fault = Arc<dyn Error + Send + Sync>;

#[async_trait]
impl Packers for Cluster {
    fn at_once(&self) -> usize {
        self.executors() + WAITING
    }

    async fn pack(&self, job: Job) -> Result<PackedRows, Fault> {
        let refused = |reason: String| -> Fault {
            Arc::new(ClusterError::Refused {
                address: self.jobs().address().clone(),
                reason,
            })
        };
        let of_engine = |error: DataFusionError| refused(error.strip_backtrace());
        let list = work::list(&job).map_err(of_engine)?;
        let parcels = job.parcels.len();
        let plan: Arc<dyn ExecutionPlan> = Arc::new(PackExec::new(list, Arc::new(job.order), None));
        let state = SessionContext::new().state();
        let state = settings::planner(&state, parcels, PARCELS_PER_TASK);
        let codec = Codec::new(functions::known(&state));
        let bytes = plan::write(&plan, &codec, &state.task_ctx()).map_err(refused)?;
        let jobs = Arc::clone(self.jobs());
        let answer = jobs.run(bytes, self.session().to_owned(), state.config());
        let answer = answer.await.map_err(|error| -> Fault { Arc::new(error) })?;
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
