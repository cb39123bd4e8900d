//! A damaged lake is made whole.
//!
//! In: a lake's place and what a check found. Out: a lake that tells the truth about what it has, and the log files that have to
//! be read again. Promise: nothing that can still be read is given up: events whose log entry is lost are found again in the
//! data files, each once; a log file whose events are not all there is no longer called stored.

use super::change::{Change, StoredFile};
use super::check::Checked;
use super::damage::Damage;
use super::findings::Findings;
use super::ledger::{LOST, identity, log_files_batch};
use super::ledger_rewrite::without;
use super::mend_row::Row;
use super::names::{self, Writer};
use super::reader::{BytesReader, read_columns};
use super::recover::found;
use super::sealed::LOG;
use super::table::MOST_ATTEMPTS;
use super::table::Table;
use super::tables::TableName;
use super::writer::DataFile;
use super::{Lake, LakeError, Location, uses};
use crate::read::{LogFileOutcome, LogFileRow};
use arrow::array::AsArray;
use chrono::Utc;
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
    /// Whether rows of the ledger are lost: of log files without events of their own, nothing is known any more.
    pub forgets: bool,
}

/// Mends the lake at a location as far as that is possible without its log files.
///
/// # Errors
///
/// The lake's storage cannot be read or written.
pub async fn mend(location: &Location, mut checked: Checked) -> Result<Mended, LakeError> {
    let mut mended = Mended::default();
    let mut findings = std::mem::take(&mut checked.findings);
    let mut gone = findings.missing.clone();
    for name in &findings.unreadable {
        // The commits tell what checkpoints do, as long as they are there.
        put_aside(location, *name, |file| file.contains("checkpoint")).await?;
        match Table::open(location, *name).await {
            Ok(Some(_)) => {}
            Ok(None) | Err(LakeError::Unreadable { .. }) => {
                put_aside(location, *name, |_| true).await?;
                gone.push(*name);
            }
            Err(error) => return Err(error),
        }
    }
    let mut lake = Lake::create(location).await?;
    for name in TableName::ALL {
        let bad = findings.bad.iter().filter(|(table, _)| *table == name);
        let bad: Vec<StoredFile> = bad.map(|(_, file)| file.clone()).collect();
        if name == TableName::LogFiles {
            mended.forgets = lake.read_names(&bad, &mut findings).await?;
        }
        lake.take_out(name, &bad).await?;
        let paths = bad
            .iter()
            .map(|file| format!("{}/{}", name.as_str(), file.path));
        mended.removed.extend(paths);
        let is_gone = gone.contains(&name);
        if is_gone {
            mended.rebuilt.push(name);
        }
        // A mend that was killed may have left a ledger without its rows.
        let is_empty = name == TableName::LogFiles && !findings.unknown.is_empty();
        if is_gone || is_empty || findings.short.contains(&name) {
            let rows = lake.recover(name).await?;
            mended.recovered += if name == TableName::Events { rows } else { 0 };
        }
    }
    let ledger = lake.log_files.rows()?;
    mended.forgets |=
        gone.contains(&TableName::LogFiles) && ledger == 0 && !findings.unknown.is_empty();
    lake.tell_again(&findings.mislabelled).await?;
    for file in &findings.summaries {
        uses::write(&lake.events, file).await?;
    }
    lake.reopen(&findings, &mut mended).await?;
    Ok(mended)
}

/// Moves files of the log of a table to where no reader looks for them.
async fn put_aside(
    location: &Location,
    name: TableName,
    which: impl Fn(&str) -> bool,
) -> Result<(), LakeError> {
    let store = Table::folder_at(location, name)?;
    let stamp = Utc::now().format("%Y%m%dT%H%M%SZ");
    let log = Path::from(LOG);
    let entries: Vec<_> = store.list(Some(&log)).try_collect().await?;
    for entry in entries {
        let file = entry.location.filename().unwrap_or_default();
        if !which(file) {
            continue;
        }
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

    /// Finds the log files that damaged files of the ledger tell of; tells whether some of them could not be read.
    async fn read_names(
        &self,
        files: &[StoredFile],
        findings: &mut Findings,
    ) -> Result<bool, LakeError> {
        let store = self.log_files.folder().store;
        let mut forgets = false;
        for file in files {
            let bytes = match store.get(&Path::from(file.path.as_str())).await {
                Ok(found) => Some(found.bytes().await?),
                Err(error) if Damage::among(&error).is_some() => None,
                Err(error) => return Err(error.into()),
            };
            // Pages have checksums: what can be read is right.
            let read = bytes.map(|bytes| BytesReader::read(bytes, Some(&["log_file"])));
            let Some(Ok((_, batches))) = read else {
                forgets = true;
                continue;
            };
            for batch in &batches {
                let names = batch.column_by_name("log_file");
                let names = names.and_then(|names| names.as_string_opt::<i32>());
                let names = names.into_iter().flatten().flatten();
                findings.unknown.extend(names.map(str::to_owned));
            }
        }
        Ok(forgets)
    }

    /// Says again of files what the log says wrongly of them.
    async fn tell_again(&mut self, files: &[(TableName, StoredFile)]) -> Result<(), LakeError> {
        for (name, file) in files {
            let bytes = self.table(*name).folder().bytes(&file.path).await?;
            let change = Change {
                adds: vec![found((*name, &file.path), &bytes)?.add()],
                rearranges: true,
                ..Change::default()
            };
            self.table_mut(*name).insist(change).await?;
        }
        Ok(())
    }

    /// Makes the ledger tell what is there, and the log files known that are to be read again.
    async fn reopen(&mut self, findings: &Findings, mended: &mut Mended) -> Result<(), LakeError> {
        let mut there: HashMap<u128, u64> = HashMap::new();
        let folder = self.events.folder();
        for file in self.events.files()? {
            for batch in read_columns(&folder, &file, &["log_file"]).await? {
                for name in batch.column(0).as_string::<i32>() {
                    let id = identity(&[name.unwrap_or_default()], 0);
                    *there.entry(id).or_default() += 1;
                }
            }
        }
        let bad = |(table, _): &(TableName, StoredFile)| *table == TableName::Rejects;
        let rejects_lost = findings.bad.iter().any(bad)
            || findings
                .rejects
                .is_some_and(|counted| self.rejects.rows().is_ok_and(|rows| rows < counted));
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
            if stored.contains_key(&identity(&[name], 0)) {
                continue;
            }
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
        let folder = self.log_files.folder();
        let mut rows = Vec::new();
        for file in self.log_files.files()? {
            for batch in read_columns(&folder, &file, &COLUMNS).await? {
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
