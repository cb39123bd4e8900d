//! Some columns of a Parquet file in an object store.
//!
//! In: a stored file and column names. Out: batches. Promise: only those columns are fetched.

use super::change::StoredFile;
use super::damage::{CHANGED, Damage, UNREADABLE};
use super::tables::TableName;
use super::{LakeError, names};
use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{DynObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use std::ops::Range;
use std::sync::Arc;

/// Reads columns of a file.
///
/// # Errors
///
/// The storage failed, or the file is damaged: it is named.
pub(crate) async fn read_columns(
    folder: &Folder,
    file: &StoredFile,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, LakeError> {
    let fail = |error: ParquetError| folder.unreadable(&file.path, error.into());
    let reader = Reader {
        store: Arc::clone(&folder.store),
        path: Path::from(file.path.as_str()),
        size: file.size,
    };
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await;
    let builder = builder.map_err(fail)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let batches = builder.with_projection(mask).build().map_err(fail)?;
    batches.try_collect().await.map_err(fail)
}

/// The folder of a table.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) store: Arc<DynObjectStore>,
    /// Which lake it is of.
    pub(crate) lake: String,
    pub(crate) table: TableName,
}

impl Folder {
    /// What is wrong with one of its files.
    pub(crate) fn damage(&self, path: &str, problem: &str) -> LakeError {
        let (lake, problem) = (self.lake.clone(), problem.to_owned());
        let file = format!("{}/{path}", self.table.as_str());
        Damage {
            lake,
            file,
            problem,
        }
        .into()
    }

    /// What it means that a file cannot be decoded.
    pub(crate) fn unreadable(&self, path: &str, error: LakeError) -> LakeError {
        match error {
            LakeError::Parquet(_) | LakeError::Arrow(_) => {
                tracing::debug!(path, %error, "a data file cannot be decoded");
                self.damage(path, UNREADABLE)
            }
            error => error,
        }
    }

    /// The bytes of one of its files, which are those that were written if its name tells.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Bytes, LakeError> {
        let bytes = self.store.get(&Path::from(path)).await?.bytes().await?;
        match names::read(path).is_some_and(|(_, seal)| !seal.fits(&bytes)) {
            true => Err(self.damage(path, CHANGED)),
            false => Ok(bytes),
        }
    }
}

/// A batch with all columns of a schema, in its order: those that a file of before does not have are null.
pub(super) fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name()).map(Arc::clone);
        column.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect())
}

/// Reads files whose bytes are at hand.
pub(super) struct BytesReader;

impl BytesReader {
    /// The number of rows, and columns of a file; all columns if none are named.
    pub(super) fn read(
        bytes: Bytes,
        columns: Option<&[&str]>,
    ) -> Result<(u64, Vec<RecordBatch>), LakeError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
        let rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
        let mask = match columns {
            Some([]) => return Ok((rows, Vec::new())),
            Some(columns) => {
                let names = columns.iter().copied();
                ProjectionMask::columns(builder.parquet_schema(), names)
            }
            None => ProjectionMask::all(),
        };
        let batches = builder.with_projection(mask).build()?;
        Ok((rows, batches.collect::<Result<_, _>>()?))
    }
}

struct Reader {
    store: Arc<DynObjectStore>,
    path: Path,
    size: u64,
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.store
            .get_range(&self.path, range)
            .map_err(external)
            .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            self.store
                .get_ranges(&self.path, &ranges)
                .await
                .map_err(external)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}
