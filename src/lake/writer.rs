//! Rows become Parquet.
//!
//! In: a sorted batch. Out: the bytes of one Parquet file and what Delta has to know about it. Promise: one key's events
//! are found by reading little: sorted by `(access_key_id, event_time)`, small row groups and pages, bloom filters on the
//! three things responders search for.

use super::LakeError;
use super::checksum::with_checksums;
use super::key_uses::KeyUses;
use super::names::Seal;
use super::tables::TableName;
use crate::event;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::kernels::aggregate;
use arrow::datatypes::{
    DataType, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, SecondsFormat};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Rows of a row group. Smaller ones prune better and cost more metadata; with 32 Ki rows one key's events are in one or
/// two row groups of a file.
const ROW_GROUP_ROWS: usize = 32 * 1024;

/// Rows of a data page: what has to be decompressed to get at one row of a wide column. Each page of each of some 70 columns
/// costs some 100 bytes of headers and indexes.
const PAGE_ROWS: usize = 4_096;

/// Values longer than this get no minimum and maximum in Delta's statistics.
const STATS_TEXT: usize = 64;

/// The columns of `events` with a minimum and maximum in Delta's statistics: those that tell files apart. All others range over
/// about the same in every file. Parquet's own statistics, per row group and page, have them all.
pub(super) const TELLING: [&str; 4] = ["event_time", "access_key_id", "account_id", "aws_region"];

/// Columns that hold little else than distinct values: a dictionary would be built in vain.
const DISTINCT: [&str; 5] = [
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "service_event_details",
    "record",
];

/// Ids: of one length and without a common part. With the lengths put apart, what is left compresses to little more than its
/// random bits.
const IDS: [&str; 3] = ["event_id", "request_id", "shared_event_id"];

/// Columns that are looked up by value.
const BLOOM: [&str; 3] = ["access_key_id", "event_id", "source_ip_address"];

/// How often a bloom filter may say yes wrongly. For a row group of distinct values this is 32 KiB; less often would be 64.
const BLOOM_FALSE: f64 = 0.03;

/// A Parquet file that is not written yet.
#[derive(Debug)]
pub struct DataFile {
    pub(crate) table: TableName,
    /// The day of a file of events.
    pub(crate) date: Option<NaiveDate>,
    pub(crate) bytes: Bytes,
    /// What its name says of its bytes.
    pub(crate) seal: Seal,
    /// Delta's statistics, as JSON.
    pub(crate) stats: String,
    pub(crate) rows: u64,
    /// The earliest and latest `event_time` in a file of events.
    pub(crate) times: Option<(i64, i64)>,
    /// The summary of use that stands beside a file of events.
    pub(crate) uses: Option<Bytes>,
}

impl DataFile {
    /// Encodes rows of a table; events must be of one day and sorted. They come in pieces, so that the sorted rows need
    /// not be held a second time.
    pub fn encode<E: From<LakeError>>(
        table: TableName,
        date: Option<NaiveDate>,
        pieces: impl Iterator<Item = Result<RecordBatch, E>>,
    ) -> Result<Self, E> {
        let schema = match table {
            TableName::Events => event::schema(),
            _ => table.schema(),
        };
        let properties = properties(table, &schema);
        let writer = ArrowWriter::try_new(Vec::new(), SchemaRef::clone(&schema), Some(properties));
        let mut writer = writer.map_err(LakeError::from)?;
        let mut stats = Stats::default();
        let mut uses = (table == TableName::Events).then(KeyUses::default);
        for piece in pieces {
            let piece = piece?;
            stats.add(table, &piece);
            if let Some(uses) = &mut uses {
                uses.add(&piece);
            }
            writer.write(&piece).map_err(LakeError::from)?;
        }
        let metadata = writer.finish().map_err(LakeError::from)?;
        let sealed = with_checksums(writer.inner(), metadata).map_err(LakeError::from)?;
        let bytes = Bytes::from(sealed);
        Ok(Self {
            table,
            date,
            seal: Seal::of(&bytes),
            bytes,
            stats: stats.to_json(),
            rows: stats.rows,
            times: stats.times,
            uses: uses.map(KeyUses::file).transpose()?,
        })
    }
}

impl DataFile {
    /// A file that is there already; the rows are its own, with the columns that [`TELLING`] names.
    pub(super) fn found(
        (table, date): (TableName, Option<NaiveDate>),
        (bytes, rows): (Bytes, &[RecordBatch]),
    ) -> Self {
        let mut stats = Stats::default();
        for batch in rows {
            stats.add(table, batch);
        }
        Self {
            table,
            date,
            seal: Seal::of(&bytes),
            bytes,
            stats: stats.to_json(),
            rows: stats.rows,
            times: stats.times,
            // It is beside it, if it is there.
            uses: None,
        }
    }
}

fn properties(table: TableName, schema: &Schema) -> WriterProperties {
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
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        properties = match field.data_type() {
            DataType::Timestamp(..) | DataType::Int64 => properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            _ if IDS.contains(&field.name().as_str()) => properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
                // A random id stands between any two others.
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            _ if DISTINCT.contains(&field.name().as_str()) => properties
                .set_column_dictionary_enabled(path.clone(), false)
                // Nobody looks for JSON text between two others.
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            _ => properties,
        };
    }
    if table == TableName::Events {
        properties = events(properties, schema);
    }
    properties.build()
}

