//! Checking a case.
//!
//! In: an archive. Out: [`Verified`]. Promise: each part is compared with the manifest, and each part of the manifest is looked
//! for; memory does not grow with the archive.

use std::collections::BTreeMap;
use std::io::Read;

use sha2::{Digest, Sha256};

use super::{EvidenceError, MANIFEST, Manifest, ManifestPart, VERSION};
use crate::cloudtrail::{hex, sha256};

/// The largest manifest: hundreds of thousands of parts.
const LARGEST_MANIFEST: u64 = 256 << 20;

/// Bytes that are hashed at a time.
const PIECE: usize = 64 << 10;

/// What differs from the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A part is not there.
    Missing(String),
    /// A part is there, and the manifest does not have it.
    Added(String),
    /// A part is there twice.
    Doubled(String),
    /// A part's content is another one.
    Changed {
        /// The part.
        name: String,
        /// The hash of its content.
        sha256: String,
        /// The hash in the manifest.
        expected: String,
    },
    /// There is more after the end of the archive.
    Trailing,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name}: missing"),
            Self::Added(name) => write!(f, "{name}: not in the manifest"),
            Self::Doubled(name) => write!(f, "{name}: twice in the archive"),
            Self::Changed {
                name,
                sha256,
                expected,
            } => write!(
                f,
                "{name}: changed: its SHA-256 is {sha256}, the manifest has {expected}"
            ),
            Self::Trailing => f.write_str("there is more after the end of the archive"),
        }
    }
}

/// An archive that was compared with its manifest.
#[derive(Debug, Clone)]
pub struct Verified {
    /// SHA-256 of the manifest: to be compared with the one that was noted when the case was exported.
    pub manifest_sha256: String,
    /// The manifest.
    pub manifest: Manifest,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Reads an archive to its end.
///
/// # Errors
///
/// It is no evidence file, or it is damaged so that it cannot be read to its end.
pub fn verify(archive: impl Read) -> Result<Verified, EvidenceError> {
    let mut decoder = zstd::Decoder::new(archive)?.single_frame();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut manifest = None;
    {
        let mut tar = tar::Archive::new(&mut decoder);
        for entry in tar.entries()? {
            let mut entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if name == MANIFEST && manifest.is_none() {
                let mut text = Vec::new();
                (&mut entry).take(LARGEST_MANIFEST).read_to_end(&mut text)?;
                manifest = Some(text);
                continue;
            }
            found.push((name, hash_of(&mut entry)?));
        }
    }
    // Tar ends with blocks of zeros, and may have more of them.
    let mut rest = Vec::new();
    (&mut decoder)
        .take(LARGEST_MANIFEST)
        .read_to_end(&mut rest)?;
    let mut after = Vec::new();
    decoder.finish().take(1).read_to_end(&mut after)?;
    let text = manifest.ok_or(EvidenceError::NoManifest)?;
    let manifest: Manifest = serde_json::from_slice(&text)?;
    if manifest.version > VERSION {
        return Err(EvidenceError::Version(manifest.version));
    }
    let mut differences = differences(&manifest.parts, found);
    if !after.is_empty() || rest.iter().any(|byte| *byte != 0) {
        differences.push(Difference::Trailing);
    }
    Ok(Verified {
        manifest_sha256: sha256(&text),
        manifest,
        differences,
    })
}

fn hash_of(entry: &mut impl Read) -> Result<String, EvidenceError> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match entry.read(&mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}

fn differences(parts: &[ManifestPart], found: Vec<(String, String)>) -> Vec<Difference> {
    let mut expected: BTreeMap<&str, (&ManifestPart, bool)> = BTreeMap::new();
    let mut differences = Vec::new();
    for part in parts {
        expected.insert(&part.name, (part, false));
    }
    for (name, hash) in found {
        match expected.get_mut(name.as_str()) {
            None => differences.push(Difference::Added(name)),
            Some((part, seen)) if !*seen => {
                *seen = true;
                if part.sha256 != hash {
                    differences.push(Difference::Changed {
                        name,
                        sha256: hash,
                        expected: part.sha256.clone(),
                    });
                }
            }
            Some(_) => differences.push(Difference::Doubled(name)),
        }
    }
    let missing = expected.values().filter(|(_, seen)| !seen);
    differences.extend(missing.map(|(part, _)| Difference::Missing(part.name.clone())));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Packer, Part};

    fn archive(parts: &[(&str, &[u8])]) -> (Vec<u8>, String) {
        let mut bytes = Vec::new();
        let mut packer =
            Packer::new(&mut bytes, "AKIA", vec!["keytrail trace AKIA".into()]).unwrap();
        for (name, content) in parts {
            let part = Part {
                folder: "log-files",
                name: (*name).to_owned(),
                source: Some(format!("s3://b/{name}")),
                ..Part::default()
            };
            packer.add(part, content).unwrap();
        }
        let (hash, _) = packer.finish().unwrap();
        (bytes, hash)
    }

    #[test]
    fn the_same_parts_give_the_same_bytes_and_no_change_goes_unseen() {
        let parts: [(&str, &[u8]); 3] = [
            ("a/x.json.gz", b"one"),
            ("../../etc/passwd", b"two"),
            ("\u{202e}evil\n", &[7; 200_000]),
        ];
        let (bytes, hash) = archive(&parts);
        assert_eq!(archive(&parts), (bytes.clone(), hash.clone()));
        let verified = verify(bytes.as_slice()).unwrap();
        assert_eq!(verified.manifest_sha256, hash);
        assert_eq!(verified.differences, []);
        let names: Vec<&str> = verified
            .manifest
            .parts
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "log-files/00000_x.json.gz",
                "log-files/00001_passwd",
                "log-files/00002__evil_"
            ]
        );

        // The archive unpacked, and packed again with a change.
        let tar = zstd::decode_all(bytes.as_slice()).unwrap();
        let again = |tar: &[u8]| verify(zstd::encode_all(tar, 1).unwrap().as_slice()).unwrap();
        assert_eq!(again(&tar).differences, []);
        let at = tar.windows(3).position(|it| it == b"two").unwrap();
        let mut changed = tar.clone();
        changed[at] = b'T';
        assert!(
            matches!(&again(&changed).differences[..], [Difference::Changed { name, .. }] if name.ends_with("passwd"))
        );
        let mut without = tar.clone();
        // A header and a block of content.
        without.drain(1024..2048);
        assert_eq!(
            again(&without).differences,
            [Difference::Missing("log-files/00001_passwd".into())]
        );
        let doubled = [&tar[..1024], &tar].concat();
        assert_eq!(
            again(&doubled).differences,
            [Difference::Doubled("log-files/00000_x.json.gz".into())]
        );
        let longer = [bytes.clone(), b"more".to_vec()].concat();
        assert_eq!(
            verify(longer.as_slice()).unwrap().differences,
            [Difference::Trailing]
        );
        assert!(verify(&bytes[..bytes.len() / 2]).is_err());
        assert!(verify(b"no archive".as_slice()).is_err());
        let empty = zstd::encode_all([0; 1024].as_slice(), 1).unwrap();
        assert!(matches!(
            verify(empty.as_slice()),
            Err(EvidenceError::NoManifest)
        ));
    }
}
