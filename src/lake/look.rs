//! Is a data file what was written?
//!
//! In: a data file, and what its table's log says of it. Out: what is wrong with either. Promise: all its bytes are looked at; of a
//! file whose name tells that its bytes are right, it is the log that is wrong.

use super::LakeError;
use super::change::StoredFile;
use super::damage::{CHANGED, UNREADABLE};
use super::reader::BytesReader;
use super::table::Table;
use super::tables::TableName;
use super::writer::{TELLING, stats_fit};
use super::{names, recover};
use arrow::array::RecordBatch;
use object_store::ObjectStoreExt;
use object_store::path::Path;

/// What a look into a file found.
pub(super) enum Found {
    Whole,
    /// It is not what was written.
    Bad(String),
    /// It is, and the log says something else of it.
    Mislabelled(StoredFile, String),
}

/// The columns of events that are compared with the ledger and the log.
const COMPARED: [&str; 7] = [
    "event_time",
    "event_id",
    "content_sha256",
    "log_file",
    TELLING[1],
    TELLING[2],
    TELLING[3],
];

/// Looks into a file of which the log has the statistics `said`; gives its rows too, as far as they matter to a check.
pub(super) async fn into(
    table: &Table,
    file: &StoredFile,
    said: Option<&str>,
) -> Result<(Found, Vec<RecordBatch>), LakeError> {
    let bad = |problem: String| Ok((Found::Bad(problem), Vec::new()));
    let store = table.delta().object_store();
    let path = Path::from(file.path.as_str());
    let bytes = store.get(&path).await?.bytes().await?;
    let size = bytes.len() as u64;
    let seal = names::read(&file.path).map(|(_, seal)| seal);
    let fits = seal.map(|seal| seal.fits(&bytes));
    let other_size = format!(
        "it has {size} bytes instead of {}, which the log says",
        file.size
    );
    match fits {
        Some(true) => {}
        _ if size != file.size => return bad(other_size),
        Some(false) => return bad(CHANGED.to_owned()),
        None => {}
    }
    // Bytes that are as they were written need not be decoded but for what is compared.
    let columns = match (seal, table.name) {
        (Some(_), TableName::Events) => Some(COMPARED.as_slice()),
        _ => None,
    };
    let (rows, batches) = match BytesReader::read(bytes, columns) {
        Ok(read) => read,
        Err(error) => {
            tracing::debug!(path = file.path, %error, "a data file cannot be decoded");
            return bad(UNREADABLE.to_owned());
        }
    };
    let right = StoredFile {
        size,
        rows,
        date: recover::day_of(&file.path),
        ..file.clone()
    };
    let problem = if size != file.size {
        Some(other_size)
    } else if rows != file.rows {
        Some(format!("it has {rows} rows instead of {}", file.rows))
    } else if seal.is_some() && right.date != file.date {
        Some("the log has it under another day".to_owned())
    } else if seal.is_some() && !stats_fit(table.name, &batches, said) {
        Some("the log has other statistics of it: queries may pass over it".to_owned())
    } else {
        None
    };
    let found = match problem {
        None => Found::Whole,
        Some(problem) if seal.is_none() => return bad(problem),
        Some(problem) => Found::Mislabelled(right, problem),
    };
    Ok((found, batches))
}
