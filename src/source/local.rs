//! Log files on disk: a folder, a file, a pattern.
//!
//! In: a path. Out: every regular file below it that the selection can need. Promise: folders named `AWSLogs` are read
//! by their layout, so that days, accounts and regions nobody asked for are not entered; in any other folder every file
//! counts, but for documents and what programs keep there for themselves, by their names; symbolic links are followed,
//! loops are not; what is left out and what cannot be read is reported and does not stop the walk.

mod glob;
mod walk;

pub(super) use walk::absolute;

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use tokio::task::JoinError;
use tracing::info;

use super::{Files, Listing, LogFile, Source, SourceError};
use crate::cloudtrail::Selection;
use glob::Glob;
use walk::Walk;

/// Log files on disk.
#[derive(Debug)]
pub(super) struct Local {
    uri: String,
    /// `None` for a path that exists as it stands.
    glob: Option<Glob>,
}

impl Local {
    /// A file or a folder.
    pub(super) fn path(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            glob: None,
        }
    }

    /// A pattern; `None` if the text has no wildcard.
    pub(super) fn glob(uri: &str) -> Result<Option<Self>, SourceError> {
        let glob = Glob::parse(uri)?;
        Ok(glob.is_some().then(|| Self {
            uri: uri.to_owned(),
            glob,
        }))
    }
}

#[async_trait::async_trait]
impl Source for Local {
    fn uri(&self) -> &str {
        &self.uri
    }

    async fn list_files(
        &self,
        files: Files,
        selection: &Selection,
        seen: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Listing, SourceError> {
        let begun = Instant::now();
        // The walk has a thread of its own, and `seen` cannot go there: it only borrows.
        let (progress, mut told) = tokio::sync::mpsc::unbounded_channel();
        let (uri, glob, selection) = (self.uri.clone(), self.glob.clone(), selection.clone());
        let walk = tokio::task::spawn_blocking(move || {
            let mut walk = Walk::new((files, &selection), |files, bytes| {
                // Nobody listens any more when the listing was given up.
                let _ = progress.send((files, bytes));
            });
            match &glob {
                None => walk.enter(Path::new(&uri))?,
                Some(glob) => {
                    let matches = glob.matches()?;
                    for path in matches.paths {
                        walk.enter(&path)?;
                    }
                    for error in matches.closed {
                        walk.cannot_read(Path::new(&uri), &error);
                    }
                }
            }
            Ok(walk.listing())
        });
        while let Some((files, bytes)) = told.recv().await {
            seen(files, bytes);
        }
        let listing = walk.await.map_err(|error| panicked(&self.uri, error))??;
        let (stats, skipped) = (listing.stats, listing.skipped.len());
        info!(source = %self.uri, files = stats.files, bytes = stats.bytes, skipped, took = ?begun.elapsed(), "listed");
        Ok(listing)
    }

    async fn fetch(&self, file: &LogFile) -> Result<Bytes, SourceError> {
        let (path, etag) = (PathBuf::from(&file.uri), file.etag.clone());
        blocking(&file.uri, move || read(&path, &etag)).await
    }
}

/// Reads a file whole, if it is still the one that was listed.
fn read(path: &Path, etag: &str) -> Result<Bytes, SourceError> {
    let io = |source| SourceError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // Not more than was there: what grows meanwhile is not the file that was listed.
    let most = metadata.len().saturating_add(1);
    (&mut file)
        .take(most)
        .read_to_end(&mut content)
        .map_err(io)?;
    if identity(&metadata) != etag || content.len() as u64 != metadata.len() {
        return Err(SourceError::Changed {
            uri: path.to_string_lossy().into_owned(),
        });
    }
    Ok(content.into())
}

/// What stands for the content of a file on disk: its size, and the times of its last change, in nanoseconds. Whoever
/// replaces a file can set the time of its content (`cp -p`, `touch -r`), but not that of its inode.
///
/// A hash would be surer, but then every listing would read every file.
fn identity(metadata: &Metadata) -> String {
    let changed = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .unwrap_or_default();
    format!(
        "{:x}-{:x}{}",
        metadata.len(),
        changed.as_nanos(),
        inode_changed(metadata)
    )
}

#[cfg(unix)]
fn inode_changed(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    format!("-{:x}.{:x}", metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode_changed(_: &Metadata) -> String {
    String::new()
}

/// Does work that blocks, on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    path: &str,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| panicked(path, error))?
}

fn panicked(path: &str, error: JoinError) -> SourceError {
    SourceError::Io {
        path: PathBuf::from(path),
        source: std::io::Error::other(error),
    }
}
