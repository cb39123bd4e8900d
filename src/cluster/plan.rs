//! From a plan to bytes.
//!
//! In: a plan that the guard let through. Out: its bytes. Promise: read back, the bytes are the same plan, operator by operator
//! and expression by expression; a plan that loses something on the way is not sent.

use super::PLAN;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion_proto::physical_plan::{AsExecutionPlan as _, PhysicalExtensionCodec};
use datafusion_proto::protobuf::PhysicalPlanNode;
use std::sync::Arc;

/// The bytes of a plan.
///
/// # Errors
///
/// Why it cannot be sent.
pub(super) fn write(
    plan: &Arc<dyn ExecutionPlan>,
    codec: &dyn PhysicalExtensionCodec,
    context: &TaskContext,
) -> Result<Vec<u8>, String> {
    let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), codec);
    let node = node.map_err(|error| error.strip_backtrace())?;
    let mut bytes = Vec::new();
    node.try_encode(&mut bytes)
        .map_err(|error| error.strip_backtrace())?;
    if bytes.len() > PLAN {
        return Err(format!(
            "the plan is {} MB, and no more than {} MB are sent",
            bytes.len() >> 20,
            PLAN >> 20
        ));
    }
    let read = read(&bytes, codec, context).map_err(|error| error.strip_backtrace())?;
    let (read, plan) = (shown(read.as_ref()), shown(plan.as_ref()));
    let mut lines = read.lines().zip(plan.lines());
    match lines.find(|(read, plan)| read != plan) {
        None if read.len() == plan.len() => Ok(bytes),
        lost => {
            tracing::debug!(?lost, "a plan is not the same when it is read back");
            Err("a part of the plan has no written form".to_owned())
        }
    }
}

fn read(
    bytes: &[u8],
    codec: &dyn PhysicalExtensionCodec,
    context: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    PhysicalPlanNode::try_decode(bytes)?.try_into_physical_plan(context, codec)
}

/// Everything that a plan says of itself.
fn shown(plan: &dyn ExecutionPlan) -> String {
    let shown = displayable(plan).set_show_schema(true);
    shown.indent(true).to_string()
}
