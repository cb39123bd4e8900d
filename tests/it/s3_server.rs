//! A real S3 server in the process of the tests, on a loopback port.
//!
//! In: a folder whose sub folders are buckets. Out: an endpoint that any S3 client can use, the count of requests, and
//! faults on demand. The protocol is that of `s3s`, the storage that of `s3s-fs`; added is what the latter leaves out:
//! ETags in listings, `If-Match` on reads, storage classes, and that of two writers who ask not to overwrite one loses.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_credential_types::Credentials;
use futures::TryStreamExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use keytrail::source::SourceOptions;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::dto;
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Who may be told apart from the others, e.g. one of several executors.
const OTHER_KEY: &str = "AKIAI44QH8DHBEXAMPLE";
const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";

/// A running server; it stops with the test's runtime.
pub(crate) struct S3Server {
    /// `http://127.0.0.1:port`.
    pub(crate) endpoint: String,
    state: Arc<State>,
}

/// What the tests look at and set while the server runs.
#[derive(Default)]
struct State {
    requests: Mutex<BTreeMap<String, u64>>,
    /// How often each object was asked for, by key.
    gets: Mutex<BTreeMap<String, u64>>,
    /// How many of the next requests of an operation are refused, and with what.
    refuse: Mutex<BTreeMap<String, (u64, Refusal)>>,
    /// The next connection that has sent so many bytes more is cut; 0 means none is.
    cut_after: AtomicU64,
    archived: Mutex<Vec<String>>,
    /// How many of the next answers with an object of whose key this is a part break off half-way.
    broken: Mutex<(&'static str, u64)>,
    /// Objects whose next write is done and answered with a fault.
    lost: Mutex<Vec<String>>,
    /// Reads by the other key of log files and data files with this in their keys wait, and how many do.
    held: Mutex<Option<&'static str>>,
    waiting: AtomicU64,
    /// Of the other key's requests, every so many is refused, unless 0; and how many there were.
    refused_every: AtomicU64,
    asked: AtomicU64,
    /// Held by a write that must not overwrite, from its look at the old object to the end.
    writing: tokio::sync::Mutex<()>,
}

type Refusal = fn() -> S3Error;

/// Writes keys as S3 does when `encoding-type=url` is asked for: XML cannot hold all characters.
fn encode(listed: &mut dto::ListObjectsV2Output) {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.');
    let encoded = |text: &String| utf8_percent_encode(text, KEPT).to_string();
    for object in listed.contents.iter_mut().flatten() {
        object.key = object.key.as_ref().map(encoded);
    }
    for folder in listed.common_prefixes.iter_mut().flatten() {
        folder.prefix = folder.prefix.as_ref().map(encoded);
    }
    listed.prefix = listed.prefix.as_ref().map(encoded);
    listed.start_after = listed.start_after.as_ref().map(encoded);
}

impl S3Server {
    /// Starts a server on the buckets in a folder.
    pub(crate) async fn start(folder: &Path) -> Self {
        let state = Arc::new(State::default());
        let mut service = S3ServiceBuilder::new(Storage {
            files: FileSystem::new(folder).unwrap(),
            state: Arc::clone(&state),
        });
        let mut auth = SimpleAuth::from_single(KEY, SECRET);
        auth.register(OTHER_KEY.to_owned(), OTHER_SECRET.into());
        service.set_auth(auth);
        service.set_access(Gate(Arc::clone(&state)));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Else each answer waits for the client's delayed acknowledgement, 40 ms on Linux.
                stream.set_nodelay(true).unwrap();
                let stream = TokioIo::new(Cuttable {
                    stream,
                    state: Arc::clone(&shared),
                });
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A connection that breaks is what some tests want.
                    let _ = server.serve_connection(stream, service).await;
                });
            }
        });
        Self { endpoint, state }
    }

    /// How to open a source on this server.
    pub(crate) fn options(&self) -> SourceOptions {
        SourceOptions {
            endpoint_url: Some(self.endpoint.clone()),
            credentials: Some(Credentials::new(KEY, SECRET, None, None, "test")),
            ..SourceOptions::default()
        }
    }

    /// Stores an object, with a signature in its metadata.
    pub(crate) async fn put(
        &self,
        bucket: &str,
        key: &str,
        (content, signature): (Vec<u8>, Option<&str>),
    ) {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new("us-east-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(Credentials::new(KEY, SECRET, None, None, "test"))
            .force_path_style(true)
            .build();
        let mut put = aws_sdk_s3::Client::from_conf(config)
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(content.into());
        if let Some(signature) = signature {
            put = put
                .metadata("signature", signature)
                .metadata("signature-algorithm", "SHA256withRSA");
        }
        put.send().await.unwrap();
    }

    /// How many requests of an operation came, e.g. `ListObjectsV2`; also those that were refused.
    pub(crate) fn requests(&self, operation: &str) -> u64 {
        let requests = self.state.requests.lock().unwrap();
        requests.get(operation).copied().unwrap_or_default()
    }

    /// How often each object was asked for since the last look, by key.
    pub(crate) fn take_gets(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.state.gets.lock().unwrap())
    }

    /// Refuses the next requests of an operation.
    pub(crate) fn refuse(&self, operation: &str, times: u64, refusal: Refusal) {
        let mut refuse = self.state.refuse.lock().unwrap();
        refuse.insert(operation.to_owned(), (times, refusal));
    }

    /// Breaks off the next answers with an object that has this in its key, half-way.
    pub(crate) fn break_off(&self, part: &'static str, times: u64) {
        *self.state.broken.lock().unwrap() = (part, times);
    }

    /// How many answers are still to be broken off.
    pub(crate) fn left_to_break_off(&self) -> u64 {
        self.state.broken.lock().unwrap().1
    }

    /// Cuts the connection, once, after so many bytes from now on.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.state.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// The environment in which a program reaches the server.
    pub(crate) fn environment(&self) -> [(&'static str, &'static str); 4] {
        [
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// Stores the next object whose key ends so, and says that it failed.
    pub(crate) fn lose_answer(&self, key: &str) {
        self.state.lost.lock().unwrap().push(key.to_owned());
    }

    /// Whether an answer is still to be lost.
    pub(crate) fn has_answers_to_lose(&self) -> bool {
        !self.state.lost.lock().unwrap().is_empty()
    }

    /// Lists the object with this key as one in Glacier.
    pub(crate) fn archive(&self, key: &str) {
        self.state.archived.lock().unwrap().push(key.to_owned());
    }
}

/// What happens to those who come under the other key.
#[cfg(feature = "cluster")]
impl S3Server {
    /// The environment in which a program reaches the server under the other key.
    pub(crate) fn other_environment(&self) -> [(&'static str, &'static str); 4] {
        let mut environment = self.environment();
        environment[0].1 = OTHER_KEY;
        environment[1].1 = OTHER_SECRET;
        environment
    }

    /// Lets reads of log files and data files under the other key wait, until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.hold_those("");
    }

    /// The same, of those with this in their keys.
    pub(crate) fn hold_those(&self, part: &'static str) {
        *self.state.held.lock().unwrap() = Some(part);
    }

    /// Whether such a read waits.
    pub(crate) fn holds_one(&self) -> bool {
        self.state.waiting.load(Ordering::SeqCst) > 0
    }

    /// Refuses every so many requests under the other key for a moment.
    pub(crate) fn refuse_every(&self, requests: u64) {
        self.state.refused_every.store(requests, Ordering::SeqCst);
    }

    /// Answers those that wait.
    pub(crate) fn release(&self) {
        *self.state.held.lock().unwrap() = None;
    }
}

