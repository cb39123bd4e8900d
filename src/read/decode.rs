//! From fetched bytes to rows, and the account of them.
//!
//! In: a [`FetchedParcel`]. Out: its events as [`EventRows`], to whoever takes them, and a [`DecodedParcel`]. Promise: every
//! record is counted for its own log file: as stored, as a duplicate, or as rejected; a log file that breaks half-way gives
//! no rows.

use super::{FetchedFile, FetchedParcel, LogFileRow, RejectRow, Stop};
use crate::event::{Decoder, EventBuilder, EventKey, Field, FileFault, Outcome};
use crate::source::LogFile;
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Events of a parcel, as many as a builder holds.
#[derive(Debug)]
pub struct EventRows {
    /// The columns that were asked for.
    pub batch: RecordBatch,
    /// What each row is known by.
    pub keys: Vec<EventKey>,
    /// Which rows are of which log file, by its place in the parcel.
    pub log_files: Vec<(Range<usize>, usize)>,
}

/// What was made of [`EventRows`].
#[derive(Debug)]
pub struct Taken {
    /// For each row, whether its event is new.
    pub fresh: Vec<bool>,
    /// The batch, if it is not needed any more: its memory is used again.
    pub spent: Option<RecordBatch>,
}

/// What became of a parcel's log files and records.
#[derive(Debug, Default)]
pub struct DecodedParcel {
    /// One row per log file.
    pub log_files: Vec<LogFileRow>,
    /// What could not be decoded.
    pub rejects: Vec<RejectRow>,
}

/// Compares log files, as they were fetched, with what digest files say of them.
#[derive(Clone)]
pub struct Comparison(Arc<Compare>);

type Compare = dyn Fn(&LogFile, &[u8]) -> String + Send + Sync;

impl Comparison {
    /// A comparison that gives the word for a log file's state.
    pub fn new(compare: impl Fn(&LogFile, &[u8]) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(compare))
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Comparison")
    }
}

/// Decodes parcels; keeps its memory from one to the next.
#[derive(Debug)]
pub struct ParcelDecoder {
    comparison: Option<Comparison>,
    decoder: Decoder,
    builder: EventBuilder,
    stop: Stop,
}

impl ParcelDecoder {
    /// A decoder of these columns that rejects log files with more than `max_json` bytes of JSON; asked to stop, it leaves
    /// out the log files that are not decoded yet.
    pub fn new(fields: &[Field], max_json: u64, stop: Stop) -> Self {
        Self {
            comparison: None,
            decoder: Decoder::new(max_json).until(stop.flag()),
            builder: EventBuilder::new(fields),
            stop,
        }
    }

    /// The same; session tokens and passwords that services log are kept, if so.
    #[must_use]
    pub fn keeping_secrets(self, keep: bool) -> Self {
        Self {
            builder: self.builder.keeping_secrets(keep),
            ..self
        }
    }

    /// The same; each log file is compared with digest files, if so.
    #[must_use]
    pub fn comparing(self, comparison: Option<Comparison>) -> Self {
        Self { comparison, ..self }
    }

    /// Decodes a parcel; `take` is given its rows and says which of them are new.
    ///
    /// # Errors
    ///
    /// Those of `take`, and columns that cannot be put together. What was decoded until then is lost.
    pub fn decode<E: From<ArrowError>>(
        &mut self,
        parcel: FetchedParcel,
        take: &mut dyn FnMut(EventRows) -> Result<Taken, E>,
    ) -> Result<DecodedParcel, E> {
        let Self {
            comparison,
            decoder,
            builder,
            stop,
        } = self;
        let mut work = Work {
            take,
            comparison: comparison.as_ref(),
            stop,
            decoded: DecodedParcel::default(),
            pending: Vec::new(),
            failure: None,
        };
        for file in parcel.log_files {
            work.log_file(file, decoder, builder);
            if builder.is_full() {
                work.flush(builder);
            }
            if work.failure.is_some() || stop.requested() {
                break;
            }
        }
        work.flush(builder);
        match work.failure {
            Some(failure) => Err(failure),
            None => Ok(work.decoded),
        }
    }
}

/// One parcel at work.
struct Work<'a, E> {
    take: &'a mut dyn FnMut(EventRows) -> Result<Taken, E>,
    comparison: Option<&'a Comparison>,
    stop: &'a Stop,
    decoded: DecodedParcel,
    /// Rows in the builder, and the ledger row they belong to.
    pending: Vec<(Range<usize>, usize)>,
    failure: Option<E>,
}

