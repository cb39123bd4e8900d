//! Which events the lake has.
//!
//! In: keys of events. Out: whether an event is new. Promise: exact, across runs and machines, in bounded memory: copies of
//! an event share its time, so only the hours at work are held, and an hour that was let go is read again from the lake
//! when an event of it comes up.

use super::LakeError;
use super::change::{Others, StoredFile};
use super::ledger::identity;
use super::names::{self, ParcelId};
use super::reader::{Folder, read_columns};
use crate::event::EventKey;
use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use std::collections::{HashMap, HashSet};

/// Microseconds of the span of time whose events are held and let go together.
const HOUR: i64 = 3_600_000_000;

/// Events held at most, beyond those whose commit is under way. One takes about 30 bytes.
const MOST_HELD: usize = 8_000_000;

type Ids = HashSet<u128>;

/// The events of an hour.
#[derive(Debug, Default)]
struct Hour {
    ids: Ids,
    /// Parcels that claimed events of this hour and are not committed yet: the lake could not tell what they hold.
    pins: usize,
    /// When it was last asked for, in number of questions.
    used: u64,
}

/// What a parcel keeps in memory and has to look at until it is committed.
#[derive(Debug, Default)]
pub struct Pins {
    /// The hours it claimed events of.
    hours: HashSet<i64>,
    /// How many of the files of other writers it knew when it claimed its first event, or when it last looked.
    others: Option<usize>,
}

/// The events of the lake that matter to the parcels at work.
#[derive(Debug)]
pub struct Seen {
    folder: Folder,
    files: Vec<StoredFile>,
    /// Those of the files that other writers added since this one began.
    others: Vec<StoredFile>,
    hours: HashMap<i64, Hour>,
    /// The log files whose events other writers have stored: ingests that were killed before they could write the ledger,
    /// and those that run at the same time. What the ledger counts for these has to be compared with the events.
    shared: HashSet<u128>,
    held: usize,
    clock: u64,
    most_held: usize,
}

impl Seen {
    /// Of the files, those of a parcel that is not `settled` are not in the ledger yet.
    pub(crate) async fn new(
        folder: Folder,
        files: Vec<StoredFile>,
        settled: HashSet<ParcelId>,
    ) -> Result<Self, LakeError> {
        let mut seen = Self {
            folder,
            files,
            others: Vec::new(),
            hours: HashMap::new(),
            shared: HashSet::new(),
            held: 0,
            clock: 0,
            most_held: MOST_HELD,
        };
        for file in &seen.files {
            if names::parcel(&file.path).is_some_and(|parcel| !settled.contains(&parcel)) {
                seen.shared.extend(log_files_in(&seen.folder, file).await?);
            }
        }
        Ok(seen)
    }

    /// Log files whose events other writers have stored, by the identity of their names.
    pub(crate) fn shared(&self) -> &HashSet<u128> {
        &self.shared
    }

    /// For each event, whether it is the first of its kind. The hours it falls into stay in memory until `pins` are
    /// released.
    pub(crate) async fn claim(
        &mut self,
        keys: &[EventKey],
        pins: &mut Pins,
    ) -> Result<Vec<bool>, LakeError> {
        self.clock += 1;
        pins.others.get_or_insert(self.others.len());
        let mut hours: Vec<i64> = keys.iter().map(|key| key.time.div_euclid(HOUR)).collect();
        hours.sort_unstable();
        hours.dedup();
        self.load(&hours).await?;
        for hour in hours {
            if let Some(held) = self.hours.get_mut(&hour) {
                held.used = self.clock;
                held.pins += usize::from(pins.hours.insert(hour));
            }
        }
        let fresh = keys.iter().map(|key| {
            let hour = self.hours.entry(key.time.div_euclid(HOUR)).or_default();
            hour.ids.insert(key.id)
        });
        let fresh: Vec<bool> = fresh.collect();
        self.held += fresh.iter().filter(|fresh| **fresh).count();
        Ok(fresh)
    }

    /// The parcel is committed, in these files: its hours may be let go.
    pub(crate) fn release(&mut self, pins: &Pins, files: Vec<StoredFile>) {
        self.files.extend(files);
        for hour in &pins.hours {
            if let Some(hour) = self.hours.get_mut(hour) {
                hour.pins -= 1;
            }
        }
        while self.held > self.most_held {
            let idle = self.hours.iter().filter(|(_, hour)| hour.pins == 0);
            let Some(oldest) = idle
                .min_by_key(|(_, hour)| hour.used)
                .map(|(hour, _)| *hour)
            else {
                break;
            };
            self.held -= self.hours.remove(&oldest).map_or(0, |hour| hour.ids.len());
        }
    }

