//! What can go wrong with a question.
//!
//! In: errors of the lake, of log files and of the engine. Out: [`SessionError`]. Promise: an error of a source or of a file
//! that comes through the engine is still the source's or the file's; no advice, that is the command line's.

use super::damage;
use super::elsewhere::ElsewhereFault;
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
    /// What does not fit into memory is kept in a temporary file, and it failed.
    #[error("temporary file in {}: {source}", folder.display())]
    TemporaryFile {
        /// The folder for temporary files.
        folder: PathBuf,
        /// The operating system's answer.
        source: Arc<std::io::Error>,
    },
    /// The Delta log names a data file that is not there.
    #[error("a data file of the lake is missing: {path}")]
    MissingFile {
        /// Its path in the object store.
        path: String,
    },
    /// A data file is not what was written.
    #[error("a data file of the lake is missing or damaged{}", path.as_deref().unwrap_or_default())]
    DamagedFile {
        /// A colon and its path, where the engine names it.
        path: Option<String>,
        /// What the engine found.
        source: Box<DataFusionError>,
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
    /// What is wrong with a data file of the lake, if a query failed because of that.
    pub fn damage(&self) -> Option<String> {
        let SessionError::Engine(error) = self else {
            return None;
        };
        let problem = damage::of(error.as_ref())?;
        tracing::debug!(%error, "a data file cannot be read");
        Some(problem)
    }
}

impl From<DataFusionError> for SessionError {
    fn from(error: DataFusionError) -> Self {
        // An error of a source that comes through the engine is the source's.
        let engine = |error| SessionError::Engine(Box::new(error));
        if is_of_files(&error)
            && let Some(refused) = LakeError::refused(&error)
        {
            return refused.into();
        }
        if let Some(path) = missing(&error) {
            return SessionError::MissingFile { path };
        }
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
        match error {
            error if is_damage(&error) => SessionError::DamagedFile {
                path: damaged(&error),
                source: Box::new(error),
            },
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

/// The object that is not there, if that is what went wrong; only data files of a lake are asked of an object store.
fn missing(error: &DataFusionError) -> Option<String> {
    let mut error: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = error {
        if let Some(object_store::Error::NotFound { path, .. }) = inner.downcast_ref() {
            return Some(path.clone());
        }
        error = inner.source();
    }
    None
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

/// The path that the engine names in its words, behind a colon.
fn damaged(error: &DataFusionError) -> Option<String> {
    let words = error.to_string();
    let (_, named) = words.split_once("fetch metadata for file ")?;
    let (path, _) = named.split_once(": ")?;
    Some(format!(": {path}"))
}

/// Whether a data file could not be read, for whatever reason.
fn is_of_files(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ObjectStore(_))
        || is_damage(error)
        || damage::of(error).is_some()
}

/// Whether Parquet could not be read; there is none but in a lake.
fn is_damage(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::ParquetError(_) => true,
        DataFusionError::ArrowError(error, _) => {
            matches!(**error, arrow::error::ArrowError::ParquetError(_))
        }
        _ => false,
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
