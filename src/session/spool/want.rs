//! What a scan wants of the events, and what a spool keeps for it.
//!
//! In: the columns and conditions of scans. Out: slots, each for the scans with the same conditions. Promise: a slot covers a
//! scan if it has all its columns and no condition that the scan does not have.

use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::Expr;
use std::collections::BTreeSet;

/// A scan.
#[derive(Debug, Clone)]
pub(super) struct Want {
    /// The columns that it gives, in this order.
    pub(super) columns: Vec<usize>,
    /// Its conditions; a row has to meet all of them.
    pub(super) conditions: Vec<Expr>,
}

impl Want {
    pub(super) fn new(
        schema: &SchemaRef,
        projection: Option<&[usize]>,
        filters: &[Expr],
    ) -> Result<Self, DataFusionError> {
        let columns = match projection {
            Some(columns) => columns.to_vec(),
            None => (0..schema.fields().len()).collect(),
        };
        let mut conditions = Vec::new();
        for filter in filters {
            if !conditions.contains(filter) {
                conditions.push(filter.clone());
            }
        }
        Ok(Self {
            columns,
            conditions,
        })
    }
}

/// What is kept for the scans that have the same conditions.
#[derive(Debug)]
pub(super) struct Slot {
    /// By their number in the table.
    pub(super) columns: BTreeSet<usize>,
    pub(super) conditions: Vec<Expr>,
    schema: SchemaRef,
}

impl Slot {
    /// The slots for these scans: as few as there are different conditions.
    pub(super) fn of(schema: &SchemaRef, wants: Vec<Want>) -> Vec<Slot> {
        let mut slots: Vec<Slot> = Vec::new();
        for want in wants {
            let same = |slot: &&mut Slot| {
                slot.conditions.len() == want.conditions.len()
                    && want
                        .conditions
                        .iter()
                        .all(|condition| slot.conditions.contains(condition))
            };
            match slots.iter_mut().find(same) {
                Some(slot) => slot.columns.extend(want.columns),
                None => slots.push(Slot {
                    columns: want.columns.into_iter().collect(),
                    conditions: want.conditions,
                    schema: SchemaRef::clone(schema),
                }),
            }
        }
        slots
    }

    /// Whether a scan can be answered from here.
    pub(super) fn covers(&self, want: &Want) -> bool {
        let has = |name: &str| {
            let column = self.schema.index_of(name);
            column.is_ok_and(|column| self.columns.contains(&column))
        };
        want.columns
            .iter()
            .all(|column| self.columns.contains(column))
            && self
                .conditions
                .iter()
                .all(|condition| want.conditions.contains(condition))
            && self.rest(want).iter().all(|condition| {
                condition
                    .column_refs()
                    .iter()
                    .all(|column| has(column.name()))
            })
    }

    /// The conditions of a scan that a row of the slot may not meet.
    pub(super) fn rest(&self, want: &Want) -> Vec<Expr> {
        let conditions = want.conditions.iter();
        conditions
            .filter(|condition| !self.conditions.contains(condition))
            .cloned()
            .collect()
    }
}

/// The conditions that all slots have, which rows need not be kept for.
pub(super) fn common(slots: &[Slot]) -> Vec<Expr> {
    let Some((first, others)) = slots.split_first() else {
        return Vec::new();
    };
    let of_all = first.conditions.iter().filter(|condition| {
        others
            .iter()
            .all(|slot| slot.conditions.contains(condition))
    });
    of_all.cloned().collect()
}
