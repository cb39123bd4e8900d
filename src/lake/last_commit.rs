//! Which version of the ledger was there last?
//!
//! In: a version that was committed. Out: the least version that there must be. Promise: a ledger whose last commits are lost is
//! noticed; what the ledger tells of the other tables can then be relied on.
//!
//! The version is written after the commit, so it may be behind, but never ahead. It is to be read before the log is looked at.

use super::reader::Folder;
use super::sealed::{LAST_COMMIT, LOG};
use super::{LakeError, TableName};
use object_store::path::Path;
use object_store::{DynObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct LastCommit {
    version: u64,
}

fn path() -> Path {
    Path::from(format!("{LOG}/{LAST_COMMIT}"))
}

/// Notes that a version was committed.
pub(super) async fn write(folder: &Folder, version: u64) -> Result<(), LakeError> {
    let text = format!("{{\"version\":{version}}}");
    folder.store.put(&path(), PutPayload::from(text)).await?;
    Ok(())
}

/// The version that was committed last, if that is known.
pub(super) async fn read(folder: &DynObjectStore) -> Result<Option<u64>, LakeError> {
    let text = match get(folder).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        read => read?,
    };
    Ok(serde_json::from_slice::<LastCommit>(&text)
        .ok()
        .map(|last| last.version))
}

async fn get(folder: &DynObjectStore) -> object_store::Result<bytes::Bytes> {
    folder.get(&path()).await?.bytes().await
}

/// The commit of the ledger that is missing, given the version that is there and the one that was there last.
pub(super) fn lost(there: u64, last: Option<u64>) -> Option<String> {
    let lost = last.filter(|last| *last > there).map(|_| there + 1)?;
    let ledger = TableName::LogFiles.as_str();
    Some(format!("{ledger}/{LOG}/{lost:020}.json"))
}
