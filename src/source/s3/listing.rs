//! Which objects of a bucket are log files that a selection can need.
//!
//! In: a prefix anywhere above, at or inside CloudTrail's layout; a selection. Out: a listing, with every request
//! counted. Promise: no bucket is walked.
//!
//! 1. Above the layout, `AWSLogs/` is looked for a few levels down, folder by folder (`trails.rs`).
//! 2. From there down to the regions, folders are listed with a delimiter, and only those the selection wants.
//! 3. A region's log files are listed as runs of days (`days.rs`).
//! 4. A folder that the layout does not have is listed whole: its files may be log files all the same.
//! 5. What lies beside trails is looked through for log files, by their names, up to a limit; what is left is reported.
//!
//! A prefix without the layout is listed whole: then nothing tells which objects are needed.

mod days;
mod trails;

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::types::{EncodingType, Object, ObjectStorageClass, OptionalObjectAttributes};
use futures::stream::{self, StreamExt, TryStreamExt};
use tracing::debug;

use super::S3;
use crate::cloudtrail::{KeyPrefix, Level, LogFileKey, Selection, is_clutter};
use crate::source::notified::form_decoded;
use crate::source::skipped::by_key;
use crate::source::{Files, Listing, LogFile, SkipReason, Skipped, SourceError};

/// A listing in the making.
pub(super) struct Lister<'a> {
    s3: &'a S3,
    wanted: Files,
    selection: &'a Selection,
    seen: &'a (dyn Fn(u64, u64) + Send + Sync),
    requests: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
}

/// What part of a listing found.
#[derive(Default)]
struct Found {
    files: Vec<LogFile>,
    skipped: Vec<Skipped>,
    /// Folders below `AWSLogs` in which the layout ends: everything in them is listed.
    strayed: Vec<String>,
}

impl Found {
    fn add(&mut self, other: Found) {
        self.files.extend(other.files);
        self.skipped.extend(other.skipped);
        self.strayed.extend(other.strayed);
    }
}

/// What one request asks for.
#[derive(Default)]
struct Query<'q> {
    prefix: &'q str,
    /// Whether keys are cut at the next `/` and told once, as folders.
    folders: bool,
    /// The key after which the first page begins.
    after: Option<String>,
    /// How many keys are enough.
    at_most: Option<i32>,
    /// The end of the page before.
    token: Option<String>,
}

/// What one request found.
struct Page {
    objects: Vec<Object>,
    folders: Vec<String>,
    next: Option<String>,
}

