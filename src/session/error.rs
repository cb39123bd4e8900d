//! What can go wrong with a question.
//!
//! In: errors of the lake, of log files and of the engine. Out: [`SessionError`]. Promise: an error of a source or of a file
//! that comes through the engine is still the source's or the file's; no advice, that is the command line's.

use super::damage;
use super::elsewhere::ElsewhereFault;
use super::fault::SqlFault;
use super::spool::ReadFault;
use crate::lake::{Lake, LakeError};
use crate::source::SourceError;
use datafusion::common::DataFusionError;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a question could not be asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The lake could not be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The log files could not be listed.
    #[error(transparent)]
    Source(Arc<SourceError>),
    /// What does not fit into memory is kept in a temporary file, and it failed.
    #[error("temporary file in {}: {source}", folder.display())]
    TemporaryFile {
        /// The folder for temporary files.
        folder: PathBuf,
        /// The operating system's answer.
        source: Arc<std::io::Error>,
    },
    /// The SQL is wrong, or asks for something that SQL may not do here.
    #[error(transparent)]
    Sql(#[from] SqlFault),
    /// The query needs more memory than [`SessionOptions::max_memory`](super::SessionOptions::max_memory).
    #[error("not enough memory: {0}")]
    Memory(String),
    /// Other machines that the query runs on could not be reached, or failed.
    #[error(transparent)]
    Elsewhere(ElsewhereFault),
    /// A part of the engine broke down while it was at work.
    #[error("the engine failed within the query: {0}")]
    Broken(String),
    /// The engine refused the query or failed on the way.
    #[error("{0}")]
    Engine(Box<DataFusionError>),
}

impl SessionError {
    /// The same; if it is about a file of a lake that the engine does not name, with the name.
    pub(super) async fn named(self, lake: Option<&Lake>) -> Self {
        match self {
            Self::Lake(error) => damage::named(error, lake).await.into(),
            error => error,
        }
    }
}

impl From<DataFusionError> for SessionError {
    fn from(error: DataFusionError) -> Self {
        // An error of a source that comes through the engine is the source's.
        let engine = |error| SessionError::Engine(Box::new(error));
        if let Some(fault) = elsewhere(&error) {
            return SessionError::Elsewhere(fault.clone());
        }
        if let Some(fault) = ReadFault::of_file(&error) {
            return fault.into();
        }
        if let Some(words) = broken(&error) {
            return match SqlFault::too_wide(&words) {
                Some(fault) => fault.into(),
                None => SessionError::Broken(words),
            };
        }
        if let Some(fault) = damage::of(&error) {
            return fault.into();
        }
        match error {
            DataFusionError::External(inner) => match inner.downcast::<SourceError>() {
                Ok(source) => (*source).into(),
                Err(inner) => match inner.downcast::<ReadFault>() {
                    Ok(fault) => (*fault).into(),
                    Err(inner) => engine(DataFusionError::External(inner)),
                },
            },
            error => engine(error),
        }
    }
}

/// An error of the engine, as the fault of a statement where it is one.
pub(super) fn fault(error: DataFusionError, text: &str) -> SessionError {
    if let Some(fault) = ReadFault::of_file(&error) {
        return fault.into();
    }
    if let Some(fault) = damage::of(&error) {
        return fault.into();
    }
    if let Some(fault) = SqlFault::of_pattern(&error) {
        return fault.into();
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(said) => {
            SessionError::Memory(SqlFault::of_memory(said))
        }
        DataFusionError::External(_)
        | DataFusionError::IoError(_)
        | DataFusionError::ExecutionJoin(_) => error.into(),
        _ => SqlFault::of(&error, text).into(),
    }
}

/// What went wrong on other machines.
fn elsewhere(error: &DataFusionError) -> Option<&ElsewhereFault> {
    match error.find_root() {
        DataFusionError::External(inner) => inner.downcast_ref(),
        _ => None,
    }
}

/// The last words of a part of the engine that broke down.
fn broken(error: &DataFusionError) -> Option<String> {
    let DataFusionError::ExecutionJoin(task) = error.find_root() else {
        return None;
    };
    let said = task.is_panic().then(|| task.to_string())?;
    let words = said.split_once("with message ").map(|(_, words)| words);
    Some(words.unwrap_or(&said).trim_matches('"').to_owned())
}

impl From<SourceError> for SessionError {
    fn from(error: SourceError) -> Self {
        SessionError::Source(Arc::new(error))
    }
}

impl From<ReadFault> for SessionError {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Source(source) => SessionError::Source(source),
            ReadFault::File(source) => SessionError::TemporaryFile {
                folder: std::env::temp_dir(),
                source,
            },
            ReadFault::Engine(error) => {
                SessionError::Engine(Box::new(DataFusionError::Shared(error)))
            }
        }
    }
}
