//! What is read of a lake is what was written.
//!
//! In: an object store. Out: the same. Promise: a file of a table's log that has changed is not handed on; nor is a piece of a data file
//! that is not there. What is wrong is told as a [`Damage`], which names lake and file.
//!
//! Engines that read the logs keep little of an error, sometimes only its words. What went wrong with the log of a table is kept here for
//! whoever asks: damage, or a failure of the store, which is no damage.

use super::damage::{CHANGED, Damage, MISSING, UNREADABLE, is_of_table};
use super::faults::{Fault, Faults, failed};
use super::names;
use super::reader::BytesReader;
use super::sealed::{Kind, LOG, LogFile, seal_path};
use super::tables::TableName;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, DynObjectStore, Error, GetOptions, GetRange, GetResult,
    GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a file of a log is read before it is called damaged, or out of reach.
const READS: u32 = 3;

/// The pause before it is read again.
const PAUSE: Duration = Duration::from_millis(100);

/// Data files that are looked at when a decoder gave up on one. As many may be open at the same time.
const MOST_RECENT: usize = 64;

/// An object store whose answers are looked at.
#[derive(Debug)]
pub(super) struct Watched {
    store: Arc<DynObjectStore>,
    /// Where the store begins, e.g. `s3://bucket/`.
    base: String,
    faults: Faults,
    /// The checkpoint that was read last: it is read in pieces.
    checkpoint: Mutex<Option<(ObjectMeta, Bytes)>>,
    /// The data files that were read last.
    recent: Mutex<VecDeque<Path>>,
}

/// A file as it was read, whole.
type Whole = (ObjectMeta, Attributes, Bytes);

impl Watched {
    pub(super) fn new(store: Arc<DynObjectStore>, base: String) -> Self {
        Self {
            store,
            base,
            faults: Faults::default(),
            checkpoint: Mutex::default(),
            recent: Mutex::default(),
        }
    }

