//! Files that survive a power cut.
//!
//! In: writes to a folder. Out: the same files as without it. Promise: a file that is there under its name has all its
//! bytes on the disk, and so has the folder's entry; a commit can therefore never name a file that is not whole.
//!
//! `object_store`'s own local store writes a file beside its name and renames it, which is enough when the process is
//! killed, but not when the machine is: the rename may reach the disk before the bytes do.

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};

/// A local file system whose writes are on the disk when they are done.
#[derive(Debug)]
pub(crate) struct Durable(LocalFileSystem);

impl Durable {
    pub(crate) fn new() -> Self {
        Self(LocalFileSystem::new())
    }
}

impl fmt::Display for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "durable {}", self.0)
    }
}

/// Writes a file beside its name, waits for the disk, and puts it in place. A file that is replaced hands on its permissions.
pub(crate) fn write(
    path: &std::path::Path,
    overwrite: bool,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidFilename)?;
    fs::create_dir_all(folder)?;
    let mut options = tempfile::Builder::new();
    options.prefix(".writing-");
    // Who may read it is the umask's decision, as for any file; a temporary file alone would be its owner's only.
    #[cfg(unix)]
    options.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = options.tempfile_in(folder)?;
    fill(file.as_file_mut())?;
    if overwrite && let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    let placed = match overwrite {
        true => file.persist(path),
        false => file.persist_noclobber(path),
    };
    placed.map_err(|error| error.error)?;
    // A folder can be waited for on Unix only; elsewhere the file system is trusted with it.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[async_trait]
impl ObjectStore for Durable {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let overwrite = match options.mode {
            PutMode::Overwrite => true,
            PutMode::Create => false,
            PutMode::Update(_) => return self.0.put_opts(location, payload, options).await,
        };
        let path = self.0.path_to_filesystem(location)?;
        let fill = move |file: &mut File| {
            let mut parts = payload.iter();
            parts.try_for_each(|bytes| file.write_all(bytes))
        };
        let written = tokio::task::spawn_blocking(move || write(&path, overwrite, fill)).await?;
        match written {
            Ok(()) => Ok(PutResult {
                e_tag: None,
                version: None,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Error::AlreadyExists {
                path: location.to_string(),
                source: error.into(),
            }),
            Err(error) => Err(Error::Generic {
                store: "disk",
                source: error.into(),
            }),
        }
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
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}
