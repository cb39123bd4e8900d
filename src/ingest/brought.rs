//! What other machines packed becomes part of the lake.
//!
//! In: the account of each parcel of a job: its data files, which are in the lake's folder already, what they hold, ledger rows and
//! rejects. Out: [`Packed`], to be committed as one. Promise: an event that the lake has, or that two parcels have, is stored
//! once and counted as a duplicate for the log file that brought it last; an account that is cut off or damaged is an error.

use super::IngestError;
use super::job::PackedRows;
use crate::event::EventKey;
use crate::lake::{Lake, Packed, ParcelId, Seen, Written};
use crate::read::{LogFileRow, RejectRow};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use tokio::sync::Mutex;

/// The account of a parcel that was packed on another machine.
#[derive(Debug, Default)]
pub struct Brought {
    pub(super) account: Account,
    /// The events of the data files, in the order of the log files.
    pub(super) events: Vec<Event>,
}

/// What of it is not an event.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) written: Vec<Written>,
    pub(super) log_files: Vec<LogFileRow>,
    pub(super) rejects: Vec<RejectRow>,
}

/// An event, and which of the log files it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) key: EventKey,
    pub(super) log_file: u32,
}

/// Bytes before an account: the lengths of its two parts.
const HEAD: usize = 16;

/// Bytes of an event.
const EVENT: usize = 28;

impl Brought {
    /// The account as it travels.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IngestError> {
        let account = serde_json::to_vec(&self.account).map_err(damaged)?;
        let events = self.events.len() * EVENT;
        let mut bytes = Vec::with_capacity(HEAD + account.len() + events);
        bytes.extend((account.len() as u64).to_le_bytes());
        bytes.extend((events as u64).to_le_bytes());
        bytes.extend(account);
        for Event { key, log_file } in &self.events {
            bytes.extend(key.time.to_le_bytes());
            bytes.extend(key.id.to_le_bytes());
            bytes.extend(log_file.to_le_bytes());
        }
        Ok(bytes)
    }

    /// The first account in these bytes, which are taken away; none if not all of it is there yet.
    fn next(bytes: &mut Vec<u8>) -> Result<Option<Self>, IngestError> {
        let length = |at: usize| {
            let length = bytes.get(at..at + 8)?.try_into().ok()?;
            usize::try_from(u64::from_le_bytes(length)).ok()
        };
        let (Some(account), Some(events)) = (length(0), length(8)) else {
            return Ok(None);
        };
        let whole = account
            .checked_add(events)
            .and_then(|sum| sum.checked_add(HEAD));
        let whole = whole.ok_or_else(|| damaged("its length"))?;
        if bytes.len() < whole {
            return Ok(None);
        }
        let brought = Self {
            account: serde_json::from_slice(&bytes[HEAD..HEAD + account]).map_err(damaged)?,
            events: bytes[HEAD + account..whole]
                .chunks(EVENT)
                .map(|event| Event::read(event).ok_or_else(|| damaged("an event")))
                .collect::<Result<_, _>>()?,
        };
        bytes.drain(..whole);
        let log_files = brought.account.log_files.len();
        if brought
            .events
            .iter()
            .any(|event| event.log_file as usize >= log_files)
        {
            return Err(damaged("an event of no log file"));
        }
        Ok(Some(brought))
    }
}

impl Event {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (log_file, _) = rest.split_first_chunk()?;
        Some(Self {
            key: EventKey {
                time: i64::from_le_bytes(*time),
                id: u128::from_le_bytes(*id),
            },
            log_file: u32::from_le_bytes(*log_file),
        })
    }
}

fn damaged(why: impl ToString) -> IngestError {
    IngestError::Account(why.to_string())
}

/// The parcels of a job as one.
pub(super) async fn packed(
    lake: &Lake,
    (id, mut rows): (ParcelId, PackedRows),
    seen: &Mutex<Seen>,
) -> Result<Packed, IngestError> {
    let mut packed = Packed {
        id,
        ..Packed::default()
    };
    let mut bytes = Vec::new();
    while let Some(more) = rows.try_next().await.map_err(IngestError::Elsewhere)? {
        bytes.extend_from_slice(&more);
        while let Some(brought) = Brought::next(&mut bytes)? {
            take_in(lake, seen, brought, &mut packed).await?;
        }
    }
    match bytes.is_empty() {
        true => Ok(packed),
        false => Err(damaged("it is cut off")),
    }
}

async fn take_in(
    lake: &Lake,
    seen: &Mutex<Seen>,
    Brought { account, events }: Brought,
    packed: &mut Packed,
) -> Result<(), IngestError> {
    let Account {
        mut written,
        mut log_files,
        rejects,
    } = account;
    let keys: Vec<EventKey> = events.iter().map(|event| event.key).collect();
    let mut known = HashSet::new();
    let mut seen = seen.lock().await;
    let fresh = seen.claim(&keys, &mut packed.pins).await?;
    for (event, fresh) in events.iter().zip(fresh) {
        if fresh {
            packed.keys.push(event.key);
            continue;
        }
        known.insert(event.key);
        let row = &mut log_files[event.log_file as usize];
        row.stored = row.stored.saturating_sub(1);
        row.duplicates += 1;
    }
    drop(seen);
    if !known.is_empty() {
        packed
            .events
            .extend(lake.leave_out(&known, &mut written).await?);
    }
    packed.written.extend(written);
    packed.log_files.extend(log_files);
    packed.rejects.extend(rejects);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_was_written_however_it_is_cut() {
        let event = |n: u32| Event {
            key: EventKey {
                time: i64::from(n) - 5,
                id: u128::MAX - u128::from(n),
            },
            log_file: 0,
        };
        let brought = |events: u32| Brought {
            account: Account {
                log_files: vec![LogFileRow {
                    log_file: format!("{events}"),
                    ..LogFileRow::default()
                }],
                ..Account::default()
            },
            events: (0..events).map(event).collect(),
        };
        let sent = [
            brought(3).to_bytes().unwrap(),
            brought(0).to_bytes().unwrap(),
        ]
        .concat();
        let mut bytes = Vec::new();
        let mut read = Vec::new();
        for byte in &sent {
            bytes.push(*byte);
            if let Some(brought) = Brought::next(&mut bytes).unwrap() {
                read.push((
                    brought.account.log_files[0].log_file.clone(),
                    brought.events,
                ));
            }
        }
        let expected = [3, 0].map(|n: u32| (n.to_string(), (0..n).map(event).collect()));
        assert_eq!(read, expected);
        assert!(bytes.is_empty());
        let mut strange = brought(1);
        strange.events[0].log_file = 1;
        assert!(Brought::next(&mut strange.to_bytes().unwrap()).is_err());
        assert!(Brought::next(&mut vec![0xff; 64]).is_err());
    }
}
