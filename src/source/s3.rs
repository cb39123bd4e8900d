//! Log files in S3.
//!
//! In: `bucket/prefix` and how to reach it. Out: listings and objects. Promise: the bucket's region is found by itself;
//! throttling, broken connections and bodies that end early are met with retries; an object is read whole and is the
//! one that was listed, or there is an error that says what happened on what.

mod config;
pub(super) mod failure;
mod listing;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::types::RequestPayer;
use bytes::Bytes;
use tracing::{debug, info, warn};

use super::{Files, Listing, LogFile, Object, Source, SourceError, SourceOptions};
use crate::cloudtrail::Selection;
use aws_config::SdkConfig;
use failure::Call;

/// How often an object is asked for again when its body breaks off; each time only for the rest.
const BODIES: u32 = 6;
/// The wait before the first of these; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A bucket, or the part of it below a prefix.
#[derive(Debug)]
pub(super) struct S3 {
    uri: String,
    client: Client,
    bucket: String,
    /// As given: with or without a last `/`.
    prefix: String,
    payer: Option<RequestPayer>,
    concurrency: usize,
}

impl S3 {
    /// Opens `bucket/prefix`: finds credentials and, on AWS, the bucket's region.
    pub(super) async fn open(location: &str, options: &SourceOptions) -> Result<Self, SourceError> {
        Ok(Self::connect(location, options).await?.0)
    }

    /// The configuration with which `bucket/prefix` can be reached, tried with one request.
    pub(super) async fn reach(
        location: &str,
        options: &SourceOptions,
    ) -> Result<SdkConfig, SourceError> {
        let (source, sdk) = Self::connect(location, options).await?;
        let one = source.client.list_objects_v2().max_keys(1);
        let listed = one
            .bucket(&source.bucket)
            .prefix(&source.prefix)
            .set_request_payer(source.payer.clone())
            .send()
            .await;
        listed.map_err(|error| source.call("ListObjectsV2", None).failed(error))?;
        let region = source.client.config().region().cloned();
        Ok(sdk.into_builder().region(region).build())
    }

    /// The configuration that the options ask for, with credentials that could be had.
    pub(super) async fn configured(options: &SourceOptions) -> Result<SdkConfig, SourceError> {
        let sdk = config::sdk_config(options).await;
        config::check_credentials(&sdk).await?;
        Ok(sdk)
    }

    async fn connect(
        location: &str,
        options: &SourceOptions,
    ) -> Result<(Self, SdkConfig), SourceError> {
        let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
        let uri = format!("s3://{location}");
        if bucket.is_empty() {
            return Err(SourceError::InvalidUri {
                uri,
                reason: "the bucket is missing (s3://bucket/prefix)",
            });
        }
        let sdk = Self::configured(options).await?;
        let on_aws = sdk.endpoint_url().is_none();
        let client = config::client(&sdk, None);
        let mut source = Self {
            uri,
            client,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            payer: options.request_payer.then_some(RequestPayer::Requester),
            concurrency: options.fetches.max(1),
        };
        if on_aws && options.region.is_none() {
            let region = source.bucket_region().await?;
            source.client = config::client(&sdk, region);
        }
        Ok((source, sdk))
    }

    /// The region S3 names in its answer to HeadBucket, which it does also when it refuses or redirects.
    async fn bucket_region(&self) -> Result<Option<Region>, SourceError> {
        let answer = self.client.head_bucket().bucket(&self.bucket).send().await;
        let region = match answer {
            Ok(head) => head.bucket_region,
            Err(error) => {
                let response = error.raw_response();
                let region = response.and_then(failure::bucket_region);
                match response.map(|response| response.status().as_u16()) {
                    Some(404) => {
                        return Err(SourceError::NoSuchBucket {
                            bucket: self.bucket.clone(),
                        });
                    }
                    // What is wrong, if anything, the first listing says better: a HEAD has no body.
                    Some(_) => region,
                    None => return Err(self.call("HeadBucket", None).failed(error)),
                }
            }
        };
        Ok(region.map(Region::new))
    }

