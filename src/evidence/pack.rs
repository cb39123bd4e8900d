//! Writing a case.
//!
//! In: its parts, one after the other. Out: the archive. Promise: no time, user or machine of the writer is in it; names in the
//! archive are made here, so that no name of an object leads out of the folder it is unpacked into.

use std::io::Write;

use super::{EvidenceError, MANIFEST, Manifest, ManifestPart, VERSION};
use crate::cloudtrail::sha256;

/// Compression; higher levels gain little on log files, which are compressed already.
const LEVEL: i32 = 3;

/// The longest name of a part that is taken over from a source.
const LONGEST_NAME: usize = 120;

/// A part of a case.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The folder in the archive; empty for the top.
    pub folder: &'static str,
    /// Its name, or the path or URI that it was read from.
    pub name: String,
    /// Where it was read from, if it was.
    pub source: Option<String>,
    /// The SHA-256 that the ledger has of it.
    pub ledger_sha256: Option<String>,
    /// What the digest files say of it.
    pub integrity: Option<String>,
}

/// An archive that is being written.
pub struct Packer<W: Write> {
    tar: tar::Builder<zstd::Encoder<'static, W>>,
    manifest: Manifest,
}

impl<W: Write> std::fmt::Debug for Packer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer")
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

impl<W: Write> Packer<W> {
    /// Begins an archive about a subject.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn new(out: W, subject: &str, commands: Vec<String>) -> Result<Self, EvidenceError> {
        let encoder = zstd::Encoder::new(out, LEVEL)?;
        Ok(Self {
            tar: tar::Builder::new(encoder),
            manifest: Manifest {
                version: VERSION,
                program: format!("keytrail {}", env!("CARGO_PKG_VERSION")),
                subject: subject.to_owned(),
                commands,
                ..Manifest::default()
            },
        })
    }

    /// What was found about the log files' integrity, in one line.
    pub fn integrity(&mut self, line: String) {
        self.manifest.integrity = line;
    }

    /// Adds a part.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn add(&mut self, part: Part, bytes: &[u8]) -> Result<(), EvidenceError> {
        let name = self.name_of(&part);
        self.append(&name, bytes)?;
        let sha = sha256(bytes);
        self.manifest.parts.push(ManifestPart {
            name,
            size: bytes.len() as u64,
            ledger_sha256: part.ledger_sha256.filter(|ledger| *ledger != sha),
            sha256: sha,
            source: part.source,
            integrity: part.integrity,
        });
        Ok(())
    }

    /// Ends the archive with its manifest; gives the manifest's SHA-256.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn finish(mut self) -> Result<(String, Manifest), EvidenceError> {
        let mut text = serde_json::to_vec_pretty(&self.manifest)?;
        text.push(b'\n');
        self.append(MANIFEST, &text)?;
        let encoder = self.tar.into_inner()?;
        encoder.finish()?.flush()?;
        Ok((sha256(&text), self.manifest))
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        self.tar.append_data(&mut header, name, bytes)?;
        Ok(())
    }

    /// A name that is unique and harmless: sources' names are chosen by whoever can write there.
    fn name_of(&self, part: &Part) -> String {
        let last = part.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => c,
            _ => '_',
        };
        let last: String = last.chars().take(LONGEST_NAME).map(plain).collect();
        match part.folder {
            "" => last,
            folder => format!("{folder}/{:05}_{last}", self.manifest.parts.len()),
        }
    }
}
