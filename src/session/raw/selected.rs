//! The events of a reading that a selection wants.
//!
//! In: rows of log files, which are read whole. Out: how many of them are wanted, and what those are about. Promise: an answer
//! about a part of the log rests on that part, not on all that had to be read for it.

use crate::cloudtrail::Selection;
use crate::event::time::day;
use crate::event::{EventKey, Field, Summary};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use std::collections::BTreeSet;

/// Columns that tell of whom and where an event is; its time is part of its key.
pub(super) const COLUMNS: [Field; 2] = [Field::AccountId, Field::AwsRegion];

/// Wanted events.
#[derive(Debug, Clone, Default)]
pub(super) struct Selected {
    pub(super) events: u64,
    pub(super) summary: Summary,
}

impl Selected {
    /// Takes the new rows of a batch into account; the batch has [`COLUMNS`].
    pub(super) fn add(
        &mut self,
        selection: &Selection,
        batch: &RecordBatch,
        keys: &[EventKey],
        fresh: &[bool],
    ) {
        let column = |field: Field| -> Option<&StringArray> {
            let column = batch.column_by_name(field.column().name)?;
            column.as_string_opt::<i32>()
        };
        let (accounts, regions) = (column(Field::AccountId), column(Field::AwsRegion));
        let text = |column: Option<&StringArray>, row: usize| -> Option<String> {
            let column = column.filter(|column| column.is_valid(row))?;
            Some(column.value(row).to_owned())
        };
        for (row, key) in keys.iter().enumerate().filter(|(row, _)| fresh[*row]) {
            if !selection.wants_time(key.time) {
                continue;
            }
            let (account, region) = (text(accounts, row), text(regions, row));
            if !selection.wants_event_of(account.as_deref(), region.as_deref()) {
                continue;
            }
            self.events += 1;
            let Summary {
                first, last, days, ..
            } = &mut self.summary;
            *first = Some(first.map_or(key.time, |first| first.min(key.time)));
            *last = Some(last.map_or(key.time, |last| last.max(key.time)));
            days.insert(day(key.time));
            let add = |set: &mut BTreeSet<String>, text: Option<String>| {
                set.extend(text.filter(|text| !text.is_empty()));
            };
            add(&mut self.summary.accounts, account);
            add(&mut self.summary.regions, region);
        }
    }

    /// Takes those of another part into account.
    pub(super) fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.summary.merge(&other.summary);
    }
}
