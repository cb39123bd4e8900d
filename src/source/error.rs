//! What can go wrong at the place where log files come from.
//!
//! In: the failures of the file system and of S3. Out: [`SourceError`], which carries facts: the path, the bucket, the
//! permission that was missing. Promise: no advice (that is the command line's), and no failure loses its own words.

use std::path::PathBuf;

/// Why log files could not be listed, or one of them not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The name of a source cannot be understood.
    #[error("{uri:?} names no source: {reason}")]
    InvalidUri {
        /// The name as given.
        uri: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pattern cannot be understood.
    #[error("{pattern:?} is not a pattern: {message}")]
    Glob {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is nothing at the place that was named.
    #[error("nothing was found at {uri}")]
    NotFound {
        /// The place: a path, a pattern, or an `s3://` URI.
        uri: String,
    },
    /// The file is no longer the one that was listed.
    #[error("{uri} has changed since it was listed")]
    Changed {
        /// The file.
        uri: String,
    },
    /// A stream is longer than can be held.
    #[error("{uri} is longer than {limit} bytes, the most that is read of a stream")]
    TooLong {
        /// The stream.
        uri: String,
        /// The limit.
        limit: u64,
    },
    /// A log file is larger than its text may be.
    #[error("{size} bytes, more than the limit of {limit} for its JSON")]
    TooLarge {
        /// Its size as stored.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The object is in an archive and has to be restored before it can be read.
    #[error("{uri} is archived ({storage_class}) and not restored")]
    Archived {
        /// The object.
        uri: String,
        /// The storage class, or the archive tier.
        storage_class: String,
    },
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The machine has no AWS credentials.
    #[error("no AWS credentials: {message}")]
    NoCredentials {
        /// What the search for credentials said.
        message: String,
    },
    /// AWS does not accept the credentials: expired, unknown, wrongly signed.
    #[error("AWS refuses the credentials: {code}: {message}")]
    RefusedCredentials {
        /// The error code, e.g. `ExpiredToken`.
        code: String,
        /// The message beside the code.
        message: String,
    },
    /// The credentials lack a permission.
    #[error("access denied: {action} on {resource}: {message}")]
    AccessDenied {
        /// The permission, e.g. `s3:ListBucket`.
        action: String,
        /// The ARN the permission is needed on.
        resource: String,
        /// AWS's own message, which may name the policy that denies.
        message: String,
    },
    /// There is no bucket of this name.
    #[error("there is no bucket {bucket}")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
    },
    /// The bucket is in another region than the one that was asked.
    #[error("bucket {bucket} is not in region {asked} but in {}", region.as_deref().unwrap_or("another one"))]
    WrongRegion {
        /// The bucket.
        bucket: String,
        /// The region that was asked.
        asked: String,
        /// The region the bucket is in, if S3 told.
        region: Option<String>,
    },
    /// S3 answered with any other error, also after retries.
    #[error("{operation} of {uri}: {code}: {message}")]
    Service {
        /// The object or prefix.
        uri: String,
        /// The operation, e.g. `GetObject`.
        operation: &'static str,
        /// The error code, e.g. `SlowDown`.
        code: String,
        /// The message beside the code.
        message: String,
    },
    /// S3 gave no answer, or broke it off, also after retries.
    #[error("{operation} of {uri}: {message}")]
    Connection {
        /// The object or prefix.
        uri: String,
        /// The operation, e.g. `GetObject`.
        operation: &'static str,
        /// What happened, from the outermost cause to the innermost.
        message: String,
    },
}

impl SourceError {
    /// Whether the error would meet every log file and so must stop the run, as against the error of one file.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::InvalidUri { .. }
            | Self::Glob { .. }
            | Self::NoCredentials { .. }
            | Self::RefusedCredentials { .. }
            | Self::NoSuchBucket { .. }
            | Self::WrongRegion { .. } => true,
            // Object permissions and keys of KMS differ from account folder to account folder.
            Self::AccessDenied { action, .. } => action == "s3:ListBucket",
            Self::NotFound { .. }
            | Self::Changed { .. }
            | Self::TooLong { .. }
            | Self::TooLarge { .. }
            | Self::Archived { .. }
            | Self::Io { .. }
            | Self::Service { .. }
            | Self::Connection { .. } => false,
        }
    }
}
