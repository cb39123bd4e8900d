//! Distinct texts in many groups.
//!
//! In: the plan of a query. Out: the same with [`count_texts`] in the place of `count(DISTINCT text)`. Promise: the same
//! numbers under the same names. The engine keeps a set of texts for every group, whose memory it does not count: a hundred
//! thousand groups take ten times as long, and a million all memory there is.
//!
//! [`count_texts`]: super::count_texts

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable as _, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// The rule, to be registered with a session.
#[derive(Debug)]
pub(super) struct DistinctTexts {
    count_texts: Arc<AggregateUDF>,
}

impl DistinctTexts {
    pub(super) fn new(count_texts: AggregateUDF) -> Self {
        Self {
            count_texts: Arc::new(count_texts),
        }
    }

    fn aggregate(&self, aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
        let rows = aggregate.input.schema();
        if !aggregate.aggr_expr.iter().any(|expr| counted(expr, rows)) {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        }
        let expressions = aggregate.aggr_expr.iter().map(|expr| match expr {
            Expr::AggregateFunction(call) if counted(expr, rows) => {
                let params = AggregateFunctionParams {
                    distinct: false,
                    ..call.params.clone()
                };
                let func = Arc::clone(&self.count_texts);
                Expr::AggregateFunction(AggregateFunction { func, params })
                    .alias(expr.schema_name().to_string())
            }
            other => other.clone(),
        });
        let expressions = expressions.collect();
        let aggregate = Aggregate::try_new(aggregate.input, aggregate.group_expr, expressions)?;
        Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
    }
}

impl AnalyzerRule for DistinctTexts {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|plan| match plan {
            // Without groups, the engine does as well.
            LogicalPlan::Aggregate(aggregate) if !aggregate.group_expr.is_empty() => {
                self.aggregate(aggregate)
            }
            plan => Ok(Transformed::no(plan)),
        });
        Ok(rewritten?.data)
    }

    fn name(&self) -> &str {
        "distinct_texts"
    }
}

/// Whether an expression is `count(DISTINCT text)`.
fn counted(expr: &Expr, rows: &DFSchema) -> bool {
    let Expr::AggregateFunction(call) = expr else {
        return false;
    };
    let params = &call.params;
    match params.args.as_slice() {
        [text] if params.distinct && params.order_by.is_empty() => {
            call.func.name() == "count"
                && text
                    .get_type(rows)
                    .is_ok_and(|data_type| data_type.is_string())
        }
        _ => false,
    }
}