/// Counts requests, and refuses those it is told to.
struct Gate(Arc<State>);

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name();
        let mut requests = self.0.requests.lock().unwrap();
        *requests.entry(operation.to_owned()).or_default() += 1;
        if let Some((times, refusal)) = self.0.refuse.lock().unwrap().get_mut(operation)
            && *times > 0
        {
            *times -= 1;
            return Err(refusal());
        }
        let every = self.0.refused_every.load(Ordering::SeqCst);
        if cx
            .credentials()
            .is_some_and(|it| it.access_key == OTHER_KEY)
            && every > 0
            && self.0.asked.fetch_add(1, Ordering::SeqCst) % every == every - 1
        {
            *requests.entry("refused".to_owned()).or_default() += 1;
            return Err(s3_error!(SlowDown));
        }
        match cx.credentials() {
            Some(_) => Ok(()),
            None => Err(s3_error!(AccessDenied, "Access Denied")),
        }
    }
}

/// The files, with what `s3s-fs` does not say of them.
struct Storage {
    files: FileSystem,
    state: Arc<State>,
}

impl Storage {
    async fn e_tag(&self, bucket: &str, key: &str) -> Option<dto::ETag> {
        let input = dto::HeadObjectInput::builder()
            .bucket(bucket.to_owned())
            .key(key.to_owned())
            .build()
            .ok()?;
        let head = self.files.head_object(request(input)).await.ok()?;
        head.output.e_tag
    }
}

fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Default::default(),
        uri: Default::default(),
        headers: Default::default(),
        extensions: Default::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

/// The first half of a body, and a fault.
async fn half(body: dto::StreamingBlob) -> dto::StreamingBlob {
    let pieces: Vec<_> = body.try_collect().await.unwrap();
    let bytes = pieces.concat();
    let half = bytes::Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let broken = io::Error::from(io::ErrorKind::BrokenPipe);
    dto::StreamingBlob::wrap(futures::stream::iter([Ok(half), Err(broken)]))
}

