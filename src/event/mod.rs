//! How does a log file become columns?
//!
//! In: the bytes of one log file. Out: Arrow rows, and an account of every record. Promise: pure and synchronous: the same
//! bytes give the same rows, in ingest, in the raw table and on a cluster alike.
//!
//! ```text
//! bytes ──gzip──▶ text ──decode──▶ records ──record──▶ fields ──build──▶ columns
//!                          └ shape: what the objects are    │ derive: what no field holds as it is
//!                                                           └ schema: the one table of columns
//! ```

mod archive;
mod build;
mod column;
mod decode;
mod decoded;
mod derive;
mod excerpt;
mod export;
mod facts;
mod fault;
mod gzip;
mod input;
mod known;
mod paths;
mod record;
mod rejects;
mod schema;
mod secrets;
mod shape;
mod summary;
pub(crate) mod time;
mod walk;

pub use build::{EventBuilder, EventKey};
pub use decode::Decoder;
pub use decoded::{Decoded, Outcome, Reject};
pub(crate) use facts::has_effect;
pub(crate) use facts::updated_event;
pub use facts::{is_failure, is_update};
pub use fault::{FileFault, RejectKind};
pub use schema::{COLUMNS, Column, ColumnKind, EVENT_DATE, Field, projected, schema};
pub use secrets::{NOT_SHOWN, without_secrets};
pub use summary::Summary;
pub use walk::WhenFull;

#[cfg(test)]
mod tests;