fn events(mut properties: WriterPropertiesBuilder, schema: &Schema) -> WriterPropertiesBuilder {
    for name in BLOOM {
        let path = ColumnPath::from(name);
        // The filter is made for a full row group and folded to the size it needs.
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE)
            .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
    }
    let sorting = ["access_key_id", "event_time"]
        .into_iter()
        .filter_map(|name| {
            let column_idx = schema.index_of(name).ok()? as i32;
            Some(SortingColumn {
                column_idx,
                descending: false,
                nulls_first: false,
            })
        });
    let sorting = sorting.collect();
    properties.set_sorting_columns(Some(sorting))
}

/// What Delta knows about a file: the number of rows, and minimum, maximum and null count of the columns that files are
/// pruned by.
#[derive(Default)]
struct Stats {
    rows: u64,
    times: Option<(i64, i64)>,
    columns: BTreeMap<String, Bounds>,
}

struct Bounds {
    /// None once a value was too long, or while there is none.
    range: Option<(Bound, Bound)>,
    too_long: bool,
    nulls: usize,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Text(String),
    Number(i64),
    Time(i64),
}

impl Stats {
    fn add(&mut self, table: TableName, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if table == TableName::Events && !TELLING.contains(&field.name().as_str()) {
                continue;
            }
            let Some(range) = range(column) else { continue };
            let known = self.columns.entry(field.name().clone()).or_insert(Bounds {
                range: None,
                too_long: false,
                nulls: 0,
            });
            known.nulls += column.null_count();
            let Some((low, high)) = range else { continue };
            known.too_long |= [&low, &high].into_iter().any(Bound::too_long);
            known.range = Some(match known.range.take() {
                Some((lowest, highest)) => (lowest.min(low), highest.max(high)),
                None => (low, high),
            });
        }
        let times = self
            .columns
            .get("event_time")
            .and_then(|bounds| bounds.range.clone());
        if let Some((Bound::Time(first), Bound::Time(last))) = times {
            self.times = Some((first, last));
        }
    }

    /// Minimum, maximum and null count by column.
    fn bounds(&self) -> (Map<String, Value>, Map<String, Value>, Map<String, Value>) {
        let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (name, bounds) in self.columns.iter().filter(|(_, bounds)| !bounds.too_long) {
            let Some((low, high)) = &bounds.range else {
                continue;
            };
            min.insert(name.clone(), low.to_json());
            max.insert(name.clone(), high.to_json());
            nulls.insert(name.clone(), json!(bounds.nulls));
        }
        (min, max, nulls)
    }

    fn to_json(&self) -> String {
        let (min, max, nulls) = self.bounds();
        json!({"numRecords": self.rows, "minValues": min, "maxValues": max, "nullCount": nulls})
            .to_string()
    }
}

/// Whether the statistics that a log has of a file are those of its rows. Of columns that one of them does not have, nothing is known.
pub(super) fn stats_fit(table: TableName, batches: &[RecordBatch], said: Option<&str>) -> bool {
    let said: Option<Value> = said.map(|said| serde_json::from_str(said).unwrap_or_default());
    let Some(said) = said else { return true };
    let mut stats = Stats::default();
    for batch in batches {
        stats.add(table, batch);
    }
    let (low, high, nulls) = stats.bounds();
    let fits = |part: &str, right: Map<String, Value>| {
        let said = |name: &str| said.get(part).and_then(|part| part.get(name));
        let mut right = right.iter();
        right.all(|(name, right)| said(name).is_none_or(|said| is_same(said, right)))
    };
    said.is_object()
        && fits("minValues", low)
        && fits("maxValues", high)
        && fits("nullCount", nulls)
}

/// Whether two values are the same; writers have different forms of the same time.
fn is_same(one: &Value, other: &Value) -> bool {
    let time = |value: &Value| DateTime::parse_from_rfc3339(value.as_str()?).ok();
    one == other || time(one).is_some_and(|one| time(other) == Some(one))
}

/// The least and the greatest value; `None` in the outer option for columns without statistics.
#[expect(
    clippy::option_option,
    reason = "no statistics and no values are two things"
)]
fn range(column: &ArrayRef) -> Option<Option<(Bound, Bound)>> {
    Some(match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            let text = |text: &str| Bound::Text(text.to_owned());
            aggregate::min_string(texts)
                .map(text)
                .zip(aggregate::max_string(texts).map(text))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            aggregate::min(numbers)
                .map(Bound::Number)
                .zip(aggregate::max(numbers).map(Bound::Number))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            aggregate::min(times)
                .map(Bound::Time)
                .zip(aggregate::max(times).map(Bound::Time))
        }
        _ => return None,
    })
}

impl Bound {
    fn too_long(&self) -> bool {
        matches!(self, Bound::Text(text) if text.len() > STATS_TEXT)
    }

    fn to_json(&self) -> Value {
        match self {
            Bound::Text(text) => json!(text),
            Bound::Number(number) => json!(number),
            Bound::Time(micros) => json!(
                DateTime::from_timestamp_micros(*micros)
                    .map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
            ),
        }
    }
}
