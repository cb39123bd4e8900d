//! How is a case handed over, so that others can check it?
//!
//! In: log files as delivered, digest files, answers. Out: one file, a tar archive compressed with Zstandard, and a manifest in
//! it with the SHA-256 of each part. Promise: the same parts give the same bytes; whoever has the file and the hash of its
//! manifest can tell that nothing was changed, on any machine, without the lake.

mod pack;
mod verify;

pub use pack::{Packer, Part};
pub use verify::{Difference, Verified, verify};

use std::io;

use serde::{Deserialize, Serialize};

/// The name of the manifest in the archive, where it is the last file.
const MANIFEST: &str = "manifest.json";

/// The form of the manifest.
const VERSION: u32 = 1;

/// Why a case cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The archive cannot be written or read.
    #[error("the archive: {0}")]
    Archive(#[from] io::Error),
    /// The manifest is not there.
    #[error("no manifest: this is not an evidence file, or it was cut off")]
    NoManifest,
    /// The manifest is something else.
    #[error("the manifest cannot be read: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The manifest is of a later version.
    #[error("the manifest has version {0}, which this version of keytrail does not know")]
    Version(u32),
}

/// What an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this manifest.
    pub version: u32,
    /// What made the file.
    pub program: String,
    /// What the case is about.
    pub subject: String,
    /// The commands whose answers are in it.
    pub commands: Vec<String>,
    /// What was found about the log files' integrity, in one line.
    pub integrity: String,
    /// Each part, in the order of the archive.
    pub parts: Vec<ManifestPart>,
}

/// A part of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPart {
    /// Its name in the archive.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
    /// Where it was read from, for log files and digest files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The SHA-256 that the ledger has of a log file, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_sha256: Option<String>,
    /// What the digest files say of a log file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
}
