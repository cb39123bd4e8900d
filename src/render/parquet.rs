//! Answers for other engines.
//!
//! In: the rows of one table. Out: a Parquet file with their types. Promise: at most one row group is held in memory. There
//! is no place for notes and coverage.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow::array::RecordBatch;

use super::rows::{Heading, Opening, Remarks, RowsWriter};

/// A row group is closed when it has so many bytes: large enough to be read fast, small enough to be held.
const ROW_GROUP: usize = 64 << 20;

/// A Parquet file.
#[derive(Default)]
pub(super) struct Parquet {
    file: Option<ArrowWriter<Bytes>>,
    bytes: Bytes,
}

/// What the file's writer has written and the place it goes to has not taken yet.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bytes {
    fn hand_on(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&waiting)?;
        waiting.clear();
        Ok(())
    }
}

impl RowsWriter for Parquet {
    fn open(&mut self, opening: &Opening, _: &mut dyn Write) -> io::Result<()> {
        match opening.sections.len() {
            1 => Ok(()),
            sections => Err(io::Error::other(format!(
                "a Parquet file has one table, the answer has {sections}"
            ))),
        }
    }

    fn section(&mut self, heading: &Heading, _: &mut dyn Write) -> io::Result<()> {
        let level = ZstdLevel::try_new(3).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .build();
        let schema = Arc::clone(&heading.schema);
        let writer = ArrowWriter::try_new(self.bytes.clone(), schema, Some(properties));
        self.file = Some(writer.map_err(failed)?);
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write(batch).map_err(failed)?;
            if file.in_progress_size() > ROW_GROUP {
                file.flush().map_err(failed)?;
            }
        }
        self.bytes.hand_on(out)
    }

    fn close(&mut self, _: Option<&Remarks>, out: &mut dyn Write) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            file.close().map_err(failed)?;
        }
        self.bytes.hand_on(out)
    }
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
