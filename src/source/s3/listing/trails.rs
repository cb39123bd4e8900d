//! Where `AWSLogs/` is, below a prefix that is above it, and what lies beside.
//!
//! In: a prefix. Out: the `AWSLogs/` folders a few levels down; none means that there is no trail's layout here. Promise:
//! a bucket of any size costs two thousand requests at most, and seldom more than ten; as on disk, files beside the trails
//! that have a log file's name are read, and the rest is reported.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::types::Object;

use super::{Found, Lister, Query};
use crate::cloudtrail::{KeyPrefix, LogFileKey, is_log_file};
use crate::source::skipped::by_name;
use crate::source::{SkipReason, SourceError};

/// How many folders may stand between the prefix and `AWSLogs/`. A trail's own prefix seldom has more than one part.
const LEVELS: usize = 3;
/// How many folders of one level are looked into. More of them are not prefixes of trails but, say, days.
const FOLDERS: usize = 256;
/// How many pages of a thousand keys of a folder beside trails are looked through for log files.
const PAGES: usize = 4;

/// What is in one folder.
struct Contents {
    prefix: String,
    has_trail: bool,
    folders: Vec<String>,
    objects: Vec<Object>,
    /// Where its next page begins.
    next: Option<String>,
}

/// What lies beside trails: a folder, or an object.
#[derive(Default)]
struct Beside {
    /// Whether something in it was read.
    read: bool,
    /// Whether there is something that was not read and may hold events.
    unread: bool,
}

/// What lies beside trails, by its first folder that does not lead to one, or by its key.
type Parts = BTreeMap<String, Beside>;

