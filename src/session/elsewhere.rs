//! Queries that run on other machines.
//!
//! In: a query, and an engine that can run plans elsewhere. Out: a plan whose rows come from there, or none where the query
//! has to run here. Promise: what the engine does not take runs here, planned as if there were no such engine; the session
//! knows nothing of how plans travel.

use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// An engine that runs plans on other machines.
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// The state to make plans with that are meant for this engine.
    fn planner(&self, state: &SessionState) -> SessionState;

    /// Takes a plan that was made with [`Elsewhere::planner`].
    fn carry(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Carried;

    /// A query that could have run there runs here, for this reason.
    fn stays(&self, why: &str);
}

/// Where a plan runs.
#[derive(Debug)]
pub enum Carried {
    /// On the other machines: this plan fetches the rows from there.
    There(Arc<dyn ExecutionPlan>),
    /// Here, for this reason; none where nothing is lost by it.
    Here(Option<String>),
}

/// What went wrong elsewhere, on its way through the engine.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct ElsewhereFault(pub Arc<dyn Error + Send + Sync>);

impl From<ElsewhereFault> for DataFusionError {
    fn from(fault: ElsewhereFault) -> Self {
        DataFusionError::External(Box::new(fault))
    }
}

/// How to run a query there; none if it runs here.
pub(super) async fn physical(
    engine: &dyn Elsewhere,
    state: &SessionState,
    plan: &LogicalPlan,
) -> Option<Arc<dyn ExecutionPlan>> {
    let state = engine.planner(state);
    let made = match state.optimize(plan) {
        Ok(plan) => {
            state
                .query_planner()
                .create_physical_plan(&plan, &state)
                .await
        }
        Err(error) => Err(error),
    };
    let why = match made {
        Ok(plan) => match engine.carry(plan, &state) {
            Carried::There(plan) => return Some(plan),
            Carried::Here(why) => why?,
        },
        // A statement that is wrong is refused by the plan that is made next, too, and better.
        Err(error) => error.strip_backtrace(),
    };
    engine.stays(&why);
    None
}
