//! The events that a session's questions see.
//!
//! In: a table of events, a part of the trail. Out: the table `events` with the events of that part. Promise: no SQL reaches
//! the others.

use crate::cloudtrail::Selection;
use crate::lake::TableName;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit};
use datafusion::prelude::{DataFrame, SessionContext};
use std::sync::Arc;

/// `events`: the events of the selection. The table before the selection has no name, so that no SQL can reach it.
pub(super) fn register_selected(
    context: &SessionContext,
    all: Arc<dyn TableProvider>,
    selection: &Selection,
) -> Result<(), DataFusionError> {
    let name = TableName::Events.as_str();
    let mut plan = LogicalPlanBuilder::scan(name, provider_as_source(all), None)?;
    for condition in conditions(selection) {
        plan = plan.filter(condition)?;
    }
    let frame = DataFrame::new(context.state(), plan.build()?);
    context.register_table(name, frame.into_view())?;
    Ok(())
}

fn conditions(selection: &Selection) -> Vec<Expr> {
    let time = |time: chrono::DateTime<chrono::Utc>| {
        lit(ScalarValue::TimestampMicrosecond(
            Some(time.timestamp_micros()),
            Some("UTC".into()),
        ))
    };
    let date = |time: chrono::DateTime<chrono::Utc>| {
        lit(ScalarValue::Date32(Some(time.date_naive().to_epoch_days())))
    };
    let mut conditions = Vec::new();
    if let Some(since) = selection.since {
        conditions.push(col("event_time").gt_eq(time(since)));
        conditions.push(col("event_date").gt_eq(date(since)));
    }
    if let Some(until) = selection.until {
        conditions.push(col("event_time").lt(time(until)));
        conditions.push(col("event_date").lt_eq(date(until)));
    }
    if !selection.accounts.is_empty() {
        let accounts = selection
            .accounts
            .iter()
            .map(|account| lit(account.to_string()))
            .collect();
        conditions.push(col("account_id").in_list(accounts, false));
    }
    if !selection.regions.is_empty() {
        let regions = selection
            .regions
            .iter()
            .map(|region| lit(region.clone()))
            .collect();
        conditions.push(col("aws_region").in_list(regions, false));
    }
    conditions
}