impl<'a> Lister<'a> {
    /// A listing of what the selection wants.
    pub(super) fn new(
        s3: &'a S3,
        (wanted, selection): (Files, &'a Selection),
        seen: &'a (dyn Fn(u64, u64) + Send + Sync),
    ) -> Self {
        Self {
            s3,
            wanted,
            selection,
            seen,
            requests: AtomicU64::new(0),
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Lists the log files.
    pub(super) async fn list(&self) -> Result<Listing, SourceError> {
        let mut found = Found::default();
        let mut folder = self.s3.prefix.clone();
        if !folder.is_empty() && !folder.ends_with('/') {
            folder.push('/');
        }
        let trails = match KeyPrefix::parse(&folder) {
            Some(place) => vec![place],
            None => self.find_trails(&folder, &mut found).await?,
        };
        if trails.is_empty() {
            found.add(self.everything(&folder).await?);
        } else {
            let regions = self.find_regions(trails, &mut found).await?;
            found.add(self.beside_days(&regions).await?);
            found.add(self.list_days(&regions).await?);
            let strayed = std::mem::take(&mut found.strayed);
            for part in self
                .at_once(strayed, |folder| self.everything(folder))
                .await?
            {
                found.add(part);
            }
        }
        if found.files.is_empty() && found.skipped.is_empty() {
            found.add(self.nothing_below(&folder).await?);
        }
        let requests = self.requests.load(Ordering::Relaxed);
        Ok(Listing::new(found.files, found.skipped, requests))
    }

    /// The folders of regions, or below, that the selection wants.
    async fn find_regions(
        &self,
        from: Vec<KeyPrefix>,
        found: &mut Found,
    ) -> Result<Vec<KeyPrefix>, SourceError> {
        let mut regions = Vec::new();
        let mut above = Vec::new();
        let mut next = from;
        while !next.is_empty() {
            for place in next.drain(..) {
                if let Some(folder) = place.folder().filter(|it| self.wanted.leave_out(*it)) {
                    let reason = SkipReason::NotEvents(folder);
                    found.skipped.push(self.skipped(&place.to_string(), reason));
                } else if self.selection.wants_prefix(&place) {
                    match place.level() {
                        level if level >= Level::Region => regions.push(place),
                        _ => above.push(place),
                    }
                }
            }
            let places = std::mem::take(&mut above);
            for (below, strayed) in self.at_once(places, |place| self.below(place)).await? {
                next.extend(below);
                found.add(strayed);
            }
        }
        Ok(regions)
    }

    /// The folders inside a folder of the layout, and what else is there.
    async fn below(&self, place: KeyPrefix) -> Result<(Vec<KeyPrefix>, Found), SourceError> {
        let prefix = place.to_string();
        let mut below = Vec::new();
        let mut found = Found::default();
        let mut query = Query {
            prefix: &prefix,
            folders: true,
            ..Query::default()
        };
        loop {
            let page = self.page(&query).await?;
            for folder in page.folders {
                let name = folder.strip_prefix(&prefix).unwrap_or(&folder);
                let name = name.trim_end_matches('/');
                if let Some(child) = place.child(name) {
                    below.push(child);
                } else if let Some(reason) = self.wanted.speak_against(name) {
                    found.skipped.push(self.skipped(&folder, reason));
                } else {
                    found.strayed.push(folder);
                }
            }
            for object in page.objects {
                self.take(object, &mut found);
            }
            query.token = page.next;
            if query.token.is_none() {
                return Ok((below, found));
            }
        }
    }

    /// Every object below a prefix without the layout.
    async fn everything(&self, prefix: impl AsRef<str>) -> Result<Found, SourceError> {
        let mut found = Found::default();
        let mut query = Query {
            prefix: prefix.as_ref(),
            ..Query::default()
        };
        loop {
            let page = self.page(&query).await?;
            for object in page.objects {
                self.take(object, &mut found);
            }
            self.tell();
            query.token = page.next;
            if query.token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Nothing wanted was found below the folder: the prefix is an object's key, or a folder with other things, or
    /// nothing at all.
    async fn nothing_below(&self, folder: &str) -> Result<Found, SourceError> {
        let mut found = Found::default();
        let prefix = &self.s3.prefix;
        if prefix != folder {
            // Of all keys that begin like this one, it is the first itself.
            let first = self.first(prefix).await?;
            if let Some(object) = first.filter(|object| object.key() == Some(prefix)) {
                self.take(object, &mut found);
                self.tell();
                return Ok(found);
            }
        }
        match self.first(folder).await? {
            Some(_) => Ok(found),
            None => Err(SourceError::NotFound {
                uri: self.s3.uri.clone(),
            }),
        }
    }

    /// The first object below a prefix.
    async fn first(&self, prefix: &str) -> Result<Option<Object>, SourceError> {
        let query = Query {
            prefix,
            at_most: Some(1),
            ..Query::default()
        };
        Ok(self.page(&query).await?.objects.into_iter().next())
    }

    /// Sends one request.
    async fn page(&self, query: &Query<'_>) -> Result<Page, SourceError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        debug!(bucket = %self.s3.bucket, prefix = query.prefix, after = ?query.after, "ListObjectsV2");
        let answer = self
            .s3
            .client
            .list_objects_v2()
            .bucket(&self.s3.bucket)
            .prefix(query.prefix)
            .set_delimiter(query.folders.then(|| "/".to_owned()))
            .set_start_after(query.after.clone())
            .set_continuation_token(query.token.clone())
            .set_max_keys(query.at_most)
            .set_request_payer(self.s3.payer.clone())
            .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
            // A key may hold characters that XML cannot.
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .map_err(|error| self.s3.call("ListObjectsV2", None).failed(error))?;
        // A server that does not know the option sends keys as they are, and does not name the encoding.
        let encoded = answer.encoding_type == Some(EncodingType::Url);
        let plain = |text: String| match encoded {
            true => form_decoded(&text),
            false => text,
        };
        let objects = answer.contents.unwrap_or_default().into_iter();
        let folders = answer.common_prefixes.unwrap_or_default().into_iter();
        Ok(Page {
            objects: objects
                .map(|mut object| {
                    object.key = object.key.map(plain);
                    object
                })
                .collect(),
            folders: folders
                .filter_map(|folder| folder.prefix.map(plain))
                .collect(),
            next: answer.next_continuation_token,
        })
    }

    /// Does the same for many items, some at once, in no order.
    async fn at_once<T, R, F: Future<Output = Result<R, SourceError>>>(
        &self,
        items: Vec<T>,
        work: impl FnMut(T) -> F,
    ) -> Result<Vec<R>, SourceError> {
        stream::iter(items)
            .map(work)
            .buffer_unordered(self.s3.concurrency)
            .try_collect()
            .await
    }

    /// Takes the object as a log file, unless its path or its storage class speaks against it.
    fn take(&self, object: Object, found: &mut Found) {
        let Some(path) = object.key() else { return };
        // Folders that a console made are objects without content.
        if path.ends_with('/') {
            return;
        }
        let key = LogFileKey::parse(path);
        if let Some(reason) = self.speaks_against(path, key.as_ref()) {
            found.skipped.push(self.skipped(path, reason));
            return;
        }
        if key
            .as_ref()
            .is_some_and(|key| !self.selection.wants_key(key))
        {
            return;
        }
        if let Some(class) = archived(&object) {
            let reason = SkipReason::Archived(class.to_owned());
            found.skipped.push(self.skipped(path, reason));
            return;
        }
        let size = object
            .size()
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or_default();
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        let etag = object
            .e_tag()
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned();
        let file = LogFile::new(self.uri(path), size, etag, key.as_ref());
        found.files.push(file);
    }

    /// Why an object is not a log file with events, by its key.
    fn speaks_against(&self, path: &str, key: Option<&LogFileKey>) -> Option<SkipReason> {
        if self.is_clutter(path) {
            return Some(SkipReason::Clutter);
        }
        match by_key((path, key), self.wanted) {
            // The object that was asked for by its whole key is read, whatever its name.
            Some(SkipReason::Document | SkipReason::Clutter) if path == self.s3.prefix => None,
            reason => reason,
        }
    }

    /// Whether an object, or a folder that it is in below the prefix, belongs to a program.
    fn is_clutter(&self, path: &str) -> bool {
        let below = path.strip_prefix(&self.s3.prefix).unwrap_or(path);
        below.split('/').any(is_clutter)
    }

    fn tell(&self) {
        (self.seen)(
            self.files.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        );
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.s3.bucket)
    }

    fn skipped(&self, key: &str, reason: SkipReason) -> Skipped {
        let uri = self.uri(key);
        Skipped { uri, reason }
    }
}

/// The storage class of an object that cannot be read as it is.
///
/// The archive tiers of Intelligent-Tiering do not show in a listing; reading such an object fails and says so.
fn archived(object: &Object) -> Option<&str> {
    let class = object.storage_class()?;
    let in_archive = matches!(
        class,
        ObjectStorageClass::Glacier | ObjectStorageClass::DeepArchive
    );
    let restored = object
        .restore_status()
        .is_some_and(|status| status.restore_expiry_date().is_some());
    (in_archive && !restored).then(|| class.as_str())
}
