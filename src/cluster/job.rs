//! One job on a cluster: a query, or parcels that are packed.
//!
//! In: a plan in bytes. Out: its rows, and how far it is meanwhile. Promise: a job that nobody waits for any more is cancelled;
//! what its executors kept for it is removed when the rows are read; every end has a sentence.

use super::answer::Answer;
use super::{Address, ClusterError, Far, Follow, MESSAGE, probe};
use ballista_core::extension::SessionConfigHelperExt as _;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::execute_query_result::Result as Taken;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobMetricsParams,
    GetJobStatusParams, PartitionLocation,
};
use ballista_core::version::{check_compatibility, insert_version_header, version_from_metadata};
use datafusion::prelude::SessionConfig;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

/// Longer than any healthy handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The first pause between two looks at a job; each that follows is longer, up to the last one.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// Between two looks at the executors while a job is under way.
const EXECUTORS_PAUSE: Duration = Duration::from_millis(500);

/// How often a query is run that lost an executor.
const ATTEMPTS: usize = 3;

/// Longer than the scheduler takes to notice that an executor is gone.
const GONE: Duration = Duration::from_secs(13);

type Client = SchedulerGrpcClient<Channel>;

/// The jobs of a client.
#[derive(Debug)]
pub(super) struct Jobs {
    address: Address,
    /// Those that are under way.
    running: Mutex<HashSet<String>>,
    follow: Arc<dyn Follow>,
    /// How far the job is that was looked at last.
    far: Mutex<Far>,
    /// Whether the process is about to end.
    over: AtomicBool,
}

/// A job. Given up, it is cancelled; at its end, the executors forget what they kept for it.
struct Running {
    jobs: Arc<Jobs>,
    client: Client,
    id: String,
    /// Whether it came to its end.
    ended: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        // At the end of the process [`Jobs::end`] does it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (jobs, id) = (Arc::clone(&self.jobs), std::mem::take(&mut self.id));
        let (mut client, ended) = (self.client.clone(), self.ended);
        runtime.spawn(async move {
            match ended {
                true => forget(&mut client, &id).await,
                false => cancel(&mut client, &id).await,
            }
            jobs.running().remove(&id);
        });
    }
}

/// Nobody waits for the answer; if it does not get there, the executors work in vain.
async fn cancel(client: &mut Client, id: &str) {
    let params = CancelJobParams {
        job_id: id.to_owned(),
    };
    if let Err(error) = client.cancel_job(params).await {
        tracing::warn!(job = id, %error, "job not cancelled");
    }
}

/// If it does not get there, the executors forget by themselves after a while.
async fn forget(client: &mut Client, id: &str) {
    let params = CleanJobDataParams {
        job_id: id.to_owned(),
        remove_stage_ids: Vec::new(),
    };
    if let Err(error) = client.clean_job_data(params).await {
        tracing::warn!(job = id, %error, "job not forgotten");
    }
}

