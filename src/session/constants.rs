//! Constants that are written once for each row.
//!
//! In: a physical plan. Out: whether its constants have room. Promise: `SELECT repeat('x', 1000000), … FROM events`, whose constant is
//! computed once and then copied into thousands of rows at a time, is refused before the first row.

use super::memory::Most;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, InListExpr, LikeExpr, Literal};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use std::sync::Arc;

/// A constant below that is not worth a look: a batch of rows has some thousand.
const SMALL: usize = 4 << 10;

/// Refuses plans whose constants take too much memory once they are in rows.
pub(super) fn bounded(
    plan: &Arc<dyn ExecutionPlan>,
    batch_rows: usize,
    most: Most,
) -> Result<(), DataFusionError> {
    let walked = plan.apply(|node| {
        let mut largest = 0;
        node.apply_expressions(&mut |root| {
            largest = largest.max(written(root));
            Ok(TreeNodeRecursion::Continue)
        })?;
        if largest > SMALL {
            let rows = rows(node.as_ref(), batch_rows);
            let what = format!("a constant of {largest} bytes in {rows} rows");
            most.check(&what, largest as u128 * rows as u128)?;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map(drop)
}

/// The size of the largest constant that an expression writes into rows.
fn written(expr: &Arc<dyn PhysicalExpr>) -> usize {
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return match literal.value() {
            ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => text.len(),
            // The same bytes for all rows.
            ScalarValue::Utf8View(_) | ScalarValue::BinaryView(_) => 0,
            other => other.size(),
        };
    }
    // What is compared with a constant is compared with one copy of it.
    let compares = expr.downcast_ref::<BinaryExpr>().is_some()
        || expr.downcast_ref::<LikeExpr>().is_some()
        || expr.downcast_ref::<InListExpr>().is_some();
    let inside = expr.children().into_iter();
    inside
        .filter(|inner| !compares || inner.downcast_ref::<Literal>().is_none())
        .map(written)
        .max()
        .unwrap_or_default()
}

/// How many rows an operator is given at once, at most.
fn rows(node: &dyn ExecutionPlan, batch_rows: usize) -> usize {
    let known = node.children().first().and_then(|input| {
        let statistics = StatisticsContext::new().compute(input.as_ref(), &StatisticsArgs::new());
        let rows = statistics.ok()?.num_rows;
        rows.is_exact()?.then(|| rows.get_value().copied())?
    });
    known.map_or(batch_rows, |rows| rows.min(batch_rows))
}