macro_rules! storage {
    ($($name:ident($input:ident) -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Storage {
            $(
                async fn $name(&self, req: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    self.files.$name(req).await
                }
            )*

            async fn list_objects_v2(
                &self,
                req: S3Request<dto::ListObjectsV2Input>,
            ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
                let bucket = req.input.bucket.clone();
                let encoding = req.input.encoding_type.clone();
                let mut answer = self.files.list_objects_v2(req).await?;
                for object in answer.output.contents.iter_mut().flatten() {
                    let Some(key) = object.key.clone() else { continue };
                    object.e_tag = self.e_tag(&bucket, &key).await;
                    if self.state.archived.lock().unwrap().contains(&key) {
                        object.storage_class = Some(dto::ObjectStorageClass::from_static("GLACIER"));
                    }
                }
                if encoding.as_ref().is_some_and(|it| it.as_str() == "url") {
                    encode(&mut answer.output);
                    answer.output.encoding_type = encoding;
                }
                Ok(answer)
            }

            async fn put_object(
                &self,
                req: S3Request<dto::PutObjectInput>,
            ) -> S3Result<S3Response<dto::PutObjectOutput>> {
                let key = req.input.key.clone();
                let alone = match &req.input.if_none_match {
                    Some(_) => Some(self.state.writing.lock().await),
                    None => None,
                };
                let answer = self.files.put_object(req).await?;
                drop(alone);
                let mut lost = self.state.lost.lock().unwrap();
                match lost.iter().position(|end| key.ends_with(end.as_str())) {
                    Some(place) => {
                        lost.remove(place);
                        Err(s3_error!(InternalError))
                    }
                    None => Ok(answer),
                }
            }

            async fn get_object(
                &self,
                req: S3Request<dto::GetObjectInput>,
            ) -> S3Result<S3Response<dto::GetObjectOutput>> {
                *self.state.gets.lock().unwrap().entry(req.input.key.clone()).or_default() += 1;
                let other = req.credentials.as_ref().is_some_and(|it| it.access_key == OTHER_KEY);
                if other && [".parquet", ".gz"].iter().any(|end| req.input.key.ends_with(end)) {
                    let key = &req.input.key;
                    let held = || self.state.held.lock().unwrap().is_some_and(|part| key.contains(part));
                    if held() {
                        self.state.waiting.fetch_add(1, Ordering::SeqCst);
                        while held() {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        self.state.waiting.fetch_sub(1, Ordering::SeqCst);
                    }
                }
                if let Some(dto::ETagCondition::ETag(wanted)) = &req.input.if_match
                    && self.e_tag(&req.input.bucket, &req.input.key).await.is_some_and(|it| it != *wanted)
                {
                    return Err(s3_error!(PreconditionFailed));
                }
                if self.state.archived.lock().unwrap().contains(&req.input.key) {
                    return Err(S3ErrorCode::InvalidObjectState.into());
                }
                let key = req.input.key.clone();
                let mut answer = self.files.get_object(req).await?;
                let is_broken = {
                    let (part, times) = &mut *self.state.broken.lock().unwrap();
                    let is_broken = *times > 0 && key.contains(*part);
                    *times -= u64::from(is_broken);
                    is_broken
                };
                if let Some(body) = answer.output.body.take_if(|_| is_broken) {
                    answer.output.body = Some(half(body).await);
                }
                Ok(answer)
            }
        }
    };
}

storage! {
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    copy_object(CopyObjectInput) -> CopyObjectOutput;
    create_bucket(CreateBucketInput) -> CreateBucketOutput;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    head_bucket(HeadBucketInput) -> HeadBucketOutput;
    head_object(HeadObjectInput) -> HeadObjectOutput;
    list_parts(ListPartsInput) -> ListPartsOutput;
    upload_part(UploadPartInput) -> UploadPartOutput;
}

/// A connection that breaks when the server is told so.
struct Cuttable {
    stream: TcpStream,
    state: Arc<State>,
}

impl AsyncRead for Cuttable {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let left = this.state.cut_after.load(Ordering::SeqCst);
        if left == 0 {
            return Pin::new(&mut this.stream).poll_write(cx, buf);
        }
        if left == 1 {
            this.state.cut_after.store(0, Ordering::SeqCst);
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        // The last byte is kept to remember that the connection is to be cut.
        let most = buf
            .len()
            .min(usize::try_from(left - 1).unwrap_or(usize::MAX));
        let written = Pin::new(&mut this.stream).poll_write(cx, &buf[..most]);
        if let Poll::Ready(Ok(written)) = written {
            this.state
                .cut_after
                .fetch_sub(written as u64, Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
