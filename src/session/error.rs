//! What can go wrong with a question.
//!
//! In: errors of the lake, of log files and of the engine. Out: [`SessionError`]. Promise: an error of a source or of a file
//! that comes through the engine is still the source's or the file's; no advice, that is the command line's.

use super::fault::SqlFault;
use super::spool::ReadFault;
use crate::lake::LakeError;
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
    /// Events of log files that are asked more than once are kept in a temporary file when they do not fit into memory, and
    /// it failed.
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
    /// The query needs more memory than [`SessionOptions::max_memory`].
    #[error("not enough memory: {0}")]
    Memory(String),
    /// The engine refused the query or failed on the way.
    #[error("{0}")]
    Engine(Box<DataFusionError>),
}

impl From<DataFusionError> for SessionError {
    fn from(error: DataFusionError) -> Self {
        // An error of a source that comes through the engine is the source's.
        let engine = |error| SessionError::Engine(Box::new(error));
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
