//! Parcels: the unit of fetch, of CPU work, of commit and of resume.
//!
//! In: log files in order of delivery. Out: parcels. Promise: ordered by time and not by account, so that copies of one event
//! meet in the same or the next parcel, event times prune well, and many small accounts share a file.

use crate::source::LogFile;

/// How large a parcel may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParcelSize {
    /// Compressed bytes; a log file that is larger is a parcel of its own.
    pub bytes: u64,
    /// Log files; each costs something besides its bytes.
    pub log_files: usize,
    /// Whether it ends with the log day.
    pub one_day: bool,
}

impl ParcelSize {
    /// For an ingest: JSON is 6 to 20 times as much as its compressed bytes, so two parcels in the works stay within a few
    /// hundred megabytes. Of one day, so that only a day's first parcel spills into the partition of the day before.
    pub const INGEST: Self = Self {
        bytes: 16 << 20,
        log_files: 8_192,
        one_day: true,
    };

    /// For a question without a lake: small enough that all threads end together.
    pub const QUESTION: Self = Self {
        bytes: 4 << 20,
        log_files: 512,
        one_day: false,
    };
}

/// A log file that is to be read, and which of the sources it is in.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Position among the sources.
    pub source: usize,
    /// As listed.
    pub log_file: LogFile,
}

/// Log files that are fetched and decoded together, in order of delivery.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    /// At least one.
    pub log_files: Vec<Planned>,
}

/// Cuts a list of log files into parcels.
pub fn parcels(log_files: Vec<Planned>, size: ParcelSize) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    let mut bytes = 0;
    for planned in log_files {
        let file = &planned.log_file;
        let same_day = |last: &Planned| last.log_file.log_date() == file.log_date();
        let fits = parcels.last().is_some_and(|parcel| {
            (!size.one_day || parcel.log_files.last().is_some_and(same_day))
                && bytes + file.size <= size.bytes
                && parcel.log_files.len() < size.log_files
        });
        if !fits {
            parcels.push(Parcel::default());
            bytes = 0;
        }
        bytes += file.size;
        if let Some(parcel) = parcels.last_mut() {
            parcel.log_files.push(planned);
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
        let sizes = |size| -> Vec<usize> {
            let parcels = parcels(files.clone(), size);
            parcels
                .iter()
                .map(|parcel| parcel.log_files.len())
                .collect()
        };
        assert_eq!(sizes(ParcelSize::INGEST), [2, 1, 1, 1, 1]);
        assert_eq!(sizes(ParcelSize::QUESTION), [1, 1, 2, 1, 1]);
        assert!(parcels(Vec::new(), ParcelSize::INGEST).is_empty());
    }
}
