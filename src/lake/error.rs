//! What can go wrong with a lake.
//!
//! In: errors of the engines below. Out: facts: which lake, which table, what happened. Promise: no advice; that is the
//! command line's.

use super::damage::{Damage, causes};
use super::faults::{self, Fault};
use super::location::Location;
use super::tables::TableName;
use deltalake_core::DeltaTableError;
use parquet::errors::ParquetError;
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a lake could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// There is no lake at this place.
    #[error("there is no lake at {lake}")]
    Missing {
        /// Where it was looked for.
        lake: String,
    },
    /// One of the lake's tables is not there.
    #[error("the table {table} of the lake {lake} is missing")]
    MissingTable {
        /// Which lake.
        lake: String,
        /// Which table.
        table: &'static str,
    },
    /// The ledger has counted more rows than a table has.
    #[error(
        "the table {table} of the lake {lake} has lost {} of its {counted} rows",
        counted - rows
    )]
    Lost {
        /// Which lake.
        lake: String,
        /// Which table.
        table: &'static str,
        /// The rows the ledger has counted.
        counted: u64,
        /// The rows that are there.
        rows: u64,
    },
    /// The log of a table cannot be read.
    #[error(
        "the log of the table {table} of the lake {lake} is damaged{}",
        fault.as_ref().map(|(file, problem)| format!(": {file}: {problem}")).unwrap_or_default()
    )]
    Unreadable {
        /// Which lake.
        lake: String,
        /// Which table.
        table: &'static str,
        /// Which of its files, and what is wrong with it, where that is known.
        fault: Option<(String, String)>,
    },
    /// A data file is not what it was.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A data file is not what it was, and it is not known which.
    #[error("a data file of the lake {lake} is damaged")]
    DamagedFile {
        /// Which lake.
        lake: String,
    },
    /// There are Delta tables that keytrail did not make.
    #[error("{lake} holds Delta tables that keytrail did not make")]
    NotALake {
        /// Where.
        lake: String,
    },
    /// The lake was written by a newer keytrail.
    #[error(
        "the lake {lake} has format version {version}, and this keytrail knows versions up to {supported}"
    )]
    Newer {
        /// Where.
        lake: String,
        /// The lake's version.
        version: u32,
        /// The newest version that can be handled.
        supported: u32,
    },
    /// Another program has changed the lake in a way that keytrail never does, and does not read.
    #[error(
        "table {table} of the lake {lake} uses Delta's {feature}, which keytrail does not read"
    )]
    Foreign {
        /// Where.
        lake: String,
        /// Which table.
        table: &'static str,
        /// What it uses.
        feature: &'static str,
    },
    /// The place cannot be one of a lake.
    #[error("{uri:?} cannot hold a lake: {reason}")]
    Location {
        /// As it was given.
        uri: String,
        /// Why not.
        reason: String,
    },
    /// A folder of the lake could not be made.
    #[error("the folder {} cannot be made: {source}", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system does not let a file or folder of the lake be read or written.
    #[error("{path}: {source}")]
    Refused {
        /// Which file or folder.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The log of a table cannot be written, for a reason that lies in its content.
    #[error("the log of the table {table} of the lake cannot be written: {source}")]
    Delta {
        /// Which table.
        table: &'static str,
        /// What happened.
        source: Box<DeltaTableError>,
    },
    /// The storage failed, after it was asked again.
    #[error("the storage of the lake failed: {}", said(.0))]
    Storage(#[source] object_store::Error),
    /// A Parquet file could not be read or written.
    #[error("a Parquet file of the lake: {0}")]
    Parquet(#[source] ParquetError),
    /// Columns did not fit together.
    #[error("columns of the lake: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A thread ended without a result.
    #[error("internal fault: a thread that writes the lake ended without a result")]
    Stopped,
    /// Other writers committed again and again.
    #[error("other writers committed to {table} {attempts} times in a row")]
    Contended {
        /// Which table.
        table: &'static str,
        /// How often it was tried.
        attempts: u32,
    },
}

impl LakeError {
    /// What it means that an engine could not read the log of a table: it is damaged, unless the storage failed.
    pub(crate) fn of_log(location: &Location, table: TableName, error: &DeltaTableError) -> Self {
        Self::of_files(location, table, error).unwrap_or_else(|| {
            if error.to_string().contains("nsupported") {
                return Self::Foreign {
                    lake: location.name(),
                    table: table.as_str(),
                    feature: "newer features",
                };
            }
            tracing::debug!(table = table.as_str(), %error, "the log cannot be read");
            Self::Unreadable {
                lake: location.name(),
                table: table.as_str(),
                fault: None,
            }
        })
    }

    /// What it means that an engine could not add to the log of a table.
    pub(crate) fn of_commit(location: &Location, table: TableName, error: DeltaTableError) -> Self {
        Self::of_files(location, table, &error).unwrap_or_else(|| Self::Delta {
            table: table.as_str(),
            source: Box::new(error),
        })
    }

    /// What is wrong with the files of a log, or with the storage that they are in.
    fn of_files(
        location: &Location,
        table: TableName,
        error: &(dyn Error + 'static),
    ) -> Option<Self> {
        match location.fault(table) {
            Some(Fault::Store(error)) => Some(error.into()),
            Some(Fault::Damage(damage)) => Some(Self::Unreadable {
                lake: damage.lake,
                table: table.as_str(),
                fault: Some((damage.file, damage.problem)),
            }),
            None => Self::refused(error).or_else(|| Self::of_storage(error)),
        }
    }

    /// The storage failed, out of an error that went through an engine.
    pub(crate) fn of_storage(error: &(dyn Error + 'static)) -> Option<Self> {
        let Some(store) =
            causes(error).find_map(|cause| cause.downcast_ref::<object_store::Error>())
        else {
            // Some engines keep the words of a cause only.
            let said = error.to_string();
            let (_, said) = said.split_once("Generic S3 error: ")?;
            return Some(Self::Storage(object_store::Error::Generic {
                store: "S3",
                source: said.into(),
            }));
        };
        let is_gone = matches!(store, object_store::Error::NotFound { .. });
        (!is_gone).then(|| Self::Storage(faults::copied(store)))
    }

    /// What the operating system does not allow with a file or folder, out of an error of an engine. Some engines keep the words of
    /// a cause only, so it is looked for in these. A file that is not there is no such case.
    pub(crate) fn refused(error: &(dyn Error + 'static)) -> Option<Self> {
        let said = error.to_string();
        let (words, code) = said.rsplit_once(" (os error ")?;
        let (code, _) = code.split_once(')')?;
        let source = io::Error::from_raw_os_error(code.parse().ok()?);
        let (place, _) = words.rsplit_once(": ")?;
        let path = place.get(place.find(" /")? + 1..)?.to_owned();
        (source.kind() != io::ErrorKind::NotFound).then_some(Self::Refused { path, source })
    }
}

/// What a store said, without the names of the engine's parts.
fn said(error: &object_store::Error) -> String {
    let said = error.to_string();
    let rest = said.strip_prefix("Generic ");
    let rest = rest.and_then(|rest| rest.split_once(" error: "));
    rest.map_or(said.clone(), |(_, said)| said.to_owned())
}

impl From<object_store::Error> for LakeError {
    fn from(error: object_store::Error) -> Self {
        if let Some(damage) = Damage::among(&error) {
            return damage.into();
        }
        Self::refused(&error).unwrap_or(Self::Storage(error))
    }
}

impl From<ParquetError> for LakeError {
    fn from(error: ParquetError) -> Self {
        if let Some(damage) = Damage::among(&error) {
            return damage.into();
        }
        let known = Self::refused(&error).or_else(|| Self::of_storage(&error));
        known.unwrap_or(Self::Parquet(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operating_system_refuses_is_not_damage() {
        let said = |text: &str| LakeError::refused(&io::Error::other(text)).map(|e| e.to_string());
        let denied = io::Error::from_raw_os_error(13).to_string();
        for (text, path) in [
            (
                "External: Generic LocalFileSystem error: Unable to open file /a lake/events/x.parquet: ",
                "/a lake/events/x.parquet",
            ),
            (
                "Generic LocalFileSystem error: Unable to walk dir: IO error for operation on /lake/a: b/_delta_log: ",
                "/lake/a: b/_delta_log",
            ),
            ("Kernel: Unable to access metadata for /lake: ", "/lake"),
        ] {
            assert_eq!(
                said(&format!("{text}{denied}")),
                Some(format!("{path}: {denied}"))
            );
        }
        let gone = io::Error::from_raw_os_error(2);
        assert_eq!(said(&format!("Unable to open file /lake/x: {gone}")), None);
        assert_eq!(said(&format!("Generic disk error: {denied}")), None);
        assert_eq!(said("the footer of /lake/x is damaged"), None);
    }
}
