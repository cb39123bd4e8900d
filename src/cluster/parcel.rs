//! A parcel on an executor.
//!
//! In: names of sources and log files. Out: the sources, opened, and what is told of those that fail. Promise: a fault that may pass is one
//! that Ballista tries again; any other is a sentence.

use super::reach::Reach;
use crate::ingest::IngestError;
use crate::lake::LakeError;
use crate::source::{LogFile, Source, SourceError};
use datafusion::common::DataFusionError;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// Log files, and where they are.
pub(super) struct Parcel {
    pub(super) sources: Vec<Arc<dyn Source>>,
    /// Each with the place of its source.
    pub(super) log_files: Vec<(usize, LogFile)>,
}

impl Parcel {
    /// Opens the sources of log files.
    pub(super) async fn reached(
        reach: &Reach,
        listed: Vec<(String, LogFile)>,
    ) -> Result<Self, IngestError> {
        let (mut names, mut sources, mut log_files) = (Vec::new(), Vec::new(), Vec::new());
        for (name, file) in listed {
            let at = match names.iter().position(|known| *known == name) {
                Some(at) => at,
                None => {
                    sources.push(reach.source(&name).await?);
                    names.push(name);
                    names.len() - 1
                }
            };
            log_files.push((at, file));
        }
        Ok(Self { sources, log_files })
    }
}

/// What Ballista is told: an error of input and output where trying again may help, else a sentence, which is all that gets
/// through to the client.
pub(super) fn fault(error: IngestError) -> DataFusionError {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_said = inner.to_string();
        if !said.contains(&inner_said) {
            said = format!("{said}: {inner_said}");
        }
        cause = inner.source();
    }
    match may_pass(&error) {
        true => DataFusionError::IoError(io::Error::other(said)),
        false => DataFusionError::Execution(said),
    }
}

fn may_pass(error: &IngestError) -> bool {
    match error {
        IngestError::Source(error) => matches!(
            error,
            SourceError::Service { .. } | SourceError::Connection { .. }
        ),
        IngestError::Lake(LakeError::Storage(error)) => {
            matches!(error, object_store::Error::Generic { .. })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_an_error_that_ballista_tries_again() {
        let slow = SourceError::Service {
            uri: "s3://b/k".to_owned(),
            operation: "GetObject",
            code: "SlowDown".to_owned(),
            message: "wait".to_owned(),
        };
        let passes = fault(IngestError::Source(slow));
        assert!(matches!(passes, DataFusionError::IoError(_)), "{passes}");
        let lost = object_store::Error::Generic {
            store: "S3",
            source: "503".into(),
        };
        let passes = fault(IngestError::Lake(LakeError::Storage(lost)));
        assert!(matches!(passes, DataFusionError::IoError(_)), "{passes}");
        let gone = SourceError::NoSuchBucket {
            bucket: "b".to_owned(),
        };
        let stays = fault(IngestError::Source(gone));
        assert!(
            matches!(&stays, DataFusionError::Execution(said) if said == "there is no bucket b"),
            "{stays}"
        );
    }
}
