//! Some columns of a Parquet file in an object store.
//!
//! In: a stored file and column names. Out: batches. Promise: only those columns are fetched.

use super::LakeError;
use super::change::StoredFile;
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
pub(crate) async fn read_columns(
    store: &Arc<DynObjectStore>,
    file: &StoredFile,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, LakeError> {
    let reader = Reader {
        store: Arc::clone(store),
        path: Path::from(file.path.as_str()),
        size: file.size,
    };
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    Ok(builder.with_projection(mask).build()?.try_collect().await?)
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
