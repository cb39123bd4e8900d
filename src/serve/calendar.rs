//! Days as a calendar: what was seen of which account and region, day by day.
//!
//! In: rows of account, region, day and events. Out: a line per account and region, with a cell per day. Promise: a day without an
//! event is a cell of its own; where there are more days or lines than a page can show, it says so.

use super::cells::visible;
use crate::service::Table;
use chrono::{Days, NaiveDate};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most days, the last ones.
const DAYS: usize = 120;

/// The most lines.
const LINES: usize = 200;

/// A calendar.
#[derive(Debug, Serialize)]
pub(super) struct Calendar {
    first: String,
    last: String,
    lines: Vec<Line>,
    earlier: usize,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Line {
    account: String,
    region: String,
    days: Vec<Day>,
}

#[derive(Debug, Serialize)]
struct Day {
    day: String,
    events: u64,
    /// From 0, nothing, to 4, among the busiest.
    shade: u8,
}

/// The calendar of all rows of the section `days`.
pub(super) fn of(table: &Table) -> Option<Calendar> {
    let text = |row: &serde_json::Map<String, Value>, name: &str| {
        row.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut counts: BTreeMap<(String, String), BTreeMap<NaiveDate, u64>> = BTreeMap::new();
    for row in &table.rows {
        let day = text(row, "event_date").parse::<NaiveDate>().ok()?;
        let events = row.get("events").and_then(Value::as_u64).unwrap_or(0);
        let line = counts.entry((text(row, "account_id"), text(row, "aws_region")));
        *line.or_default().entry(day).or_default() += events;
    }
    let all = || counts.values().flat_map(BTreeMap::keys);
    let (first, last) = (*all().min()?, *all().max()?);
    let days = usize::try_from((last - first).num_days()).unwrap_or(0) + 1;
    let earlier = days.saturating_sub(DAYS);
    let begin = first + Days::new(earlier as u64);
    let most = counts
        .values()
        .flat_map(BTreeMap::values)
        .max()
        .copied()
        .unwrap_or(1);
    let lines = counts
        .iter()
        .take(LINES)
        .map(|((account, region), counts)| Line {
            account: visible(account),
            region: visible(region),
            days: begin
                .iter_days()
                .take_while(|day| *day <= last)
                .map(|day| {
                    let events = counts.get(&day).copied().unwrap_or(0);
                    Day {
                        day: day.to_string(),
                        events,
                        shade: shade(events, most),
                    }
                })
                .collect(),
        });
    Some(Calendar {
        first: begin.to_string(),
        last: last.to_string(),
        lines: lines.collect(),
        earlier,
        more: counts.len().saturating_sub(LINES),
    })
}

/// By orders of magnitude: busy days must not make quiet ones look empty.
fn shade(events: u64, most: u64) -> u8 {
    match events {
        0 => 0,
        _ => {
            let of = (events as f64 + 1.0).ln() / (most as f64 + 1.0).ln();
            (1.0 + of * 3.0).round() as u8
        }
    }
}