    /// Other writers added and removed files.
    pub(crate) async fn others(&mut self, others: Others) -> Result<(), LakeError> {
        let Others { added, removed } = others;
        for file in added {
            // What is not a parcel's was in other files before.
            if names::parcel(&file.path).is_some() {
                for key in keys_in(&self.folder, &file).await? {
                    if let Some(hour) = self.hours.get_mut(&key.time.div_euclid(HOUR)) {
                        self.held += usize::from(hour.ids.insert(key.id));
                    }
                }
                self.shared.extend(log_files_in(&self.folder, &file).await?);
                self.others.push(file.clone());
            }
            self.files.push(file);
        }
        self.files.retain(|file| !removed.contains(&file.path));
        Ok(())
    }

    /// Which of a parcel's events other writers have stored since it claimed them, or since it last asked: it may have waited
    /// for its turn while a parcel before it met the other writer.
    pub(crate) async fn theirs(
        &self,
        keys: &[EventKey],
        pins: &mut Pins,
    ) -> Result<HashSet<EventKey>, LakeError> {
        let known = pins.others.replace(self.others.len());
        let files = &self.others[known.unwrap_or_default()..];
        let mut theirs = HashSet::new();
        if files.is_empty() {
            return Ok(theirs);
        }
        let ours: HashSet<EventKey> = keys.iter().copied().collect();
        for file in files {
            let stored = keys_in(&self.folder, file).await?.into_iter();
            theirs.extend(stored.filter(|key| ours.contains(key)));
        }
        Ok(theirs)
    }

    /// Reads what the lake has of these hours, as far as they are not held already.
    async fn load(&mut self, hours: &[i64]) -> Result<(), LakeError> {
        let missing: Vec<i64> = hours
            .iter()
            .copied()
            .filter(|hour| !self.hours.contains_key(hour))
            .collect();
        let span = |hour: i64| (hour * HOUR, (hour + 1) * HOUR);
        let mut loaded: HashMap<i64, Ids> =
            missing.iter().map(|hour| (*hour, Ids::default())).collect();
        for file in &self.files {
            let overlaps =
                |hour: &i64| file.times.0 < span(*hour).1 && file.times.1 >= span(*hour).0;
            if !missing.iter().any(overlaps) {
                continue;
            }
            for key in keys_in(&self.folder, file).await? {
                if let Some(ids) = loaded.get_mut(&key.time.div_euclid(HOUR)) {
                    ids.insert(key.id);
                }
            }
        }
        for (hour, ids) in loaded {
            self.held += ids.len();
            self.hours.insert(
                hour,
                Hour {
                    ids,
                    pins: 0,
                    used: self.clock,
                },
            );
        }
        Ok(())
    }
}

/// The keys of all events in a file.
pub(super) async fn keys_in(
    folder: &Folder,
    file: &StoredFile,
) -> Result<Vec<EventKey>, LakeError> {
    let batches = read_columns(folder, file, &["event_time", "event_id", "content_sha256"]).await?;
    let mut keys = Vec::new();
    for batch in &batches {
        let column = |name: &str| {
            let missing = || {
                arrow::error::ArrowError::SchemaError(format!("{}: no column {name}", file.path))
            };
            batch.column_by_name(name).ok_or_else(missing)
        };
        let times = column("event_time")?.as_primitive::<TimestampMicrosecondType>();
        let (ids, shas) = (
            column("event_id")?.as_string::<i32>(),
            column("content_sha256")?.as_string::<i32>(),
        );
        let rows = times.values().iter().zip(ids).zip(shas);
        keys.extend(
            rows.map(|((time, id), sha)| EventKey::new(*time, id.unwrap_or_default(), sha)),
        );
    }
    Ok(keys)
}

/// The log files that brought the events of a file, by the identity of their names.
async fn log_files_in(folder: &Folder, file: &StoredFile) -> Result<HashSet<u128>, LakeError> {
    let mut log_files = HashSet::new();
    for batch in read_columns(folder, file, &["log_file"]).await? {
        let names: HashSet<&str> = batch
            .column(0)
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect();
        log_files.extend(names.into_iter().map(|name| identity(&[name], 0)));
    }
    Ok(log_files)
}
