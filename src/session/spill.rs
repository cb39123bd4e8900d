//! What queries put into files when memory is short.
//!
//! In: bytes that the engine writes, file by file. Out: the same bytes. Promise: all of it is in one temporary file that has no
//! name: it is gone with the process, however that ends, and any number of the engine's files needs one handle. What was read is
//! written over, and the file is let go when nothing is in it.

use super::raw::locked;
use super::spool::ReadFault;
use bytes::Bytes;
use datafusion::common::DataFusionError;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::{SpillFile, SpillWriter, TempFileFactory};
use datafusion::prelude::SessionConfig;
use futures::stream::{BoxStream, StreamExt as _, try_unfold};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::sync::{Arc, Mutex};

/// Bytes of a part of the file: some batches of rows, so that few writes do, and little is left empty.
const PART: usize = 256 << 10;

/// Settings by which each batch that is repartitioned through a file has its own. Of two files that are being written, the engine
/// reads one, and may wait for it for ever while what it needs is in the other
/// (<https://github.com/apache/datafusion/issues/24883>).
pub(super) fn unshared(config: SessionConfig) -> SessionConfig {
    config.set_usize("datafusion.execution.max_spill_file_size_bytes", 1)
}

/// The temporary file.
#[derive(Debug, Default)]
pub(super) struct Spills(Arc<Mutex<Space>>);

impl TempFileFactory for Spills {
    fn create_temp_file(&self, _: &str) -> Result<Arc<dyn SpillFile>, DataFusionError> {
        Ok(Arc::new(Spilled(Arc::new(Stored {
            space: Arc::clone(&self.0),
            parts: Mutex::default(),
        }))))
    }
}

#[derive(Debug, Default)]
struct Space {
    file: Option<File>,
    /// Parts that were ever written.
    parts: u64,
    /// Those of them that may be written over.
    free: Vec<u64>,
}

impl Space {
    /// Writes into a part from there on; into one that is free if none is named.
    fn put(&mut self, part: Option<u64>, from: usize, bytes: &[u8]) -> io::Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let free = self.free.last().copied();
        let place = part.or(free).unwrap_or(self.parts);
        file.seek(SeekFrom::Start(place * PART as u64 + from as u64))?;
        file.write_all(bytes)?;
        if part.is_none() && self.free.pop().is_none() {
            self.parts += 1;
        }
        Ok(place)
    }

    fn get(&mut self, part: u64, from: usize, bytes: &mut [u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(part * PART as u64 + from as u64))?;
        file.read_exact(bytes)
    }
}

/// One of the engine's files.
#[derive(Debug)]
struct Spilled(Arc<Stored>);

#[derive(Debug)]
struct Stored {
    space: Arc<Mutex<Space>>,
    /// Its parts in the space, and the bytes that each has.
    parts: Mutex<Vec<(u64, usize)>>,
}

impl Stored {
    /// Writes into the part of this number, from there on.
    fn put(&self, (number, from): (usize, usize), bytes: &[u8]) -> io::Result<()> {
        let part = locked(&self.parts).get(number).map(|(part, _)| *part);
        let part = locked(&self.space).put(part, from, bytes)?;
        let mut parts = locked(&self.parts);
        parts.truncate(number);
        parts.push((part, from + bytes.len()));
        Ok(())
    }

    /// The bytes from there to the end of their part, and where the next ones are; none at the end.
    fn get(&self, (number, from): (usize, usize)) -> io::Result<Option<(Bytes, (usize, usize))>> {
        let (number, from) = match from {
            PART => (number + 1, 0),
            from => (number, from),
        };
        let found = locked(&self.parts).get(number).copied();
        let Some((part, length)) = found.filter(|(_, length)| from < *length) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length - from];
        locked(&self.space).get(part, from, &mut bytes)?;
        Ok(Some((bytes.into(), (number, length))))
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let mut space = locked(&self.space);
        let parts = locked(&self.parts);
        space.free.extend(parts.iter().map(|(part, _)| *part));
        if space.free.len() as u64 == space.parts {
            *space = Space::default();
        }
    }
}

