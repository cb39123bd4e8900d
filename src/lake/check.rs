//! Is the lake whole?
//!
//! In: a lake's place. Out: a [`Checked`]: what was looked at, and every fault. Promise: everything is read: logs, files, sizes,
//! hashes, counts, ids, and the ledger's sums against the events that are there; nothing is changed.

use super::change::StoredFile;
use super::commit::keys_of;
use super::damage::MISSING;
use super::files::{self, Listed};
use super::findings::{CheckedTable, Fault, Findings};
use super::forget::forgotten_before;
use super::ledger::{LOST, identity};
use super::look::{self, Found};
use super::names::{self, ParcelId, uses_path};
use super::reader::read_columns;
use super::table::Table;
use super::tables::TableName;
use super::{COUNTED, FORGOTTEN, LakeError, Location, recover, uses};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

/// What a check looked at, and what is wrong.
#[derive(Debug, Default)]
pub struct Checked {
    /// What was looked at, table by table.
    pub tables: Vec<CheckedTable>,
    /// What is wrong; the lake is whole if there is nothing.
    pub faults: Vec<Fault>,
    /// Events of ingests that were killed before the ledger could tell of them; the next ingest makes up for it.
    pub unaccounted: u64,
    pub(super) findings: Findings,
}

/// What is there of the events, by log file.
#[derive(Default)]
struct There {
    by_log_file: HashMap<u128, u64>,
    /// Of those, the events of parcels that the ledger does not name: it may have counted them all the same.
    unnamed: HashMap<u128, u64>,
    day: Option<NaiveDate>,
    ids: HashSet<u128>,
    /// The parcels that the ledger tells of.
    settled: HashSet<ParcelId>,
    /// The day before which events were forgotten.
    forgotten: Option<NaiveDate>,
}

/// The ledger's sums, by log file.
#[derive(Default)]
struct Told {
    stored: HashMap<u128, u64>,
    rows: HashMap<u128, u64>,
}

/// Looks at everything in the lake at a location.
///
/// # Errors
///
/// There is no lake, or its storage cannot be reached.
pub async fn check(location: &Location) -> Result<Checked, LakeError> {
    let mut checked = Checked::default();
    let (mut tables, mut there) = (HashMap::new(), There::default());
    let last = Table::last_commit(location).await?;
    // The ledger first: what it tells of was in the other tables before.
    for name in TableName::ALL.into_iter().rev() {
        match Table::open(location, name).await {
            Ok(Some(table)) => drop(tables.insert(name.as_str(), table)),
            Ok(None) => checked.findings.missing.push(name),
            Err(LakeError::Unreadable { fault, .. }) => {
                checked.findings.unreadable.push(name);
                checked.log_fault(name, fault);
            }
            Err(error) => return Err(error),
        }
    }
    if tables.is_empty() && checked.findings.unreadable.is_empty() {
        let lake = location.name();
        return Err(LakeError::Missing { lake });
    }
    for name in checked.findings.missing.clone() {
        checked.fault(name, None, MISSING.to_owned());
    }
    if let Some(ledger) = tables.get(TableName::LogFiles.as_str())
        && let Some(file) = ledger.lost_commit(last)
    {
        checked.findings.short.push(TableName::LogFiles);
        checked.log_fault(TableName::LogFiles, Some((file, MISSING.to_owned())));
    }
    if let Some(events) = tables.get_mut(TableName::Events.as_str()) {
        there.forgotten = forgotten_before(events).await?;
    }
    if let Some(ledger) = tables.get(TableName::LogFiles.as_str()) {
        let files = ledger.files()?;
        there.settled = files
            .iter()
            .filter_map(|file| names::parcel(&file.path))
            .collect();
    }
    let mut good = HashMap::new();
    for name in TableName::ALL {
        if let Some(table) = tables.get(name.as_str()) {
            let files = checked.table(table, &mut there).await?;
            good.insert(name.as_str(), files);
        }
    }
    let Some(ledger) = tables.get_mut(TableName::LogFiles.as_str()) else {
        checked
            .unknown_names((&tables, &good), &Told::default())
            .await?;
        return Ok(checked);
    };
    let mut counted = Vec::new();
    for (name, number) in COUNTED {
        counted.push((name, ledger.number(number).await?.unwrap_or_default()));
    }
    for (name, counted) in counted {
        let rows = match tables.get_mut(name.as_str()) {
            Some(table) => table.rows()? + table.number(FORGOTTEN).await?.unwrap_or_default(),
            None => 0,
        };
        if rows < counted {
            checked.findings.short.push(name);
            if name == TableName::Rejects {
                checked.findings.rejects = Some(counted);
            }
            let lost = counted - rows;
            checked.fault(name, None, format!("{lost} of its {counted} rows are lost"));
        }
    }
    let told = checked.ledger((&tables, &good), &there).await?;
    checked.unknown_names((&tables, &good), &told).await?;
    Ok(checked)
}

