//! The walk through folders.
//!
//! In: paths, a selection. Out: a listing. Promise: see [`super`]. The walk keeps, for each folder on the way down, what
//! it means for the files in it (a [`Folder`]); the rest is walkdir's.

use std::ffi::OsStr;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::identity;
use crate::cloudtrail::{KeyPrefix, LogFileKey, Selection, is_clutter, is_log_file};
use crate::source::skipped::by_name;
use crate::source::{Files, Listing, LogFile, SkipReason, Skipped, SourceError};

/// What a folder's path means for what is in it.
enum Folder {
    /// Outside the layout: every file counts.
    Plain,
    /// Holds `AWSLogs`: what lies beside that is not of the trail, but for files that have a log file's name.
    TrailRoot,
    /// A folder beside `AWSLogs` or in one, and the place of the former among its like: only log files count, by their names.
    Beside(usize),
    /// `AWSLogs` or below.
    Layout(KeyPrefix),
    /// Below `AWSLogs`, where the layout ends: every file counts, but for folders that are known to hold none.
    Strayed,
}

/// A folder beside `AWSLogs`.
struct Beside {
    path: PathBuf,
    /// Whether something in it was read.
    read: bool,
    /// Whether there is something that was not read and may hold events.
    unread: bool,
}

/// A listing in the making.
pub(super) struct Walk<'a, F> {
    wanted: Files,
    selection: &'a Selection,
    progress: F,
    files: Vec<LogFile>,
    bytes: u64,
    skipped: Vec<Skipped>,
    beside: Vec<Beside>,
}