impl Jobs {
    pub(super) fn new(address: Address, follow: Arc<dyn Follow>) -> Self {
        Self {
            address,
            running: Mutex::default(),
            follow,
            far: Mutex::default(),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn follow(&self) -> &dyn Follow {
        self.follow.as_ref()
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the job under way is.
    pub(super) fn far(&self) -> Far {
        *self.far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn client(&self) -> Result<Client, ClusterError> {
        let unreachable = |error: tonic::transport::Error| ClusterError::Unreachable {
            address: self.address.clone(),
            source: Box::new(error),
        };
        let endpoint = Endpoint::new(self.address.url()).map_err(unreachable)?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(CONNECT_LIMIT)
            .keep_alive_while_idle(true);
        let channel = endpoint.connect().await.map_err(unreachable)?;
        Ok(SchedulerGrpcClient::new(channel)
            .max_encoding_message_size(MESSAGE)
            .max_decoding_message_size(MESSAGE))
    }

    /// Cancels what is still under way, at the end of the process.
    pub(super) async fn end(&self) {
        self.over.store(true, Ordering::Release);
        let left: Vec<String> = self.running().drain().collect();
        if left.is_empty() {
            return;
        }
        // A scheduler that cannot be reached has nothing to cancel for.
        if let Ok(mut client) = self.client().await {
            for id in left {
                cancel(&mut client, &id).await;
            }
        }
    }

    /// Runs a plan, and answers with its rows when all of them are there.
    pub(super) async fn run(
        self: Arc<Self>,
        plan: Vec<u8>,
        session: String,
        config: &SessionConfig,
    ) -> Result<Answer, ClusterError> {
        let mut attempts = 1;
        loop {
            let jobs = Arc::clone(&self);
            match jobs.attempt(plan.clone(), session.clone(), config).await {
                // Ballista would mend such a job itself, and can give other rows then, or none ever. No row of it was
                // handed on, a query changes nothing, and what was packed has no name yet: it begins anew with those that
                // are left.
                Err(ClusterError::ExecutorLost { .. }) if attempts < ATTEMPTS => attempts += 1,
                done => return done,
            }
            sleep(GONE).await;
            probe::executors(&self.address).await?;
        }
    }

    async fn attempt(
        self: Arc<Self>,
        plan: Vec<u8>,
        session: String,
        config: &SessionConfig,
    ) -> Result<Answer, ClusterError> {
        let executors = probe::look(&self.address).await?;
        let mut client = self.client().await?;
        let id = self.submit(&mut client, plan, session, config).await?;
        self.running().insert(id.clone());
        self.come(Far::default());
        let mut running = Running {
            jobs: Arc::clone(&self),
            client,
            id,
            ended: false,
        };
        let places = self.wait(&mut running, executors).await?;
        Ok(Answer::new(running, places))
    }

    async fn submit(
        &self,
        client: &mut Client,
        plan: Vec<u8>,
        session: String,
        config: &SessionConfig,
    ) -> Result<String, ClusterError> {
        let mut request = tonic::Request::new(ExecuteQueryParams {
            session_id: session,
            operation_id: uuid::Uuid::new_v4().to_string(),
            settings: config.to_key_value_pairs(),
            query: Some(Query::PhysicalPlan(plan)),
        });
        insert_version_header(request.metadata_mut());
        let response = client.execute_query(request).await;
        let response = response.map_err(|status| self.refusal(&status))?;
        let theirs = version_from_metadata(response.metadata()).map(str::to_owned);
        let result = response.into_inner().result;
        check_compatibility(Some(ballista_core::BALLISTA_VERSION), theirs.as_deref())
            .map_err(ClusterError::Version)?;
        match result {
            Some(Taken::Success(taken)) => Ok(taken.job_id),
            Some(Taken::Failure(failure)) => Err(self.refused(format!("{failure:?}"))),
            None => Err(self.refused("an empty answer".to_owned())),
        }
    }

    fn refused(&self, reason: String) -> ClusterError {
        match ClusterError::of_job(&self.address, &reason) {
            version @ ClusterError::Version(_) => version,
            _ => ClusterError::Refused {
                address: self.address.clone(),
                reason,
            },
        }
    }

    fn refusal(&self, status: &tonic::Status) -> ClusterError {
        match status.code() {
            Code::FailedPrecondition => ClusterError::Version(status.message().to_owned()),
            Code::Unavailable | Code::Unknown | Code::Cancelled => self.lost(status),
            _ => self.refused(status.message().to_owned()),
        }
    }

    /// Who answered before and does not now went away.
    fn gone(&self, error: ClusterError) -> ClusterError {
        match error {
            ClusterError::Unreachable { address, source } => ClusterError::Lost { address, source },
            error => error,
        }
    }

    fn lost(&self, status: &tonic::Status) -> ClusterError {
        ClusterError::Lost {
            address: self.address.clone(),
            source: status.message().to_owned().into(),
        }
    }

    /// Waits for the end of a job that began with so many executors, and answers where its rows are.
    async fn wait(
        &self,
        job: &mut Running,
        mut executors: usize,
    ) -> Result<Vec<PartitionLocation>, ClusterError> {
        let mut pause = FIRST_PAUSE;
        let mut looked = Instant::now();
        loop {
            let params = GetJobStatusParams {
                job_id: job.id.clone(),
            };
            let answer = job.client.get_job_status(params).await;
            let answer = answer.map_err(|status| self.lost(&status))?;
            let status = answer.into_inner().status.and_then(|job| job.status);
            let ended = matches!(status, Some(Status::Successful(_) | Status::Failed(_)));
            if ended || looked.elapsed() >= EXECUTORS_PAUSE {
                looked = Instant::now();
                let now = probe::look(&self.address).await;
                let now = now.map_err(|error| self.gone(error))?;
                if now < executors {
                    return Err(ClusterError::ExecutorLost {
                        address: self.address.clone(),
                    });
                }
                executors = now;
            }
            match status {
                Some(Status::Successful(done)) => {
                    job.ended = true;
                    return Ok(done.partition_location);
                }
                Some(Status::Failed(failed)) => {
                    job.ended = true;
                    if self.over.load(Ordering::Acquire) {
                        // That it was cancelled is no news to whom stopped it.
                        return std::future::pending().await;
                    }
                    return Err(ClusterError::of_job(&self.address, &failed.error));
                }
                Some(Status::Queued(_) | Status::Running(_)) | None => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
            if pause == LAST_PAUSE {
                self.look(job).await;
            }
        }
    }

    fn come(&self, far: Far) {
        *self.far.lock().unwrap_or_else(PoisonError::into_inner) = far;
    }

    /// Looks how far a job is.
    async fn look(&self, job: &mut Running) {
        let params = GetJobMetricsParams {
            job_id: job.id.clone(),
        };
        // It is for the eye: where there is no answer, the last one stays.
        if let Ok(answer) = job.client.get_job_metrics(params).await {
            let ended = answer.into_inner().stages;
            let far = Far {
                stages: ended.len() as u64,
                partitions: ended.iter().map(|stage| u64::from(stage.partitions)).sum(),
            };
            self.come(far);
            self.follow.far(far);
        }
    }
}
