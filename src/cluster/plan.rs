//! From a plan to bytes.
//!
//! In: a plan that the guard let through. Out: its bytes. Promise: read back, the bytes are the same plan, operator by operator
//! and expression by expression, but for what they say of columns that may be null; a plan that loses more on the way is not
//! sent.

use super::PLAN;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::union::UnionExec;
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
    let unread = |error: DataFusionError| error.strip_backtrace();
    let there = read(&bytes, codec, context).map_err(unread)?;
    if shown(there.as_ref()) == shown(plan.as_ref()) {
        return Ok(bytes);
    }
    // The scheduler writes it once more, for the executors.
    let on = through(&there, codec, context).map_err(unread)?;
    let [plan, there, on] = [plan, &there, &on].map(|plan| steps(plan.as_ref()));
    match plan == there && plan == on {
        true => Ok(bytes),
        false => {
            tracing::debug!(
                ?plan,
                ?there,
                ?on,
                "a plan is not the same when it is read back"
            );
            Err("a part of the plan has no written form".to_owned())
        }
    }
}

/// A plan, written and read.
fn through(
    plan: &Arc<dyn ExecutionPlan>,
    codec: &dyn PhysicalExtensionCodec,
    context: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let mut bytes = Vec::new();
    PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), codec)?.try_encode(&mut bytes)?;
    read(&bytes, codec, context)
}

/// The plan of these bytes.
pub(super) fn read(
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

/// What a plan does, operator by operator. Left out is whether a column may be null: that a cast says so is not written, and a
/// union whose parts differ in it then puts a projection above a part that says it.
fn steps(plan: &dyn ExecutionPlan) -> Vec<String> {
    let mut steps = Vec::new();
    let mut ahead = vec![plan];
    while let Some(node) = ahead.pop() {
        let schema = node.schema();
        let columns = schema.fields().iter();
        let columns = columns.map(|it| (it.name(), it.data_type(), it.metadata()));
        let columns: Vec<_> = columns.collect();
        steps.push(format!("{} {columns:?}", displayable(node).one_line()));
        let is_union = node.is::<UnionExec>();
        ahead.extend(node.children().into_iter().map(|input| {
            let mut input = input;
            while let Some(below) = bare(input.as_ref()).filter(|_| is_union) {
                input = below;
            }
            input.as_ref()
        }));
    }
    steps
}

/// The input of a projection that changes nothing but whether columns may be null.
fn bare(node: &dyn ExecutionPlan) -> Option<&Arc<dyn ExecutionPlan>> {
    let projection = node.downcast_ref::<ProjectionExec>()?;
    let schema = projection.input().schema();
    let same = |(at, out): (usize, &ProjectionExpr)| {
        let cast = out.expr.downcast_ref::<CastExpr>();
        let kept = cast.is_none_or(|cast| cast.cast_type() == schema.field(at).data_type());
        let inner = cast.map_or(&out.expr, |cast| cast.expr());
        let column = inner.downcast_ref::<Column>();
        let same = column.is_some_and(|it| it.index() == at && it.name() == out.alias);
        kept && same
    };
    let whole = projection.expr().len() == schema.fields().len();
    (whole && projection.expr().iter().enumerate().all(same)).then(|| projection.input())
}
