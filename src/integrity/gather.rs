//! What there is to validate with.
//!
//! In: a source. Out: its digest files, read, and its log files, listed. Promise: one listing and one fetch of each digest
//! file; a digest that cannot be read is a finding and stays in its chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};

use super::digest::DigestFile;
use super::place::{FileName, name};
use super::unpack::{UnpackFault, whole};
use super::{DigestName, Finding, Problem, ValidateOptions};
use crate::cloudtrail::{Folder, LogFileKey, delivery_stamp};
use crate::read::{Observer, Phase, ReadError};
use crate::source::{Files, LogFile, Object, SkipReason, Skipped, Source, SourceError};

/// The signature in an object's metadata, `x-amz-meta-signature`.
const SIGNATURE: &str = "signature";

/// When a backfill digest was made, in its object's metadata.
const GENERATED: &str = "backfill-generation-timestamp";

/// What a source has.
#[derive(Debug, Default)]
pub struct Gathered {
    pub(super) digests: Vec<ReadDigest>,
    pub(super) files: Vec<LogFile>,
    pub(super) findings: Vec<Finding>,
}

/// A digest file that was fetched.
#[derive(Debug)]
pub(super) struct ReadDigest {
    pub(super) file: String,
    pub(super) place: FileName,
    pub(super) organization: Option<String>,
    pub(super) name: Option<DigestName>,
    /// When its hour ended, by its name.
    pub(super) stamp: Option<DateTime<Utc>>,
    /// `None` if it cannot be read; there is a finding then.
    pub(super) content: Option<DigestFile>,
    /// That of its metadata, or one that was given.
    pub(super) signature: Option<String>,
    /// When a backfill digest was made, if its metadata says so.
    pub(super) generated: Option<DateTime<Utc>>,
}

/// Lists the source and reads its digest files.
///
/// # Errors
///
/// Only what would meet every file.
pub async fn gather(
    source: &Arc<dyn Source>,
    options: &ValidateOptions,
    observer: &dyn Observer,
) -> Result<Gathered, ReadError> {
    observer.phase(Phase::Listing);
    let seen = |_, _| {};
    let listing = source
        .list_files(Files::All, &options.selection, &seen)
        .await?;
    let mut gathered = Gathered::default();
    let (digests, files): (Vec<_>, Vec<_>) = listing.files.into_iter().partition(is_digest);
    gathered.files = files;
    gathered.not_listed(listing.skipped);
    let bytes = digests.iter().map(|file| file.size).sum();
    observer.listed(digests.len() as u64, bytes);
    let fetched = stream::iter(digests).map(|file| {
        let source = Arc::clone(source);
        async move {
            let task = tokio::spawn(async move {
                let object = source.fetch_object(&file).await;
                (file, object)
            });
            task.await.map_err(|_| ReadError::Lost("a fetch"))
        }
    });
    let mut fetched = fetched.buffered(options.fetches.max(1));
    while let Some((file, object)) = fetched.try_next().await? {
        match object {
            Err(error) if error.is_fatal() => return Err(error.into()),
            object => gathered.digest(&file, object, options),
        }
    }
    Ok(gathered)
}

/// Whether a file is a digest file: by its folder, or by its name.
fn is_digest(file: &LogFile) -> bool {
    match file.key() {
        Some(key) => key.folder == Folder::Digest,
        None => DigestName::parse(name(&file.uri)).is_some(),
    }
}

impl Gathered {
    /// The regions whose digests there are, each with the first and the last time at which one was signed.
    pub fn regions(&self) -> BTreeMap<String, (DateTime<Utc>, DateTime<Utc>)> {
        let mut regions: BTreeMap<String, (DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
        for digest in &self.digests {
            // A backfill digest is signed long after the hour that its name has.
            let signed = digest.generated.or(digest.stamp);
            if let (Some(name), Some(signed)) = (&digest.name, signed) {
                let region = regions.entry(name.region.clone());
                let (first, last) = region.or_insert((signed, signed));
                (*first, *last) = (signed.min(*first), signed.max(*last));
            }
        }
        regions
    }

    /// What the listing could not reach may be a digest or a log file.
    fn not_listed(&mut self, skipped: Vec<Skipped>) {
        for Skipped { uri, reason } in skipped.into_iter().filter(|it| it.reason.is_unread()) {
            let file = LogFile::new(uri.clone(), 0, String::new(), None);
            let problem = match is_digest(&file) {
                true => Problem::DigestUnread,
                false => Problem::LogFileUnread,
            };
            // It is there, though: no digest misses it.
            if problem == Problem::LogFileUnread && matches!(reason, SkipReason::Archived(_)) {
                self.files.push(file);
            } else {
                self.findings
                    .push(Finding::new(problem, uri, reason.to_string()));
            }
        }
    }

    fn digest(
        &mut self,
        file: &LogFile,
        object: Result<Object, SourceError>,
        options: &ValidateOptions,
    ) {
        let trust = &options.trust;
        let (place, _) = FileName::of(file, trust.original.as_ref());
        let file_name = name(&file.uri);
        let mut digest = ReadDigest {
            file: file.uri.clone(),
            place,
            organization: file.key().and_then(|key: LogFileKey| key.organization),
            name: DigestName::parse(file_name),
            stamp: delivery_stamp(file_name),
            content: None,
            signature: trust.signatures.of(file_name).cloned(),
            generated: None,
        };
        match object {
            Err(error) => self.found(Problem::DigestUnread, file, error.to_string()),
            Ok(object) => {
                let metadata = |name: &str| object.metadata.get(name).cloned();
                digest.signature = metadata(SIGNATURE).or(digest.signature);
                let generated = metadata(GENERATED);
                digest.generated = generated.and_then(|time| time.parse().ok());
                match whole(&object.bytes, options.max_json) {
                    Err(fault @ UnpackFault::Padded(_)) => {
                        self.found(Problem::DigestPadded, file, fault.to_string());
                    }
                    Err(fault) => self.found(Problem::DigestDamaged, file, fault.to_string()),
                    Ok((content, hash)) => match DigestFile::parse(&content, hash) {
                        Ok(content) => digest.content = Some(content),
                        Err(why) => self.found(Problem::DigestDamaged, file, why.to_string()),
                    },
                }
            }
        }
        // A file that was renamed still says where it belongs.
        if let Some(content) = &digest.content {
            let key = &content.object.key;
            digest.name = DigestName::parse(name(key)).or(digest.name);
            let key = LogFileKey::parse(key);
            digest.organization = key.and_then(|key| key.organization).or(digest.organization);
        }
        self.digests.push(digest);
    }

    fn found(&mut self, problem: Problem, file: &LogFile, detail: String) {
        self.findings
            .push(Finding::new(problem, file.uri.clone(), detail));
    }
}
