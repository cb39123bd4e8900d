//! What an engine has to know to scan a table: its data files, at the version last looked at.
//!
//! In: the Delta log as it was read when the lake was opened. Out: [`Scannable`]: an object store, and of each data file path,
//! size, day, number of rows and Delta's statistics. Promise: the log is not read again; a table that another program has
//! changed in a way that plain Parquet scans would get wrong is refused.

use super::table::Table;
use super::{Lake, LakeError, TableName};
use chrono::{DateTime, NaiveDate, Utc};
use deltalake_core::DeltaTableError;
use object_store::DynObjectStore;
use object_store::path::Path;
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// The property of a Delta table that gives columns other names in its data files.
/// <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#column-mapping>
const COLUMN_MAPPING: &str = "delta.columnMapping.mode";

/// The data files of a table.
#[derive(Debug, Clone)]
pub struct Scannable {
    /// Where the object store begins, e.g. `s3://bucket/`.
    pub root: Url,
    /// The object store.
    pub store: Arc<DynObjectStore>,
    /// The files.
    pub files: Vec<ScannableFile>,
}

/// A data file.
#[derive(Debug, Clone)]
pub struct ScannableFile {
    /// Its path in the object store.
    pub path: Path,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: DateTime<Utc>,
    /// The day of a file of events.
    pub date: Option<NaiveDate>,
    /// How many rows it has, where the log says so.
    pub rows: Option<usize>,
    /// Delta's statistics, as JSON.
    pub stats: Option<String>,
}

impl Lake {
    /// The data files of a table, for an engine to scan.
    ///
    /// # Errors
    ///
    /// The table has deletion vectors or mapped columns.
    pub fn scannable(&self, name: TableName) -> Result<Scannable, LakeError> {
        let table = match name {
            TableName::Events => &self.events,
            TableName::LogFiles => &self.log_files,
            TableName::Rejects => &self.rejects,
        };
        table.scannable()
    }
}

impl Table {
    /// The table's folder, from where the object store begins.
    pub(super) fn folder_in_store(&self) -> Result<Path, LakeError> {
        let url = self.location().table_url(self.name.as_str())?;
        Ok(Path::from_url_path(url.path()).map_err(object_store::Error::from)?)
    }

    /// The statistics that the log has of the files, by path.
    pub(crate) fn stats(&self) -> Result<HashMap<String, String>, LakeError> {
        let snapshot = self.delta().snapshot().map_err(|error| self.fail(&error))?;
        let log = snapshot.log_data();
        let stats = log
            .iter()
            .filter_map(|file| Some((file.path().to_string(), file.stats()?)));
        Ok(stats.collect())
    }

    fn scannable(&self) -> Result<Scannable, LakeError> {
        let fail = |error: DeltaTableError| self.fail(&error);
        let foreign = |feature| LakeError::Foreign {
            lake: self.location().name(),
            table: self.name.as_str(),
            feature,
        };
        let snapshot = self.delta().snapshot().map_err(fail)?;
        let properties = snapshot.metadata().configuration();
        let mapping = properties.get(COLUMN_MAPPING);
        if mapping.is_some_and(|mode| mode != "none") {
            return Err(foreign("column mapping"));
        }
        let url = self.location().table_url(self.name.as_str())?;
        let folder = self.folder_in_store()?;
        let log = snapshot.log_data();
        let mut files = Vec::with_capacity(log.num_files());
        for file in log.iter() {
            if file.deletion_vector_descriptor().is_some() {
                return Err(foreign("deletion vectors"));
            }
            let days = file.partition_values_map();
            let mut days = days.values().flatten();
            let inside = file.object_store_path();
            files.push(ScannableFile {
                path: folder.parts().chain(inside.parts()).collect(),
                size: file.size().unsigned_abs(),
                modified: file.modification_datetime().map_err(fail)?,
                date: days.find_map(|day| day.parse().ok()),
                rows: file.num_records(),
                stats: file.stats(),
            });
        }
        let mut root = url;
        root.set_path("/");
        Ok(Scannable {
            root,
            store: self.location().store(),
            files,
        })
    }
}
