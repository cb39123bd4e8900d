//! What can be asked.
//!
//! In: a session's tables and functions. Out: their names, columns and descriptions, as rows of `SHOW` and `DESCRIBE` and
//! for those who complete names. Promise: nothing is listed that cannot be asked, and of the engine's own settings nothing.

use super::dialect;
use super::fault::{FaultKind, SqlFault, differs_by_a_third, nearest};
use super::marks::is_json;
use super::statement::Filter;
use super::{EVENT_DATA_STORE, Session, SessionError, VIEWS, views};
use crate::event::{COLUMNS, EVENT_DATE};
use crate::lake::TableName;
use crate::report::FIT;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::comparison::{ilike, like};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::Documentation;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type in a word or two, e.g. `text`.
    pub data_type: String,
    /// What is in it, where that is known.
    pub description: Option<&'static str>,
}

impl Session {
    /// The names of the tables and views, in order.
    pub fn tables(&self) -> Vec<String> {
        let config = self.context.state();
        let catalog = &config.config_options().catalog;
        let schema = self
            .context
            .catalog(&catalog.default_catalog)
            .and_then(|found| found.schema(&catalog.default_schema));
        let mut names = schema
            .map(|schema| schema.table_names())
            .unwrap_or_default();
        // A view is a table only once somebody has named it.
        names.extend(VIEWS.iter().map(|view| view.name.to_owned()));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The columns of a table.
    ///
    /// # Errors
    ///
    /// There is no such table.
    pub async fn columns(&self, table: &str) -> Result<Vec<ColumnInfo>, SessionError> {
        views::register(&self.context, table).await?;
        let provider = self.context.table_provider(table).await;
        let Ok(provider) = provider else {
            return Err(self.with_near_names(SqlFault::no_table(table)).into());
        };
        // What a column of a view is called after is what is in it.
        let events =
            table == TableName::Events.as_str() || VIEWS.iter().any(|view| view.name == table);
        let schema = provider.schema();
        let columns = schema.fields().iter().map(|field| ColumnInfo {
            name: field.name().clone(),
            data_type: type_name(field),
            description: if events {
                description(field.name())
            } else {
                None
            },
        });
        Ok(columns.collect())
    }

    /// The functions by name: what kind each is, and its documentation.
    pub fn functions(&self) -> BTreeMap<String, FunctionInfo> {
        let state = self.context.state();
        let mut functions = BTreeMap::new();
        let mut add = |name: &str, kind, documentation: Option<&Documentation>| {
            let info = FunctionInfo {
                kind,
                syntax: documentation.map(|found| found.syntax_example.clone()),
                description: documentation.map(|found| one_line(&found.description)),
            };
            functions.entry(name.to_owned()).or_insert(info);
        };
        for (name, function) in state.scalar_functions() {
            add(name, "scalar", function.documentation());
        }
        for (name, function) in state.higher_order_functions() {
            add(name, "scalar", function.documentation());
        }
        for (name, function) in state.aggregate_functions() {
            add(name, "aggregate", function.documentation());
        }
        for (name, function) in state.window_functions() {
            add(name, "window", function.documentation());
        }
        for name in state.table_functions().keys() {
            add(name, "table", None);
        }
        functions
    }

    /// A fault with the names of what there is instead.
    pub(super) fn with_near_names(&self, fault: SqlFault) -> SqlFault {
        let near = match &fault.kind {
            FaultKind::NoTable(name) if is_file(name) => {
                return SqlFault {
                    place: fault.place,
                    kind: FaultKind::File,
                    ..SqlFault::refused(format!("files cannot be read by name ({name:?})"))
                };
            }
            FaultKind::NoTable(name) if name.contains("information_schema.") => {
                return SqlFault {
                    place: fault.place,
                    ..SqlFault::refused(
                        "there is no information_schema: use SHOW TABLES, DESCRIBE events or SHOW FUNCTIONS",
                    )
                };
            }
            FaultKind::NoTable(name) => nearest(name, self.tables().iter().map(String::as_str)),
            FaultKind::NoFunction(name) => match dialect::instead(name) {
                Some(written) => vec![written.to_owned()],
                None => nearest_functions(name, &self.functions()),
            },
            _ => return fault,
        };
        SqlFault { near, ..fault }
    }

    /// The rows of SHOW TABLES.
    pub(super) async fn show_tables(&self, filter: &Filter) -> Result<RecordBatch, SessionError> {
        let mut rows = Vec::new();
        for table in self.tables() {
            let columns = self.columns(&table).await?.len().to_string();
            let about = about(&table);
            rows.push([Some(table), Some(columns), about]);
        }
        batch(["table_name", "columns", "description"], &rows, filter)
    }

    /// The rows of SHOW COLUMNS and DESCRIBE.
    pub(super) async fn show_columns(
        &self,
        table: &str,
        filter: &Filter,
    ) -> Result<RecordBatch, SessionError> {
        let columns = self.columns(table).await?;
        let rows: Vec<_> = columns
            .into_iter()
            .map(|column| {
                let description = column.description.map(str::to_owned);
                [Some(column.name), Some(column.data_type), description]
            })
            .collect();
        batch(["column_name", "data_type", "description"], &rows, filter)
    }

    /// The rows of SHOW FUNCTIONS.
    pub(super) fn show_functions(&self, filter: &Filter) -> Result<RecordBatch, SessionError> {
        let rows: Vec<_> = self
            .functions()
            .into_iter()
            .map(|(name, info)| {
                let kind = Some(info.kind.to_owned());
                [Some(name), kind, info.syntax, info.description]
            })
            .collect();
        let names = ["function_name", "kind", "syntax", "description"];
        batch(names, &rows, filter)
    }
}

/// What is known of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    /// `scalar`, `aggregate`, `window` or `table`.
    pub kind: &'static str,
    /// How it is called.
    pub syntax: Option<String>,
    /// What it does, in one line.
    pub description: Option<String>,
}

