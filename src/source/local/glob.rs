//! Patterns of paths.
//!
//! In: a pattern such as `logs/2025-*/**/*.gz`. Out: the files and folders it names. Promise: `*` stays within a path's
//! part and only `**` crosses them, as in a shell; the walk starts at the longest part without a wildcard and goes no
//! deeper than the pattern can reach; a folder that matches stands for all that is in it.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use crate::source::SourceError;

/// The characters that make a path a pattern.
const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

/// A pattern of paths.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    pattern: String,
    matcher: GlobMatcher,
    /// The part before the first wildcard.
    base: PathBuf,
    /// How many levels below the base a match can be.
    depth: usize,
}

impl Glob {
    /// Reads a pattern; `None` if the text has no wildcard.
    pub(super) fn parse(pattern: &str) -> Result<Option<Self>, SourceError> {
        if !pattern.contains(WILDCARDS) {
            return Ok(None);
        }
        let is_plain =
            |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(WILDCARDS);
        let parts: Vec<_> = Path::new(pattern).components().collect();
        let base: PathBuf = parts.iter().take_while(|part| is_plain(part)).collect();
        let below = parts.len() - base.components().count();
        let matcher = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| SourceError::Glob {
                pattern: pattern.to_owned(),
                message: error.kind().to_string(),
            })?
            .compile_matcher();
        Ok(Some(Self {
            depth: if pattern.contains("**") {
                usize::MAX
            } else {
                below
            },
            pattern: pattern.to_owned(),
            matcher,
            base,
        }))
    }

    /// The files and folders the pattern names, at least one.
    pub(super) fn matches(&self) -> Result<Vec<PathBuf>, SourceError> {
        let here = self.base.as_os_str().is_empty();
        let start = if here { Path::new(".") } else { &self.base };
        let mut matches = Vec::new();
        let mut entries = WalkDir::new(start)
            .min_depth(1)
            .max_depth(self.depth)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = entries.next() {
            // What cannot be entered has no match; if it is needed, it is missed when it is read.
            let Ok(entry) = entry else { continue };
            let is_folder = entry.file_type().is_dir();
            let path = match here {
                true => entry.path().strip_prefix(start).unwrap_or(entry.path()),
                false => entry.path(),
            };
            let hidden = super::walk::is_hidden(entry.file_name());
            let matched = !hidden && self.matcher.is_match(path);
            if matched {
                matches.push(path.to_owned());
            }
            if is_folder && (hidden || matched) {
                entries.skip_current_dir();
            }
        }
        if matches.is_empty() {
            return Err(SourceError::NotFound {
                uri: self.pattern.clone(),
            });
        }
        Ok(matches)
    }
}
