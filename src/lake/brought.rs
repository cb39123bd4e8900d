//! Events that other machines bring.
//!
//! In: data files of a parcel, written by whoever packed it. Out: what the commit of the parcel has to know of them. Promise: of a
//! file that turns out to hold events that the lake has, only the others become part of the lake.

use super::commit::keys_of;
use super::names::{ParcelId, Writer};
use super::reader::BytesReader;
use super::table::Table;
use super::writer::DataFile;
use super::written::{Written, take_back, write};
use super::{Lake, LakeError, Location, TableName};
use crate::event::EventKey;
use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use std::collections::HashSet;

/// Writes events of a parcel beside the other events of a lake. They count only once they are committed, which may be done
/// elsewhere.
///
/// # Errors
///
/// The lake's storage cannot be reached.
pub async fn write_events(
    lake: &Location,
    parcel: ParcelId,
    files: &[DataFile],
) -> Result<Vec<Written>, LakeError> {
    let folder = Table::folder_at(lake, TableName::Events)?;
    let mut written = Vec::with_capacity(files.len());
    for file in files {
        written.push(write(&folder, file, Writer::Parcel(parcel)).await?);
    }
    Ok(written)
}

impl Lake {
    /// Takes events out of files of events; gives the files that have others, and are to be written anew.
    ///
    /// # Errors
    ///
    /// The lake's storage cannot be reached, or a file is not what was written.
    pub async fn leave_out(
        &self,
        known: &HashSet<EventKey>,
        written: &mut Vec<Written>,
    ) -> Result<Vec<DataFile>, LakeError> {
        let times = known.iter().map(|key| key.time).collect();
        let folder = self.events.delta().object_store();
        let mut files = Vec::new();
        for file in take_back(&folder, written, &times).await? {
            let (table, date) = (file.table, file.date);
            let (_, batches) = BytesReader::read(file.bytes, None)?;
            let mut left = Vec::new();
            for batch in batches {
                let new: BooleanArray = keys_of(&batch)
                    .map(|key| Some(!known.contains(&key)))
                    .collect();
                let batch = filter_record_batch(&batch, &new)?;
                if batch.num_rows() > 0 {
                    left.push(Ok::<_, LakeError>(batch));
                }
            }
            if !left.is_empty() {
                files.push(DataFile::encode(table, date, left.into_iter())?);
            }
        }
        Ok(files)
    }
}
