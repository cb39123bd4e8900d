//! How a parcel becomes part of the lake.
//!
//! In: the data files of a parcel, its rejects and its ledger rows. Out: three commits: events, rejects, ledger. Promise:
//! killed between any two of them, the next run reads the parcel's log files again, finds the events there already, and
//! writes the missing ledger rows. Events that another ingest has committed since we
//! looked are taken out of ours first.

use super::change::{Change, Committed, StoredFile};
use super::names::{ParcelId, Writer};
use super::seen::{Pins, Seen};
use super::table::{MOST_ATTEMPTS, Table};
use super::writer::DataFile;
use super::written::{Written, take_back};
use super::{Lake, LakeError};
use crate::event::EventKey;
use crate::read::{LogFileRow, RejectRow};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use chrono::Utc;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::{HashMap, HashSet};
use std::iter;
use tokio::sync::Mutex;

/// A parcel, ready to be committed.
#[derive(Debug, Default)]
pub struct Packed {
    /// Its name, by which the ledger tells that it is accounted for.
    pub id: ParcelId,
    /// Events, as files of one day each.
    pub events: Vec<DataFile>,
    /// More of them, in files that are written already.
    pub written: Vec<Written>,
    /// The keys of those events.
    pub keys: Vec<EventKey>,
    /// What could not be decoded.
    pub rejects: Vec<RejectRow>,
    /// One row per log file.
    pub log_files: Vec<LogFileRow>,
    /// The hours whose events must stay in memory until the commit.
    pub pins: Pins,
}

impl Lake {
    /// Commits a parcel; gives its ledger rows as they came to be, and the bytes written.
    pub async fn commit(
        &mut self,
        packed: Packed,
        seen: &Mutex<Seen>,
    ) -> Result<(Vec<LogFileRow>, u64), LakeError> {
        let now = Utc::now().timestamp_micros();
        let Packed {
            id,
            events,
            written,
            keys,
            rejects,
            mut log_files,
            mut pins,
        } = packed;
        let mut bytes = 0;
        let parcel = Rows {
            id,
            keys: &keys,
            pins: &mut pins,
            log_files: &mut log_files,
        };
        let stored = commit_events(&mut self.events, (events, written, parcel), seen).await?;
        bytes += stored.iter().map(|file| file.size).sum::<u64>();
        bytes += self.commit_rejects(&rejects, (id, now)).await?;
        bytes += self.commit_log_files(&log_files, (id, now), seen).await?;
        let mut seen = seen.lock().await;
        seen.release(&pins, stored);
        Ok((log_files, bytes))
    }
}

/// What of a parcel matters to the commit of its events.
struct Rows<'a> {
    id: ParcelId,
    keys: &'a [EventKey],
    pins: &'a mut Pins,
    log_files: &'a mut [LogFileRow],
}

