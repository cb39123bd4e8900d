//! Files that no version of a table names.
//!
//! In: a lake and an age. Out: what was removed. Promise: a file is removed only if no table names it, and if it was written,
//! or taken out of its table, longer ago than that: a running ingest writes files before it names them, and a running
//! question reads files that were just taken out.

use super::files;
use super::names::uses_path;
use super::table::Table;
use super::tables::TableName;
use super::{Lake, LakeError};
use chrono::{DateTime, TimeDelta, Utc};
use deltalake_core::DeltaTableError;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::collections::HashSet;

/// Files that no table names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orphans {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of the files, those that are too young to be removed.
    pub kept: u64,
}

impl Lake {
    /// Counts the files that no table names, and removes those older than `retain` if `remove` says so.
    pub async fn vacuum(&self, retain: TimeDelta, remove: bool) -> Result<Orphans, LakeError> {
        let before = Utc::now() - retain;
        let mut orphans = Orphans::default();
        for name in TableName::ALL {
            let table = self.table(name);
            let named = table.files()?.into_iter().map(|file| file.path);
            let named = with_summaries(named);
            let recent = with_summaries(removed_since(table, before).await?);
            let store = table.delta().object_store();
            for file in files::list(table).await? {
                if named.contains(&file.path) {
                    continue;
                }
                if file.modified >= before || recent.contains(&file.path) {
                    orphans.kept += 1;
                    continue;
                }
                orphans.files += 1;
                orphans.bytes += file.size;
                if remove {
                    store.delete(&Path::from(file.path.as_str())).await?;
                }
            }
        }
        Ok(orphans)
    }
}

/// Files, and where their summaries are.
fn with_summaries(files: impl IntoIterator<Item = String>) -> HashSet<String> {
    let files = files.into_iter();
    files
        .flat_map(|file| [uses_path(&file).to_string(), file])
        .collect()
}

/// Files that were taken out of the table since then.
async fn removed_since(table: &Table, since: DateTime<Utc>) -> Result<HashSet<String>, LakeError> {
    let fail = |error: DeltaTableError| table.fail(&error);
    let snapshot = table.delta().snapshot().map_err(fail)?;
    let log = table.delta().log_store();
    let mut removed = HashSet::new();
    let mut tombstones = snapshot.all_tombstones(log.as_ref());
    while let Some(tombstone) = tombstones.try_next().await.map_err(fail)? {
        let young = tombstone
            .deletion_timestamp()
            .is_none_or(|time| time >= since.timestamp_millis());
        if young {
            removed.insert(tombstone.path().to_string());
        }
    }
    Ok(removed)
}
