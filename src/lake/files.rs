//! The data files that are there.
//!
//! In: a lake. Out: for each file of its tables, whether it is there with the size it should have. Promise: costs a listing,
//! and reads no data file.

use super::change::StoredFile;
use super::damage::MISSING;
use super::table::Table;
use super::{Lake, LakeError, TableName};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use std::collections::HashMap;

/// A file in a table's folder.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// Relative to the table.
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) modified: DateTime<Utc>,
}

/// Lists the folder of a table, without its log.
pub(crate) async fn list(table: &Table) -> Result<Vec<Listed>, LakeError> {
    let store = table.delta().object_store();
    let mut listed = Vec::new();
    let mut listing = store.list(None);
    while let Some(object) = listing.try_next().await? {
        let path = object.location.to_string();
        if !path.starts_with("_delta_log/") {
            listed.push(Listed {
                path,
                size: object.size,
                modified: object.last_modified,
            });
        }
    }
    Ok(listed)
}

/// Those files of a table that are missing or have another size, and what is wrong with each.
pub(crate) fn misfits(files: &[StoredFile], listed: &[Listed]) -> Vec<(StoredFile, String)> {
    let sizes: HashMap<&str, u64> = listed
        .iter()
        .map(|file| (file.path.as_str(), file.size))
        .collect();
    let wrong = files.iter().filter_map(|file| {
        let problem = match sizes.get(file.path.as_str()) {
            None => MISSING.to_owned(),
            Some(size) if *size != file.size => {
                format!("it has {size} bytes instead of {}", file.size)
            }
            Some(_) => return None,
        };
        Some((file.clone(), problem))
    });
    wrong.collect()
}

impl Lake {
    /// The error of a data file that a decoder gave up on: one of those that were read last.
    pub(crate) async fn blame(&self) -> LakeError {
        match self.location.changed().await {
            Some(damage) => damage.into(),
            None => LakeError::DamagedFile { lake: self.name() },
        }
    }

    /// Compares the data files with what the tables' logs say of them.
    pub(super) async fn compare_files(&self) -> Result<(), LakeError> {
        for name in TableName::ALL {
            let files = self.table(name).files()?;
            if files.is_empty() {
                continue;
            }
            let listed = list(self.table(name)).await?;
            if let Some((file, problem)) = misfits(&files, &listed).into_iter().next() {
                return Err(self.table(name).folder().damage(&file.path, &problem));
            }
        }
        Ok(())
    }
}