async fn commit_events(
    table: &mut Table,
    (mut files, mut written, parcel): (Vec<DataFile>, Vec<Written>, Rows<'_>),
    seen: &Mutex<Seen>,
) -> Result<Vec<StoredFile>, LakeError> {
    for _ in 0..MOST_ATTEMPTS {
        let theirs = seen.lock().await.theirs(parcel.keys, parcel.pins).await?;
        if !theirs.is_empty() {
            let times = theirs.iter().map(|key| key.time).collect();
            let folder = table.delta().object_store();
            files.extend(take_back(&folder, &mut written, &times).await?);
            files = without(files, &theirs, parcel.log_files)?;
        }
        if files.is_empty() && written.is_empty() {
            return Ok(Vec::new());
        }
        let mut ours = Vec::with_capacity(files.len());
        for file in &files {
            ours.push(table.put(file, Writer::Parcel(parcel.id)).await?);
        }
        let adds = written.iter().map(Written::add).chain(ours.clone());
        let Committed { done, others } = table.commit(Change::add(adds.collect())).await?;
        seen.lock().await.others(others).await?;
        if done {
            let files = files.iter().zip(&ours);
            let files = files.map(|(file, add)| StoredFile::new(add, file));
            return Ok(written.iter().map(Written::stored).chain(files).collect());
        }
        // What was written is not in the table and will not be; what others wrote may still be.
        table.discard(&ours).await?;
    }
    Err(LakeError::Contended {
        table: table.name.as_str(),
        attempts: MOST_ATTEMPTS,
    })
}

/// The files without events that another ingest has stored meanwhile; the rows of their log files count those as duplicates.
fn without(
    files: Vec<DataFile>,
    theirs: &HashSet<EventKey>,
    log_files: &mut [LogFileRow],
) -> Result<Vec<DataFile>, LakeError> {
    let rows = log_files.iter().enumerate();
    let rows = rows.map(|(at, row)| (row.log_file.clone(), at));
    let rows: HashMap<String, usize> = rows.collect();
    let mut kept = Vec::new();
    for file in files {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone())?;
        let schema = SchemaRef::clone(reader.schema());
        let batches = reader.build()?.collect::<Result<Vec<_>, _>>()?;
        let batch = concat_batches(&schema, &batches)?;
        let keys: Vec<EventKey> = keys_of(&batch).collect();
        let ours: Vec<bool> = keys.iter().map(|key| !theirs.contains(key)).collect();
        let names = batch
            .column_by_name("log_file")
            .map(|column| column.as_string::<i32>());
        for (row, _) in ours.iter().enumerate().filter(|(_, ours)| !**ours) {
            let place = names.and_then(|names| rows.get(names.value(row)));
            if let Some(row) = place.and_then(|place| log_files.get_mut(*place)) {
                row.stored -= 1;
                row.duplicates += 1;
            }
        }
        let batch = filter_record_batch(&batch, &BooleanArray::from(ours))?;
        if batch.num_rows() > 0 {
            kept.push(DataFile::encode(
                file.table,
                file.date,
                iter::once(Ok::<_, LakeError>(batch)),
            )?);
        }
    }
    Ok(kept)
}

