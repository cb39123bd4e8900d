//! Why a reading of the log files ended early.
//!
//! In: errors of sources, of the temporary file, of the engine. Out: [`ReadFault`]. Promise: it can be given to every scan that
//! waits, and becomes an error of the engine and back without a loss.

use crate::source::SourceError;
use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// Why the reading ended early; every scan that waits for it is told.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::session) enum ReadFault {
    /// The log files cannot be read.
    #[error(transparent)]
    Source(Arc<SourceError>),
    /// What is kept cannot be written to the temporary file, or not be read from it.
    #[error("temporary file: {0}")]
    File(Arc<io::Error>),
    /// The engine failed.
    #[error(transparent)]
    Engine(Arc<DataFusionError>),
}

impl ReadFault {
    /// What went wrong with a temporary file, wherever the engine put it.
    pub(in crate::session) fn of_file(error: &DataFusionError) -> Option<Self> {
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            let inner = error.downcast_ref().and_then(io::Error::get_ref);
            if let Some(fault) = inner.and_then(|inner| inner.downcast_ref::<Self>()) {
                return Some(fault.clone());
            }
            next = error.source();
        }
        None
    }
}

impl From<io::Error> for ReadFault {
    fn from(error: io::Error) -> Self {
        Self::File(Arc::new(error))
    }
}

impl From<ArrowError> for ReadFault {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::File(Arc::new(error)),
            error => Self::Engine(Arc::new(error.into())),
        }
    }
}

impl From<DataFusionError> for ReadFault {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<SourceError>() {
                Ok(source) => Self::Source(Arc::new(*source)),
                Err(inner) => Self::Engine(Arc::new(DataFusionError::External(inner))),
            },
            error => Self::Engine(Arc::new(error)),
        }
    }
}

impl From<ReadFault> for DataFusionError {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Engine(error) => DataFusionError::Shared(error),
            fault => DataFusionError::External(Box::new(fault)),
        }
    }
}