type Tables = HashMap<&'static str, Table>;
type Good = HashMap<&'static str, Vec<StoredFile>>;

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, table: TableName, file: Option<String>, problem: String) {
        self.faults.push(Fault {
            table,
            file,
            problem,
        });
    }

    /// Notes what is wrong with the log of a table.
    fn log_fault(&mut self, table: TableName, fault: Option<(String, String)>) {
        let Some((file, problem)) = fault else {
            return self.fault(table, None, "its log is damaged".to_owned());
        };
        let folder = format!("{}/", table.as_str());
        let file = file.strip_prefix(&folder).unwrap_or(&file).to_owned();
        self.fault(table, Some(file), problem);
    }

    /// Looks at a table's files; gives those that are whole.
    async fn table(
        &mut self,
        table: &Table,
        there: &mut There,
    ) -> Result<Vec<StoredFile>, LakeError> {
        let mut files = table.files()?;
        files.sort_by(|a, b| (a.date, &a.path).cmp(&(b.date, &b.path)));
        let listed: Vec<Listed> = files::list(table).await?;
        let summaries = uses::list(table).await?;
        let paths: HashSet<&str> = listed.iter().map(|file| file.path.as_str()).collect();
        let stats = table.stats()?;
        let mut whole = Vec::new();
        let mut sums = CheckedTable {
            table: table.name,
            files: files.len() as u64,
            hashed: 0,
            bytes: 0,
            rows: 0,
        };
        for file in files {
            sums.bytes += file.size;
            sums.rows += file.rows;
            sums.hashed += u64::from(names::read(&file.path).is_some());
            let said = stats.get(&file.path).map(String::as_str);
            let found = match paths.contains(file.path.as_str()) {
                true => self.file(table, (&file, said), there).await?,
                false => Found::Bad(MISSING.to_owned()),
            };
            let found = match found {
                Found::Whole => file,
                Found::Bad(problem) => {
                    self.fault(table.name, Some(file.path.clone()), problem);
                    self.findings.bad.push((table.name, file));
                    continue;
                }
                Found::Mislabelled(found, problem) => {
                    self.fault(table.name, Some(file.path.clone()), problem);
                    self.findings.mislabelled.push((table.name, file));
                    found
                }
            };
            if summaries.contains_key(&uses_path(&found.path)) {
                self.summary(table, &found).await?;
            }
            whole.push(found);
        }
        self.tables.push(sums);
        Ok(whole)
    }

    /// Compares the summary of use of a file with its events.
    async fn summary(&mut self, table: &Table, file: &StoredFile) -> Result<(), LakeError> {
        if let Some(problem) = uses::compare(table, file).await? {
            let path = uses_path(&file.path).to_string();
            self.fault(table.name, Some(path), problem.to_owned());
            self.findings.summaries.push(file.clone());
        }
        Ok(())
    }

    /// Looks into a file; tells what is wrong with it, or with what the table's log says of it.
    async fn file(
        &mut self,
        table: &Table,
        (file, said): (&StoredFile, Option<&str>),
        there: &mut There,
    ) -> Result<Found, LakeError> {
        let (found, batches) = look::into(table, file, said).await?;
        if table.name != TableName::Events || matches!(found, Found::Bad(_)) {
            return Ok(found);
        }
        let day = recover::day_of(&file.path).or(file.date);
        if there.day != day {
            there.day = day;
            there.ids.clear();
        }
        let mut twice = 0;
        for batch in &batches {
            twice += keys_of(batch)
                .filter(|key| !there.ids.insert(key.id))
                .count();
            let parcel = names::parcel(&file.path);
            let unnamed = parcel.is_some_and(|parcel| !there.settled.contains(&parcel));
            let names = batch
                .column_by_name("log_file")
                .map(|names| names.as_string::<i32>());
            for name in names.into_iter().flatten() {
                let id = identity(&[name.unwrap_or_default()], 0);
                *there.by_log_file.entry(id).or_default() += 1;
                if unnamed {
                    *there.unnamed.entry(id).or_default() += 1;
                }
            }
        }
        if twice > 0 {
            let problem = format!("{twice} of its events are in the table twice");
            self.fault(table.name, Some(file.path.clone()), problem);
        }
        Ok(found)
    }

    /// Compares the ledger's rows with the events that are there.
    async fn ledger(
        &mut self,
        (tables, good): (&Tables, &Good),
        there: &There,
    ) -> Result<Told, LakeError> {
        const COLUMNS: [&str; 9] = [
            "log_file",
            "etag",
            "size_bytes",
            "reason",
            "events",
            "stored",
            "duplicates",
            "rejected",
            "first_event_time",
        ];
        let (mut told, mut open) = (Told::default(), HashSet::new());
        let name = TableName::LogFiles;
        let Some(table) = tables.get(name.as_str()) else {
            return Ok(told);
        };
        let folder = table.folder();
        let files = good
            .get(name.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        // The first time for the sums, the second for the names of those that are not equal.
        for naming in [false, true] {
            for file in files {
                for batch in read_columns(&folder, file, &COLUMNS).await? {
                    let text = |i: usize, row: usize| batch.column(i).as_string::<i32>().value(row);
                    let number = |i: usize, row: usize| {
                        batch.column(i).as_primitive::<Int64Type>().value(row) as u64
                    };
                    let reasons = batch.column(3).as_string::<i32>();
                    let is_lost = |row: usize| reasons.is_valid(row) && reasons.value(row) == LOST;
                    for row in 0..batch.num_rows() {
                        let log_file = text(0, row);
                        let id = identity(&[log_file], 0);
                        let version = identity(&[log_file, text(1, row)], number(2, row));
                        if !naming {
                            *told.stored.entry(id).or_default() += number(5, row);
                            *told.rows.entry(version).or_default() += 1;
                            continue;
                        }
                        let of = |counts: &HashMap<u128, u64>| counts.get(&id).copied();
                        let stored = of(&told.stored).unwrap_or_default();
                        let mut found = of(&there.by_log_file).unwrap_or_default();
                        let unnamed = of(&there.unnamed).unwrap_or_default();
                        // Of an ingest that runs or was killed, the ledger need not count all.
                        if found > stored && found - stored <= unnamed {
                            self.unaccounted += if open.insert(id) { found - stored } else { 0 };
                            found = stored;
                        }
                        let sum = number(5, row) + number(6, row) + number(7, row);
                        // Of days that were forgotten, the ledger still tells.
                        let forgotten = there.forgotten.is_some_and(|before| {
                            let first = batch.column(8).as_primitive::<TimestampMicrosecondType>();
                            let day = first.value(row).div_euclid(86_400_000_000);
                            first.is_null(row) || day < i64::from(before.to_epoch_days())
                        });
                        let problem = if stored != found && !(forgotten && found < stored) {
                            format!("{found} events are there, the ledger counts {stored}")
                        } else if is_lost(row) {
                            LOST.to_owned()
                        } else if told.rows.get(&version).is_some_and(|rows| *rows > 1) {
                            "the ledger has it more than once".to_owned()
                        } else if number(4, row) != sum {
                            format!(
                                "{} records were read, {sum} are accounted for",
                                number(4, row)
                            )
                        } else {
                            continue;
                        };
                        let unequal = &mut self.findings.unequal;
                        if unequal.insert(log_file.to_owned(), found).is_none() {
                            self.fault(name, Some(log_file.to_owned()), problem);
                        }
                    }
                }
            }
        }
        Ok(told)
    }

    /// Finds the log files that have events but no row in the ledger.
    async fn unknown_names(
        &mut self,
        (tables, good): (&Tables, &Good),
        told: &Told,
    ) -> Result<(), LakeError> {
        let name = TableName::Events.as_str();
        let Some(table) = tables.get(name) else {
            return Ok(());
        };
        let folder = table.folder();
        for file in good.get(name).into_iter().flatten() {
            for batch in read_columns(&folder, file, &["log_file"]).await? {
                for log_file in batch.column(0).as_string::<i32>().iter().flatten() {
                    if !told.stored.contains_key(&identity(&[log_file], 0)) {
                        self.unaccounted += 1;
                        if !self.findings.unknown.contains(log_file) {
                            self.findings.unknown.insert(log_file.to_owned());
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
