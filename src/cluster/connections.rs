//! Connections from executor to executor.
//!
//! In: the address of another executor. Out: a connection to it. Promise: one that nobody uses is used again before a new one
//! is made, and closed after a while; without that a query that hands on many rows would use up the ports of the machine.
//!
//! Ballista's own pool belongs to its own engine, and cannot be given to one that wraps it.

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::client_pool::{BallistaClientPool, PooledClient};
use ballista_core::error::Result;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::utils::GrpcClientConfig;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30);

type Key = (String, u16);
type Idle = HashMap<Key, Vec<(Instant, BallistaClient)>>;

/// Connections that nobody uses at the moment.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<Mutex<Idle>>);

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl Connections {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close_old(&self) {
        self.idle().retain(|_, connections| {
            connections.retain(|(since, _)| since.elapsed() < IDLE);
            !connections.is_empty()
        });
    }
}

#[async_trait]
impl BallistaClientPool for Connections {
    async fn acquire(
        &self,
        host: &str,
        port: u16,
        config: &GrpcClientConfig,
        endpoint: Option<Arc<BallistaConfigGrpcEndpoint>>,
    ) -> Result<PooledClient> {
        self.close_old();
        let key = (host.to_owned(), port);
        let found = self.idle().get_mut(&key).and_then(Vec::pop);
        let client = match found {
            Some((_, client)) => client,
            None => {
                let made = BallistaClient::try_new(
                    host,
                    port,
                    config.max_message_size,
                    config.use_tls,
                    endpoint,
                    config.io_retries_times,
                    config.io_retry_wait_time_ms,
                    config.initial_connection_window_size,
                    config.initial_stream_window_size,
                );
                made.await?
            }
        };
        let all = self.clone();
        let give_back = move |client| {
            let mut idle = all.idle();
            idle.entry(key).or_default().push((Instant::now(), client));
        };
        Ok(PooledClient::new(client, Box::new(give_back)))
    }

    async fn evict_idle(&self) {
        self.close_old();
    }
}
