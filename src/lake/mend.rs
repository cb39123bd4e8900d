//! A damaged lake is made whole.
//!
//! In: a lake's place and what a check found. Out: a lake that tells the truth about what it has, and the log files that have to
//! be read again. Promise: nothing that can still be read is given up: events whose log entry is lost are found again in the
//! data files, each once; a log file whose events are not all there is no longer called stored.

use super::change::{Change, StoredFile};
use super::check::Checked;
use super::commit::keys_of;
use super::files;
use super::findings::Findings;
use super::ledger::{LOST, identity, log_files_batch};
use super::ledger_rewrite::without;
use super::mend_row::Row;
use super::names::{self, Writer};
use super::reader::{BytesReader, read_columns};
use super::seen::keys_in;
use super::table::MOST_ATTEMPTS;
use super::table::Table;
use super::tables::TableName;
use super::writer::DataFile;
use super::{Lake, LakeError, Location, uses};
use crate::event::EventKey;
use crate::read::{LogFileOutcome, LogFileRow};
use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use chrono::{NaiveDate, Utc};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What was done to a lake, and what is left to do.
#[derive(Debug, Default)]
pub struct Mended {
    /// Damaged or missing files that were taken out of their tables.
    pub removed: Vec<String>,
    /// Tables whose log was begun anew.
    pub rebuilt: Vec<TableName>,
    /// Events that were found again in data files.
    pub recovered: u64,
    /// Log files that have to be read again, by name.
    pub to_read: BTreeSet<String>,
}

/// Mends the lake at a location as far as that is possible without its log files.
///
/// # Errors
///
/// The lake's storage cannot be read or written.
pub async fn mend(location: &Location, mut checked: Checked) -> Result<Mended, LakeError> {
    let mut mended = Mended::default();
    let findings = std::mem::take(&mut checked.findings);
    for name in &findings.unreadable {
        put_log_aside(location, *name).await?;
    }
    let mut lake = Lake::create(location).await?;
    for name in TableName::ALL {
        let bad = findings.bad.iter().filter(|(table, _)| *table == name);
        let bad: Vec<StoredFile> = bad.map(|(_, file)| file.clone()).collect();
        lake.take_out(name, &bad).await?;
        let paths = bad
            .iter()
            .map(|file| format!("{}/{}", name.as_str(), file.path));
        mended.removed.extend(paths);
        let gone = findings.unreadable.contains(&name) || findings.missing.contains(&name);
        if gone {
            mended.rebuilt.push(name);
        }
        if name == TableName::Events && (gone || findings.short.contains(&name)) {
            mended.recovered = lake.recover().await?;
        }
    }
    for file in &findings.summaries {
        uses::write(&lake.events, file).await?;
    }
    lake.reopen(&findings, &mut mended).await?;
    Ok(mended)
}

/// Moves the log of a table to where no reader looks for it.
async fn put_log_aside(location: &Location, name: TableName) -> Result<(), LakeError> {
    let store = Table::folder(location, name)?;
    let stamp = Utc::now().format("%Y%m%dT%H%M%SZ");
    let log = Path::from("_delta_log");
    let entries: Vec<_> = store.list(Some(&log)).try_collect().await?;
    for entry in entries {
        let file = entry.location.filename().unwrap_or_default();
        let aside = Path::from(format!("_damaged_log-{stamp}/{file}"));
        store.copy(&entry.location, &aside).await?;
        store.delete(&entry.location).await?;
    }
    Ok(())
}

impl Lake {
    /// Takes files out of a table.
    async fn take_out(&mut self, name: TableName, files: &[StoredFile]) -> Result<(), LakeError> {
        if files.is_empty() {
            return Ok(());
        }
        let table = self.table_mut(name);
        let change = Change {
            removes: table.removes(files),
            ..Change::default()
        };
        table.insist(change).await
    }

