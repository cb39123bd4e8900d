//! The process that does the work.
//!
//! In: a scheduler's address, a number of slots, a folder, a limit to memory. Out: an executor, until the process is stopped.
//! Promise: it listens on this machine alone unless told otherwise; it reaches S3 with credentials that it finds by itself; what
//! an earlier executor left in the folder is removed, and nothing else.

use super::codec::Codec;
use super::reach::Reach;
use super::stage::Engine;
use super::stores::{Access, Stores};
use super::{Address, ClusterError, MESSAGE, functions, settings};
use crate::source::SourceOptions;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::common::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

/// Seconds between two signs of life.
const SIGN_OF_LIFE: u64 = 2;

/// In the work folder: what executors hand to each other, and what does not fit into memory.
const SHUFFLE: &str = "shuffle";
const SPILL: &str = "spill";
const LOCK: &str = "keytrail-executor.lock";

/// The most bytes of Parquet footers that are kept for the next query of a client.
const FOOTERS: usize = 256 << 20;

/// Clients whose footers are kept.
const CLIENTS: usize = 16;

/// How an executor runs.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// The scheduler that it works for.
    pub scheduler: Address,
    /// Where it listens: rows are fetched from this port, and tasks come to the next one.
    pub bind: SocketAddr,
    /// The name under which the others reach it, where that differs.
    pub advertise: Option<String>,
    /// Partitions that it works on at once.
    pub slots: usize,
    /// Its folder.
    pub work_dir: PathBuf,
    /// The most memory that sorting, grouping and joining may take, all slots together, in bytes.
    pub max_memory: u64,
    /// How it reaches S3.
    pub access: SourceOptions,
}

/// Runs an executor. At the start it waits for its scheduler as long as it takes.
///
/// # Errors
///
/// The address or the folder cannot be used, the scheduler refuses it or does not answer any more, or Ballista ends.
pub async fn execute(options: ExecutorOptions) -> Result<(), ClusterError> {
    let _mine = occupy(&options.work_dir)?;
    free(options.bind)?;
    let ended = |error: &dyn std::fmt::Display| ClusterError::Ended {
        what: "the executor",
        reason: error.to_string(),
    };
    let config = config(&options).map_err(|error| ended(&error))?;
    let asked = tokio::spawn(asked_to_end());
    let run = start_executor_process(Arc::new(config)).await;
    run.map_err(|error| ended(&error))?;
    match asked.is_finished() {
        true => Ok(()),
        // Ballista gives up after five signs of life, and cannot begin anew in the same process.
        false => Err(ended(&format!(
            "the scheduler {} does not answer",
            options.scheduler
        ))),
    }
}

/// Comes with Ctrl-C or SIGTERM, which Ballista heeds by itself.
async fn asked_to_end() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// Makes the folder this executor's; the lock lasts as long as the file is open.
fn occupy(folder: &Path) -> Result<File, ClusterError> {
    let failed = |source| ClusterError::WorkDir {
        folder: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::create(folder.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(ClusterError::WorkDirTaken {
                folder: folder.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    for inner in [SHUFFLE, SPILL] {
        let inner = folder.join(inner);
        match fs::remove_dir_all(&inner) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => fs::create_dir(&inner).map_err(failed)?,
        }
    }
    Ok(lock)
}

/// Looks whether both ports are free: what Ballista says of one that is not names no port.
fn free(bind: SocketAddr) -> Result<(), ClusterError> {
    let listen = |address: SocketAddr, source: io::Error| ClusterError::Listen {
        address: address.to_string(),
        source,
    };
    let next = bind.port().checked_add(1);
    let next = next.ok_or_else(|| listen(bind, ErrorKind::AddrNotAvailable.into()))?;
    for port in [bind.port(), next] {
        let address = SocketAddr::new(bind.ip(), port);
        TcpListener::bind(address).map_err(|source| listen(address, source))?;
    }
    Ok(())
}

fn config(options: &ExecutorOptions) -> Result<ExecutorProcessConfig, DataFusionError> {
    let stores = Arc::new(Stores::new(Access::With(options.access.clone())));
    let reach = Arc::new(Reach::new(options.access.clone()));
    let spill = options.work_dir.join(SPILL);
    let runtime = move |_: &SessionConfig| {
        RuntimeEnvBuilder::new()
            .with_object_store_registry(Arc::clone(&stores) as _)
            .with_metadata_cache_limit(FOOTERS)
            .with_temp_file_path(&spill)
            .build_arc()
    };
    let known = functions::engine(SessionConfig::new(), runtime(&SessionConfig::new())?)?;
    let functions = functions::known(&known);
    let host = options.advertise.clone();
    let shuffle = options.work_dir.join(SHUFFLE);
    Ok(ExecutorProcessConfig {
        bind_host: host_of(options.bind),
        external_host: Some(host.unwrap_or_else(|| host_of(options.bind))),
        port: options.bind.port(),
        grpc_port: options.bind.port().saturating_add(1),
        scheduler_host: options.scheduler.host.clone(),
        scheduler_port: options.scheduler.port,
        // Not zero: it waits for its scheduler.
        scheduler_connect_timeout_seconds: 10,
        vcores: options.slots,
        work_dir: Some(shuffle.display().to_string()),
        executor_heartbeat_interval_seconds: SIGN_OF_LIFE,
        memory_pool_size: Some(options.max_memory),
        grpc_max_decoding_message_size: MESSAGE as u32,
        grpc_max_encoding_message_size: MESSAGE as u32,
        session_runtime_cache_capacity: CLIENTS,
        override_config_producer: Some(Arc::new(settings::of_process)),
        override_function_registry: Some(Arc::clone(&functions)),
        override_physical_codec: Some(Arc::new(Codec::new(functions).reaching(reach))),
        override_runtime_producer: Some(Arc::new(runtime)),
        override_execution_engine: Some(Arc::new(Engine::new())),
        ..ExecutorProcessConfig::default()
    })
}

/// The address without its port, as it stands in front of one.
fn host_of(bind: SocketAddr) -> String {
    match bind {
        SocketAddr::V4(bind) => bind.ip().to_string(),
        SocketAddr::V6(bind) => format!("[{}]", bind.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_executor() {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        let mine = occupy(&work).unwrap();
        fs::write(work.join(SHUFFLE).join("left"), "x").unwrap();
        fs::write(work.join("not-mine"), "x").unwrap();
        assert!(matches!(
            occupy(&work),
            Err(ClusterError::WorkDirTaken { .. })
        ));
        drop(mine);
        let _mine = occupy(&work).unwrap();
        assert!(!work.join(SHUFFLE).join("left").exists());
        assert!(work.join("not-mine").exists());
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let refused = free(address).unwrap_err().to_string();
        assert!(refused.starts_with(&address.to_string()), "{refused}");
    }
}
