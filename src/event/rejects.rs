//! The records of a log file that could not be decoded.
//!
//! In: records and their faults. Out: [`Reject`]s, and their number. Promise: all are counted, and memory is bounded: of very many
//! only the first are kept.

use super::decoded::Reject;
use super::record::RecordFault;

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

    /// Counts a record.
    pub(super) fn count_one(&mut self) {
        self.count += 1;
    }

    /// Counts the record at this position, and keeps it while there is room. One is always kept.
    pub(super) fn add(&mut self, record: u64, fault: &RecordFault, text: &str) {
        self.count += 1;
        let room = self.kept.len() < MOST && self.bytes + text.len() <= MOST_BYTES;
        if room || self.kept.is_empty() {
            self.bytes += text.len();
            self.kept.push(Reject {
                record,
                kind: fault.kind(),
                reason: fault.to_string(),
                text: text.to_owned(),
            });
        }
    }

    /// That not all are kept, if so.
    pub(super) fn remark(&self) -> Option<String> {
        let (count, kept) = (self.count, self.kept.len());
        (count > kept as u64)
            .then(|| format!("of {count} rejected records, only the first {kept} are kept"))
    }

    /// Those that were kept.
    pub(super) fn kept(self) -> Vec<Reject> {
        self.kept
    }
}
