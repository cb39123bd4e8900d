//! Log files that can be read only once: standard input and named pipes.
//!
//! In: a stream of bytes. Out: one log file with all of them. Promise: the stream is read once, when it is listed, and
//! kept, up to a limit; its identity is the hash of the bytes, so the same bytes piped in twice are known to be the same.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::{Files, Listing, LogFile, Source, SourceError};
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

/// Bytes of a stream that are held; a device never ends. What is larger can be read as a file.
const MOST: u64 = 512 << 20;

/// A stream that begins with so many zeros is no log file, however it goes on.
const ZEROS: usize = 4096;

fn read_to_end(path: Option<&Path>) -> Result<Bytes, SourceError> {
    let content = match path {
        None => read_bounded(std::io::stdin().lock()),
        Some(path) => std::fs::File::open(path).and_then(read_bounded),
    };
    let name = path.unwrap_or(Path::new("standard input"));
    let content = content.map_err(|source| SourceError::Io {
        path: name.to_owned(),
        source,
    })?;
    match content.len() as u64 > MOST {
        true => Err(SourceError::TooLong {
            uri: name.to_string_lossy().into_owned(),
            limit: MOST,
        }),
        false => Ok(content.into()),
    }
}

/// All of a stream, or one byte more than [`MOST`]; of zeros, only the first.
fn read_bounded(mut stream: impl Read) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    (&mut stream).take(ZEROS as u64).read_to_end(&mut content)?;
    if content.len() == ZEROS && content.iter().all(|byte| *byte == 0) {
        return Ok(content);
    }
    stream
        .take(MOST + 1 - content.len() as u64)
        .read_to_end(&mut content)?;
    Ok(content)
}

#[async_trait::async_trait]
impl Source for Pipe {
    fn uri(&self) -> &str {
        &self.uri
    }

    async fn list_files(
        &self,
        _files: Files,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_without_end_is_not_held() -> std::io::Result<()> {
        assert_eq!(read_bounded(std::io::repeat(0))?.len(), ZEROS);
        let most = usize::try_from(MOST).expect("fits");
        assert_eq!(read_bounded(std::io::repeat(b'x'))?.len(), most + 1);
        assert_eq!(read_bounded(&b"{}"[..])?, b"{}");
        Ok(())
    }
}
