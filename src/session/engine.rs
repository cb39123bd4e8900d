//! The engine as keytrail uses it.
//!
//! In: settings, and what sessions share. Out: DataFusion's `SessionContext`. Promise: the same functions and rules wherever a query runs, here
//! or on a cluster.

#[cfg(feature = "cluster")]
use super::intervals;
use super::memory::Most;
use super::{bounded, checked, count_texts, dialect, distinct, functions, joined, sound, spill};
use datafusion::common::DataFusionError;
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
    let most = Most::of(&runtime);
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
    bounded::register(&context, most);
    context.register_udaf(count_texts::count_texts());
    let distinct_texts = distinct::DistinctTexts::new(count_texts::count_texts());
    context.add_analyzer_rule(Arc::new(distinct_texts));
    // `json_get`, `->`, `->>` and their like.
    datafusion_functions_json::register_all(&mut context)?;
    context.add_analyzer_rule(Arc::new(sound::SoundJson::new()));
    context.add_analyzer_rule(Arc::new(checked::Checked::new(
        context.udf("regexp_like").ok(),
        joined::function(most),
    )));
    Ok(context)
}

/// Functions that no query can name, but that rules write into plans.
#[cfg(feature = "cluster")]
pub(crate) fn written_by_rules() -> Vec<datafusion::logical_expr::ScalarUDF> {
    let mut functions = checked::functions();
    functions.push(sound::function());
    functions.push(joined::function(Most::default()));
    functions.push(intervals::function());
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No function of the engine's, by its name or another one, stands in the place of one of ours.
    #[test]
    fn our_functions_are_called_by_their_names() {
        let context = context(1, Arc::default()).unwrap();
        for ours in functions::all() {
            let found = context.udf(ours.name()).unwrap();
            assert_eq!(found.name(), ours.name());
            let words = |function: &datafusion::logical_expr::ScalarUDF| {
                function
                    .documentation()
                    .map(|words| words.description.clone())
            };
            assert_eq!(words(&found), words(&ours), "{}", ours.name());
        }
    }

    /// What is offered for functions of other engines is planned.
    #[tokio::test]
    async fn what_is_written_instead_can_be_written() {
        let context = context(1, Arc::default()).unwrap();
        let values = "(SELECT ARRAY[1, 2] AS list, 1 AS x, 1 AS a, 2 AS b, 'a,b' AS text, 'a' AS part, '{}' AS json, \
             3 AS number, true AS condition, timestamp '2025-03-01' AS time, timestamp '2025-03-01' AS \"from\", \
             timestamp '2025-03-02' AS \"to\")";
        for written in dialect::all_foreign() {
            let written = written.replace("from, to", "\"from\", \"to\"");
            let sql = match written.split_once(" … ") {
                Some((select, rest)) => format!("{select} FROM {values} AS v {rest}"),
                None if written.starts_with("CROSS JOIN") => {
                    format!("SELECT 1 FROM {values} AS v {written}")
                }
                None => format!("SELECT {written} FROM {values} AS v"),
            };
            let statement = dialect::statement(&sql).unwrap();
            let plan = context.state().statement_to_plan(statement).await;
            plan.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}
