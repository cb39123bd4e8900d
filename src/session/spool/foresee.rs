//! The scans that are going to be made.
//!
//! In: planned queries. Out: what they ask of the events, and a spool where that is asked more than once. Promise: what a
//! query will ask is read from its plan, so that it cannot be forgotten; a condition whose value is not known yet is left
//! out, so that what is kept is enough whatever the value will be.

use super::super::error::fault;
use super::super::query::Query;
use super::super::{Params, SessionError};
use super::want::Want;
use super::{Deferred, Spool, Spooled};
use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DataFusionError, exec_err};
use datafusion::datasource::source_as_provider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::{Placeholder, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::{NamePreserver, unnormalize_cols};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TableScan, Volatility,
};
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// How to do a query, so that it reads the log files once.
pub(in crate::session) async fn physical(
    state: &SessionState,
    plan: &LogicalPlan,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let plan = state.optimize(plan)?;
    let mut asked = Foreseen::default();
    asked.add(&plan)?;
    // The scans hold the spool; queries that come later do not find it.
    let kept = asked.keep_if_repeated(state).await?;
    let physical = state.query_planner().create_physical_plan(&plan, state);
    let physical = physical.await;
    if let (Some(events), Some(spool)) = (asked.events(), kept) {
        events.forget(&spool);
    }
    physical
}

/// Scans that are going to be made.
#[derive(Debug, Default)]
pub(in crate::session) struct Foreseen {
    /// The table that is asked.
    table: Option<Arc<dyn TableProvider>>,
    wants: Vec<Want>,
    /// How often the log files would be read.
    times: usize,
    /// Whether it is asked what became of all log files, so that none of them may be left out.
    whole: bool,
}

impl Foreseen {
    /// Adds what an optimized plan asks.
    pub(in crate::session) fn add(&mut self, plan: &LogicalPlan) -> Result<(), DataFusionError> {
        let walked = plan.apply_with_subqueries(|node| {
            match node {
                LogicalPlan::TableScan(scan) => self.add_scan(scan)?,
                // It is done again and again.
                LogicalPlan::RecursiveQuery(query) => self.add(&query.recursive_term)?,
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        walked.map(|_| ())
    }

    fn add_scan(&mut self, scan: &TableScan) -> Result<(), DataFusionError> {
        let Ok(table) = source_as_provider(&scan.source) else {
            return Ok(());
        };
        if let Some(events) = table.downcast_ref::<Spooled>() {
            let filters: Vec<Expr> = unnormalize_cols(scan.filters.iter().cloned());
            let want = Want::new(&events.schema(), scan.projection.as_deref(), &filters)?;
            self.times += 1;
            // What another spool keeps anyway need not be kept twice.
            if events.covering(&want).is_none() {
                self.wants.push(want);
            }
            self.table = Some(table);
        } else if let Some(account) = table.downcast_ref::<Deferred>() {
            self.times += 1;
            self.whole = true;
            self.table
                .get_or_insert_with(|| Arc::clone(account.events()) as Arc<dyn TableProvider>);
        }
        Ok(())
    }

    fn events(&self) -> Option<&Spooled> {
        self.table
            .as_ref()
            .and_then(|table| table.downcast_ref::<Spooled>())
    }

    /// Makes a spool if the log files would be read more than once.
    pub(in crate::session) async fn keep_if_repeated(
        &mut self,
        state: &SessionState,
    ) -> Result<Option<Arc<Spool>>, DataFusionError> {
        match self.times {
            0 | 1 => Ok(None),
            _ => self.keep(state).await,
        }
    }

    /// Makes a spool for what no other one keeps.
    pub(in crate::session) async fn keep(
        &mut self,
        state: &SessionState,
    ) -> Result<Option<Arc<Spool>>, DataFusionError> {
        let wants = std::mem::take(&mut self.wants);
        match self.events() {
            Some(events) if !wants.is_empty() => {
                events.keep(state, wants, self.whole).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Query {
    /// Leaves the parameters open whose value is null: it is not known yet.
    pub(in crate::session) fn not_known_yet(self, params: &Params) -> Result<Self, SessionError> {
        let plan = not_known_yet(self.plan, params);
        let plan = plan.map_err(|error| fault(error, &self.text))?;
        Ok(Self { plan, ..self })
    }

    /// Notes what it is going to ask of the events.
    pub(in crate::session) fn foresee(&self, foreseen: &mut Foreseen) -> Result<(), SessionError> {
        let plan = self.state.optimize(&self.plan);
        let added = plan.and_then(|plan| foreseen.add(&plan));
        added.map_err(|error| fault(error, &self.text))
    }
}

/// The plan with its parameters: null stands for a value that is not known yet.
fn not_known_yet(plan: LogicalPlan, params: &Params) -> Result<LogicalPlan, DataFusionError> {
    let unknown = |id: &str| {
        let value = params.get(id.trim_start_matches('$'))?;
        value.is_null().then(|| value.data_type())
    };
    let replaced = plan.transform_up_with_subqueries(|plan| {
        let names = NamePreserver::new(&plan);
        let replaced = plan.map_expressions(|expression| {
            let name = names.save(&expression);
            let replaced = expression.transform_up(|expression| {
                let Expr::Placeholder(Placeholder { id, .. }) = &expression else {
                    return Ok(Transformed::no(expression));
                };
                Ok(match unknown(id) {
                    Some(data_type) => Transformed::yes(Unknown::value(data_type)),
                    None => Transformed::no(expression),
                })
            })?;
            Ok(replaced.update_data(|expression| name.restore(expression)))
        })?;
        match replaced.transformed {
            true => replaced.map_data(LogicalPlan::recompute_schema),
            false => Ok(replaced),
        }
    });
    Ok(replaced?.data)
}

/// A value that is not known yet. It may be another one in each row, as far as the engine knows, so that a condition on it
/// stays above the scan.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Unknown {
    signature: Signature,
    data_type: DataType,
}

impl Unknown {
    fn value(data_type: DataType) -> Expr {
        let function = ScalarUDF::new_from_impl(Self {
            signature: Signature::nullary(Volatility::Volatile),
            data_type,
        });
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), Vec::new()))
    }
}

impl ScalarUDFImpl for Unknown {
    fn name(&self) -> &'static str {
        "not_known_yet"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        exec_err!("a query was run before its parameters were known")
    }
}
