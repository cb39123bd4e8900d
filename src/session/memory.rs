//! Memory of queries.
//!
//! In: the most that a query may take, if there is a limit. Out: what sessions on the same events share. Promise: without a limit, what sorts and groups goes to temporary files once it
//! takes more than its share, so that an answer's memory does not grow with the lake; nothing fails for want of memory: what
//! cannot go to a file gets what it asks for.

use arrow::array::{AsArray, RecordBatch};
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, resources_err};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of Parquet footers that are kept for the next query of a command; those of a file of events take some 130 KB.
const FOOTERS: usize = 128 << 20;

/// What sessions on the same events share: memory, and what is known of the lake's files.
pub(super) fn runtime(max_memory: Option<usize>) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let mut runtime = RuntimeEnvBuilder::new().with_metadata_cache_limit(FOOTERS);
    runtime = runtime.with_memory_pool(match max_memory {
        // Operators that can spill share what the others leave.
        Some(bytes) => Arc::new(FairSpillPool::new(bytes)),
        None => Arc::new(Frugal::default()),
    });
    runtime.build_arc()
}

/// What all operators that can use files may take together.
const SHARED: usize = 256 << 20;

/// What each of them may take at any rate: files of a few rows each would have to be merged again and again.
const LEAST: usize = 16 << 20;

/// The account of who takes how much.
#[derive(Debug, Default)]
pub(super) struct Frugal {
    /// Operators at work that can use files.
    spillers: AtomicUsize,
    reserved: AtomicUsize,
}

impl fmt::Display for Frugal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MemoryPool for Frugal {
    fn name(&self) -> &'static str {
        "frugal"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        let spills = usize::from(consumer.can_spill());
        self.spillers.fetch_add(spills, Ordering::Relaxed);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let spills = usize::from(consumer.can_spill());
        self.spillers.fetch_sub(spills, Ordering::Relaxed);
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.reserved.fetch_add(additional, Ordering::Relaxed);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        self.reserved.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(
        &self,
        reservation: &MemoryReservation,
        additional: usize,
    ) -> Result<(), DataFusionError> {
        let held = reservation.size();
        let share = SHARED / self.spillers.load(Ordering::Relaxed).max(1);
        // Whoever holds nothing has nothing to put into a file.
        if reservation.consumer().can_spill() && held > 0 && held + additional > share.max(LEAST) {
            return resources_err!("{held} bytes are held, {additional} more would be too many");
        }
        self.grow(reservation, additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Infinite
    }
}

/// The same rows, without what they were found among: texts point into the pages of the lake's files that they were read from, and would
/// keep these in memory.
pub(super) fn compact(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| {
        let Some(texts) = column.as_string_view_opt() else {
            return Arc::clone(column);
        };
        let held: usize = texts.data_buffers().iter().map(|buffer| buffer.len()).sum();
        match held > 2 * texts.total_buffer_bytes_used() {
            true => Arc::new(texts.gc()),
            false => Arc::clone(column),
        }
    });
    RecordBatch::try_new(batch.schema(), columns.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_use_files_has_a_share_and_the_others_what_they_ask_for() {
        let pool: Arc<dyn MemoryPool> = Arc::new(Frugal::default());
        let joins = MemoryConsumer::new("join").register(&pool);
        joins.try_grow(3 * SHARED).unwrap();
        let sort = MemoryConsumer::new("sort")
            .with_can_spill(true)
            .register(&pool);
        sort.try_grow(SHARED / 2).unwrap();
        let group = MemoryConsumer::new("group")
            .with_can_spill(true)
            .register(&pool);
        // A single batch, however large, can be held.
        group.try_grow(SHARED).unwrap();
        assert!(group.try_grow(1).is_err());
        assert!(sort.try_grow(1).is_err());
        assert_eq!(pool.reserved(), 3 * SHARED + SHARED / 2 + SHARED);
        drop(group);
        sort.try_grow(1).unwrap();
        drop((sort, joins));
        assert_eq!(pool.reserved(), 0);
    }
}
