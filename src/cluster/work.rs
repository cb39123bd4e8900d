//! The list of log files of a job, as rows.
//!
//! In: the parcels of a job. Out: batches, one partition for each parcel; and a parcel again. Promise: names and sizes only: the
//! executors fetch the log files themselves.

use crate::session::Parcels;
use crate::source::LogFile;
use arrow::array::{AsArray as _, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// A log file, and the name of its source.
type Listed = (Arc<str>, LogFile);

/// The columns of the list.
fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        text("source"),
        text("log_file"),
        text("etag"),
        Field::new("size", DataType::UInt64, false),
    ]))
}

/// The list as a leaf that Ballista knows how to cut into tasks.
pub(super) fn list(parcels: &Parcels) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let schema = schema();
    let mut partitions = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let text =
            |get: &dyn Fn(&Listed) -> &str| StringArray::from_iter_values(parcel.iter().map(get));
        let sizes = parcel.iter().map(|(_, file)| file.size);
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(text(&|(source, _)| source)),
                Arc::new(text(&|(_, file)| &file.uri)),
                Arc::new(text(&|(_, file)| &file.etag)),
                Arc::new(UInt64Array::from_iter_values(sizes)),
            ],
        )?;
        partitions.push(vec![batch]);
    }
    let source = MemorySourceConfig::try_new(&partitions, schema, None)?;
    Ok(DataSourceExec::from_data_source(source))
}

/// The log files of a parcel, each with the name of its source.
pub(super) fn parcel(batches: &[RecordBatch]) -> Result<Vec<(String, LogFile)>, DataFusionError> {
    let mut parcel = Vec::new();
    for batch in batches {
        let foreign = || exec_datafusion_err!("the list of log files has other columns");
        let text = |at: usize| {
            batch
                .columns()
                .get(at)
                .and_then(|it| it.as_string_opt::<i32>())
        };
        let (sources, names, etags) = (
            text(0).ok_or_else(foreign)?,
            text(1).ok_or_else(foreign)?,
            text(2).ok_or_else(foreign)?,
        );
        let sizes = batch.columns().get(3);
        let sizes = sizes.and_then(|it| it.as_primitive_opt::<UInt64Type>());
        let sizes = sizes.ok_or_else(foreign)?;
        parcel.extend((0..sizes.len()).map(|row| {
            let (name, etag) = (names.value(row).to_owned(), etags.value(row).to_owned());
            let file = LogFile::new(name, sizes.value(row), etag, None);
            (sources.value(row).to_owned(), file)
        }));
    }
    Ok(parcel)
}
