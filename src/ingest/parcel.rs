//! Parcels: the unit of fetch, of CPU work, of commit and of resume.
//!
//! In: log files in order of delivery. Out: parcels. Promise: ordered by time and not by account, so that copies of one event
//! meet in the same or the next parcel, event times prune well, and many small accounts share a file.

use crate::source::LogFile;

/// Compressed bytes of a parcel. JSON is 6 to 20 times as much, so two parcels in the works stay within a few hundred
/// megabytes.
const PARCEL_BYTES: u64 = 16 << 20;

/// Log files of a parcel; what each costs besides its bytes is bounded too.
const PARCEL_FILES: usize = 8_192;

/// A log file that is to be read, and which of the sources it is in.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Position among the sources.
    pub source: usize,
    /// As listed.
    pub log_file: LogFile,
}

/// Log files that are fetched, packed and committed together: in order of delivery, all of one log day.
pub type Parcel = Vec<Planned>;

/// Cuts a plan into parcels.
pub fn parcels(log_files: Vec<Planned>) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    let mut bytes = 0;
    for planned in log_files {
        let file = &planned.log_file;
        let fits = parcels.last().is_some_and(|parcel| {
            parcel
                .last()
                .is_some_and(|last| last.log_file.log_date() == file.log_date())
                && bytes + file.size <= PARCEL_BYTES
                && parcel.len() < PARCEL_FILES
        });
        if !fits {
            parcels.push(Vec::new());
            bytes = 0;
        }
        bytes += file.size;
        if let Some(parcel) = parcels.last_mut() {
            parcel.push(planned);
        }
    }
    parcels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_file(day: u32, size: u64) -> Planned {
        let uri = format!(
            "123456789012_CloudTrail_us-east-1_202503{day:02}T0000Z_abcdefghijklmnop.json.gz"
        );
        Planned {
            source: 0,
            log_file: LogFile::new(uri, size, String::new(), None),
        }
    }

    #[test]
    fn a_parcel_ends_with_its_day_or_when_it_is_full() {
        let files = vec![
            log_file(3, 10 << 20),
            log_file(3, 6 << 20),
            log_file(3, 1),
            log_file(4, 1),
            log_file(4, 100 << 20),
            log_file(4, 1),
        ];
        let sizes: Vec<usize> = parcels(files).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 1, 1, 1]);
        assert!(parcels(Vec::new()).is_empty());
    }
}
