//! Listings that break off are gone on with.
//!
//! In: an object store across a network. Out: the same. Promise: a list answer that breaks off in its body is asked for again,
//! from the last object it told of; nothing is listed twice or left out.
//!
//! `object_store` asks again when a request fails, but not when the answer of a listing ends half-way.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, DynObjectStore, Error, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Times in a row that a listing is asked for again without having told of anything new.
const MOST_TRIES: u32 = 6;

/// The pause before the first of them; each that follows is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// An object store whose listings are gone on with.
#[derive(Debug)]
pub(super) struct Patient(Arc<DynObjectStore>);

impl Patient {
    pub(super) fn new(store: Arc<DynObjectStore>) -> Self {
        Self(store)
    }
}

impl fmt::Display for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "patient {}", self.0)
    }
}

/// Whether asking again may help.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Generic { .. })
}

async fn pause(tries: u32) {
    tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(tries.saturating_sub(1))).await;
}

/// A listing under way.
struct Listing {
    store: Arc<DynObjectStore>,
    prefix: Option<Path>,
    /// The last object that was told of.
    last: Option<Path>,
    now: Option<BoxStream<'static, Result<ObjectMeta>>>,
    tries: u32,
}

impl Listing {
    async fn next(mut self) -> Option<(Result<ObjectMeta>, Self)> {
        loop {
            let now = self.now.get_or_insert_with(|| {
                let prefix = self.prefix.as_ref();
                match &self.last {
                    Some(last) => self.store.list_with_offset(prefix, last),
                    None => self.store.list(prefix),
                }
            });
            match now.next().await? {
                Ok(object) => {
                    self.last = Some(object.location.clone());
                    self.tries = 0;
                    return Some((Ok(object), self));
                }
                Err(error) if may_pass(&error) && self.tries < MOST_TRIES => {
                    self.now = None;
                    self.tries += 1;
                    pause(self.tries).await;
                }
                Err(error) => return Some((Err(error), self)),
            }
        }
    }
}

impl Patient {
    /// The objects below a prefix, after one of them.
    fn listing(
        &self,
        prefix: Option<&Path>,
        last: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let listing = Listing {
            store: Arc::clone(&self.0),
            prefix: prefix.cloned(),
            last: last.cloned(),
            now: None,
            tries: 0,
        };
        stream::unfold(listing, Listing::next).boxed()
    }
}

#[async_trait]
impl ObjectStore for Patient {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut tries = 0;
        loop {
            match self.0.list_with_delimiter(prefix).await {
                Err(error) if may_pass(&error) && tries < MOST_TRIES => {
                    tries += 1;
                    pause(tries).await;
                }
                result => return result,
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A store whose listings break off after two objects, so many times.
    #[derive(Debug)]
    struct Breaking(InMemory, AtomicU32);

    impl fmt::Display for Breaking {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("breaking")
        }
    }

    fn broken() -> Error {
        Error::Generic {
            store: "S3",
            source: "error decoding response body".into(),
        }
    }

    impl Breaking {
        fn cut(
            &self,
            whole: BoxStream<'static, Result<ObjectMeta>>,
        ) -> BoxStream<'static, Result<ObjectMeta>> {
            let breaks = self
                .1
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            match breaks {
                Ok(_) => whole.take(2).chain(stream::iter([Err(broken())])).boxed(),
                Err(_) => whole,
            }
        }
    }

    #[async_trait]
    impl ObjectStore for Breaking {
        async fn put_opts(
            &self,
            to: &Path,
            bytes: PutPayload,
            how: PutOptions,
        ) -> Result<PutResult> {
            self.0.put_opts(to, bytes, how).await
        }

        async fn put_multipart_opts(
            &self,
            to: &Path,
            how: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.0.put_multipart_opts(to, how).await
        }

        async fn get_opts(&self, from: &Path, how: GetOptions) -> Result<GetResult> {
            self.0.get_opts(from, how).await
        }

        fn delete_stream(
            &self,
            locations: BoxStream<'static, Result<Path>>,
        ) -> BoxStream<'static, Result<Path>> {
            self.0.delete_stream(locations)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.cut(self.0.list(prefix))
        }

        fn list_with_offset(
            &self,
            prefix: Option<&Path>,
            offset: &Path,
        ) -> BoxStream<'static, Result<ObjectMeta>> {
            self.cut(self.0.list_with_offset(prefix, offset))
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.0.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
            self.0.copy_opts(from, to, how).await
        }
    }

    #[tokio::test]
    async fn a_listing_that_breaks_off_is_gone_on_with() {
        let listed = |breaks: u32| async move {
            let inner = InMemory::new();
            for n in 0..9 {
                let path = Path::from(format!("log/{n}"));
                inner.put(&path, "x".into()).await.unwrap();
            }
            let store = Patient::new(Arc::new(Breaking(inner, AtomicU32::new(breaks))));
            let found: Result<Vec<ObjectMeta>> = store.list(None).try_collect().await;
            found.map(|found| {
                found
                    .into_iter()
                    .map(|o| o.location.to_string())
                    .collect::<Vec<_>>()
            })
        };
        let whole: Vec<String> = (0..9).map(|n| format!("log/{n}")).collect();
        assert_eq!(listed(0).await.unwrap(), whole);
        assert_eq!(listed(4).await.unwrap(), whole);
    }
}
