//! Memory of queries.
//!
//! In: the most that a query may take, if there is a limit. Out: what sessions on the same events share. Promise: without a limit, what sorts and groups goes to temporary files once it
//! takes more than its share, so that an answer's memory does not grow with the lake; nothing fails for want of memory: what
//! cannot go to a file gets what it asks for.

use super::spill::Spills;
use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, exec_err, resources_err};
use datafusion::execution::disk_manager::DiskManagerBuilder;
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
    let spills = Arc::new(Spills::default());
    RuntimeEnvBuilder::new()
        .with_metadata_cache_limit(FOOTERS)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_temp_file_factory(spills))
        .with_memory_pool(match max_memory {
            // Operators that can spill share what the others leave.
            Some(bytes) => Arc::new(FairSpillPool::new(bytes)),
            None => Arc::new(Frugal::default()),
        })
        .build_arc()
}

/// The most that one column of a batch of rows may take that is computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most(u64);

impl Most {
    /// Where a query has more memory than that, or no limit. Twice as much has no room in a column of texts.
    const AT_ALL: u64 = 1 << 30;

    /// For what computes with this memory.
    pub(super) fn of(runtime: &RuntimeEnv) -> Self {
        Self(match runtime.memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => (bytes as u64 / 4).min(Self::AT_ALL),
            _ => Self::AT_ALL,
        })
    }

    /// Refuses what would take more.
    pub(super) fn check(self, what: &str, taken: u128) -> Result<(), DataFusionError> {
        let Self(most) = self;
        match taken <= u128::from(most) {
            true => Ok(()),
            // With more memory it would be let through.
            false if most < Self::AT_ALL => {
                resources_err!("{what} would take {taken} bytes of memory, of at most {most}")
            }
            false => exec_err!(
                "{what} would take {taken} bytes of memory for a batch of rows, of at most {most}: make the values shorter, or ask for fewer"
            ),
        }
    }
}

impl Default for Most {
    fn default() -> Self {
        Self(Self::AT_ALL)
    }
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

/// Rows of a gathered batch.
const ROWS: usize = 8_192;

/// Rows that are kept, without what they were found among: a batch of three rows has buffers for thousands, and its texts point into
/// the pages of the lake's files that they were read from, and would keep these in memory.
#[derive(Default)]
pub(super) struct Gathered {
    batches: Vec<RecordBatch>,
    open: Option<BatchCoalescer>,
}

impl Gathered {
    /// Adds rows.
    pub(super) fn add(&mut self, batch: RecordBatch) -> Result<(), ArrowError> {
        let new = || BatchCoalescer::new(batch.schema(), ROWS);
        let open = self.open.get_or_insert_with(new);
        open.push_batch(batch)?;
        self.batches
            .extend(std::iter::from_fn(|| open.next_completed_batch()));
        Ok(())
    }

    /// All rows.
    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>, ArrowError> {
        if let Some(mut open) = self.open {
            open.finish_buffered_batch()?;
            self.batches
                .extend(std::iter::from_fn(|| open.next_completed_batch()));
        }
        Ok(self.batches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::Int64Type;

    /// What a scan that filters hands out: a few rows with buffers for thousands, whose texts lie among megabytes of others.
    #[test]
    fn rows_that_are_kept_take_what_they_need() {
        let others = "x".repeat(1 << 20);
        let batch = |n: i64| {
            let text = format!("a text that is not inlined, number {n}");
            let texts = StringViewArray::from(vec![others.as_str(), text.as_str()]);
            let mut numbers = Vec::with_capacity(8_192);
            numbers.extend([0, n]);
            let texts: ArrayRef = Arc::new(texts);
            let numbers: ArrayRef = Arc::new(Int64Array::from(numbers));
            let batch = RecordBatch::try_from_iter([("text", texts), ("number", numbers)]);
            batch.unwrap().slice(1, 1)
        };
        let mut gathered = Gathered::default();
        for n in 0..10_000 {
            gathered.add(batch(n)).unwrap();
        }
        let batches = gathered.finish().unwrap();
        let rows: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(rows, [8_192, 1_808]);
        let texts = batches[1].column(0).as_string_view();
        assert_eq!(texts.value(7), "a text that is not inlined, number 8199");
        let numbers = batches[1].column(1).as_primitive::<Int64Type>();
        assert_eq!(numbers.value(7), 8_199);
        let held: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
        assert!(held < 4 << 20, "{held}");
        assert!(Gathered::default().finish().unwrap().is_empty());
    }

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