    /// Makes the events of data files that no log names part of the table again, each once.
    async fn recover(&mut self) -> Result<u64, LakeError> {
        let files = self.events.files()?;
        let named: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let store = self.events.delta().object_store();
        let mut days: HashMap<NaiveDate, Vec<String>> = HashMap::new();
        for listed in files::list(&self.events).await? {
            let sealed = names::read(&listed.path).is_some();
            if let Some(date) = day_of(&listed.path).filter(|_| sealed)
                && !named.contains(listed.path.as_str())
            {
                days.entry(date).or_default().push(listed.path);
            }
        }
        let mut recovered = 0;
        for (date, paths) in days {
            let mut known: HashSet<EventKey> = HashSet::new();
            for file in files.iter().filter(|file| file.date == Some(date)) {
                known.extend(keys_in(&store, file).await?);
            }
            let mut adds = Vec::new();
            for path in paths {
                let bytes = store.get(&Path::from(path.as_str())).await?.bytes().await?;
                if names::read(&path).is_none_or(|(_, seal)| !seal.fits(&bytes)) {
                    continue;
                }
                let (_, batches) = BytesReader::read(bytes, None)?;
                let mut new = Vec::new();
                for batch in batches {
                    let keep: BooleanArray =
                        keys_of(&batch).map(|key| Some(known.insert(key))).collect();
                    let rest = filter_record_batch(&batch, &keep)?;
                    if rest.num_rows() > 0 {
                        recovered += rest.num_rows() as u64;
                        new.push(Ok::<_, LakeError>(rest));
                    }
                }
                if !new.is_empty() {
                    let file = DataFile::encode(TableName::Events, Some(date), new.into_iter())?;
                    adds.push(self.events.put(&file, Writer::Merge).await?);
                }
            }
            if !adds.is_empty() {
                self.events.insist(Change::add(adds)).await?;
            }
        }
        Ok(recovered)
    }

    /// Makes the ledger tell what is there, and the log files known that are to be read again.
    async fn reopen(&mut self, findings: &Findings, mended: &mut Mended) -> Result<(), LakeError> {
        let mut there: HashMap<u128, u64> = HashMap::new();
        let store = self.events.delta().object_store();
        for file in self.events.files()? {
            for batch in read_columns(&store, &file, &["log_file"]).await? {
                for name in batch.column(0).as_string::<i32>() {
                    let id = identity(&[name.unwrap_or_default()], 0);
                    *there.entry(id).or_default() += 1;
                }
            }
        }
        let rejects_lost = findings
            .bad
            .iter()
            .any(|(table, _)| *table == TableName::Rejects)
            || findings.short.contains(&TableName::Rejects);
        let (mut rows, mut changed, mut gone) = (Vec::new(), Vec::new(), HashSet::new());
        let told = self.ledger_rows().await?;
        let mut stored: HashMap<u128, u64> = HashMap::new();
        let mut versions: HashMap<u128, u64> = HashMap::new();
        for row in &told {
            *stored.entry(row.name()).or_default() += row.stored;
            *versions.entry(row.version()).or_default() += 1;
        }
        let forgotten = self.forgotten_before().await?;
        let (mut again, mut placed) = (HashSet::new(), HashSet::new());
        for row in &told {
            if row.is_lost {
                mended.to_read.insert(row.log_file.clone());
            }
            let found = there.get(&row.name()).copied().unwrap_or_default();
            let counted = stored.get(&row.name()).copied().unwrap_or_default();
            let lost = (counted != found && !row.is_forgotten(forgotten))
                || versions.get(&row.version()).is_some_and(|rows| *rows > 1)
                || (rejects_lost && row.rejected > 0);
            if !lost {
                continue;
            }
            mended.to_read.insert(row.log_file.clone());
            gone.insert(row.version());
            changed.push(row.file.clone());
            // The first row of a log file takes all its events: what it brings again is added to these.
            if placed.insert(row.version()) {
                let held = if again.insert(row.name()) { found } else { 0 };
                rows.push(row.lost(held));
            }
        }
        // Of these, the ledger has lost the row.
        for name in &findings.unknown {
            let held = there
                .get(&identity(&[name], 0))
                .copied()
                .unwrap_or_default();
            rows.push(LogFileRow {
                log_file: name.clone(),
                outcome: LogFileOutcome::Unfetched,
                reason: Some(LOST.to_owned()),
                events: held,
                stored: held,
                ..LogFileRow::default()
            });
            mended.to_read.insert(name.clone());
        }
        changed.sort_by(|a, b| a.path.cmp(&b.path));
        changed.dedup_by(|a, b| a.path == b.path);
        // Whatever was counted before: this is what there is now.
        let numbers = self.counted().await?;
        self.rewrite((&changed, &gone), (&rows, numbers)).await
    }

