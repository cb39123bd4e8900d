//! Where do log files come from? From S3, from disk, from standard input.
//!
//! In: a URI or path, and a [`Selection`]. Out: a [`Listing`] of log files, and the bytes of each.
//! Promise: only what the selection needs is listed; a file is left out for its path only where the path is certain
//! (digests, Insights, logs of other services), so that a tree that merely resembles CloudTrail's layout is read whole;
//! [`Listing::skipped`] names what is left out; the bytes are those of the file that was listed, or there is an error.

#[cfg(feature = "live")]
pub(crate) mod call;
mod error;
mod local;
mod notified;
mod pipe;
mod queue;
mod s3;
mod skipped;
#[cfg(feature = "live")]
mod sqs;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::cloudtrail::{Folder, LogFileKey, Selection, delivery_stamp};

pub use error::SourceError;
pub use notified::{Announced, NotAnnouncement, Notified, announced};
pub use queue::{Message, Queue};
pub use skipped::{SkipReason, Skipped};
#[cfg(feature = "live")]
pub use sqs::Sqs;

/// One log file, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// `s3://bucket/key`, or the path as it follows from the one that was given.
    pub uri: String,
    /// Bytes as stored, usually compressed.
    pub size: u64,
    /// Changes when the content changes: the ETag of an object, size and time of change of a file on disk.
    pub etag: String,
    delivered: Option<DateTime<Utc>>,
    log_date: Option<NaiveDate>,
}

/// What a URI or path says, where it is of CloudTrail's layout.
pub(crate) fn key_of(uri: &str) -> Option<LogFileKey> {
    match uri.strip_prefix("s3://") {
        Some(object) => LogFileKey::parse(object.split_once('/')?.1),
        None => LogFileKey::parse(&uri.replace(std::path::MAIN_SEPARATOR, "/"))
            .or_else(|| LogFileKey::parse(&local::absolute(Path::new(uri)))),
    }
}

impl LogFile {
    /// A log file; `key` is what its path says, where it is of CloudTrail's layout.
    ///
    /// Of the key only the times are kept: trails have millions of log files, and the rest can be read off the URI.
    pub fn new(uri: String, size: u64, etag: String, key: Option<&LogFileKey>) -> Self {
        let name = || uri.rsplit(['/', std::path::MAIN_SEPARATOR]).next();
        let delivered = match key {
            Some(key) => key.delivered,
            None => name().and_then(delivery_stamp),
        };
        let log_date = match key {
            Some(key) => Some(key.date),
            None => delivered.map(|time| time.date_naive()),
        };
        Self {
            uri,
            size,
            etag,
            delivered,
            log_date,
        }
    }

    /// When the file was delivered, from the stamp in its name, also outside the layout.
    pub fn delivered(&self) -> Option<DateTime<Utc>> {
        self.delivered
    }

    /// The day of delivery: the folder it lies in, or else the stamp in its name.
    pub fn log_date(&self) -> Option<NaiveDate> {
        self.log_date
    }

    /// What the path says, where it is of CloudTrail's layout.
    pub fn key(&self) -> Option<LogFileKey> {
        key_of(&self.uri)
    }

    /// The order in which log files are worked on: by delivery, unknown times first.
    fn order(&self) -> (Option<DateTime<Utc>>, &str) {
        let midnight = || Some(self.log_date?.and_time(NaiveTime::MIN).and_utc());
        (self.delivered.or_else(midnight), &self.uri)
    }
}

/// What a listing cost and found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListStats {
    /// Requests to S3; none for local files.
    pub requests: u64,
    /// Log files found.
    pub files: u64,
    /// Their size together, as stored.
    pub bytes: u64,
}

/// The log files of a source that a selection can need.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The log files, in order of delivery.
    pub files: Vec<LogFile>,
    /// What it cost.
    pub stats: ListStats,
    /// What was left out although the selection would have wanted it.
    pub skipped: Vec<Skipped>,
}

impl Listing {
    fn new(mut files: Vec<LogFile>, mut skipped: Vec<Skipped>, requests: u64) -> Self {
        files.sort_by(|a, b| a.order().cmp(&b.order()));
        skipped.sort_by(|a, b| a.uri.cmp(&b.uri));
        // Two runs of a listing may meet what lies between the folders of days.
        files.dedup_by(|a, b| a.uri == b.uri);
        skipped.dedup();
        let stats = ListStats {
            requests,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
        };
        Self {
            files,
            stats,
            skipped,
        }
    }
}

