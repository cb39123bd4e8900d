//! Who is behind what the tree did, and what of it is followed.
//!
//! In: the graph, and the deeds of the start. Out: verdicts on deeds, credentials and addresses. Promise: the judge is that of every other
//! answer; here its verdicts are spread over the tree.

pub(in crate::analysis::trace) mod behind;
pub(in crate::analysis::trace) mod follow;
pub(in crate::analysis::trace) mod hosts;
pub(in crate::analysis::trace) mod sources;
pub(in crate::analysis::trace) mod split;
