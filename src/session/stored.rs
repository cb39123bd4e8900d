//! The tables of a lake, as the engine's own scans of Parquet files.
//!
//! In: the data files of a table, as the Delta log had them when the lake was opened. Out: a table. Promise: planning reads
//! nothing; files whose day or statistics rule them out are no part of the plan; in the others, row groups and pages are
//! skipped by their statistics and bloom filters, and rows are filtered while they are read. The plan consists of the
//! engine's own parts, so that another engine that understands them can carry it.

use crate::event::{self, EVENT_DATE};
use crate::lake::{Scannable, ScannableFile, TableName, key_uses_schema};
use arrow::array::{ArrayRef, BooleanArray, Date32Array, StringArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{Session as CatalogSession, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, project_schema};
use object_store::ObjectMeta;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// A table of a lake.
#[derive(Debug)]
pub(super) struct Stored {
    files: Vec<ScannableFile>,
    store: ObjectStoreUrl,
    schema: TableSchema,
    bounds: OnceLock<Bounds>,
}

impl Stored {
    /// A table of these files. Their object store is the one that is registered for their root.
    pub(super) fn new(name: TableName, table: Scannable) -> Result<Self, DataFusionError> {
        let (file, days) = match name {
            TableName::Events => {
                let day = Field::new(EVENT_DATE, DataType::Date32, true);
                (event::schema(), vec![Arc::new(day)])
            }
            TableName::LogFiles | TableName::Rejects => (name.schema(), Vec::new()),
        };
        let schema = TableSchema::builder(viewed(&file)).with_table_partition_cols(days);
        Self::of(schema.build(), table)
    }

    /// The summaries of use beside files of events, as a table.
    pub(super) fn key_uses(summaries: Scannable) -> Result<Self, DataFusionError> {
        let schema = TableSchema::builder(viewed(&key_uses_schema()));
        Self::of(schema.build(), summaries)
    }

    fn of(schema: TableSchema, table: Scannable) -> Result<Self, DataFusionError> {
        Ok(Self {
            files: table.files,
            store: ObjectStoreUrl::parse(table.root)?,
            schema,
            bounds: OnceLock::new(),
        })
    }

    /// The files that may have rows that meet all conditions.
    fn chosen(
        &self,
        state: &dyn CatalogSession,
        filters: &[Expr],
    ) -> Result<Vec<&ScannableFile>, DataFusionError> {
        let all = || self.files.iter();
        let Some(condition) = conjunction(filters.to_vec()) else {
            return Ok(all().collect());
        };
        let schema = self.schema();
        let rows = DFSchema::try_from(SchemaRef::clone(&schema))?;
        let condition = state.create_physical_expr(condition, &rows)?;
        let condition = PruningPredicateBuilder::new()
            .with_file_schema(schema)
            .try_build(condition)?;
        let bounds = self.bounds.get_or_init(|| Bounds::of(&self.files));
        let kept = condition.prune(&Files {
            table: self,
            bounds,
        })?;
        let chosen = all().zip(kept).filter(|(_, kept)| *kept);
        Ok(chosen.map(|(file, _)| file).collect())
    }
}

/// Texts as views: they are filtered and grouped without being copied.
fn viewed(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[async_trait]
impl TableProvider for Stored {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Files are ruled out by conditions; rows are filtered by the scan itself once the engine has planned it.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        let how = filters.iter().map(|filter| match filter.is_volatile() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Inexact,
        });
        Ok(how.collect())
    }

    async fn scan(
        &self,
        state: &dyn CatalogSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let chosen = self.chosen(state, filters)?;
        if chosen.is_empty() {
            // A scan without any file has no partition, and the operators above it need one.
            let schema = project_schema(&TableProvider::schema(self), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let mut statistics = Statistics::new_unknown(&self.schema());
        let rows = chosen.iter().map(|file| file.rows).sum::<Option<usize>>();
        statistics.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
        let bytes = chosen.iter().map(|file| file.size as usize).sum();
        statistics.total_byte_size = Precision::Inexact(bytes);
        let files = chosen.into_iter().map(|file| self.part(file)).collect();
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());

        let runtime = state.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            runtime.object_store(&self.store)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(readers));
        let scan = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

impl Stored {
    fn part(&self, file: &ScannableFile) -> PartitionedFile {
        let mut part = PartitionedFile::new_from_meta(ObjectMeta {
            location: file.path.clone(),
            last_modified: file.modified,
            size: file.size,
            e_tag: None,
            version: None,
        });
        if !self.schema.table_partition_cols().is_empty() {
            let day = file.date.map(|date: NaiveDate| date.to_epoch_days());
            part = part.with_partition_values(vec![ScalarValue::Date32(day)]);
        }
        part
    }
}

/// Least and greatest values of columns, per file, as Delta's statistics have them.
#[derive(Debug, Default)]
struct Bounds {
    columns: HashMap<String, Vec<Bound>>,
    rows: Vec<Option<u64>>,
}

#[derive(Debug, Clone, Default)]
struct Bound {
    low: Option<String>,
    high: Option<String>,
    nulls: Option<u64>,
}

impl Bounds {
    fn of(files: &[ScannableFile]) -> Self {
        let mut bounds = Self::default();
        for (place, file) in files.iter().enumerate() {
            bounds.rows.push(file.rows.map(|rows| rows as u64));
            let stats = file.stats.as_deref().map(serde_json::from_str);
            // Statistics that cannot be read rule nothing out.
            let Some(Ok(serde_json::Value::Object(stats))) = stats else {
                continue;
            };
            let mut put = |name: &str, set: &dyn Fn(&mut Bound, &serde_json::Value)| {
                let members = stats.get(name).and_then(serde_json::Value::as_object);
                for (column, value) in members.into_iter().flatten() {
                    let column = bounds.columns.entry(column.clone()).or_default();
                    column.resize(files.len(), Bound::default());
                    set(&mut column[place], value);
                }
            };
            put("minValues", &|bound, value| bound.low = text(value));
            put("maxValues", &|bound, value| bound.high = text(value));
            put("nullCount", &|bound, value| bound.nulls = value.as_u64());
        }
        bounds
    }
}

fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What the engine asks to rule files out.
struct Files<'a> {
    table: &'a Stored,
    bounds: &'a Bounds,
}

impl Files<'_> {
    fn days(&self) -> ArrayRef {
        let files = self.table.files.iter();
        let days = files.map(|file| file.date.map(|date| date.to_epoch_days()));
        Arc::new(days.collect::<Date32Array>())
    }

    fn bound(&self, column: &Column, of: impl Fn(&Bound) -> Option<&str>) -> Option<ArrayRef> {
        if column.name() == EVENT_DATE && !self.table.schema.table_partition_cols().is_empty() {
            return Some(self.days());
        }
        let schema = self.table.schema();
        let field = schema.field_with_name(column.name()).ok()?;
        let texts = self.bounds.columns.get(column.name())?;
        let texts: StringArray = texts.iter().map(of).collect();
        // What cannot be read as a value of the column is unknown.
        cast(&texts, field.data_type()).ok()
    }
}

impl PruningStatistics for Files<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |bound| bound.low.as_deref())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |bound| bound.high.as_deref())
    }

    fn num_containers(&self) -> usize {
        self.table.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let bounds = self.bounds.columns.get(column.name())?;
        let nulls = bounds.iter().map(|bound| bound.nulls);
        Some(Arc::new(nulls.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.bounds.rows.iter().copied();
        Some(Arc::new(rows.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
