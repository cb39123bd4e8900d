//! How are log files read, once?
//!
//! In: sources and a selection. Out: columns of events, a ledger row for each log file and the records that were rejected.
//! Promise: there is one way from a source to events, for ingest and for questions without a lake: the same hashes, counts,
//! rejects and progress. What could not be read is a result, not an error; only what would meet every log file is one.
//!
//! ```text
//! list ──WorkList──▶ parcels ──Parcel──▶ fetch ──FetchedParcel──▶ decode ──EventRows──▶ whoever takes them
//!                                                                   └────DecodedParcel (ledger rows, rejects)
//! ```
//!
//! Each stage is a function with one message in and one out. How many parcels are under way at once, and on which
//! threads, is for the rooms above to say: an ingest packs on threads of its own, a question streams.

mod decode;
mod fetch;
mod ledger;
mod list;
mod observer;
mod parcel;
mod tally;

pub use decode::{Comparison, DecodedParcel, EventRows, ParcelDecoder, Taken};
pub use fetch::{FetchLimits, FetchedFile, FetchedParcel, fetch};
pub use ledger::{LogFileOutcome, LogFileRow, RejectRow};
pub use list::{WorkList, list};
pub use observer::{Observer, Outcome, Phase, Silent, Spread, Stop};
pub use parcel::{Parcel, ParcelSize, Planned, parcels};
pub use tally::Tally;

use crate::source::SourceError;

/// Why reading ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source could not be listed, or refuses everything.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A task ended without an answer.
    #[error("internal fault: {0} ended without a result")]
    Lost(&'static str),
}