/// What a table is about.
fn about(table: &str) -> Option<String> {
    let view = VIEWS.iter().find(|view| view.name == table);
    if let Some(view) = view {
        return Some(view.title().to_owned());
    }
    Some(
        match TableName::ALL
            .into_iter()
            .find(|name| name.as_str() == table)
        {
            Some(TableName::Events) => "Every event of the selection, once".to_owned(),
            Some(TableName::LogFiles) => {
                "Every log file: outcome, counts, first and last event".to_owned()
            }
            Some(TableName::Rejects) => {
                "Every record that could not be decoded, and why".to_owned()
            }
            None => format!("Another name for {EVENT_DATA_STORE}"),
        },
    )
}

fn description(column: &str) -> Option<&'static str> {
    if column == EVENT_DATE {
        return Some("The day of `event_time` in UTC, by which the lake is partitioned.");
    }
    let found = COLUMNS.iter().find(|known| known.name == column);
    found.map(|column| column.description)
}

/// The type as people say it.
fn type_name(field: &Field) -> String {
    if is_json(field) {
        return "JSON text".to_owned();
    }
    match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Timestamp(_, _) => "timestamp".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytes".to_owned(),
        DataType::FixedSizeBinary(size) => format!("{size} bytes"),
        DataType::List(item) | DataType::LargeList(item) => format!("list of {}", type_name(item)),
        DataType::Struct(fields) => {
            let fields = fields.iter();
            let fields: Vec<String> = fields
                .map(|field| format!("{} {}", field.name(), type_name(field)))
                .collect();
            format!("struct({})", fields.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map({}, {})", type_name(&fields[0]), type_name(&fields[1]))
            }
            _ => "map".to_owned(),
        },
        data_type if data_type.is_integer() => "integer".to_owned(),
        data_type if data_type.is_numeric() => "number".to_owned(),
        data_type => data_type.to_string(),
    }
}

/// Names of functions are short and many: one that differs in half its letters is another function.
fn nearest_functions(name: &str, functions: &BTreeMap<String, FunctionInfo>) -> Vec<String> {
    let mut near = nearest(name, functions.keys().map(String::as_str));
    near.retain(|known| known.contains(name) || differs_by_a_third(name, known));
    near
}

/// Whether somebody means a file rather than a table.
fn is_file(name: &str) -> bool {
    let ends = [
        ".parquet", ".json", ".jsonl", ".csv", ".gz", ".arrow", ".avro", ".txt",
    ];
    name.contains(['/', '\\', ':']) || ends.iter().any(|end| name.to_lowercase().ends_with(end))
}

/// The text as one line, without the addresses of its links.
fn one_line(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        match link
            .split_once("](")
            .and_then(|(words, rest)| Some((words, rest.split_once(')')?.1)))
        {
            Some((words, after)) if !words.contains(']') => {
                plain.push_str(words);
                rest = after;
            }
            _ => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rows of texts; the filter is on the first column. The last column may be broken into lines.
fn batch<const N: usize>(
    names: [&str; N],
    rows: &[[Option<String>; N]],
    filter: &Filter,
) -> Result<RecordBatch, SessionError> {
    let fields = names.iter().enumerate().map(|(index, name)| {
        let fit = if index + 1 == N { "wrap" } else { "whole" };
        Field::new(*name, DataType::Utf8, true)
            .with_metadata(HashMap::from([(FIT.to_owned(), fit.to_owned())]))
    });
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = (0..N).map(|index| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|row| row[index].as_deref())
                .collect::<StringArray>(),
        )
    });
    let made = RecordBatch::try_new(schema, columns.collect()).and_then(|batch| match filter {
        None => Ok(batch),
        Some((pattern, caseless)) => {
            let pattern = StringArray::new_scalar(pattern.as_str());
            let names = batch.column(0);
            let kept = match caseless {
                true => ilike(names, &pattern),
                false => like(names, &pattern),
            };
            filter_record_batch(&batch, &kept?)
        }
    });
    made.map_err(|error| DataFusionError::from(error).into())
}