    /// The log files whose events are still missing: those that were read again since, also from elsewhere, are settled.
    pub async fn lost_log_files(&mut self) -> Result<BTreeSet<String>, LakeError> {
        let rows = self.ledger_rows().await?;
        let stored = || rows.iter().filter(|row| row.is_stored);
        let names: HashSet<&str> = stored().map(|row| row.log_file.as_str()).collect();
        let shas: HashSet<&str> = stored().filter_map(|row| row.sha256.as_deref()).collect();
        let (mut missing, mut gone) = (BTreeSet::new(), HashSet::new());
        let (mut files, mut settled) = (Vec::<StoredFile>::new(), Vec::new());
        for row in rows.iter().filter(|row| row.is_lost) {
            let read = names.contains(row.log_file.as_str())
                || row.sha256.as_deref().is_some_and(|sha| shas.contains(sha));
            if !read {
                missing.insert(row.log_file.clone());
                continue;
            }
            gone.insert(row.version());
            if !files.iter().any(|file| file.path == row.file.path) {
                files.push(row.file.clone());
            }
            if row.stored > 0 {
                settled.push(LogFileRow {
                    outcome: LogFileOutcome::Stored,
                    reason: None,
                    ..row.lost(row.stored)
                });
            }
        }
        if !gone.is_empty() {
            let numbers = self.counted().await?;
            self.rewrite((&files, &gone), (&settled, numbers)).await?;
        }
        Ok(missing)
    }

    /// Writes files of the ledger anew, with other rows instead of some.
    async fn rewrite(
        &mut self,
        (files, gone): (&[StoredFile], &HashSet<u128>),
        (rows, numbers): (&[LogFileRow], Vec<(&'static str, u64)>),
    ) -> Result<(), LakeError> {
        let mut adds = Vec::new();
        for file in files {
            let rest = without(&self.log_files, file, (gone, &mut HashMap::new())).await?;
            let writer = names::parcel(&file.path).map_or(Writer::Merge, Writer::Parcel);
            adds.push(self.log_files.put(&rest, writer).await?);
        }
        if !rows.is_empty() {
            let batch = log_files_batch(rows, Utc::now().timestamp_micros())?;
            let pieces = std::iter::once(Ok::<_, LakeError>(batch));
            let file = DataFile::encode(TableName::LogFiles, None, pieces)?;
            adds.push(self.log_files.put(&file, Writer::Merge).await?);
        }
        let change = Change {
            removes: self.log_files.removes(files),
            adds,
            numbers,
            ..Change::default()
        };
        self.log_files.insist(change).await
    }

    async fn ledger_rows(&self) -> Result<Vec<Row>, LakeError> {
        const COLUMNS: [&str; 9] = [
            "log_file",
            "etag",
            "size_bytes",
            "sha256",
            "outcome",
            "reason",
            "stored",
            "rejected",
            "first_event_time",
        ];
        let store = self.log_files.delta().object_store();
        let mut rows = Vec::new();
        for file in self.log_files.files()? {
            for batch in read_columns(&store, &file, &COLUMNS).await? {
                rows.extend((0..batch.num_rows()).map(|row| Row::read(&batch, row, &file)));
            }
        }
        Ok(rows)
    }
}

impl Table {
    /// Makes a change that clashes with nobody's, however many write at the same time.
    pub(super) async fn insist(&mut self, change: Change) -> Result<(), LakeError> {
        for _ in 0..MOST_ATTEMPTS {
            if self.commit(change.clone()).await?.done {
                return Ok(());
            }
        }
        Err(LakeError::Contended {
            table: self.name.as_str(),
            attempts: MOST_ATTEMPTS,
        })
    }
}

fn day_of(path: &str) -> Option<NaiveDate> {
    let (folder, _) = path.split_once('/')?;
    folder.split_once('=')?.1.parse().ok()
}
