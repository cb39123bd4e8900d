//! Where a lake is kept.
//!
//! In: a folder or `s3://bucket/prefix`. Out: an object store and the URL of a table in it. Promise: reaching S3 needs
//! nothing but what the AWS SDK was configured with, so a lake and a trail are reached with the same credentials.

use super::damage::Damage;
use super::durable::Durable;
use super::faults::Fault;
use super::patient::Patient;
use super::watch::Watched;
use super::{LakeError, TableName};
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use deltalake_core::DeltaResult;
use deltalake_core::logstore::{
    LogStore, LogStoreFactory, ObjectStoreRef, StorageConfig, default_logstore, logstore_factories,
};
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::{CredentialProvider, DynObjectStore, RetryConfig};
use percent_encoding::percent_decode_str;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// A folder on disk or in a bucket, and how to reach it.
#[derive(Debug, Clone)]
pub struct Location {
    url: Url,
    store: Arc<DynObjectStore>,
    watched: Arc<Watched>,
}

impl Location {
    /// A lake in the folder or `s3://` URI `uri`; `sdk` is needed for the latter.
    pub fn new(uri: &str, sdk: Option<&SdkConfig>) -> Result<Self, LakeError> {
        match uri.strip_prefix("s3://") {
            Some(_) => Self::s3(uri, sdk),
            None => Self::local(uri),
        }
    }

    fn local(path: &str) -> Result<Self, LakeError> {
        let bad = |reason: String| LakeError::Location {
            uri: path.to_owned(),
            reason,
        };
        let absolute: PathBuf =
            std::path::absolute(path).map_err(|error| bad(error.to_string()))?;
        // The engine knows neither `..` nor links: what is there of the path is resolved, the rest is made.
        let absolute = resolved(&absolute);
        // What reads the logs takes `%20` in a path for a space, and would not find them.
        let text = absolute.to_string_lossy();
        if percent_decode_str(&text).decode_utf8_lossy() != text {
            return Err(bad(
                "a % before two digits means another character in the paths of Delta Lake"
                    .to_owned(),
            ));
        }
        let url = Url::from_directory_path(&absolute).map_err(|()| bad("not a path".to_owned()))?;

        Ok(Self::watched(url, Arc::new(Durable::new()), "/".to_owned()))
    }

    fn s3(uri: &str, sdk: Option<&SdkConfig>) -> Result<Self, LakeError> {
        let bad = |reason: &str| LakeError::Location {
            uri: uri.to_owned(),
            reason: reason.to_owned(),
        };
        let url = Url::parse(&format!("{}/", uri.trim_end_matches('/')))
            .map_err(|error| bad(&error.to_string()))?;
        let bucket = url.host_str().ok_or_else(|| bad("no bucket"))?.to_owned();
        let sdk = sdk.ok_or_else(|| bad("no AWS configuration"))?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket)
            .with_retry(RetryConfig::default());
        if let Some(region) = sdk.region() {
            builder = builder.with_region(region.as_ref());
        }
        if let Some(endpoint) = sdk.endpoint_url() {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        builder = match sdk.credentials_provider() {
            Some(provider) => builder.with_credentials(Arc::new(SdkCredentials(provider))),
            None => builder.with_skip_signature(true),
        };
        let store = builder.build().map_err(|error| bad(&error.to_string()))?;
        logstore_factories().insert(url_of_scheme("s3")?, Arc::new(ConditionalPut));
        let base = format!("s3://{bucket}/");
        let store = Patient::new(Arc::new(store));
        Ok(Self::watched(url, Arc::new(store), base))
    }

    /// The place in a store that begins at `base`.
    fn watched(url: Url, store: Arc<DynObjectStore>, base: String) -> Self {
        let watched = Arc::new(Watched::new(store, base));
        Self {
            url,
            store: Arc::clone(&watched) as _,
            watched,
        }
    }

    /// What went wrong last with the log of a table, until now.
    pub(super) fn fault(&self, table: TableName) -> Option<Fault> {
        self.watched.faults().take(table)
    }

    /// What is wrong with one of the data files that were read last.
    pub(super) async fn changed(&self) -> Option<Damage> {
        self.watched.changed().await
    }

    /// The location as a person would write it.
    pub fn name(&self) -> String {
        match self.url.to_file_path() {
            // The parts put together again have no slash at the end.
            Ok(path) => path.components().collect::<PathBuf>().display().to_string(),
            Err(()) => self.url.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The URL of a table in the lake.
    pub(crate) fn table_url(&self, table: &str) -> Result<Url, LakeError> {
        self.url
            .join(&format!("{table}/"))
            .map_err(|error| LakeError::Location {
                uri: self.name(),
                reason: error.to_string(),
            })
    }

    /// Whether a table's folder is there; in S3 there are no folders, so nothing is in the way.
    ///
    /// # Errors
    ///
    /// The operating system does not tell.
    pub(crate) fn has_folder(&self, table: TableName) -> Result<bool, LakeError> {
        let Some(folder) = self.folder(table) else {
            return Ok(true);
        };
        match std::fs::metadata(&folder) {
            Ok(found) => Ok(found.is_dir()),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(false),
                _ => Err(LakeError::Refused {
                    path: folder.display().to_string(),
                    source: error,
                }),
            },
        }
    }

    /// Makes a table's folder where there are folders.
    pub(crate) fn make_folder(&self, table: TableName) -> Result<(), LakeError> {
        let Some(folder) = self.folder(table) else {
            return Ok(());
        };
        std::fs::create_dir_all(&folder).map_err(|source| LakeError::Folder { folder, source })
    }

    fn folder(&self, table: TableName) -> Option<PathBuf> {
        Some(self.url.to_file_path().ok()?.join(table.as_str()))
    }

    pub(crate) fn store(&self) -> Arc<DynObjectStore> {
        Arc::clone(&self.store)
    }
}

/// The path without `..`: of what exists as the file system has it, of the rest as it is written.
fn resolved(path: &std::path::Path) -> PathBuf {
    use std::path::Component;
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                found = found.canonicalize().unwrap_or(found);
                found.pop();
            }
            part => found.push(part),
        }
    }
    found
}

fn url_of_scheme(scheme: &str) -> Result<Url, LakeError> {
    let uri = format!("{scheme}://");
    Url::parse(&uri).map_err(|error| LakeError::Location {
        uri,
        reason: error.to_string(),
    })
}

/// S3 refuses to overwrite when asked to (conditional put), which is all that Delta's commits need.
#[derive(Debug)]
struct ConditionalPut;

impl LogStoreFactory for ConditionalPut {
    fn with_options(
        &self,
        prefixed: ObjectStoreRef,
        root: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed, root, location, options))
    }
}

/// The AWS SDK's credentials, for the object store.
#[derive(Debug)]
struct SdkCredentials(SharedCredentialsProvider);

#[async_trait::async_trait]
impl CredentialProvider for SdkCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let found = self.0.provide_credentials().await;
        let credentials = found.map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        Ok(Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        }))
    }
}
