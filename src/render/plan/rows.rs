//! A plan as rows.
//!
//! In: a plan. Out: the order of its keys as a table; one row per step for programs. Promise: every step is a row, in the order in
//! which it is to be taken.

use crate::report::plan::{Plan, PlannedKey, Step};
use crate::report::table::{self, Kind};
use crate::report::{Report, Section};
use arrow::error::ArrowError;
use serde::Serialize;

#[derive(Serialize)]
struct OrderRow<'a> {
    no: u64,
    group: &'a str,
    access_key_id: Option<&'a str>,
    user_name: Option<&'a str>,
    verdict: String,
    left: u64,
    move_to: String,
    last_used: Option<&'a str>,
    account_id: Option<&'a str>,
}

/// The keys in their order.
pub(super) fn order(keys: &[PlannedKey]) -> Result<Section, ArrowError> {
    let rows: Vec<OrderRow<'_>> = keys
        .iter()
        .map(|key| OrderRow {
            no: key.number,
            group: key.group,
            access_key_id: key.access_key_id.as_deref(),
            user_name: key.user_identity_user_name.as_deref(),
            verdict: verdict(key),
            left: key.consumers_left,
            move_to: super::targets(key),
            last_used: key.last_used.as_deref(),
            account_id: key.account_id.as_deref(),
        })
        .collect();
    table::section(
        ("order", "In this order"),
        &[
            ("no", Kind::Count, None),
            ("group", Kind::Text, Some("whole")),
            ("access_key_id", Kind::Text, Some("whole")),
            ("user_name", Kind::Text, None),
            ("verdict", Kind::Text, Some("whole")),
            ("left", Kind::Count, None),
            ("move_to", Kind::Text, Some("wrap")),
            ("last_used", Kind::Time, Some("detail")),
            ("account_id", Kind::Text, Some("detail")),
        ],
        &rows,
    )
}

/// The verdict, with its day.
pub(super) fn verdict(key: &PlannedKey) -> String {
    match key.not_before.as_deref().and_then(|time| time.get(..10)) {
        Some(day) => format!("{} {day}", key.verdict),
        None => key.verdict.to_owned(),
    }
}

#[derive(Serialize)]
struct StepRow<'a> {
    no: u64,
    group: &'a str,
    access_key_id: Option<&'a str>,
    user_name: Option<&'a str>,
    account_id: Option<&'a str>,
    consumer_id: Option<&'a str>,
    step: u64,
    kind: &'a str,
    what: &'a str,
    detail: &'a str,
    commands: String,
}

/// One row per step.
pub(super) fn report(plan: &Plan) -> Result<Report, ArrowError> {
    let mut rows: Vec<StepRow<'_>> = plan
        .first
        .iter()
        .map(|step| row(None, None, step))
        .collect();
    for key in &plan.keys {
        rows.extend(key.first.iter().map(|step| row(Some(key), None, step)));
        for consumer in &key.consumers {
            let id = Some(consumer.consumer_id.as_str());
            rows.extend(consumer.steps.iter().map(|step| row(Some(key), id, step)));
        }
        rows.extend(key.steps.iter().map(|step| row(Some(key), None, step)));
    }
    rows.extend(plan.last.iter().map(|step| row(None, None, step)));
    for (number, row) in (1..).zip(&mut rows) {
        row.step = number;
    }
    let section = table::section(
        ("steps", "Steps"),
        &[
            ("no", Kind::Count, None),
            ("group", Kind::Text, Some("whole")),
            ("access_key_id", Kind::Text, Some("whole")),
            ("user_name", Kind::Text, None),
            ("account_id", Kind::Text, Some("whole")),
            ("consumer_id", Kind::Text, Some("whole")),
            ("step", Kind::Count, None),
            ("kind", Kind::Text, Some("whole")),
            ("what", Kind::Text, Some("whole")),
            ("detail", Kind::Text, Some("wrap")),
            ("commands", Kind::Text, Some("wrap")),
        ],
        &rows,
    )?;
    Ok(Report {
        name: plan.report.clone(),
        title: plan.title.clone(),
        sections: vec![section],
        notes: plan.notes.clone(),
        coverage: Some(plan.coverage.clone()),
    })
}

fn row<'a>(
    key: Option<&'a PlannedKey>,
    consumer_id: Option<&'a str>,
    step: &'a Step,
) -> StepRow<'a> {
    StepRow {
        no: key.map_or(0, |key| key.number),
        group: key.map_or("", |key| key.group),
        access_key_id: key.and_then(|key| key.access_key_id.as_deref()),
        user_name: key.and_then(|key| key.user_identity_user_name.as_deref()),
        account_id: key.and_then(|key| key.account_id.as_deref()),
        consumer_id,
        step: 0,
        kind: step.kind,
        what: &step.what,
        detail: &step.detail,
        commands: step.commands.join("\n"),
    }
}
