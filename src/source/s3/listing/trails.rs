//! Where `AWSLogs/` is, below a prefix that is above it.
//!
//! In: a prefix. Out: the `AWSLogs/` folders of the first level that has any; none means that there is no trail's
//! layout here. Promise: a bucket of any size costs a few hundred requests at most; what lies beside the trails is
//! reported, since there may be another trail deeper down.

use super::{Found, Lister, Query};
use crate::cloudtrail::KeyPrefix;
use crate::source::{SkipReason, SourceError};

/// How many folders may stand between the prefix and `AWSLogs/`. A trail's own prefix seldom has more than one part.
const LEVELS: usize = 3;
/// How many folders of one level are looked into. More of them are not prefixes of trails but, say, days.
const FOLDERS: usize = 256;

/// What is in one folder.
struct Contents {
    prefix: String,
    has_trail: bool,
    folders: Vec<String>,
    objects: Vec<String>,
}

impl Lister<'_> {
    /// The trails at or below a prefix that is empty or ends with `/`.
    pub(super) async fn find_trails(
        &self,
        prefix: &str,
        found: &mut Found,
    ) -> Result<Vec<KeyPrefix>, SourceError> {
        let mut level = vec![prefix.to_owned()];
        for _ in 0..=LEVELS {
            let contents = self.at_once(level, |prefix| self.contents(prefix)).await?;
            if contents.iter().any(|folder| folder.has_trail) {
                return Ok(self.trails(contents, found));
            }
            level = contents
                .into_iter()
                .flat_map(|folder| folder.folders)
                .collect();
            if level.is_empty() || level.len() > FOLDERS {
                break;
            }
        }
        Ok(Vec::new())
    }

    /// The trails of a level, while all the rest of the level is reported.
    fn trails(&self, contents: Vec<Contents>, found: &mut Found) -> Vec<KeyPrefix> {
        let mut trails = Vec::new();
        for folder in contents {
            if folder.has_trail {
                let anchor = KeyPrefix::anchor(&folder.prefix);
                let trail = anchor.to_string();
                let beside = folder.folders.iter().chain(&folder.objects);
                let beside = beside.filter(|key| **key != trail);
                found
                    .skipped
                    .extend(beside.map(|key| self.skipped(key, SkipReason::BesideTrail)));
                trails.push(anchor);
            } else {
                let skipped = self.skipped(&folder.prefix, SkipReason::NoTrail);
                found.skipped.push(skipped);
            }
        }
        trails
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
        let objects = page.objects.into_iter().filter_map(|object| object.key);
        Ok(Contents {
            has_trail,
            folders: page.folders,
            objects: objects.filter(|key| !key.ends_with('/')).collect(),
            prefix,
        })
    }
}
