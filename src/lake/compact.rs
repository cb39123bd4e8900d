//! Small files of a day become large ones.
//!
//! In: a lake. Out: the same rows in fewer files, sorted by key and time. Promise: no reader sees an event twice or not at all:
//! the new file takes the place of the old ones in one commit (`dataChange` false, so that readers of the table's changes see
//! none); ingests go on meanwhile; a kill leaves files that no table names; memory is bounded by the size of a new file.

use super::change::{Change, StoredFile};
use super::merge::Merge;
use super::names::{self, Writer};
use super::stats::SMALL_BYTES;
use super::table::MOST_ATTEMPTS;
use super::table::Table;
use super::tables::TableName;
use super::writer::DataFile;
use super::{Lake, LakeError};
use bytes::Bytes;
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashSet};

/// Bytes of a new file, at most. It is in memory with the files it is made of, three times this in all.
const LARGE_BYTES: u64 = 2 * SMALL_BYTES;

/// Files that are merged at once.
const MOST_FILES: usize = 64;

/// What was merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Days whose files were merged.
    pub days: u64,
    /// Files that were merged.
    pub before: u64,
    /// Files they became.
    pub after: u64,
    /// Bytes of the former.
    pub bytes_before: u64,
    /// Bytes of the latter.
    pub bytes_after: u64,
    /// Summaries of use that were missing and were written.
    pub summaries: u64,
}

impl Lake {
    /// Merges the small files of each day before `before`, or of every day; then those of the ledger. Files of events that have no
    /// summary of use get one.
    pub async fn compact(&mut self, before: Option<NaiveDate>) -> Result<Compacted, LakeError> {
        // What an ingest has not accounted for yet is known by the names of its files.
        let ledger = self.log_files.files()?;
        let settled: HashSet<_> = ledger
            .iter()
            .filter_map(|f| names::parcel(&f.path))
            .collect();
        let mut days = BTreeMap::<Option<NaiveDate>, Vec<StoredFile>>::new();
        for file in self.events.files()? {
            let is_settled = names::parcel(&file.path).is_none_or(|id| settled.contains(&id));
            let is_old = before.is_none_or(|before| file.date.is_some_and(|day| day < before));
            if is_settled && is_old && file.size < SMALL_BYTES {
                days.entry(file.date).or_default().push(file);
            }
        }
        let mut sum = Compacted::default();
        for (_, files) in days {
            let mut merged = false;
            for group in groups(files) {
                merged |= merge(&mut self.events, &group, &mut sum).await?;
            }
            sum.days += u64::from(merged);
        }
        self.compact_ledger(before.is_none(), &mut sum).await?;
        sum.summaries = self.write_missing_uses().await?;
        Ok(sum)
    }

    /// Merges small files of the ledger whose parcels no file of events is named after any more.
    async fn compact_ledger(&mut self, all: bool, sum: &mut Compacted) -> Result<(), LakeError> {
        if !all {
            return Ok(());
        }
        let events = self.events.files()?;
        let named: HashSet<_> = events
            .iter()
            .filter_map(|f| names::parcel(&f.path))
            .collect();
        let mut files = self.log_files.files()?;
        files.retain(|file| {
            let free = names::parcel(&file.path).is_none_or(|id| !named.contains(&id));
            free && file.size < SMALL_BYTES
        });
        for group in groups(files) {
            merge(&mut self.log_files, &group, sum).await?;
        }
        Ok(())
    }
}

/// Files that become one each.
fn groups(mut files: Vec<StoredFile>) -> Vec<Vec<StoredFile>> {
    files.sort_by(|a, b| (a.times, &a.path).cmp(&(b.times, &b.path)));
    let mut groups: Vec<Vec<StoredFile>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        let fits = groups.last().is_some_and(|group| group.len() < MOST_FILES)
            && bytes + file.size <= LARGE_BYTES;
        if !fits {
            groups.push(Vec::new());
            bytes = 0;
        }
        bytes += file.size;
        if let Some(group) = groups.last_mut() {
            group.push(file);
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Puts one file in the place of some; tells whether that was done.
async fn merge(
    table: &mut Table,
    files: &[StoredFile],
    sum: &mut Compacted,
) -> Result<bool, LakeError> {
    let folder = table.folder();
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        contents.push(folder.bytes(&file.path).await?);
    }
    let (name, date) = (table.name, files.first().and_then(|file| file.date));
    // Which of them cannot be decoded is not known: one, or its neighbour in the order.
    let one = files.first().map_or("", |file| file.path.as_str());
    let encoded = tokio::task::spawn_blocking(move || encode(name, date, contents)).await;
    let encoded = encoded.map_err(|_| LakeError::Stopped)?;
    let merged = encoded.map_err(|error| folder.unreadable(one, error))?;
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    if merged.rows != rows {
        let problem = format!("{} rows are there instead of {rows}", merged.rows);
        return Err(folder.damage(one, &problem));
    }
    let adds = vec![table.put(&merged, Writer::Merge).await?];
    let change = Change {
        removes: table.removes(files),
        adds: adds.clone(),
        rearranges: true,
        ..Change::default()
    };
    for _ in 0..MOST_ATTEMPTS {
        if table.commit(change.clone()).await?.done {
            sum.before += files.len() as u64;
            sum.after += 1;
            sum.bytes_before += files.iter().map(|file| file.size).sum::<u64>();
            sum.bytes_after += merged.bytes.len() as u64;
            return Ok(true);
        }
        let there: HashSet<String> = table.files()?.into_iter().map(|f| f.path).collect();
        if !files.iter().all(|file| there.contains(&file.path)) {
            // Somebody else has merged or removed one of them.
            break;
        }
    }
    table.discard(&adds).await?;
    Ok(false)
}

fn encode(
    name: TableName,
    date: Option<NaiveDate>,
    contents: Vec<Bytes>,
) -> Result<DataFile, LakeError> {
    match name {
        TableName::Events => DataFile::encode(name, date, Merge::new(contents)?),
        _ => {
            let mut rows = Vec::new();
            for bytes in contents {
                let (_, batches) = super::reader::BytesReader::read(bytes, None)?;
                rows.extend(batches.into_iter().map(Ok::<_, LakeError>));
            }
            DataFile::encode(name, date, rows.into_iter())
        }
    }
}