impl SpillFile for Spilled {
    fn size(&self) -> Option<u64> {
        let parts = locked(&self.0.parts);
        Some(parts.iter().map(|(_, length)| *length as u64).sum())
    }

    fn read_stream(
        &self,
    ) -> Result<BoxStream<'static, Result<Bytes, DataFusionError>>, DataFusionError> {
        let stored = Arc::clone(&self.0);
        let bytes = try_unfold((0, 0), move |from| {
            let stored = Arc::clone(&stored);
            async move {
                let read = SpawnedTask::spawn_blocking(move || stored.get(from)).join();
                match read.await {
                    Ok(read) => read.map_err(|error| DataFusionError::IoError(told(error))),
                    Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error))),
                }
            }
        });
        Ok(bytes.boxed())
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>, DataFusionError> {
        Ok(Box::new(Writer {
            stored: Arc::clone(&self.0),
            number: 0,
            bytes: Vec::with_capacity(PART),
            written: 0,
        }))
    }
}

/// An error of the temporary file, told from others by whoever tells people.
fn told(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), ReadFault::from(error))
}

struct Writer {
    stored: Arc<Stored>,
    /// The part that is being filled.
    number: usize,
    bytes: Vec<u8>,
    /// How many of them are in the file.
    written: usize,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() == PART {
            self.flush()?;
            self.number += 1;
            self.bytes.clear();
            self.written = 0;
        }
        let taken = bytes.len().min(PART - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let new = &self.bytes[self.written..];
        if !new.is_empty() {
            let place = (self.number, self.written);
            self.stored.put(place, new).map_err(told)?;
            self.written = self.bytes.len();
        }
        Ok(())
    }
}

