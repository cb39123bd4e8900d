//! Log files that can be read only once: standard input and named pipes.
//!
//! In: a stream of bytes. Out: one log file with all of them. Promise: the stream is read once, when it is listed, and
//! kept; its identity is the hash of the bytes, so the same bytes piped in twice are known to be the same.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::{Listing, LogFile, Source, SourceError};
use crate::cloudtrail::{Selection, sha256};

/// A stream that is read once.
#[derive(Debug)]
pub(super) struct Pipe {
    uri: String,
    /// `None` is standard input.
    path: Option<PathBuf>,
    content: OnceCell<Bytes>,
}

impl Pipe {
    /// Standard input.
    pub(super) fn standard_input() -> Self {
        Self {
            uri: "-".to_owned(),
            path: None,
            content: OnceCell::new(),
        }
    }

    /// A named pipe.
    pub(super) fn at(path: &Path) -> Self {
        Self {
            uri: path.to_string_lossy().into_owned(),
            path: Some(path.to_owned()),
            content: OnceCell::new(),
        }
    }

    async fn content(&self) -> Result<&Bytes, SourceError> {
        let read = || async {
            let path = self.path.clone();
            super::local::blocking(&self.uri, move || read_to_end(path.as_deref())).await
        };
        self.content.get_or_try_init(read).await
    }
}

fn read_to_end(path: Option<&Path>) -> Result<Bytes, SourceError> {
    let mut content = Vec::new();
    match path {
        None => std::io::stdin().lock().read_to_end(&mut content),
        Some(path) => std::fs::File::open(path).and_then(|mut pipe| pipe.read_to_end(&mut content)),
    }
    .map_err(|source| SourceError::Io {
        path: path.unwrap_or(Path::new("standard input")).to_owned(),
        source,
    })?;
    Ok(content.into())
}

#[async_trait::async_trait]
impl Source for Pipe {
    fn uri(&self) -> &str {
        &self.uri
    }

    async fn list(
        &self,
        _selection: &Selection,
        seen: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Listing, SourceError> {
        let content = self.content().await?;
        let etag = sha256(content);
        let file = LogFile::new(self.uri.clone(), content.len() as u64, etag, None);
        seen(1, file.size);
        Ok(Listing::new(vec![file], Vec::new(), 0))
    }

    async fn fetch(&self, _file: &LogFile) -> Result<Bytes, SourceError> {
        self.content().await.cloned()
    }
}