/// Which files below `AWSLogs` a listing is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Files {
    /// Log files with events.
    #[default]
    Events,
    /// All that CloudTrail delivers: also digest files, and what else digests list.
    All,
}

impl Files {
    /// Whether files of this folder are left out.
    fn leave_out(self, folder: Folder) -> bool {
        self == Self::Events && !folder.has_events()
    }

    /// Why a folder of this name, which is not where the layout has it, is left out.
    fn speak_against(self, name: &str) -> Option<SkipReason> {
        skipped::not_events(name)
            .filter(|reason| self == Self::Events || *reason == SkipReason::OtherService)
    }
}

/// A file as stored, with the metadata that S3 keeps beside it (`x-amz-meta-…`, without that prefix); files on disk have none.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The content.
    pub bytes: Bytes,
    /// Metadata by name, in small letters.
    pub metadata: HashMap<String, String>,
}

/// A place with log files.
#[async_trait::async_trait]
pub trait Source: Send + Sync + std::fmt::Debug {
    /// The name the source was opened with.
    fn uri(&self) -> &str;

    /// Lists the log files that the selection can need; `seen` is told the files and bytes found so far.
    async fn list(
        &self,
        selection: &Selection,
        seen: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Listing, SourceError> {
        self.list_files(Files::Events, selection, seen).await
    }

    /// The same, of the files that are named.
    async fn list_files(
        &self,
        files: Files,
        selection: &Selection,
        seen: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Listing, SourceError>;

    /// Reads a log file whole, as stored.
    async fn fetch(&self, file: &LogFile) -> Result<Bytes, SourceError>;

    /// The same, with the metadata beside it.
    async fn fetch_object(&self, file: &LogFile) -> Result<Object, SourceError> {
        let bytes = self.fetch(file).await?;
        Ok(Object {
            bytes,
            ..Object::default()
        })
    }
}

/// How to reach a source; only S3 needs any of it.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Another server that speaks S3, addressed with the bucket in the path.
    pub endpoint_url: Option<String>,
    /// The region of the bucket, where S3 shall not be asked for it.
    pub region: Option<String>,
    /// Whether the reader pays for requests and transfer.
    pub request_payer: bool,
    /// Whether requests are sent without a signature, for public buckets.
    pub no_sign_request: bool,
    /// Credentials to use instead of the default chain.
    pub credentials: Option<Credentials>,
    /// How many requests a listing has under way at once.
    pub fetches: usize,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            profile: None,
            endpoint_url: None,
            region: None,
            request_payer: false,
            no_sign_request: false,
            credentials: None,
            // A listing request takes about 100 ms: this is a few hundred folders per second, far below the 5,500
            // requests per second that S3 serves for one prefix.
            fetches: 32,
        }
    }
}

/// The configuration with which other AWS clients reach `s3://bucket/prefix`: credentials that S3 accepts there, and the
/// bucket's region.
pub async fn reach(uri: &str, options: &SourceOptions) -> Result<SdkConfig, SourceError> {
    let location = uri.strip_prefix("s3://").unwrap_or(uri);
    s3::S3::reach(location, options).await
}

/// The configuration with which AWS clients that need no bucket are reached: credentials, and a region.
pub async fn aws(options: &SourceOptions) -> Result<SdkConfig, SourceError> {
    s3::S3::configured(options).await
}

/// Opens `s3://bucket/prefix`, a folder, a file, a pattern such as `logs/2025-*/*.gz`, or `-` for standard input.
pub async fn open(uri: &str, options: &SourceOptions) -> Result<Arc<dyn Source>, SourceError> {
    if uri == "-" {
        return Ok(Arc::new(pipe::Pipe::standard_input()));
    }
    if let Some(location) = uri.strip_prefix("s3://") {
        return Ok(Arc::new(s3::S3::open(location, options).await?));
    }
    let path = Path::new(uri);
    match tokio::fs::metadata(path).await {
        Ok(found) if found.is_file() || found.is_dir() => Ok(Arc::new(local::Local::path(uri))),
        // A named pipe, e.g. the shell's `<(…)`.
        Ok(_) => Ok(Arc::new(pipe::Pipe::at(path))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match local::Local::glob(uri)? {
                Some(glob) => Ok(Arc::new(glob)),
                None => Err(SourceError::NotFound {
                    uri: uri.to_owned(),
                }),
            }
        }
        Err(source) => Err(SourceError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}
