//! How finely an approximate percentile may count.
//!
//! In: a physical plan. Out: whether it can be carried out. Promise: memory for the centroids is asked for at once, by every group,
//! so a number that no machine can hold is refused before the first row.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DataFusionError, ScalarValue, plan_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use std::sync::Arc;

/// The most centroids; 100 are usual.
const MOST: f64 = 10_000.0;

/// What the names of the functions begin with.
const FUNCTIONS: &str = "approx_percentile";

/// Refuses percentiles that ask for too much memory.
pub(super) fn bounded(plan: &Arc<dyn ExecutionPlan>) -> Result<(), DataFusionError> {
    let walked = plan.apply(|node| {
        if let Some(groups) = node.downcast_ref::<AggregateExec>() {
            for call in groups.aggr_expr() {
                look(call.fun().name(), &call.expressions())?;
            }
        }
        let windows = match node.downcast_ref::<WindowAggExec>() {
            Some(windows) => windows.window_expr(),
            None => node
                .downcast_ref::<BoundedWindowAggExec>()
                .map_or(&[][..], |windows| windows.window_expr()),
        };
        for call in windows {
            look(call.name(), &call.expressions())?;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map(drop)
}

/// The number of centroids is the last of more than two arguments; a percentile is not above 1.
fn look(function: &str, args: &[Arc<dyn PhysicalExpr>]) -> Result<(), DataFusionError> {
    if !function.starts_with(FUNCTIONS) {
        return Ok(());
    }
    for arg in args.iter().skip(2) {
        let Some(literal) = arg.downcast_ref::<Literal>() else {
            continue;
        };
        // What is no number is refused by the function itself.
        let number = literal.value().cast_to(&DataType::Float64);
        if let Ok(ScalarValue::Float64(Some(number))) = number
            && number > MOST
        {
            return plan_err!("{FUNCTIONS} with {number} centroids: at most {MOST} are possible");
        }
    }
    Ok(())
}
