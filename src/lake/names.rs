//! Names of data files.
//!
//! In: a parcel and the bytes of a file. Out: the file's name. Promise: a file's name tells which parcel wrote it and what its
//! bytes must be, in every engine and for as long as the file is part of the table: names outlive log entries, which are
//! cleaned up, and tags, which other writers may drop.
//!
//! `part-PARCEL-SHA.zstd.parquet` is what an ingest wrote, `merged-ID-SHA.zstd.parquet` was made of such files. `SHA` is the
//! first half of the file's SHA-256. The summary of use of a file of events has the file's own path, below `_uses`: a file and its
//! summary are committed and removed together, and no other file can have that summary.

use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The name of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParcelId(Uuid);

impl Default for ParcelId {
    /// One that no other parcel has.
    fn default() -> Self {
        Self(Uuid::new_v4())
    }
}

/// The folder of summaries in the folder of a table. Readers of Delta pass over names that begin with an underscore.
const USES: &str = "_uses";

/// How the name of a summary ends: nobody takes it for a data file.
const USES_END: &str = ".uses";

const PARCEL: &str = "part-";
const MERGED: &str = "merged-";

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// An ingest.
    Parcel(ParcelId),
    /// keytrail itself, of files that were there.
    Merge,
}

/// What a file's bytes must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal([u8; 16]);

impl Seal {
    /// The letters of a seal as text.
    pub(crate) const HEX: usize = 32;

    /// The seal of a file.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(half_sha(bytes))
    }

    /// Whether these are the file's bytes.
    pub(crate) fn fits(&self, bytes: &[u8]) -> bool {
        self.0 == half_sha(bytes)
    }

    /// The name of the file.
    pub(crate) fn name(&self, writer: Writer) -> String {
        let (kind, id) = match writer {
            Writer::Parcel(ParcelId(id)) => (PARCEL, id),
            Writer::Merge => (MERGED, Uuid::new_v4()),
        };
        format!("{kind}{}-{}.zstd.parquet", id.simple(), self.hex())
    }

    /// The seal as text.
    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }
}

fn half_sha(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(Sha256::digest(bytes)) {
        *to = from;
    }
    half
}

/// Who wrote the file of this path and what its bytes must be; `None` for names of an older keytrail or another writer.
pub(crate) fn read(path: &str) -> Option<(Writer, Seal)> {
    let name = path.rsplit('/').next()?.strip_suffix(".zstd.parquet")?;
    let (rest, is_parcel) = match name.strip_prefix(PARCEL) {
        Some(rest) => (rest, true),
        None => (name.strip_prefix(MERGED)?, false),
    };
    let mut parts = rest.split('-');
    let (id, sha) = (parts.next()?, parts.next()?);
    if parts.next().is_some() || sha.len() != 32 || id.len() != 32 {
        return None;
    }
    let seal = Seal(u128::from_str_radix(sha, 16).ok()?.to_be_bytes());
    let id = ParcelId(Uuid::try_parse(id).ok()?);
    let writer = match is_parcel {
        true => Writer::Parcel(id),
        false => Writer::Merge,
    };
    Some((writer, seal))
}

/// Where the summary of use of a file of events is, both relative to the table.
pub(crate) fn uses_path(path: &str) -> Path {
    Path::from(format!("{USES}/{path}{USES_END}"))
}

/// Where all summaries are, relative to the table.
pub(crate) fn uses_folder() -> Path {
    Path::from(USES)
}

/// The parcel that wrote the file of this path.
pub(crate) fn parcel(path: &str) -> Option<ParcelId> {
    match read(path)? {
        (Writer::Parcel(id), _) => Some(id),
        (Writer::Merge, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let bytes = b"pages, indexes and footer";
        let seal = Seal::of(bytes);
        let id = ParcelId::default();
        let name = format!("event_date=2025-03-01/{}", seal.name(Writer::Parcel(id)));
        assert_eq!(read(&name), Some((Writer::Parcel(id), seal)));
        assert_eq!(parcel(&name), Some(id));
        assert_eq!(read(&seal.name(Writer::Merge)), Some((Writer::Merge, seal)));
        assert!(seal.fits(bytes) && !seal.fits(&bytes[1..]));
        let old = "part-0b5b2f8c-0d3b-4a50-9d0c-2f1d6a1f2a3b.zstd.parquet";
        assert_eq!(read(old), None);
    }
}
