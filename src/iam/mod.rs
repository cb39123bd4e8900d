//! What does IAM itself say? Users and their access keys, as IAM lists them.
//!
//! In: a credential report (the CSV that IAM makes), or IAM's own API (feature `live`). Out: an [`Inventory`]: what the
//! keys of a trail are joined to. Promise: read-only; what IAM does not say stays unsaid, with the reason AWS gives for
//! it ([`Moment`]); a file that is no credential report is an error that names file, line and column.

mod credential_report;
mod error;
mod inventory;
#[cfg(feature = "live")]
pub mod live;

pub use credential_report::{parse, read};
pub use error::IamError;
pub use inventory::{Inventory, Key, Moment, Password, ROOT, User};

/// Whether this build can ask IAM itself (the feature `live`).
pub const LIVE: bool = cfg!(feature = "live");
