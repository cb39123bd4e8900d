//! Patterns of paths.
//!
//! In: a pattern such as `logs/2025-*/**/*.gz`. Out: the files and folders it names. Promise: `*` stays within a path's
//! part and only `**` crosses them, as in a shell, where a name that begins with a dot has to be asked for with the dot;
//! the walk starts at the longest part without a wildcard and goes no deeper than the pattern can reach; a folder that
//! matches stands for all that is in it; what cannot be entered is reported.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::walk::is_hidden;
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
    /// Whether it asks for names that begin with a dot.
    hidden: bool,
    /// What each part below the base matches; none for a part that stands for several.
    parts: Vec<Option<GlobMatcher>>,
}

/// What a pattern names, and what could not be looked into.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) paths: Vec<PathBuf>,
    pub(super) closed: Vec<walkdir::Error>,
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
        let names = parts.iter().rev().take(below);
        let hidden = names.into_iter().any(|part| is_hidden(part.as_os_str()));
        let below_base = parts.iter().skip(parts.len() - below).map(|part| {
            let part = part.as_os_str().to_str().filter(|part| *part != "**")?;
            Some(GlobBuilder::new(part).build().ok()?.compile_matcher())
        });
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
            hidden,
            parts: below_base.collect(),
        }))
    }

    /// Whether something at or below this path can match.
    fn leads_on(&self, path: &Path) -> bool {
        let names = path.strip_prefix(&self.base).unwrap_or(path).components();
        let names = names.filter(|name| *name != Component::CurDir);
        for (name, part) in names.zip(&self.parts) {
            let Some(part) = part else { return true };
            if !part.is_match(Path::new(&name)) {
                return false;
            }
        }
        true
    }

    /// The files and folders the pattern names, at least one.
    pub(super) fn matches(&self) -> Result<Matches, SourceError> {
        let here = self.base.as_os_str().is_empty();
        let start = if here { Path::new(".") } else { &self.base };
        let mut matches = Matches::default();
        let mut entries = WalkDir::new(start)
            .min_depth(1)
            .max_depth(self.depth)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let not_there = error.depth() == 0
                        && error.io_error().map(std::io::Error::kind)
                            == Some(std::io::ErrorKind::NotFound);
                    if !not_there && error.path().is_none_or(|path| self.leads_on(path)) {
                        matches.closed.push(error);
                    }
                    continue;
                }
            };
            let is_folder = entry.file_type().is_dir();
            let path = match here {
                true => entry.path().strip_prefix(start).unwrap_or(entry.path()),
                false => entry.path(),
            };
            let hidden = !self.hidden && is_hidden(entry.file_name());
            let matched = !hidden && self.matcher.is_match(path);
            if matched {
                matches.paths.push(path.to_owned());
            }
            if is_folder && (hidden || matched) {
                entries.skip_current_dir();
            }
        }
        if matches.paths.is_empty() && matches.closed.is_empty() {
            return Err(SourceError::NotFound {
                uri: self.pattern.clone(),
            });
        }
        Ok(matches)
    }
}
