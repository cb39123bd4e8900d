//! What digests and log files are validated with, as typed.
//!
//! In: options. Out: a [`Trust`]. Promise: files that cannot be read, or hold something else, are usage errors that name the
//! option and the file.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use keytrail::integrity::{Original, Trust};

use crate::failure::Failure;

/// What the signatures of digest files are checked with.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Validation")]
pub(crate) struct TrustArgs {
    /// CloudTrail's public keys, as aws cloudtrail list-public-keys prints them; REGION=FILE if the keys belong to one region (repeatable)
    #[arg(long, value_name = "[REGION=]FILE")]
    pub(crate) public_keys: Vec<String>,

    /// Signatures of digest files, for a copy that has lost S3's metadata: lines of DIGEST SIGNATURE, or JSON {"DIGEST": "SIGNATURE"}
    #[arg(long, value_name = "FILE")]
    signatures: Option<PathBuf>,

    /// Where the copy came from, to compare bucket and prefix, too: s3://bucket/prefix
    #[arg(long, value_name = "URI", value_parser = original)]
    copied_from: Option<Original>,

    /// Only the digest files of the trail of this name
    #[arg(long, value_name = "NAME")]
    trail_name: Option<String>,
}

fn original(text: &str) -> Result<Original, String> {
    Original::parse(text).ok_or_else(|| "not of the form s3://bucket/prefix".to_owned())
}

impl TrustArgs {
    /// What is meant.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let mut trust = Trust {
            original: self.copied_from.clone(),
            trail_name: self.trail_name.clone(),
            ..Trust::default()
        };
        for name in &self.public_keys {
            // A file of that very name is meant as it is.
            let (region, path) = match name.split_once('=') {
                Some((region, path)) if !Path::new(name).exists() => (Some(region), path),
                _ => (None, name.as_str()),
            };
            let text = read("--public-keys", Path::new(path))?;
            let added = trust.keys.add(&text, region);
            added.map_err(|error| Failure::usage(format!("--public-keys {path}: {error}")))?;
        }
        if let Some(path) = &self.signatures {
            let text = read("--signatures", path)?;
            let added = trust.signatures.add(&text);
            added.map_err(|error| {
                Failure::usage(format!("--signatures {}: {error}", path.display()))
            })?;
        }
        Ok(trust)
    }
}

fn read(option: &str, path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path);
    text.map_err(|error| Failure::usage(format!("{option} {}", path.display())).because(&error))
}
