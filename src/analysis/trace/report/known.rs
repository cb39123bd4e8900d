//! What the events of the tree mean, by what is known of attacks.
//!
//! In: the events, and who is behind them. Out: findings, with the events of each; the timeline's events are marked. Promise: what the
//! owner's programs did is the baseline that "seen for the first time" is measured against, and has no finding itself.

use super::super::TraceOptions;
use super::super::graph::deeds::{Deed, rfc3339};
use super::super::graph::facts::{text, texts};
use crate::analysis::AnalysisError;
use crate::analysis::findings::{Baseline, Finding, ListName, find};
use crate::report::Coverage;
use crate::report::trace::{Origin, TraceFinding};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// The findings, the gravest first.
pub(in crate::analysis::trace) fn findings(
    deeds: &mut [Deed],
    batches: &[RecordBatch],
    coverage: &Coverage,
    options: &TraceOptions,
) -> Result<Vec<TraceFinding>, AnalysisError> {
    let mut by_event: FxHashMap<String, usize> = FxHashMap::default();
    for (at, deed) in deeds.iter().enumerate() {
        if deed.member.is_some() {
            by_event.insert(deed.event.event_id.clone(), at);
        }
    }
    let mut baseline = Baseline::default();
    let mut incident = Vec::with_capacity(batches.len());
    for batch in batches {
        let ids = texts(batch, "event_id")?;
        let of = |row: usize| {
            by_event
                .get(text(&ids, row)?)
                .map(|at| deeds[*at].event.origin)
        };
        let origins: Vec<Option<Origin>> = (0..batch.num_rows()).map(of).collect();
        let usual = origins.iter().map(|it| Some(*it == Some(Origin::Owner)));
        let usual: BooleanArray = usual.collect();
        let others = origins
            .iter()
            .map(|it| Some(it.is_some_and(|origin| origin != Origin::Owner)));
        let others: BooleanArray = others.collect();
        baseline.learn(&options.rules, &filter_record_batch(batch, &usual)?);
        incident.push(filter_record_batch(batch, &others)?);
    }
    let mut lists = options.lists.clone();
    for account in &coverage.accounts {
        // Only address ranges can be refused.
        let _ = lists.add(ListName::OwnAccounts, account);
    }
    let found = find((&options.rules, &lists), &incident, &baseline);
    let mut rows: Vec<TraceFinding> = Vec::new();
    let mut places: FxHashMap<(String, bool), usize> = FxHashMap::default();
    for finding in found {
        let Some(at) = by_event.get(&finding.event_id) else {
            continue;
        };
        let event = &mut deeds[*at].event;
        event.finding = Some(format!(
            "{} {}",
            finding.technique_id, finding.technique_name
        ));
        event.severity = Some(finding.severity.as_str().to_owned());
        let place = (finding.rule.to_string(), finding.failed);
        let (source, name) = (event.event_source.clone(), event.event_name.clone());
        let row = *places.entry(place).or_insert_with(|| {
            rows.push(row(&finding, source.unwrap_or_default(), name));
            rows.len() - 1
        });
        let row = &mut rows[row];
        row.last_seen = rfc3339(finding.event_time);
        row.events += 1;
        row.event_ids.push(finding.event_id);
    }
    let grave =
        |row: &TraceFinding| Reverse(SEVERITIES.iter().position(|name| *name == row.severity));
    rows.sort_by(|a, b| {
        (grave(a), &a.first_seen, &a.event_name).cmp(&(grave(b), &b.first_seen, &b.event_name))
    });
    Ok(rows)
}

const SEVERITIES: [&str; 5] = ["info", "low", "medium", "high", "critical"];

fn row(finding: &Finding, event_source: String, event_name: String) -> TraceFinding {
    let before = finding.technique_id_v18.to_string();
    TraceFinding {
        severity: finding.severity.as_str().to_owned(),
        tactic: finding.tactic.to_string(),
        technique_id: finding.technique_id.to_string(),
        technique_id_before: (!before.is_empty() && *finding.technique_id != before)
            .then_some(before),
        technique_name: finding.technique_name.to_string(),
        event_source,
        event_name,
        why: finding.why.to_string(),
        rule: finding.rule.to_string(),
        failed: finding.failed,
        first_seen: rfc3339(finding.event_time),
        ..TraceFinding::default()
    }
}
