//! How executors reach the data files.
//!
//! In: the address of an object store, as a plan names it. Out: the object store, with the executor's own credentials. Promise:
//! nothing of a plan says how to sign in; a bucket is reached when the first byte of it is wanted, with the credentials that
//! this process finds by itself.

use crate::lake::Location;
use crate::source::{self, SourceOptions};
use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use datafusion::common::{DataFusionError, plan_datafusion_err};
use datafusion::execution::object_store::ObjectStoreRegistry;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, DynObjectStore, Error, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use url::Url;

/// The object stores of a process.
#[derive(Debug)]
pub(super) struct Stores {
    access: Access,
    known: Mutex<HashMap<String, Arc<DynObjectStore>>>,
}

/// How buckets are reached.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// With the credentials that these options find.
    With(SourceOptions),
    /// Not at all: a scheduler handles plans and reads nothing.
    Never,
}

impl Stores {
    pub(super) fn new(access: Access) -> Self {
        Self {
            access,
            known: Mutex::default(),
        }
    }

    fn open(&self, url: &Url) -> Result<Arc<DynObjectStore>, DataFusionError> {
        let refused = |error: crate::lake::LakeError| plan_datafusion_err!("{url}: {error}");
        match (url.scheme(), &self.access) {
            ("file", _) => Ok(Location::new("/", None).map_err(refused)?.store()),
            ("s3", Access::With(options)) => Ok(Arc::new(Bucket {
                uri: bucket(url),
                options: options.clone(),
                store: OnceCell::new(),
            })),
            ("s3", Access::Never) => {
                let sdk = SdkConfig::builder().region(Region::from_static("us-east-1"));
                let location = Location::new(&bucket(url), Some(&sdk.build()));
                Ok(location.map_err(refused)?.store())
            }
            (scheme, _) => Err(plan_datafusion_err!(
                "data files are on disk or in S3, not in {scheme}:"
            )),
        }
    }
}

fn bucket(url: &Url) -> String {
    format!("s3://{}", url.host_str().unwrap_or_default())
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(root(url), store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = known.get(&root(url)) {
            return Ok(Arc::clone(store));
        }
        let store = self.open(url)?;
        known.insert(root(url), Arc::clone(&store));
        Ok(store)
    }
}

fn root(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

/// A bucket that is reached when it is needed.
struct Bucket {
    uri: String,
    options: SourceOptions,
    store: OnceCell<Arc<DynObjectStore>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("uri", &self.uri).finish()
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl Bucket {
    async fn store(&self) -> Result<Arc<DynObjectStore>> {
        let reach = async {
            let sdk = source::reach(&self.uri, &self.options).await?;
            let location = Location::new(&self.uri, Some(&sdk))?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(location.store())
        };
        let store = self.store.get_or_try_init(|| reach).await;
        store.map(Arc::clone).map_err(|source| Error::Generic {
            store: "S3",
            source,
        })
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.store()
            .await?
            .put_opts(location, payload, options)
            .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store()
            .await?
            .put_multipart_opts(location, options)
            .await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store().await?.get_opts(location, options).await
    }

    /// Nothing that runs on a cluster deletes.
    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let uri = self.uri.clone();
        let refused = locations.and_then(move |path| {
            let path = format!("{uri}/{path}");
            std::future::ready(Err(Error::NotSupported {
                source: format!("{path}: executors delete nothing").into(),
            }))
        });
        refused.boxed()
    }

    /// Plans name their files.
    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let refused = Error::NotSupported {
            source: format!("{}: executors list nothing", self.uri).into(),
        };
        stream::iter([Err(refused)]).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store().await?.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store().await?.copy_opts(from, to, options).await
    }
}
