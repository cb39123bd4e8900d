//! What do others publish that we need to know? Whose addresses and accounts these are, what attackers do.
//!
//! In: tables that came with the program, or files that replace them. Out: dated tables. Promise: each says what it is and as of
//! when, so that an answer can say what it rests on; nothing is fetched; a file that cannot be used is an error that names it.

mod addresses;
pub mod arn;
pub mod attack;
mod data_events;
mod geoip;
pub mod iam;
mod networks;
mod vendors;

pub use addresses::{AddressBook, AddressClass};
pub use data_events::data_calls;
pub use geoip::{Coordinates, GeoIp, GeoRecord};
pub use networks::{Network, Networks, OwnNetworks, address_range};
pub use vendors::{VENDORS_DATE, Vendor, vendor, vendor_named_in};

use std::path::PathBuf;

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of it is not what it should be.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It is something else.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
