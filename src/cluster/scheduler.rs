//! The process that hands out the work.
//!
//! In: an address to listen on. Out: a scheduler, until the process is stopped. Promise: it listens on this machine alone unless
//! told otherwise; it reads no data and needs no credentials; an executor that does not answer is given up after seconds.

use super::codec::Codec;
use super::stores::{Access, Stores};
use super::{ClusterError, MESSAGE, functions, settings};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Without a sign of life for so long an executor is given up, and its work handed to others: 16 s after it was killed. Ballista's
/// own values take three minutes.
const EXECUTOR_LIMIT: u64 = 10;
const EXECUTOR_LOOK: u64 = 2;

/// How long rows are kept for a client that reads them slowly.
const KEEP: u64 = 3600;

/// How often a task is tried.
const ATTEMPTS: usize = 4;

/// How a scheduler runs.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Where it listens.
    pub bind: SocketAddr,
    /// The name under which executors and clients reach it, where that differs.
    pub advertise: Option<String>,
}

/// Runs a scheduler; `listening` is called when it listens.
///
/// # Errors
///
/// The address cannot be used, or Ballista ends.
pub async fn schedule(
    options: SchedulerOptions,
    listening: impl FnOnce(SocketAddr) + Send,
) -> Result<(), ClusterError> {
    let listen = |source| ClusterError::Listen {
        address: options.bind.to_string(),
        source,
    };
    let listener = TcpListener::bind(options.bind).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let ended = |error: &dyn std::fmt::Display| ClusterError::Ended {
        what: "the scheduler",
        reason: error.to_string(),
    };
    let host = options.advertise.clone();
    let config = config(host.unwrap_or_else(|| address.ip().to_string()), address);
    let config = config.map_err(|error| ended(&error))?;
    let cluster = BallistaCluster::new_from_config(&config).await;
    let cluster = cluster.map_err(|error| ended(&error))?;
    let scheduler =
        create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await;
    let scheduler = scheduler.map_err(|error| ended(&error))?;
    listening(address);
    let served = start_grpc_service_with_listener(listener, scheduler).await;
    served.map_err(|error| ended(&error))
}

fn config(
    external_host: String,
    address: SocketAddr,
) -> Result<SchedulerConfig, datafusion::common::DataFusionError> {
    let runtime = RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(Stores::new(Access::Never)))
        .build_arc()?;
    let known = functions::engine(SessionConfig::new(), Arc::clone(&runtime))?;
    let functions = functions::known(&known);
    let session_of = move |config: SessionConfig| {
        settings::same_version("the scheduler", &config)?;
        functions::engine(config, Arc::clone(&runtime))
    };
    Ok(SchedulerConfig {
        external_host,
        bind_host: address.ip().to_string(),
        bind_port: address.port(),
        override_config_producer: Some(Arc::new(settings::of_process)),
        override_session_builder: Some(Arc::new(session_of)),
        override_physical_codec: Some(Arc::new(Codec::new(functions))),
        executor_timeout_seconds: EXECUTOR_LIMIT,
        expire_dead_executor_interval_seconds: EXECUTOR_LOOK,
        no_executors_grace_period_seconds: EXECUTOR_LIMIT,
        finished_job_data_clean_up_interval_seconds: KEEP,
        finished_job_state_clean_up_interval_seconds: KEEP,
        grpc_server_max_decoding_message_size: MESSAGE as u32,
        grpc_server_max_encoding_message_size: MESSAGE as u32,
        grpc_client_max_message_size: MESSAGE as u32,
        task_max_failures: ATTEMPTS,
        // Whose rows cannot be fetched is gone: the client begins anew. A stage that Ballista repairs can give other rows.
        stage_max_failures: 1,
        ..SchedulerConfig::default()
    })
}
