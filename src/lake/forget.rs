//! Events older than their owner wants to keep.
//!
//! In: a lake and a day. Out: how much was taken out. Promise: whole days only, in one commit; the ledger keeps what it tells of
//! the log files, so that they are not read again, and the lake remembers that these events were not lost.

use super::change::Change;
use super::table::{MOST_ATTEMPTS, Table};
use super::tables::TableName;
use super::{FORGOTTEN, Lake, LakeError};
use chrono::NaiveDate;

/// The number in which the table of events keeps the day before which events were forgotten.
const FORGOTTEN_BEFORE: &str = "keytrail.forgottenBefore";

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Days.
    pub days: u64,
    /// Files.
    pub files: u64,
    /// Their bytes, which a vacuum frees.
    pub bytes: u64,
    /// Events.
    pub events: u64,
}

/// The day before which events were forgotten, if any were.
pub(super) async fn forgotten_before(events: &mut Table) -> Result<Option<NaiveDate>, LakeError> {
    let day = events.number(FORGOTTEN_BEFORE).await?;
    let day = day.and_then(|day| i32::try_from(day).ok());
    Ok(day.and_then(NaiveDate::from_epoch_days))
}

impl Lake {
    pub(super) async fn forgotten_before(&mut self) -> Result<Option<NaiveDate>, LakeError> {
        forgotten_before(&mut self.events).await
    }

    /// Takes the events of the days before `day` out of the lake, or only counts them.
    pub async fn forget(&mut self, day: NaiveDate, dry_run: bool) -> Result<Forgotten, LakeError> {
        for _ in 0..MOST_ATTEMPTS {
            let mut old = self.events.files()?;
            old.retain(|file| file.date.is_some_and(|date| date < day));
            let mut days: Vec<_> = old.iter().map(|file| file.date).collect();
            days.sort_unstable();
            days.dedup();
            let forgotten = Forgotten {
                days: days.len() as u64,
                files: old.len() as u64,
                bytes: old.iter().map(|file| file.size).sum(),
                events: old.iter().map(|file| file.rows).sum(),
            };
            if dry_run || old.is_empty() {
                return Ok(forgotten);
            }
            let before = self.events.number(FORGOTTEN).await?.unwrap_or_default();
            let latest = self
                .events
                .number(FORGOTTEN_BEFORE)
                .await?
                .unwrap_or_default();
            let day = u64::try_from(day.to_epoch_days()).unwrap_or_default();
            let change = Change {
                removes: self.events.removes(&old),
                numbers: vec![
                    (FORGOTTEN, before + forgotten.events),
                    (FORGOTTEN_BEFORE, latest.max(day)),
                ],
                ..Change::default()
            };
            if self.events.commit(change).await?.done {
                return Ok(forgotten);
            }
        }
        Err(LakeError::Contended {
            table: TableName::Events.as_str(),
            attempts: MOST_ATTEMPTS,
        })
    }
}