impl SpillWriter for Writer {
    fn finish(&mut self) -> Result<(), DataFusionError> {
        Ok(self.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::fault;
    use super::super::memory::runtime;
    use super::super::{SessionError, context};
    use super::*;
    use arrow::array::{AsArray, RecordBatch};
    use arrow::datatypes::Int64Type;
    use datafusion::datasource::MemTable;
    use datafusion::execution::disk_manager::DiskManagerBuilder;
    use datafusion::execution::memory_pool::FairSpillPool;
    use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
    use datafusion::physical_plan::{ExecutionPlan, collect};
    use std::time::Duration;

    async fn read(file: &dyn SpillFile) -> Vec<u8> {
        let chunks = file.read_stream().unwrap();
        let chunks: Vec<Bytes> = chunks.map(Result::unwrap).collect().await;
        chunks.concat()
    }

    /// Bytes of which no two files have the same.
    fn sample(seed: usize, length: usize) -> Vec<u8> {
        let bytes = (0..length).map(|at| (at * 31 + seed * 7 + at / 251) as u8);
        bytes.collect()
    }

    #[tokio::test]
    async fn what_is_written_is_read_again() {
        let spills = Spills::default();
        let lengths = [0, 1, 8, PART - 1, PART, PART + 1, 3 * PART, 5 * PART + 17];
        let mut files = Vec::new();
        for round in 0..3 {
            for (seed, length) in lengths.into_iter().enumerate() {
                let file = spills.create_temp_file("test").unwrap();
                let bytes = sample(seed + round, length);
                let mut writer = file.open_writer().unwrap();
                // A few bytes at a time, and read in between.
                for piece in bytes.chunks(100_003) {
                    writer.write_all(piece).unwrap();
                    writer.flush().unwrap();
                }
                writer.finish().unwrap();
                assert_eq!(file.size(), Some(length as u64));
                files.push((file, bytes));
            }
            // What is let go in the middle is written over by the next round.
            files.swap_remove(3);
            for (file, bytes) in &files {
                assert!(read(file.as_ref()).await == *bytes, "round {round}");
            }
        }
        {
            let space = locked(&spills.0);
            assert_eq!((space.parts, space.free.len()), (38, 6));
        }
        drop(files);
        assert!(locked(&spills.0).file.is_none());
    }

    #[tokio::test]
    async fn a_file_is_read_while_it_is_written() {
        let spills = Spills::default();
        let file = spills.create_temp_file("test").unwrap();
        let mut writer = file.open_writer().unwrap();
        let bytes = sample(1, 2 * PART + 5);
        let mut written = 0;
        for end in [10, PART - 1, PART, PART + 1, bytes.len()] {
            writer.write_all(&bytes[written..end]).unwrap();
            writer.flush().unwrap();
            written = end;
            assert!(read(file.as_ref()).await == bytes[..end], "{end}");
        }
    }

    /// Rows in two parts, whose groups are many for the memory there is.
    async fn grouped(
        runtime: Arc<RuntimeEnv>,
    ) -> Result<(Vec<RecordBatch>, usize), DataFusionError> {
        let context = context(2, runtime).unwrap();
        context
            .sql("SET datafusion.execution.batch_size = 64")
            .await?;
        let rows = "SELECT v % 13 AS g, md5(cast(v % 337 AS varchar)) AS t FROM generate_series(1, 40000) AS s(v)";
        let rows = context.sql(rows).await?.collect().await?;
        let (first, second) = rows.split_at(rows.len() / 2);
        let table = MemTable::try_new(rows[0].schema(), vec![first.to_vec(), second.to_vec()])?;
        context.register_table("rows", Arc::new(table))?;
        let sql = "SELECT g, count(*) AS n FROM (SELECT DISTINCT g, t FROM rows) GROUP BY g";
        let plan = context.sql(sql).await?.create_physical_plan().await?;
        let batches = collect(Arc::clone(&plan), context.task_ctx()).await?;
        Ok((batches, repartitioned_in_files(plan.as_ref())))
    }

    fn repartitioned_in_files(plan: &dyn ExecutionPlan) -> usize {
        let metrics = plan.metrics().filter(|_| plan.name() == "RepartitionExec");
        let own = metrics.and_then(|metrics| metrics.spill_count());
        let below = plan
            .children()
            .into_iter()
            .map(|plan| repartitioned_in_files(plan.as_ref()));
        own.unwrap_or_default() + below.sum::<usize>()
    }

    /// The engine's own files of many batches let one of some five of these queries stand still for ever.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn queries_that_are_repartitioned_in_files_end() {
        let mut files = 0;
        for attempt in 0..20 {
            let answer = grouped(runtime(Some(2 << 20)).unwrap());
            let answer = tokio::time::timeout(Duration::from_secs(60), answer).await;
            let Ok(Ok((batches, written))) = answer else {
                panic!("attempt {attempt}: {answer:?}");
            };
            files += written;
            let counts = batches
                .iter()
                .flat_map(|batch| batch.column(1).as_primitive::<Int64Type>().values().iter());
            assert_eq!(
                counts.copied().collect::<Vec<_>>(),
                [337; 13],
                "attempt {attempt}"
            );
        }
        assert!(files > 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_temporary_file_that_cannot_be_written_is_named_as_such() {
        let broken = tempfile::NamedTempFile::new().unwrap();
        let space = Space {
            // Not for writing.
            file: Some(File::open(broken.path()).unwrap()),
            ..Space::default()
        };
        let spills = Arc::new(Spills(Arc::new(Mutex::new(space))));
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(DiskManagerBuilder::default().with_temp_file_factory(spills))
            .with_memory_pool(Arc::new(FairSpillPool::new(2 << 20)))
            .build_arc()
            .unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(60), grouped(runtime)).await;
        let error = fault(answer.unwrap().unwrap_err(), "");
        let SessionError::TemporaryFile { folder, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*folder, std::env::temp_dir());
        assert!(
            error.to_string().starts_with("temporary file in "),
            "{error}"
        );
    }
}