    /// What goes wrong with the logs.
    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    fn note(&self, path: &Path) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|known| known != path);
        recent.push_front(path.clone());
        recent.truncate(MOST_RECENT);
    }

    /// What is wrong with one of the data files that were read last.
    pub(super) async fn changed(&self) -> Option<Damage> {
        let recent = self
            .recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for path in recent {
            let Ok((_, _, bytes)) = self.read(&path).await else {
                continue;
            };
            let seal = names::read(path.as_ref()).map(|(_, seal)| seal);
            if seal.is_some_and(|seal| !seal.fits(&bytes)) {
                return Some(self.damage(&path, CHANGED));
            }
            if BytesReader::read(bytes, None).is_err() {
                return Some(self.damage(&path, UNREADABLE));
            }
        }
        None
    }

    fn damage(&self, path: &Path, problem: &str) -> Damage {
        Damage::of(&self.base, path, problem.to_owned())
    }

    /// Reads a file of a log.
    async fn read(&self, path: &Path) -> Result<Whole> {
        let mut tries = 1;
        loop {
            let GetResult {
                payload,
                meta,
                attributes,
                ..
            } = self.store.get_opts(path, GetOptions::default()).await?;
            let size = meta.size;
            let read = GetResult {
                payload,
                meta: meta.clone(),
                range: 0..size,
                attributes: attributes.clone(),
            };
            match read.bytes().await {
                Ok(bytes) if bytes.len() as u64 == size => return Ok((meta, attributes, bytes)),
                // The answer was cut: the store has asked again itself where it can.
                Err(error) if tries == READS => return Err(error),
                Ok(bytes) if tries == READS => {
                    let length = bytes.len();
                    return Err(failed(format!(
                        "{length} bytes of {size} arrived of {path}"
                    )));
                }
                _ => tries += 1,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads a file of a log that is as it was written.
    async fn whole(&self, file: &LogFile, path: &Path) -> Result<Whole> {
        let mut tries = 1;
        loop {
            let whole = self.read(path).await;
            let whole = whole.map_err(|error| self.faults.of_store(file.table, error))?;
            if self.is_whole(file, (path, &whole.2)).await? {
                return Ok(whole);
            }
            if tries == READS {
                break;
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
        if file.kind == Kind::Hint {
            // Whoever does not find it, finds the last checkpoint by a listing.
            return Err(Error::NotFound {
                path: path.to_string(),
                source: CHANGED.into(),
            });
        }
        let damage = self.damage(path, CHANGED);
        self.faults.add(file.table, Fault::Damage(damage.clone()));
        Err(failed(damage))
    }

    async fn is_whole(&self, file: &LogFile, (path, bytes): (&Path, &Bytes)) -> Result<bool> {
        if file.kind != Kind::Checkpoint {
            return Ok(file.is_whole(bytes));
        }
        match self.read(&seal_path(path)).await {
            Ok((_, _, seal)) => Ok(file.beside(bytes).as_bytes() == seal.as_ref()),
            // Of an older keytrail, or of another program.
            Err(Error::NotFound { .. }) => Ok(true),
            Err(error) => Err(self.faults.of_store(file.table, error)),
        }
    }

    /// A checkpoint, which is held as long as no other is asked for.
    async fn checkpoint(&self, file: &LogFile, path: &Path) -> Result<Whole> {
        let held = || {
            self.checkpoint
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let known = held().clone().filter(|(meta, _)| meta.location == *path);
        if let Some((meta, bytes)) = known {
            return Ok((meta, Attributes::default(), bytes));
        }
        let whole = self.whole(file, path).await?;
        *held() = Some((whole.0.clone(), whole.2.clone()));
        Ok(whole)
    }

    /// Lets go of what is held for reading in pieces.
    fn let_go(&self) {
        let mut held = self
            .checkpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = None;
    }

    /// A piece of a data file; what is missing of it is said.
    async fn piece(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let wanted = match &options.range {
            Some(GetRange::Bounded(range)) => Some(range.clone()),
            _ => None,
        };
        let result = self.store.get_opts(path, options).await;
        let is_data = is_of_table(path);
        if is_data {
            self.note(path);
        }
        let (end, size) = match (&result, wanted) {
            (Ok(result), Some(wanted)) if result.range.end < wanted.end => {
                (wanted.end, Some(result.meta.size))
            }
            (Err(Error::NotFound { .. }), _) if is_data => {
                return Err(failed(self.damage(path, MISSING)));
            }
            // A store refuses a piece that begins behind the end.
            (Err(error @ Error::Generic { .. }), Some(wanted)) if is_data && is_of_range(error) => {
                (wanted.end, None)
            }
            _ => return result,
        };
        let size = match size {
            Some(size) => size,
            None => match self.store.head(path).await {
                Ok(meta) if meta.size < end => meta.size,
                _ => return result,
            },
        };
        let problem = format!("it is cut: it has {size} bytes");
        Err(failed(self.damage(path, &problem)))
    }
}

/// Whether a store found no fault but with the range that it was asked for.
fn is_of_range(error: &Error) -> bool {
    error.to_string().to_lowercase().contains("range")
}

/// The answer to whoever wants a range of a file that is at hand.
fn answer((meta, attributes, bytes): Whole, range: Option<&GetRange>) -> Result<GetResult> {
    let size = bytes.len() as u64;
    let range = match range {
        Some(GetRange::Bounded(range)) if range.end > size => {
            return Err(failed(format!(
                "{} is cut: it has {size} bytes",
                meta.location
            )));
        }
        Some(range) => range
            .as_range(size)
            .map_err(|error| failed(error.to_string()))?,
        None => 0..size,
    };
    let piece = |range: &Range<u64>| {
        let (begin, end) = (usize::try_from(range.start), usize::try_from(range.end));
        Some(bytes.slice(begin.ok()?..end.ok()?))
    };
    let piece = piece(&range).unwrap_or_default();
    Ok(GetResult {
        payload: GetResultPayload::Stream(stream::iter([Ok(piece)]).boxed()),
        meta,
        range,
        attributes,
    })
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "watched {}", self.store)
    }
}

/// The table whose log is listed.
fn listed(prefix: Option<&Path>) -> Option<TableName> {
    let (folder, log) = prefix?.as_ref().rsplit_once('/')?;
    let table = folder.rsplit('/').next()?;
    let table = TableName::ALL
        .into_iter()
        .find(|name| name.as_str() == table);
    table.filter(|_| log == LOG)
}

impl Watched {
    fn listing(
        &self,
        prefix: Option<&Path>,
        listing: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let Some(table) = listed(prefix) else {
            return listing;
        };
        let faults = self.faults.clone();
        listing
            .map_err(move |error| faults.of_store(table, error))
            .boxed()
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let Some(file) = LogFile::of(path) else {
            return self.store.put_opts(path, payload, options).await;
        };
        self.let_go();
        let bytes = Bytes::from(payload);
        let payload = match file.sealed(&bytes) {
            Some(sealed) => PutPayload::from(sealed),
            None => PutPayload::from_bytes(bytes),
        };
        let put = self.store.put_opts(path, payload, options).await;
        put.map_err(|error| self.faults.of_store(file.table, error))
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.let_go();
        self.store.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let Some(file) = LogFile::of(path) else {
            return match options.head {
                true => self.store.get_opts(path, options).await,
                false => self.piece(path, options).await,
            };
        };
        let whole = match file.kind {
            Kind::Commit | Kind::Hint if !options.head => self.whole(&file, path).await?,
            Kind::Checkpoint if !options.head => self.checkpoint(&file, path).await?,
            _ => {
                let result = self.store.get_opts(path, options).await;
                return result.map_err(|error| self.faults.of_store(file.table, error));
            }
        };
        answer(whole, options.range.as_ref())
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.let_go();
        self.store.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, self.store.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, self.store.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed_log = listed(prefix);
        let result = self.store.list_with_delimiter(prefix).await;
        match listed_log {
            Some(table) => result.map_err(|error| self.faults.of_store(table, error)),
            None => result,
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}
