//! What a query cost, for diagnostics.
//!
//! In: a plan that was carried out. Out: events of `tracing`: one for each table that was scanned, with rows, bytes and what was
//! pruned, and one for what was spilled to disk. Promise: nothing is computed unless somebody listens.

use datafusion::physical_plan::ExecutionPlan;
use std::time::Duration;
use tracing::{Level, enabled, info};

/// Emits the figures of a plan.
pub(super) fn emit(plan: &dyn ExecutionPlan, took: Duration) {
    if enabled!(Level::INFO) {
        let spilled = scans(plan);
        info!(?took, spilled, "query done");
    }
}

/// Emits the scans below a node; the bytes that nodes spilled.
fn scans(plan: &dyn ExecutionPlan) -> usize {
    let inputs = plan.children();
    let metrics = plan.metrics();
    if let (true, Some(metrics)) = (inputs.is_empty(), &metrics) {
        let shown = metrics.aggregate_by_name().sorted_for_display();
        info!(scan = plan.name(), metrics = %shown.timestamps_removed(), "scanned");
    }
    let own = metrics.and_then(|metrics| metrics.spilled_bytes());
    let below = inputs.into_iter().map(|input| scans(input.as_ref()));
    own.unwrap_or_default() + below.sum::<usize>()
}
