//! Where a lake is kept.
//!
//! In: a folder or `s3://bucket/prefix`. Out: an object store and the URL of a table in it. Promise: reaching S3 needs
//! nothing but what the AWS SDK was configured with, so a lake and a trail are reached with the same credentials.

use super::durable::Durable;
use super::patient::Patient;
use super::{LakeError, TableName};
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use deltalake_core::DeltaResult;
use deltalake_core::logstore::{
    LogStore, LogStoreFactory, ObjectStoreRef, StorageConfig, default_logstore, logstore_factories,
};
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{CredentialProvider, DynObjectStore, RetryConfig};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// A folder on disk or in a bucket, and how to reach it.
#[derive(Debug, Clone)]
pub struct Location {
    /// As a person would write it.
    name: String,
    /// On disk, the folder.
    folder: Option<PathBuf>,
    /// Where the object store begins.
    root: Url,
    store: Arc<DynObjectStore>,
    /// The lake's place in the object store.
    path: Path,
}

impl Location {
    /// A lake in the folder or `s3://` URI `uri`; `sdk` is needed for the latter.
    pub fn new(uri: &str, sdk: Option<&SdkConfig>) -> Result<Self, LakeError> {
        match uri.strip_prefix("s3://") {
            Some(place) => Self::s3(uri, place, sdk),
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
        let folder: PathBuf = resolved(&absolute).components().collect();
        Ok(Self {
            name: folder.display().to_string(),
            path: Path::from_absolute_path(&folder).map_err(|error| bad(error.to_string()))?,
            folder: Some(folder),
            root: url("file:///")?,
            store: Arc::new(Durable::new()),
        })
    }

    fn s3(uri: &str, place: &str, sdk: Option<&SdkConfig>) -> Result<Self, LakeError> {
        let bad = |reason: &str| LakeError::Location {
            uri: uri.to_owned(),
            reason: reason.to_owned(),
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let root = url(&format!("s3://{bucket}/"))?;
        let bucket = root.host_str().ok_or_else(|| bad("no bucket"))?;
        let sdk = sdk.ok_or_else(|| bad("no AWS configuration"))?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
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
        logstore_factories().insert(url("s3://")?, Arc::new(ConditionalPut));
        Ok(Self {
            name: uri.trim_end_matches('/').to_owned(),
            folder: None,
            path: Path::parse(prefix).map_err(|error| bad(&error.to_string()))?,
            store: Arc::new(Patient::new(Arc::new(store))),
            root,
        })
    }

    /// The location as a person would write it.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// A table as the Delta crate reaches it: a URL, and a store for it that begins at the lake. So the lake's own place is no
    /// part of the URL, and may have any name: what a URL writes with `%` is read in more than one way there.
    pub(crate) fn table(&self, name: TableName) -> Result<(Url, Arc<DynObjectStore>), LakeError> {
        let url = self.root.join(&format!("{}/", name.as_str()));
        let url = url.map_err(|error| LakeError::Location {
            uri: self.name(),
            reason: error.to_string(),
        })?;
        let store = PrefixStore::new(self.store(), self.path.clone());
        Ok((url, Arc::new(store)))
    }

    /// Where the object store begins.
    pub(crate) fn root(&self) -> &Url {
        &self.root
    }

    /// A table's folder in the object store.
    pub(crate) fn table_path(&self, name: TableName) -> Path {
        let table = Path::from(name.as_str());
        self.path.parts().chain(table.parts()).collect()
    }

    /// Whether a table's folder is there; in S3 there are no folders, so nothing is in the way.
    ///
    /// # Errors
    ///
    /// The operating system does not tell.
    pub(crate) fn has_folder(&self, table: TableName) -> Result<bool, LakeError> {
        let Some(folder) = self.table_folder(table) else {
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
        let Some(folder) = self.table_folder(table) else {
            return Ok(());
        };
        std::fs::create_dir_all(&folder).map_err(|source| LakeError::Folder { folder, source })
    }

    fn table_folder(&self, table: TableName) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(table.as_str()))
    }

    /// The object store, from where it begins.
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

fn url(uri: &str) -> Result<Url, LakeError> {
    Url::parse(uri).map_err(|error| LakeError::Location {
        uri: uri.to_owned(),
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
