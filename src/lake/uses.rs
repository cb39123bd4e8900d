//! The summaries of use that stand beside the data files of events.
//!
//! In: a lake. Out: the summaries of the events that are asked for; those that are missing, written. Promise: a summary tells
//! of exactly one data file, which its path names; where one is missing, or covers more than what is asked for, there is no
//! answer from summaries at all.

use super::change::StoredFile;
use super::key_uses::{self, KeyUses, SUMMARIZED};
use super::names::{uses_folder, uses_path};
use super::reader::read_columns;
use super::scan::{Scannable, ScannableFile};
use super::table::Table;
use super::{Lake, LakeError, TableName};
use crate::cloudtrail::Selection;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutPayload};
use std::collections::HashMap;

/// The columns of a summary of use: a row per data file and access key.
pub fn key_uses_schema() -> SchemaRef {
    key_uses::schema()
}

impl Lake {
    /// The summaries of the events of a selection; none if a file has no summary, or if only a part of its events is selected.
    ///
    /// # Errors
    ///
    /// The folder of the summaries cannot be listed.
    pub async fn key_uses(&self, selection: &Selection) -> Result<Option<Scannable>, LakeError> {
        if !selection.accounts.is_empty() || !selection.regions.is_empty() {
            return Ok(None);
        }
        let mut wanted = Vec::new();
        for file in self.events.files()? {
            match part_of(&file, selection) {
                Share::None => {}
                Share::All => wanted.push(file),
                Share::Some => return Ok(None),
            }
        }
        let listed = list(&self.events).await?;
        let Scannable { root, store, files } = self.scannable(TableName::Events)?;
        let stats = files.into_iter().map(|file| (file.path, file.stats));
        let mut stats: HashMap<Path, Option<String>> = stats.collect();
        let folder = self.events.folder_in_store()?;
        let in_store = |path: &Path| -> Path { folder.parts().chain(path.parts()).collect() };
        let mut files = Vec::with_capacity(wanted.len());
        for file in wanted {
            let path = uses_path(&file.path);
            let Some(summary) = listed.get(&path) else {
                return Ok(None);
            };
            let data = in_store(&Path::from(file.path.as_str()));
            files.push(ScannableFile {
                path: in_store(&path),
                size: summary.size,
                modified: summary.last_modified,
                date: file.date,
                rows: None,
                // The least and the greatest key are those of the events.
                stats: stats.remove(&data).flatten(),
            });
        }
        Ok(Some(Scannable { root, store, files }))
    }

    /// Writes the summaries that are missing; gives their number.
    pub(super) async fn write_missing_uses(&self) -> Result<u64, LakeError> {
        let listed = list(&self.events).await?;
        let mut written = 0;
        for file in self.events.files()? {
            if !listed.contains_key(&uses_path(&file.path)) {
                write(&self.events, &file).await?;
                written += 1;
            }
        }
        Ok(written)
    }
}

/// How much of a file's events is selected.
enum Share {
    None,
    Some,
    All,
}

fn part_of(file: &StoredFile, selection: &Selection) -> Share {
    let micros = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp_micros());
    let (first, last) = file.times;
    let (since, until) = (micros(selection.since), micros(selection.until));
    if since.is_some_and(|since| last < since) || until.is_some_and(|until| first >= until) {
        return Share::None;
    }
    let is_all = since.is_none_or(|since| first >= since) && until.is_none_or(|until| last < until);
    if is_all { Share::All } else { Share::Some }
}

/// The summaries that are there, by their path in the table's folder.
pub(super) async fn list(events: &Table) -> Result<HashMap<Path, ObjectMeta>, LakeError> {
    let store = events.delta().object_store();
    let listed = store.list(Some(&uses_folder()));
    let listed = listed.map_ok(|file| (file.location.clone(), file));
    Ok(listed.try_collect().await?)
}

/// Summarizes the events of a file as it is.
pub(super) async fn summarize(table: &Table, file: &StoredFile) -> Result<KeyUses, LakeError> {
    let folder = table.folder();
    let mut uses = KeyUses::default();
    for batch in read_columns(&folder, file, &SUMMARIZED).await? {
        uses.add(&batch);
    }
    Ok(uses)
}

/// Writes the summary of a file, over the one that may be there.
pub(super) async fn write(table: &Table, file: &StoredFile) -> Result<(), LakeError> {
    let bytes = summarize(table, file).await?.file()?;
    let store = table.delta().object_store();
    store
        .put(&uses_path(&file.path), PutPayload::from_bytes(bytes))
        .await?;
    Ok(())
}

/// Compares the summary of a file with its events; tells what is wrong.
pub(super) async fn compare(
    table: &Table,
    file: &StoredFile,
) -> Result<Option<&'static str>, LakeError> {
    const WRONG: &str = "it does not match the events";
    let store = table.delta().object_store();
    let bytes = store.get(&uses_path(&file.path)).await?.bytes().await?;
    let rows = summarize(table, file).await?.rows()?;
    let Ok((_, stored)) = super::reader::BytesReader::read(bytes, None) else {
        return Ok(Some("it cannot be read"));
    };
    let stored = arrow::compute::concat_batches(&key_uses::schema(), &stored);
    Ok((stored.ok().as_ref() != Some(&rows)).then_some(WRONG))
}
