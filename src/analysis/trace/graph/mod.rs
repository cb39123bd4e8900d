//! How credentials belong together: the graph, and the walks on it.
//!
//! In: narrow columns of the whole trail. Out: the tree of credentials, and its events. Promise: each link names its rule, its event and how
//! sure it is.

pub(in crate::analysis::trace) mod ascent;
pub(in crate::analysis::trace) mod births;
pub(in crate::analysis::trace) mod deeds;
pub(in crate::analysis::trace) mod events;
pub(in crate::analysis::trace) mod facts;
pub(in crate::analysis::trace) mod joins;
pub(in crate::analysis::trace) mod nodes;
pub(in crate::analysis::trace) mod paths;
pub(in crate::analysis::trace) mod start;
pub(in crate::analysis::trace) mod tree;
pub(in crate::analysis::trace) mod walk;
