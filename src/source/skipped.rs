//! What a listing leaves out, and why.
//!
//! In: what the path, the storage class or the file system says. Out: a [`Skipped`]. Promise: whether events can be
//! missing because of it is a fact of the reason, not of its text.

use std::fmt;

use super::Files;
use crate::cloudtrail::{Folder, LogFileKey, is_clutter, is_document, is_other_service};

/// Something that was seen and left out, because of its path or because it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// A file, or a whole folder (then it was not looked into).
    pub uri: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was left out of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A folder of CloudTrail's, or a file in it, that holds something other than events.
    NotEvents(Folder),
    /// A folder of another service.
    OtherService,
    /// Lies beside a trail: a file, or a folder with files, that may hold events all the same.
    BesideTrail,
    /// A folder beside a trail that holds nothing but documents.
    OnlyDocuments,
    /// What an operating system or a program keeps there for itself, by its name.
    Clutter,
    /// A document, picture or program, by its name.
    Document,
    /// An object in an archive, with its storage class.
    Archived(String),
    /// A file or folder that the file system does not give out, with what it says.
    Unreadable(String),
    /// A symbolic link back to a folder above it.
    Loop(String),
    /// A path that is not UTF-8.
    NotUnicode,
    /// A device, a socket or a named pipe.
    NotRegular,
}

impl SkipReason {
    /// Whether events that were asked for can be missing because of it.
    pub fn is_unread(&self) -> bool {
        match self {
            Self::Archived(_)
            | Self::Unreadable(_)
            | Self::NotUnicode
            | Self::NotRegular
            | Self::BesideTrail => true,
            Self::NotEvents(_)
            | Self::OtherService
            | Self::OnlyDocuments
            | Self::Clutter
            | Self::Document
            | Self::Loop(_) => false,
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEvents(folder) => f.write_str(folder.not_events().unwrap_or("not events")),
            Self::OtherService => f.write_str("logs of another service"),
            Self::BesideTrail => f.write_str("beside AWSLogs; name it as a source to read it"),
            Self::OnlyDocuments => f.write_str("nothing but documents, beside AWSLogs"),
            Self::Clutter => f.write_str("of an operating system or a program, by its name"),
            Self::Document => f.write_str("a document by its name, not a log file"),
            Self::Archived(class) => write!(f, "archived ({class}) and not restored"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Self::Loop(ancestor) => write!(f, "a symbolic link back to {ancestor}"),
            Self::NotUnicode => f.write_str("its path is not UTF-8"),
            Self::NotRegular => f.write_str("not a regular file"),
        }
    }
}

/// Why a folder below `AWSLogs` that is not where the layout has it holds no events, by its name; `None` if it may.
pub(super) fn not_events(name: &str) -> Option<SkipReason> {
    match Folder::parse(name) {
        Some(folder) if !folder.has_events() => Some(SkipReason::NotEvents(folder)),
        _ => is_other_service(name).then_some(SkipReason::OtherService),
    }
}

/// Why a file is no log file, by its own name.
pub(super) fn by_name(name: &str) -> Option<SkipReason> {
    match (is_clutter(name), is_document(name)) {
        (true, _) => Some(SkipReason::Clutter),
        (false, true) => Some(SkipReason::Document),
        (false, false) => None,
    }
}

/// Why an object is not a log file with events, by its key.
pub(super) fn by_key(
    (path, key): (&str, Option<&LogFileKey>),
    wanted: Files,
) -> Option<SkipReason> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(reason) = by_name(name) {
        return Some(reason);
    }
    if let Some(key) = key {
        let left_out = wanted.leave_out(key.folder);
        return left_out.then_some(SkipReason::NotEvents(key.folder));
    }
    // Below `AWSLogs`, where the layout ends.
    let (_, below) = folders.rsplit_once("AWSLogs/")?;
    below.split('/').find_map(|name| wanted.speak_against(name))
}