/// The keys of events that were read with the columns these need.
pub(super) fn keys_of(batch: &RecordBatch) -> impl Iterator<Item = EventKey> + '_ {
    let text = |name: &str| {
        batch
            .column_by_name(name)
            .map(|column| column.as_string::<i32>())
    };
    let times = batch
        .column_by_name("event_time")
        .map(|column| column.as_primitive::<TimestampMicrosecondType>());
    let (ids, shas) = (text("event_id"), text("content_sha256"));
    (0..batch.num_rows()).filter_map(move |row| {
        let sha = shas
            .filter(|shas| arrow::array::Array::is_valid(shas, row))
            .map(|shas| shas.value(row));
        Some(EventKey::new(times?.value(row), ids?.value(row), sha))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Decoder, EventBuilder, Field};
    use crate::lake::{Location, TableName};
    use crate::source::LogFile;
    use std::ops::Range;

    /// The events with these numbers, claimed and ready to be committed.
    async fn packed(events: Range<u32>, seen: &Mutex<Seen>) -> Packed {
        packed_of("a.json", events, seen).await
    }

    async fn packed_of(log_file: &str, events: Range<u32>, seen: &Mutex<Seen>) -> Packed {
        let records: Vec<String> = events
            .map(|n| format!(r#"{{"eventVersion":"1.11","eventName":"GetUser","eventSource":"iam.amazonaws.com","eventTime":"2025-03-01T00:00:{n:02}Z","eventID":"{n:08}-0000-4000-8000-000000000000"}}"#))
            .collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        let mut builder = EventBuilder::new(Field::all());
        let decoded = Decoder::new(1 << 20).decode(
            text.as_bytes(),
            log_file,
            (&mut builder, &mut |_| {
                unreachable!("few events are packed at once")
            }),
        );
        let listed = LogFile::new(log_file.to_owned(), 0, String::new(), None);
        let mut row = LogFileRow::listed(&listed);
        assert!(row.decoded(decoded).is_empty());
        assert!(row.events > 0, "{row:?}");
        let (batch, keys) = builder.finish().unwrap();
        let mut pins = Pins::default();
        let fresh = seen.lock().await.claim(&keys, &mut pins).await.unwrap();
        row.stored = fresh.iter().filter(|fresh| **fresh).count() as u64;
        row.duplicates = row.events - row.stored;
        let batch = filter_record_batch(&batch, &BooleanArray::from(fresh.clone())).unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2025, 3, 1);
        let batches = iter::once(Ok::<_, LakeError>(batch));
        Packed {
            events: vec![DataFile::encode(TableName::Events, day, batches).unwrap()],
            keys: keys
                .into_iter()
                .zip(fresh)
                .filter(|(_, fresh)| *fresh)
                .map(|(key, _)| key)
                .collect(),
            log_files: vec![row],
            pins,
            ..Packed::default()
        }
    }

    /// A lake as an ingest has opened it.
    async fn ingest(place: &Location) -> (Lake, Mutex<Seen>) {
        let lake = Lake::open_or_create(place).await.unwrap();
        let seen = lake.seen().await.unwrap();
        (lake, Mutex::new(seen))
    }

    /// Commits; gives the events stored and the duplicates.
    async fn commit(lake: &mut Lake, packed: Packed, seen: &Mutex<Seen>) -> (u64, u64) {
        let (rows, _) = lake.commit(packed, seen).await.unwrap();
        (rows[0].stored, rows[0].duplicates)
    }

    /// Two parcels wait for their turn when another ingest commits events of both: the first meets the other's commit,
    /// the second no longer does.
    #[tokio::test]
    async fn a_parcel_that_waited_gives_up_what_others_stored_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let place = Location::new(folder.path().to_str().unwrap(), None).unwrap();
        let (mut ours, our_seen) = ingest(&place).await;
        let (mut theirs, their_seen) = ingest(&place).await;
        let first = packed(0..10, &our_seen).await;
        let second = packed(10..20, &our_seen).await;
        let other = packed(5..18, &their_seen).await;

        assert_eq!(commit(&mut theirs, other, &their_seen).await, (13, 0));
        assert_eq!(commit(&mut ours, first, &our_seen).await, (5, 5));
        assert_eq!(commit(&mut ours, second, &our_seen).await, (2, 8));
        // What comes later is known to be there before it is packed.
        let third = packed(0..21, &our_seen).await;
        assert_eq!(third.log_files[0].duplicates, 20);
        assert_eq!(commit(&mut ours, third, &our_seen).await, (1, 20));
        let rows: u64 = ours
            .events
            .files()
            .unwrap()
            .iter()
            .map(|file| file.rows)
            .sum();
        assert_eq!(rows, 21);
    }

    /// An ingest of two log files, `g` and `f`, in a parcel each, some of whose events are the same.
    struct Ingest {
        lake: Lake,
        seen: Mutex<Seen>,
        /// In the order of their commits.
        parcels: Vec<Packed>,
        /// How many steps are done: each parcel takes two, its events and the ledger.
        done: usize,
    }

    impl Ingest {
        async fn packed(place: &Location, log_files: &[(&str, Range<u32>)], turned: bool) -> Self {
            let (mut lake, seen) = ingest(place).await;
            lake.known_log_files(false).await.unwrap();
            lake.settle(&seen).await.unwrap();
            let mut parcels = Vec::new();
            for (name, events) in log_files {
                parcels.push(packed_of(name, events.clone(), &seen).await);
            }
            if turned {
                parcels.reverse();
            }
            Self {
                lake,
                seen,
                parcels,
                done: 0,
            }
        }

        fn steps(&self) -> usize {
            2 * self.parcels.len()
        }

        async fn step(&mut self) {
            let Self {
                lake,
                seen,
                parcels,
                done,
            } = self;
            let parcel = &mut parcels[*done / 2];
            if *done % 2 == 0 {
                let rows = Rows {
                    id: parcel.id,
                    keys: &parcel.keys,
                    pins: &mut parcel.pins,
                    log_files: &mut parcel.log_files,
                };
                let events = std::mem::take(&mut parcel.events);
                commit_events(&mut lake.events, (events, Vec::new(), rows), seen)
                    .await
                    .unwrap();
            } else {
                let rows = &parcel.log_files;
                lake.commit_log_files(rows, (parcel.id, 0), seen)
                    .await
                    .unwrap();
            }
            *done += 1;
        }
    }

    /// All orders of `ours` steps of one and `theirs` of another; true is a step of the first.
    fn orders(ours: usize, theirs: usize) -> Vec<Vec<bool>> {
        let all = 0_u32..1 << (ours + theirs);
        let fitting = all.filter(|bits| bits.count_ones() as usize == ours);
        let order = |bits: u32| (0..ours + theirs).map(|at| bits >> at & 1 == 1).collect();
        fitting.map(order).collect()
    }

    /// What the ledger of a lake says: rows, records read, events stored.
    async fn ledger(place: &Location) -> (usize, u64, u64) {
        let lake = Lake::open(place).await.unwrap();
        let folder = lake.log_files.folder();
        let mut sums = (0, 0, 0);
        for file in lake.log_files.files().unwrap() {
            let columns = ["events", "stored", "duplicates"];
            for batch in crate::lake::reader::read_columns(&folder, &file, &columns)
                .await
                .unwrap()
            {
                let numbers = |column: usize| {
                    let column = batch.column(column);
                    let numbers = column.as_primitive::<arrow::datatypes::Int64Type>();
                    numbers.values().to_vec()
                };
                sums.0 += batch.num_rows();
                for (events, (stored, duplicates)) in
                    iter::zip(numbers(0), iter::zip(numbers(1), numbers(2)))
                {
                    assert_eq!(events, stored + duplicates);
                    sums.1 += events as u64;
                    sums.2 += stored as u64;
                }
            }
        }
        sums
    }

    async fn assert_right(place: &Location, order: &[bool]) {
        let checked = crate::lake::check(place).await.unwrap();
        assert_eq!(checked.faults, [], "{order:?}");
        assert_eq!(checked.unaccounted, 0, "{order:?}");
        // g has 10 records, f has 10, and 5 of each are the same.
        assert_eq!(ledger(place).await, (2, 20, 15), "{order:?}");
    }

    const G_AND_F: [(&str, Range<u32>); 2] = [("g.json", 0..10), ("f.json", 5..15)];

    /// Two ingests meet in parcels that are not those of the same log files, in every order of their commits: the ledger counts
    /// for each log file what is stored by its name.
    #[tokio::test]
    async fn the_ledger_counts_what_is_there_in_every_order_of_commits() {
        for turned in [false, true] {
            for order in orders(4, 2) {
                let folder = tempfile::tempdir().unwrap();
                let place = Location::new(folder.path().to_str().unwrap(), None).unwrap();
                let mut ours = Ingest::packed(&place, &G_AND_F, turned).await;
                let mut theirs = Ingest::packed(&place, &G_AND_F[1..], false).await;
                for is_ours in &order {
                    let next = if *is_ours { &mut ours } else { &mut theirs };
                    next.step().await;
                }
                assert_eq!((ours.done, theirs.done), (ours.steps(), theirs.steps()));
                assert_right(&place, &order).await;
            }
        }
    }

    /// One of two ingests is killed before it can write the ledger, at every point of the other's way: the next one makes the
    /// ledger right, whether it reads the log file again or not.
    #[tokio::test]
    async fn the_ledger_counts_what_a_killed_ingest_stored() {
        for turned in [false, true] {
            for order in orders(4, 1) {
                let folder = tempfile::tempdir().unwrap();
                let place = Location::new(folder.path().to_str().unwrap(), None).unwrap();
                let mut ours = Ingest::packed(&place, &G_AND_F, turned).await;
                let mut killed = Ingest::packed(&place, &G_AND_F[1..], false).await;
                for is_ours in &order {
                    let next = if *is_ours { &mut ours } else { &mut killed };
                    next.step().await;
                }
                let checked = crate::lake::check(&place).await.unwrap();
                assert_eq!(checked.faults, [], "{order:?}");
                Ingest::packed(&place, &[], false).await;
                assert_right(&place, &order).await;
            }
        }
    }
}
