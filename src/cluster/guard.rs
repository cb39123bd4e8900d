//! Which plans give the same rows on a cluster.
//!
//! In: a plan. Out: whether it may travel, or why not. Promise: only what is known to be right travels: an operator that this
//! list does not have stops the plan here.
//!
//! Ballista cuts a plan into stages, and a stage into tasks that run on their own; each task gets some partitions of the
//! stage's leaves. An operator whose partitions share something in memory, or that repeats a part of its output for each
//! partition, gives other rows then, without an error.

use super::unions::ends_stage;
use datafusion::common::JoinType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};
use std::any::Any;

/// What the guard says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The plan may travel.
    Travels,
    /// It reads no file of the lake: there is nothing to share.
    ReadsNothing,
    /// It has to run here, for this reason.
    Stays(String),
}

/// Looks at every operator of a plan.
pub(super) fn check(plan: &dyn ExecutionPlan) -> Route {
    let mut reads = false;
    // Each with whether it is a part of a union, in the same stage.
    let mut ahead = vec![(plan, false)];
    while let Some((node, in_union)) = ahead.pop() {
        match operator(node) {
            // [`separate`](super::unions::separate) leaves none.
            Known::Right if in_union && node.is::<SortExec>() => {
                return Route::Stays("a UNION whose parts are sorted separately".to_owned());
            }
            Known::Right => {}
            Known::Scan => reads = true,
            Known::Wrong(why) => return Route::Stays(why),
        }
        let in_union = node.is::<UnionExec>() || (in_union && !ends_stage(node));
        let inputs = node.children().into_iter();
        ahead.extend(inputs.map(|input| (input.as_ref(), in_union)));
    }
    match reads {
        true => Route::Travels,
        false => Route::ReadsNothing,
    }
}

enum Known {
    Right,
    /// A scan of data files.
    Scan,
    Wrong(String),
}

fn operator(node: &dyn ExecutionPlan) -> Known {
    let right = node.is::<AggregateExec>()
        || node.is::<BoundedWindowAggExec>()
        || node.is::<CoalescePartitionsExec>()
        || node.is::<CrossJoinExec>()
        || node.is::<FilterExec>()
        || node.is::<GlobalLimitExec>()
        || node.is::<LocalLimitExec>()
        || node.is::<ProjectionExec>()
        || node.is::<RepartitionExec>()
        || node.is::<SortExec>()
        || node.is::<SortMergeJoinExec>()
        || node.is::<SortPreservingMergeExec>()
        || node.is::<UnionExec>()
        || node.is::<UnnestExec>()
        || node.is::<WindowAggExec>();
    if right {
        return Known::Right;
    }
    if let Some(scan) = node.downcast_ref::<DataSourceExec>() {
        return source(scan);
    }
    if node.is::<EmptyExec>() || node.is::<PlaceholderRowExec>() {
        // How many partitions they have does not travel.
        return match node.output_partitioning().partition_count() {
            1 => Known::Right,
            _ => Known::Wrong(format!("{} has several partitions", node.name())),
        };
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        // What one task finds on the other side, all tasks would have to know.
        return match join.null_aware {
            true => Known::Wrong("NOT IN over values that may be null".to_owned()),
            false => Known::Right,
        };
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return nested_loop(*join.join_type());
    }
    Known::Wrong(format!(
        "{} is not known to be correct on a cluster",
        node.name()
    ))
}

fn source(scan: &DataSourceExec) -> Known {
    let source: &dyn Any = scan.data_source().as_ref();
    if source.is::<MemorySourceConfig>() {
        return Known::Right;
    }
    let files = source.downcast_ref::<FileScanConfig>();
    match files {
        Some(files) => {
            let format: &dyn Any = files.file_source().as_ref();
            match format.is::<ParquetSource>() {
                true => Known::Scan,
                false => Known::Wrong("it reads files that are not Parquet".to_owned()),
            }
        }
        None => Known::Wrong("it reads something other than files".to_owned()),
    }
}

/// Each task has all rows of the left side and some of the right. It may say of a row of the right side what it finds, but
/// not of a row of the left: other tasks may find more.
fn nested_loop(kind: JoinType) -> Known {
    match kind {
        JoinType::Inner
        | JoinType::Right
        | JoinType::RightSemi
        | JoinType::RightAnti
        | JoinType::RightMark => Known::Right,
        JoinType::Left
        | JoinType::Full
        | JoinType::LeftSemi
        | JoinType::LeftAnti
        | JoinType::LeftMark => Known::Wrong(format!(
            "a {kind} join without an equality would repeat rows"
        )),
    }
}
