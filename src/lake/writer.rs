//! Rows become Parquet.
//!
//! In: a sorted batch. Out: the bytes of one Parquet file and what Delta has to know about it. Promise: one key's events
//! are found by reading little: sorted by `(access_key_id, event_time)`, small row groups and pages, bloom filters on the
//! three things responders search for.

use super::LakeError;
use super::tables::TableName;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::kernels::aggregate;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, SecondsFormat};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use serde_json::{Map, Value, json};

/// Rows of a row group. Smaller ones prune better and cost more metadata; with 32 Ki rows one key's events are in one or
/// two row groups of a file.
const ROW_GROUP_ROWS: usize = 32 * 1024;

/// Rows of a data page: what has to be decompressed to get at one row of a wide column.
const PAGE_ROWS: usize = 2_048;

/// Values longer than this get no minimum and maximum in Delta's statistics.
const STATS_TEXT: usize = 64;

/// Columns that hold little else than distinct values: a dictionary would be built in vain.
const DISTINCT: [&str; 7] = [
    "event_id",
    "request_id",
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "service_event_details",
    "record",
];

/// Columns that are looked up by value.
const BLOOM: [&str; 3] = ["access_key_id", "event_id", "source_ip_address"];

/// A Parquet file that is not written yet.
#[derive(Debug)]
pub struct DataFile {
    pub(crate) table: TableName,
    /// The day of a file of events.
    pub(crate) date: Option<NaiveDate>,
    pub(crate) bytes: Bytes,
    /// Delta's statistics, as JSON.
    pub(crate) stats: String,
    pub(crate) rows: u64,
    /// The earliest and latest `event_time` in a file of events.
    pub(crate) times: Option<(i64, i64)>,
}

impl DataFile {
    /// Encodes a batch of a table; events must be of one day and sorted.
    pub fn encode(
        table: TableName,
        date: Option<NaiveDate>,
        batch: &RecordBatch,
    ) -> Result<Self, LakeError> {
        let mut writer =
            ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties(table, batch)))?;
        writer.write(batch)?;
        let bytes = Bytes::from(writer.into_inner()?);
        let times = batch.column_by_name("event_time").and_then(|column| {
            let column = column.as_primitive_opt::<TimestampMicrosecondType>()?;
            Some((aggregate::min(column)?, aggregate::max(column)?))
        });
        Ok(Self {
            table,
            date,
            bytes,
            stats: stats(batch),
            rows: batch.num_rows() as u64,
            times,
        })
    }

    /// Bytes of the file.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

fn properties(table: TableName, batch: &RecordBatch) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("keytrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        // The writer looks at the row limit only after each of these.
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATS_TEXT))
        .set_column_index_truncate_length(Some(STATS_TEXT));
    for field in batch.schema().fields() {
        let path = ColumnPath::from(field.name().as_str());
        properties = match field.data_type() {
            DataType::Timestamp(..) | DataType::Int64 => properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            _ if DISTINCT.contains(&field.name().as_str()) => {
                properties.set_column_dictionary_enabled(path, false)
            }
            _ => properties,
        };
    }
    if table == TableName::Events {
        properties = events(properties, batch);
    }
    properties.build()
}

fn events(mut properties: WriterPropertiesBuilder, batch: &RecordBatch) -> WriterPropertiesBuilder {
    for name in BLOOM {
        let path = ColumnPath::from(name);
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), 0.01)
            .set_column_bloom_filter_max_ndv(path, batch.num_rows().min(ROW_GROUP_ROWS) as u64);
    }
    let sorting = ["access_key_id", "event_time"]
        .into_iter()
        .filter_map(|name| {
            let column_idx = batch.schema().index_of(name).ok()? as i32;
            Some(SortingColumn {
                column_idx,
                descending: false,
                nulls_first: false,
            })
        });
    let sorting = sorting.collect();
    properties.set_sorting_columns(Some(sorting))
}

/// Number of rows, and minimum, maximum and null count of the columns that files are pruned by.
fn stats(batch: &RecordBatch) -> String {
    let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some((low, high)) = bounds(column) {
            min.insert(field.name().clone(), low);
            max.insert(field.name().clone(), high);
            nulls.insert(field.name().clone(), json!(column.null_count()));
        }
    }
    json!({"numRecords": batch.num_rows(), "minValues": min, "maxValues": max, "nullCount": nulls})
        .to_string()
}

fn bounds(column: &ArrayRef) -> Option<(Value, Value)> {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            let (low, high) = (aggregate::min_string(texts)?, aggregate::max_string(texts)?);
            (low.len() <= STATS_TEXT && high.len() <= STATS_TEXT).then(|| (json!(low), json!(high)))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            Some((
                json!(aggregate::min(numbers)?),
                json!(aggregate::max(numbers)?),
            ))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            Some((
                delta_time(aggregate::min(times)?)?,
                delta_time(aggregate::max(times)?)?,
            ))
        }
        _ => None,
    }
}

fn delta_time(micros: i64) -> Option<Value> {
    Some(json!(
        DateTime::from_timestamp_micros(micros)?.to_rfc3339_opts(SecondsFormat::Micros, true)
    ))
}