    fn call<'a>(&'a self, operation: &'static str, key: Option<&'a str>) -> Call<'a> {
        let region = self.client.config().region();
        Call {
            operation,
            bucket: &self.bucket,
            key,
            region: region.map_or("us-east-1", |region| region.as_ref()),
        }
    }

    /// One GetObject, for the bytes from `start` on.
    async fn get(&self, file: &LogFile, start: usize) -> Result<GetObjectOutput, SourceError> {
        let key = self.key(file)?;
        let quoted = |etag: &str| format!("\"{etag}\"");
        self.client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_if_match((!file.etag.is_empty()).then(|| quoted(&file.etag)))
            .set_range((start > 0).then(|| format!("bytes={start}-")))
            .set_request_payer(self.payer.clone())
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(GetObjectError::InvalidObjectState(state)) => SourceError::Archived {
                    uri: file.uri.clone(),
                    storage_class: state
                        .access_tier()
                        .map(|tier| tier.as_str())
                        .or(state.storage_class().map(|class| class.as_str()))
                        .unwrap_or("unknown storage class")
                        .to_owned(),
                },
                _ => self.call("GetObject", Some(key)).failed(error),
            })
    }

    /// The key of a file of this bucket.
    fn key<'a>(&self, file: &'a LogFile) -> Result<&'a str, SourceError> {
        file.uri
            .strip_prefix("s3://")
            .and_then(|path| path.strip_prefix(self.bucket.as_str())?.strip_prefix('/'))
            .ok_or_else(|| SourceError::InvalidUri {
                uri: file.uri.clone(),
                reason: "it is not in the bucket that was opened",
            })
    }
}

/// Adds the body of an answer to what is there; what came before a break is kept.
async fn append(content: &mut Vec<u8>, answer: GetObjectOutput) -> Result<(), String> {
    // A server without ranges sends everything again.
    if answer.content_range().is_none() {
        content.clear();
    }
    let mut body = answer.body;
    while let Some(part) = body.next().await {
        content.extend_from_slice(&part.map_err(|error| failure::in_full(&error))?);
    }
    Ok(())
}

#[async_trait::async_trait]
impl Source for S3 {
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
        let listing = listing::Lister::new(self, (files, selection), seen)
            .list()
            .await?;
        let (stats, skipped) = (listing.stats, listing.skipped.len());
        info!(source = %self.uri, requests = stats.requests, files = stats.files, bytes = stats.bytes, skipped, took = ?begun.elapsed(), "listed");
        Ok(listing)
    }

    async fn fetch(&self, file: &LogFile) -> Result<Bytes, SourceError> {
        Ok(self.fetch_object(file).await?.bytes)
    }

    async fn fetch_object(&self, file: &LogFile) -> Result<Object, SourceError> {
        let mut content = Vec::with_capacity(usize::try_from(file.size).unwrap_or_default());
        let mut pause = FIRST_PAUSE;
        let mut metadata = HashMap::new();
        for body in 1.. {
            let begun = Instant::now();
            let mut answer = self.get(file, content.len()).await?;
            metadata = answer.metadata.take().unwrap_or_default();
            let whole = append(&mut content, answer).await;
            if whole.is_ok() && content.len() as u64 == file.size {
                debug!(uri = %file.uri, bytes = file.size, body, took = ?begun.elapsed(), "GetObject");
                break;
            }
            if body == BODIES {
                let received = content.len();
                return Err(SourceError::Connection {
                    uri: file.uri.clone(),
                    operation: "GetObject",
                    message: match whole {
                        Ok(()) => format!("received {received} bytes instead of {}", file.size),
                        Err(message) => format!("broke off after {received} bytes: {message}"),
                    },
                });
            }
            // All bytes and still an error means a wrong checksum: there is no rest to ask for.
            if content.len() as u64 >= file.size {
                content.clear();
            }
            warn!(uri = %file.uri, received = content.len(), bytes = file.size, body, ?pause, reason = ?whole.err(), "GetObject again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(Object {
            bytes: content.into(),
            metadata,
        })
    }
}
