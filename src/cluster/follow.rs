//! Who follows what a client of a cluster does.
//!
//! In: what happens to its queries. Out: nothing, unless somebody follows. Promise: a follower may be called from many threads at once and
//! must return quickly.

use std::fmt;

/// Who follows.
pub trait Follow: fmt::Debug + Send + Sync {
    /// A query that could have run on the cluster runs here, for this reason.
    fn stays(&self, why: &str);

    /// The query under way has come so far.
    fn far(&self, _: Far) {}
}

/// How far a query is: what has ended of it. The scheduler tells of stages when they end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Far {
    /// Stages.
    pub stages: u64,
    /// Partitions of these stages.
    pub partitions: u64,
}

impl fmt::Display for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stages, partitions } = self;
        write!(
            f,
            "on the cluster: {stages} stages, {partitions} partitions done"
        )
    }
}
