//! What went wrong with the logs of a lake's tables.
//!
//! In: damage, and failures of the store. Out: the last of them, by table. Promise: what an engine was told is kept, whatever the engine
//! makes of it; a failure of the store is no damage.

use super::damage::{Damage, causes};
use super::tables::TableName;
use object_store::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What went wrong with a log.
#[derive(Debug)]
pub(super) enum Fault {
    /// It has changed.
    Damage(Damage),
    /// The store failed; the log may be whole.
    Store(Error),
}

/// What went wrong with the logs of the tables since that was last asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Vec<(TableName, Fault)>>>);

impl Faults {
    pub(super) fn add(&self, table: TableName, fault: Fault) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|(name, _)| *name != table);
        faults.push((table, fault));
    }

    /// What went wrong last with the log of a table.
    pub(super) fn take(&self, table: TableName) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = faults.iter().position(|(name, _)| *name == table)?;
        Some(faults.swap_remove(place).1)
    }

    /// Keeps what the store answered about the log of a table; gives it on.
    pub(super) fn of_store(&self, table: TableName, error: Error) -> Error {
        match error {
            Error::NotFound { .. }
            | Error::AlreadyExists { .. }
            | Error::Precondition { .. }
            | Error::NotModified { .. } => error,
            error => {
                self.add(table, Fault::Store(copied(&error)));
                error
            }
        }
    }
}

/// The same error once more: what the operating system or the store refuses is known by its kind, the rest by its words.
pub(super) fn copied(error: &Error) -> Error {
    let system = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    match error {
        Error::PermissionDenied { path, source } => Error::PermissionDenied {
            path: path.clone(),
            source: source.to_string().into(),
        },
        Error::Unauthenticated { path, source } => Error::Unauthenticated {
            path: path.clone(),
            source: source.to_string().into(),
        },
        error => {
            let said = match error {
                Error::Generic { source, .. } => source.to_string(),
                error => error.to_string(),
            };
            match system {
                Some(system) => failed(io::Error::new(system.kind(), said)),
                None => failed(said),
            }
        }
    }
}

/// A failure in the words of its cause.
pub(super) fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic {
        store: "lake",
        source: error.into(),
    }
}
