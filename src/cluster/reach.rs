//! How an executor reaches log files and lakes.
//!
//! In: their names, as they stand in a plan. Out: sources and lakes, opened once. Promise: in S3 only, with the credentials that this
//! process finds by itself: a plan cannot make an executor read or write its disk.

use crate::ingest::IngestError;
use crate::lake::{LakeError, Location};
use crate::source::{self, Source, SourceOptions};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// What was opened, by its name.
type Opened<T> = Mutex<HashMap<String, Arc<OnceCell<T>>>>;

/// What an executor has opened.
pub(super) struct Reach {
    options: SourceOptions,
    sources: Opened<Arc<dyn Source>>,
    lakes: Opened<Location>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").finish_non_exhaustive()
    }
}

fn cell<T>(all: &Opened<T>, name: String) -> Arc<OnceCell<T>> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(name).or_default())
}

impl Reach {
    pub(super) fn new(options: SourceOptions) -> Self {
        Self {
            options,
            sources: Mutex::default(),
            lakes: Mutex::default(),
        }
    }

    pub(super) async fn source(&self, uri: &str) -> Result<Arc<dyn Source>, IngestError> {
        in_s3(uri)?;
        let cell = cell(&self.sources, uri.to_owned());
        let open = || async { source::open(uri, &self.options).await };
        Ok(Arc::clone(cell.get_or_try_init(open).await?))
    }

    pub(super) async fn lake(&self, uri: &str) -> Result<Location, IngestError> {
        in_s3(uri)?;
        let cell = cell(&self.lakes, uri.to_owned());
        let open = || async {
            let sdk = source::reach(uri, &self.options).await?;
            Ok::<_, IngestError>(Location::new(uri, Some(&sdk))?)
        };
        Ok(cell.get_or_try_init(open).await?.clone())
    }
}

fn in_s3(uri: &str) -> Result<(), IngestError> {
    match uri.starts_with("s3://") {
        true => Ok(()),
        false => Err(IngestError::Lake(LakeError::Location {
            uri: uri.to_owned(),
            reason: "executors read and write in S3 only".to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_plan_reaches_nothing_on_disk() {
        let reach = Reach::new(SourceOptions::default());
        for place in ["/etc", "file:///etc", "-", "S3://bucket", ""] {
            assert!(reach.source(place).await.is_err(), "{place}");
            assert!(reach.lake(place).await.is_err(), "{place}");
        }
    }
}