impl<E: From<ArrowError>> Work<'_, E> {
    fn log_file(&mut self, file: FetchedFile, decoder: &mut Decoder, builder: &mut EventBuilder) {
        let mut row = LogFileRow::listed(&file.log_file);
        let bytes = match file.bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                row.unfetched(&error);
                return self.decoded.log_files.push(row);
            }
        };
        if !row.fetched(&bytes, self.stop) {
            return;
        }
        row.integrity = self.comparison.map(|it| (it.0)(&file.log_file, &bytes));
        // The row goes in before the file is decoded: a long file hands over rows while it is being decoded.
        let place = self.decoded.log_files.len();
        self.decoded.log_files.push(row);
        let mut first = builder.rows();
        let mut when_full = |builder: &mut EventBuilder| {
            self.pending.push((first..builder.rows(), place));
            self.flush(builder);
            first = 0;
        };
        let name = file.log_file.uri;
        let decoded = decoder.decode(&bytes, &name, (&mut *builder, &mut when_full));
        if builder.rows() > first {
            self.pending.push((first..builder.rows(), place));
        }
        if decoded.outcome == Outcome::Rejected(FileFault::Stopped) {
            // It is left for the next run; what of it was handed over already, that run finds there.
            self.decoded.log_files.truncate(place);
            return;
        }
        let rejects = self.decoded.log_files[place].decoded(decoded).into_iter();
        self.decoded.rejects.extend(rejects.map(|reject| RejectRow {
            log_file: name.clone(),
            reject,
        }));
    }

    /// Hands over the rows in the builder.
    fn flush(&mut self, builder: &mut EventBuilder) {
        if self.failure.is_none()
            && let Err(failure) = self.try_flush(builder)
        {
            self.failure = Some(failure);
        }
    }

    fn try_flush(&mut self, builder: &mut EventBuilder) -> Result<(), E> {
        let (batch, keys) = builder.finish()?;
        let pending = std::mem::take(&mut self.pending);
        if keys.is_empty() {
            return Ok(());
        }
        let rows = EventRows {
            batch,
            keys,
            log_files: pending.clone(),
        };
        let Taken { fresh, spent } = (self.take)(rows)?;
        for (rows, place) in pending {
            let stored = fresh[rows.clone()].iter().filter(|fresh| **fresh).count();
            let row = &mut self.decoded.log_files[place];
            row.stored += stored as u64;
            row.duplicates += (rows.len() - stored) as u64;
        }
        if let Some(batch) = spent {
            builder.reuse(batch);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::LogFileOutcome;
    use crate::source::{LogFile, SourceError};
    use std::collections::HashSet;

    fn file(name: &str, events: &[u32]) -> FetchedFile {
        let records: Vec<String> = events
            .iter()
            .map(|n| format!(r#"{{"eventVersion":"1.11","eventName":"GetUser","eventSource":"iam.amazonaws.com","eventTime":"2025-03-01T00:00:00Z","eventID":"{n:08}-0000-4000-8000-000000000000"}}"#))
            .collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        FetchedFile {
            log_file: LogFile::new(name.to_owned(), text.len() as u64, "1".to_owned(), None),
            bytes: Ok(text.into()),
        }
    }

    #[test]
    fn every_record_is_counted_for_its_own_log_file() -> Result<(), ArrowError> {
        let lost = SourceError::NotFound {
            uri: "c".to_owned(),
        };
        let mut unfetched = file("c", &[]);
        unfetched.bytes = Err(lost);
        let parcel = FetchedParcel {
            log_files: vec![
                file("a", &[1, 2, 3]),
                file("b", &[3, 4]),
                unfetched,
                file("d", &[1, 2]),
            ],
        };
        let mut seen = HashSet::new();
        let mut take = |rows: EventRows| {
            let fresh = rows.keys.iter().map(|key| seen.insert(*key)).collect();
            Ok::<_, ArrowError>(Taken { fresh, spent: None })
        };
        let mut decoder = ParcelDecoder::new(&[Field::EventId], 1 << 20, Stop::default());
        let decoded = decoder.decode(parcel, &mut take)?;
        let rows = decoded.log_files.iter();
        let counts: Vec<_> = rows
            .map(|row| {
                (
                    row.log_file.as_str(),
                    row.stored,
                    row.duplicates,
                    row.events,
                )
            })
            .collect();
        assert_eq!(
            counts,
            [
                ("a", 3, 0, 3),
                ("b", 1, 1, 2),
                ("c", 0, 0, 0),
                ("d", 0, 2, 2)
            ]
        );
        let hashes: Vec<bool> = decoded
            .log_files
            .iter()
            .map(|row| row.sha256.is_some())
            .collect();
        assert_eq!(hashes, [true, true, false, true]);
        assert_eq!(decoded.log_files[2].outcome, LogFileOutcome::Unfetched);
        Ok(())
    }
}
