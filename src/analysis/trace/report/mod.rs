//! What is said of the tree: every section of a trace.
//!
//! In: the tree, its deeds, and who is behind them. Out: the rows of the sections, and the answers in words. Promise: the summary is made
//! from the sections, so that it cannot contradict them.

pub(in crate::analysis::trace) mod answers;
pub(in crate::analysis::trace) mod beside;
pub(in crate::analysis::trace) mod cleanup;
pub(in crate::analysis::trace) mod cleanup_table;
pub(in crate::analysis::trace) mod containment;
pub(in crate::analysis::trace) mod credentials;
pub(in crate::analysis::trace) mod data_access;
pub(in crate::analysis::trace) mod denied;
mod group_rules;
pub(in crate::analysis::trace) mod known;
pub(in crate::analysis::trace) mod pivot;
pub(in crate::analysis::trace) mod policy_text;
mod removed;
pub(in crate::analysis::trace) mod renamed;
pub(in crate::analysis::trace) mod silence;
pub(in crate::analysis::trace) mod steps;
pub(in crate::analysis::trace) mod unseen;
