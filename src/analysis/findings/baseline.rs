//! What was usual before the incident.
//!
//! In: the events from before. Out: the combinations of values that `first_seen` asks about. Promise: only the distinct
//! combinations are kept, whatever the number of events; without any, everything is seen for the first time.

use super::events::{Columns, Row};
use super::operand::values;
use super::path::Path;
use super::rules::Rules;
use crate::event::Field;
use arrow::array::RecordBatch;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The combinations seen before the incident.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    seen: HashMap<String, HashSet<String>>,
}

impl Baseline {
    /// Adds the events of a batch. Columns that are missing count as null.
    pub fn learn(&mut self, rules: &Rules, batch: &RecordBatch) {
        let columns = Columns::of(batch);
        for (name, paths) in rules.combinations() {
            let seen = self.seen.entry(name.to_owned()).or_default();
            for row in columns.rows() {
                for combination in combinations(paths, &row) {
                    if !seen.contains(&combination) {
                        seen.insert(combination);
                    }
                }
            }
        }
    }

    /// Whether the event has a combination of these values that is new. An event without any of the values has none.
    pub(super) fn is_new(&self, name: &str, paths: &[Path], row: &Row<'_>) -> bool {
        let seen = self.seen.get(name);
        let new = |combination: &String| !seen.is_some_and(|seen| seen.contains(combination));
        combinations(paths, row).iter().any(new)
    }
}

/// Every combination of the values at these paths, as one text each.
fn combinations(paths: &[Path], row: &Row<'_>) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut any = false;
    for path in paths {
        let mut values = match path.field {
            Field::AccessKeyId => row.caller().map(Cow::Borrowed).into_iter().collect(),
            _ => values(path, row),
        };
        any |= !values.is_empty();
        if values.is_empty() {
            values.push(Cow::Borrowed("\u{0}"));
        }
        let longer = found.iter().flat_map(|start| {
            values
                .iter()
                .map(move |value| format!("{start}\u{1f}{value}"))
        });
        found = longer.collect();
    }
    if !any {
        found.clear();
    }
    found
}
