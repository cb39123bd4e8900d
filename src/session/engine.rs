//! The engine as keytrail uses it.
//!
//! In: settings, and what sessions share. Out: DataFusion's `SessionContext`. Promise: the same functions and rules wherever a query runs, here
//! or on a cluster.

use super::{bounded, checked, count_texts, dialect, distinct, functions, sound, spill};
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{FunctionRegistry as _, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use std::sync::Arc;

/// The engine as it is used on this machine.
pub(super) fn context(
    partitions: usize,
    runtime: Arc<RuntimeEnv>,
) -> Result<SessionContext, DataFusionError> {
    let mut config = SessionConfig::new().with_target_partitions(partitions.max(1));
    let options = config.options_mut();
    // Errors point into the statement.
    options.sql_parser.collect_spans = true;
    // With two branches of a UNION, that rule gives each its columns in another order.
    options.optimizer.enable_leaf_expression_pushdown = false;
    let parquet = &mut options.execution.parquet;
    // Rows are filtered while they are read: one key's events touch few pages of the wide columns.
    parquet.pushdown_filters = true;
    parquet.reorder_filters = true;
    engine(config, runtime)
}

/// The engine with keytrail's functions and rules, wherever it runs.
pub(crate) fn engine(
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
) -> Result<SessionContext, DataFusionError> {
    let max_memory = match runtime.memory_pool.memory_limit() {
        MemoryLimit::Finite(bytes) => Some(bytes),
        _ => None,
    };
    let functions = functions::all();
    let state = SessionStateBuilder::new()
        .with_config(spill::unshared(config))
        .with_runtime_env(runtime)
        .with_default_features()
        .with_expr_planners(dialect::planners(&functions))
        .build();
    let mut context = SessionContext::new_with_state(state);
    for function in functions {
        context.register_udf(function);
    }
    bounded::register(&context, max_memory);
    context.register_udaf(count_texts::count_texts());
    let distinct_texts = distinct::DistinctTexts::new(count_texts::count_texts());
    context.add_analyzer_rule(Arc::new(distinct_texts));
    // `json_get`, `->`, `->>` and their like.
    datafusion_functions_json::register_all(&mut context)?;
    context.add_analyzer_rule(Arc::new(sound::SoundJson::new()));
    context.add_analyzer_rule(Arc::new(checked::Checked::new(
        context.udf("regexp_like").ok(),
    )));
    Ok(context)
}

/// Functions that no query can name, but that rules write into plans.
#[cfg(feature = "cluster")]
pub(crate) fn written_by_rules() -> Vec<datafusion::logical_expr::ScalarUDF> {
    let mut functions = checked::functions();
    functions.push(sound::function());
    functions
}
