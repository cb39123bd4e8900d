//! The functions that every process of a cluster knows.
//!
//! In: settings. Out: the session's own engine, and what it can be called by name. Promise: also those that only keytrail's
//! own rules write into a plan.

use crate::session;
use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;
use std::sync::Arc;

/// The engine of a scheduler or an executor.
pub(super) fn engine(
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
) -> Result<SessionState, DataFusionError> {
    let context = session::engine(config, runtime)?;
    for function in session::written_by_rules() {
        context.register_udf(function);
    }
    Ok(context.state())
}

/// The same with the engine's own settings: for plans that are made and read, not run.
pub(super) fn anywhere() -> Result<SessionState, DataFusionError> {
    engine(SessionConfig::new(), Arc::default())
}

/// All functions, by name.
pub(super) fn known(state: &SessionState) -> Arc<BallistaFunctionRegistry> {
    let mut known = BallistaFunctionRegistry::from(state);
    for function in session::written_by_rules() {
        let name = function.name().to_owned();
        known.scalar_functions.insert(name, Arc::new(function));
    }
    Arc::new(known)
}