impl Lister<'_> {
    /// The trails at or below a prefix that is empty or ends with `/`.
    pub(super) async fn find_trails(
        &self,
        prefix: &str,
        found: &mut Found,
    ) -> Result<Vec<KeyPrefix>, SourceError> {
        let mut level = vec![prefix.to_owned()];
        let mut looked_into: Vec<Contents> = Vec::new();
        for _ in 0..=LEVELS {
            let folders = std::mem::take(&mut level);
            let contents = self
                .at_once(folders, |prefix| self.contents(prefix))
                .await?;
            level = contents.iter().flat_map(Contents::beside).collect();
            looked_into.extend(contents);
            if level.is_empty() || level.len() > FOLDERS {
                break;
            }
        }
        let with_trail = looked_into.iter().filter(|folder| folder.has_trail);
        let trails: Vec<KeyPrefix> = with_trail
            .map(|folder| KeyPrefix::anchor(&folder.prefix))
            .collect();
        if !trails.is_empty() {
            self.beside((prefix, looked_into), level, found).await?;
        }
        Ok(trails)
    }

    /// Takes log files that lie beside trails, and reports what else does: in folders that were looked into, and in those
    /// that were not.
    async fn beside(
        &self,
        (prefix, looked_into): (&str, Vec<Contents>),
        mut unseen: Vec<String>,
        found: &mut Found,
    ) -> Result<(), SourceError> {
        let with_trail = looked_into.iter().filter(|folder| folder.has_trail);
        let lead_there = with_trail.map(|folder| folder.prefix.as_str());
        let mut above: BTreeSet<String> = lead_there
            .chain([prefix])
            .flat_map(|folder| folders_of(folder).map(str::to_owned))
            .collect();
        // The whole bucket.
        above.insert(String::new());
        let mut parts = Parts::new();
        let mut objects = Vec::new();
        for folder in looked_into {
            if !above.contains(&folder.prefix) {
                parts.entry(topmost(&folder.prefix, &above)).or_default();
            }
            let (more, folders, all) = self.rest_of(&folder).await?;
            if !all {
                // So much is no folder of a few files beside a trail, and who reads it has to name it.
                parts
                    .entry(topmost(&folder.prefix, &above))
                    .or_default()
                    .unread = true;
            }
            unseen.extend(folders);
            objects.extend(folder.objects.into_iter().chain(more));
        }
        let too_many = unseen.split_off(unseen.len().min(FOLDERS));
        for folder in too_many {
            parts.entry(topmost(&folder, &above)).or_default().unread = true;
        }
        for object in objects {
            self.beside_object(object, &above, (&mut parts, &mut *found));
        }
        let through = self
            .at_once(unseen, |folder| self.look_through(folder, &above))
            .await?;
        for (more, seen) in through {
            found.add(more);
            for (key, part) in seen {
                let known = parts.entry(key).or_default();
                known.read |= part.read;
                known.unread |= part.unread;
            }
        }
        for (key, part) in parts {
            let name = key.trim_end_matches('/').rsplit('/').next();
            let reason = match (part.unread, part.read) {
                (true, _) => SkipReason::BesideTrail,
                (false, true) => continue,
                (false, false) => {
                    by_name(name.unwrap_or_default()).unwrap_or(SkipReason::OnlyDocuments)
                }
            };
            found.skipped.push(self.skipped(&key, reason));
        }
        Ok(())
    }

    /// Takes an object beside trails, if it is a log file by its name or its place.
    fn beside_object(
        &self,
        object: Object,
        above: &BTreeSet<String>,
        (parts, found): (&mut Parts, &mut Found),
    ) {
        let key = object.key().unwrap_or_default();
        let name = key.rsplit('/').next().unwrap_or_default();
        if name.is_empty() {
            return;
        }
        let part = parts.entry(topmost(key, above)).or_default();
        if is_log_file(name) || LogFileKey::parse(key).is_some() {
            part.read = true;
            self.take(object, found);
        } else if by_name(name).is_none() && !self.is_clutter(key) {
            part.unread = true;
        }
    }

    /// The first thousand entries of a folder, and whether `AWSLogs/` is among all of them.
    async fn contents(&self, prefix: String) -> Result<Contents, SourceError> {
        let query = Query {
            prefix: &prefix,
            folders: true,
            ..Query::default()
        };
        let page = self.page(&query).await?;
        let trail = KeyPrefix::anchor(&prefix).to_string();
        let mut has_trail = page.folders.contains(&trail);
        if !has_trail && page.next.is_some() {
            has_trail = self.first(&trail).await?.is_some();
        }
        Ok(Contents {
            has_trail,
            folders: page.folders,
            objects: page.objects,
            next: page.next,
            prefix,
        })
    }

    /// What a folder holds after its first page: objects, folders, and whether that is all.
    async fn rest_of(
        &self,
        folder: &Contents,
    ) -> Result<(Vec<Object>, Vec<String>, bool), SourceError> {
        let (mut objects, mut folders) = (Vec::new(), Vec::new());
        let mut query = Query {
            prefix: &folder.prefix,
            folders: true,
            token: folder.next.clone(),
            ..Query::default()
        };
        for _ in 0..PAGES {
            if query.token.is_none() {
                break;
            }
            let page = self.page(&query).await?;
            objects.extend(page.objects);
            folders.extend(page.folders);
            query.token = page.next;
        }
        let trail = KeyPrefix::anchor(&folder.prefix).to_string();
        folders.retain(|folder| *folder != trail);
        Ok((objects, folders, query.token.is_none()))
    }

    /// What lies below a folder beside trails, as far as it is looked through.
    async fn look_through(
        &self,
        folder: String,
        above: &BTreeSet<String>,
    ) -> Result<(Found, Parts), SourceError> {
        let (mut found, mut parts) = (Found::default(), Parts::new());
        parts.entry(topmost(&folder, above)).or_default();
        let mut query = Query {
            prefix: &folder,
            ..Query::default()
        };
        for _ in 0..PAGES {
            let page = self.page(&query).await?;
            for object in page.objects {
                self.beside_object(object, above, (&mut parts, &mut found));
            }
            query.token = page.next;
            if query.token.is_none() {
                return Ok((found, parts));
            }
        }
        parts.entry(topmost(&folder, above)).or_default().unread = true;
        Ok((found, parts))
    }
}

impl Contents {
    /// The folders in it, but for `AWSLogs/`.
    fn beside(&self) -> impl Iterator<Item = String> {
        let trail = KeyPrefix::anchor(&self.prefix).to_string();
        let folders = self.folders.iter().filter(move |folder| **folder != trail);
        folders.cloned()
    }
}

/// The folder or object beside trails that a key is in, or is: the first on its way that does not lead to a trail.
fn topmost(key: &str, above: &BTreeSet<String>) -> String {
    let mut off = folders_of(key).skip_while(|folder| above.contains(*folder));
    off.next().unwrap_or(key).to_owned()
}

/// The folders on the way to a key.
fn folders_of(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('/').map(|(at, _)| &key[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_trails_is_named_by_its_first_folder() {
        let above = ["a/", "a/b/"].map(str::to_owned).into();
        for (key, expected) in [
            ("a/b/notes/x.json", "a/b/notes/"),
            ("a/x.json", "a/x.json"),
            ("a/c/d/e/x.json", "a/c/"),
            ("x.json", "x.json"),
            ("c/x.json", "c/"),
        ] {
            assert_eq!(topmost(key, &above), expected);
        }
    }
}
