//! How do all log files get there, once?
//!
//! In: a source and a lake. Out: every event of the source in the lake, once. So far: how an ingest is observed and
//! stopped.

mod observer;

pub use observer::{Observer, Outcome, Phase, Silent, Stop};