impl<'a, F: FnMut(u64, u64)> Walk<'a, F> {
    /// A walk that tells its progress in files and bytes so far.
    pub(super) fn new((wanted, selection): (Files, &'a Selection), progress: F) -> Self {
        Self {
            wanted,
            selection,
            progress,
            files: Vec::new(),
            bytes: 0,
            skipped: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// What was found.
    pub(super) fn listing(mut self) -> Listing {
        for folder in std::mem::take(&mut self.beside) {
            // What could not be looked at is named already, and nobody knows that it is documents.
            let is_closed = self.skipped.iter().any(|one| {
                matches!(one.reason, SkipReason::Unreadable(_))
                    && Path::new(&one.uri).starts_with(&folder.path)
            });
            match (folder.unread, folder.read || is_closed) {
                (true, _) => self.skip::<()>(&folder.path, SkipReason::BesideTrail),
                (false, false) => self.skip::<()>(&folder.path, SkipReason::OnlyDocuments),
                (false, true) => None,
            };
        }
        Listing::new(self.files, self.skipped, 0)
    }

    /// Takes a file, or a folder with all that is in it.
    pub(super) fn enter(&mut self, root: &Path) -> Result<(), SourceError> {
        // One place for each folder from the root down to the one that is being read.
        let mut places: Vec<Folder> = Vec::new();
        let mut entries = WalkDir::new(root)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => {
                    return Err(SourceError::Io {
                        path: root.to_owned(),
                        source: error.into(),
                    });
                }
                Err(error) => {
                    places.truncate(error.depth());
                    self.cannot_read(root, &error);
                    continue;
                }
            };
            places.truncate(entry.depth());
            if !entry.file_type().is_dir() {
                self.file(&entry, places.last());
            } else if let Some(place) = self.folder(&entry, places.last()) {
                places.push(place);
                (self.progress)(self.files.len() as u64, self.bytes);
            } else {
                entries.skip_current_dir();
            }
        }
        (self.progress)(self.files.len() as u64, self.bytes);
        Ok(())
    }

    /// What the folder means, or `None` if it is not to be entered.
    fn folder(&mut self, entry: &DirEntry, parent: Option<&Folder>) -> Option<Folder> {
        let name = entry.file_name().to_str();
        let place = match (parent, name) {
            (Some(_), Some(name)) if is_clutter(name) => {
                return self.skip(entry.path(), SkipReason::Clutter);
            }
            // Also within another one, as a copy of a trail.
            (Some(above), Some("AWSLogs")) => {
                self.reads_beside(above);
                let beside = format!("{}/", absolute(entry.path().parent()?));
                Folder::Layout(KeyPrefix::anchor(&beside))
            }
            (Some(Folder::TrailRoot), _) => {
                self.beside.push(Beside {
                    path: entry.path().to_owned(),
                    read: false,
                    unread: false,
                });
                Folder::Beside(self.beside.len() - 1)
            }
            (Some(Folder::Beside(at)), _) => Folder::Beside(*at),
            (Some(Folder::Layout(above)), Some(name)) if let Some(place) = above.child(name) => {
                Folder::Layout(place)
            }
            (Some(Folder::Layout(_) | Folder::Strayed), _) => {
                if let Some(reason) = name.and_then(|name| self.wanted.speak_against(name)) {
                    return self.skip(entry.path(), reason);
                }
                Folder::Strayed
            }
            (None, _) if let Some(place) = KeyPrefix::parse(&absolute(entry.path())) => {
                Folder::Layout(place)
            }
            _ if entry.path().join("AWSLogs").is_dir() => Folder::TrailRoot,
            _ => Folder::Plain,
        };
        if let Folder::Layout(place) = &place {
            if let Some(folder) = place.folder().filter(|it| self.wanted.leave_out(*it)) {
                return self.skip(entry.path(), SkipReason::NotEvents(folder));
            }
            if !self.selection.wants_prefix(place) {
                return None;
            }
        }
        Some(place)
    }

    fn file(&mut self, entry: &DirEntry, parent: Option<&Folder>) {
        let path = entry.path();
        let name = entry.file_name().to_str();
        let by_name = parent.and(name).and_then(by_name);
        let is_log_file = name.is_some_and(is_log_file);
        if let Some(Folder::Beside(at)) = parent
            && !is_log_file
        {
            self.beside[*at].unread |= by_name.is_none();
            return;
        }
        let Some(uri) = path.to_str() else {
            self.skip::<()>(path, SkipReason::NotUnicode);
            return;
        };
        if let Some(reason) = by_name {
            self.skip::<()>(path, reason);
            return;
        }
        let key = match parent {
            None => LogFileKey::parse(&absolute(path)),
            Some(Folder::Plain | Folder::Strayed) => None,
            Some(Folder::TrailRoot) if !is_log_file => {
                self.skip::<()>(path, SkipReason::BesideTrail);
                return;
            }
            // A copy of a trail, or a trail that was renamed.
            Some(Folder::TrailRoot | Folder::Beside(_)) => None,
            // Above the folder of a day, a path does not tell what a file holds: it is read.
            Some(Folder::Layout(place)) => name.and_then(|name| place.file(name)),
        };
        if let Some(key) = &key {
            if self.wanted.leave_out(key.folder) {
                self.skip::<()>(path, SkipReason::NotEvents(key.folder));
                return;
            }
            if !self.selection.wants_key(key) {
                return;
            }
        }
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => {
                parent.inspect(|parent| self.reads_beside(parent));
                self.bytes += metadata.len();
                let (uri, etag) = (uri.to_owned(), identity(&metadata));
                let file = LogFile::new(uri, metadata.len(), etag, key.as_ref());
                self.files.push(file);
            }
            Ok(_) => {
                self.skip::<()>(path, SkipReason::NotRegular);
            }
            Err(error) => self.cannot_read(path, &error),
        }
    }

    /// Something in this folder is read.
    fn reads_beside(&mut self, folder: &Folder) {
        if let Folder::Beside(at) = folder {
            self.beside[*at].read = true;
        }
    }

    fn skip<T>(&mut self, path: &Path, reason: SkipReason) -> Option<T> {
        let uri = path.to_string_lossy().into_owned();
        self.skipped.push(Skipped { uri, reason });
        None
    }

    /// Notes what could not be read, at the path that the error names or else `near` it.
    pub(super) fn cannot_read(&mut self, near: &Path, error: &walkdir::Error) {
        let reason = match (error.loop_ancestor(), error.io_error()) {
            (Some(ancestor), _) => SkipReason::Loop(ancestor.display().to_string()),
            (None, Some(error)) => SkipReason::Unreadable(error.to_string()),
            (None, None) => SkipReason::Unreadable(error.to_string()),
        };
        self.skip::<()>(error.path().unwrap_or(near), reason);
    }
}

/// Whether the name begins with a dot.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// The path from the root of the file system, in the form of an object key.
///
/// A relative path may hide that it lies inside the layout: `.` inside `AWSLogs/…/2025`.
pub(crate) fn absolute(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    absolute.to_string_lossy().replace(MAIN_SEPARATOR_STR, "/")
}
