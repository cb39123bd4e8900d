//! Unions whose parts are sorted.
//!
//! In: a plan. Out: a plan of the same rows. Promise: no part of a union sorts in the stage of the union.
//!
//! A task of such a stage works on some partitions of one part, and has no partition of the others. A sort cannot be left
//! without any, so each part that sorts becomes a stage of its own.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _, Partitioning};
use std::sync::Arc;

/// Puts each part that sorts into a stage of its own.
pub(super) fn separate(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let separated = plan.transform_up(|node| {
        if !node.is::<UnionExec>() {
            return Ok(Transformed::no(node));
        }
        let parts = node.children().into_iter();
        let parts: Vec<_> = parts
            .map(|part| match sorts(part.as_ref()) {
                true => gathered(Arc::clone(part)),
                false => Arc::clone(part),
            })
            .collect();
        Ok(Transformed::yes(UnionExec::try_new(parts)?))
    });
    separated.data()
}

/// The rows of all partitions, in the order that they have in each.
fn gathered(part: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    match part.output_ordering().cloned() {
        Some(order) => Arc::new(SortPreservingMergeExec::new(order, part)),
        None => Arc::new(CoalescePartitionsExec::new(part)),
    }
}

/// Whether the stage that ends here sorts.
fn sorts(node: &dyn ExecutionPlan) -> bool {
    let inputs = || node.children().into_iter();
    node.is::<SortExec>() || (!ends_stage(node) && inputs().any(|input| sorts(input.as_ref())))
}

/// Whether what is below is another stage.
pub(super) fn ends_stage(node: &dyn ExecutionPlan) -> bool {
    let by_hash = |node: &RepartitionExec| matches!(node.partitioning(), Partitioning::Hash(..));
    node.is::<CoalescePartitionsExec>()
        || node.is::<SortPreservingMergeExec>()
        || node.downcast_ref::<RepartitionExec>().is_some_and(by_hash)
}
