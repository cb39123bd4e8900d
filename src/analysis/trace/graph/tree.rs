//! The tree of credentials.
//!
//! In: links. Out: [`Member`]s. Promise: parents stand before children.

use super::facts::number;
use super::joins::{Evidence, Joins, Link};
use crate::report::trace::Confidence;

/// A credential of the tree.
#[derive(Debug, Clone)]
pub(in crate::analysis::trace) struct Member {
    pub(in crate::analysis::trace) node: usize,
    /// Its parent's position among the members.
    pub(in crate::analysis::trace) parent: Option<usize>,
    pub(in crate::analysis::trace) link: Link,
    pub(in crate::analysis::trace) path_confidence: Confidence,
    pub(in crate::analysis::trace) depth: u32,
}

/// When the event of a link happened.
pub(in crate::analysis::trace) fn time_of(joins: &Joins<'_>, evidence: Evidence) -> Option<i64> {
    match evidence {
        Evidence::Issued(row) => number(&joins.facts.issued.event_time, row as usize),
        Evidence::Change(row) => number(&joins.facts.changes.event_time, row as usize),
        Evidence::None => None,
    }
}
