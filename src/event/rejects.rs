//! The records of a log file that could not be decoded.
//!
//! In: records and their faults. Out: [`Reject`]s, and their number. Promise: all are counted, and memory is bounded: of very many
//! only the first are kept.

use super::decoded::Reject;
use std::borrow::Cow;

/// Rejected records of a log file that are kept; more are only counted.
const MOST: usize = 10_000;

/// Bytes of them that are kept.
const MOST_BYTES: usize = 16 << 20;

/// A log file that has no event among so many records has none: AWS's hold some ten thousand records.
const MOST_WITHOUT_EVENTS: u64 = 1_000_000;

/// Rejected records.
#[derive(Debug, Default)]
pub(super) struct Rejects {
    count: u64,
    kept: Vec<Reject>,
    bytes: usize,
}

impl Rejects {
    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether all of so many records are rejected, and there is no point in reading on.
    pub(super) fn are_hopeless(&self, records: u64) -> bool {
        self.count == records && records >= MOST_WITHOUT_EVENTS
    }

    /// Counts a record, and keeps it while there is room. One is always kept.
    pub(super) fn add(&mut self, reject: impl FnOnce() -> Reject, length: usize) {
        self.count += 1;
        let room = self.kept.len() < MOST && self.bytes + length <= MOST_BYTES;
        if room || self.kept.is_empty() {
            self.bytes += length;
            self.kept.push(reject());
        }
    }

    /// How many there are, and how many of them are kept.
    pub(super) fn mark(&self) -> (u64, usize) {
        (self.count, self.kept.len())
    }

    /// What was rejected since that mark, as far as it is kept.
    pub(super) fn since(&self, (_, kept): (u64, usize)) -> impl Iterator<Item = &str> {
        let since = self.kept.get(kept..).unwrap_or_default();
        since.iter().map(|reject| reject.text.trim_start())
    }

    /// Forgets what was rejected since that mark.
    pub(super) fn back_to(&mut self, (count, kept): (u64, usize)) {
        self.count = count;
        self.kept.truncate(kept);
        self.bytes = self.kept.iter().map(|reject| reject.text.len()).sum();
    }

    /// Why the first was rejected.
    pub(super) fn first(&self) -> Option<&str> {
        self.kept.first().map(|reject| reject.reason.as_str())
    }

    /// That not all are kept, if so.
    pub(super) fn remark(&self) -> Option<String> {
        let (count, kept) = (self.count, self.kept.len());
        (count > kept as u64)
            .then(|| format!("only the first {kept} of {count} rejected records are kept"))
    }

    /// Shows only so much of each text.
    pub(super) fn leave_out(&mut self, shown: &dyn Fn(&str) -> Cow<'_, str>) {
        for reject in &mut self.kept {
            if let Cow::Owned(safe) = shown(&reject.text) {
                reject.text = safe;
            }
        }
    }

    /// Those that were kept.
    pub(super) fn kept(self) -> Vec<Reject> {
        self.kept
    }
}
