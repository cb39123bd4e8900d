//! A parcel is packed on another machine than the one that commits it.
//!
//! In: the log files of a parcel and an [`Order`]. Out: data files in the lake's folder, and the account of them. Promise: nothing is
//! committed here; done twice, the files of one of the two times stay without a name; copies of an event within the parcel
//! are one, and what the lake has is for the machine that commits to say.

use super::IngestError;
use super::brought::{Account, Brought, Event};
use super::job::Order;
use super::pack::data_files;
use crate::event::{EventKey, Field};
use crate::lake::{DataFile, Location, write_events};
use crate::read::{
    DecodedParcel, EventRows, FetchLimits, FetchedParcel, Parcel, ParcelDecoder, Planned, Stop,
    Taken, fetch,
};
use crate::source::{LogFile, Source};
use std::collections::HashSet;
use std::sync::Arc;

/// Where the log files are and where the data files go.
#[derive(Debug)]
pub struct Place {
    /// Where the log files are.
    pub sources: Vec<Arc<dyn Source>>,
    /// Which files, and in which of the sources each is.
    pub log_files: Vec<(usize, LogFile)>,
    /// Where the data files go.
    pub lake: Location,
}

/// Packs a parcel.
///
/// # Errors
///
/// The sources refuse everything, the lake cannot be written, or it was to stop.
pub async fn pack(place: Place, order: &Order, stop: &Stop) -> Result<Brought, IngestError> {
    let log_files = place.log_files.into_iter();
    let parcel = Parcel {
        log_files: log_files
            .map(|(source, log_file)| Planned { source, log_file })
            .collect(),
    };
    let limits = FetchLimits {
        at_once: order.fetches,
        max_json: order.max_json,
    };
    let fetched = fetch(place.sources.into(), parcel, limits).await?;
    let decoder = ParcelDecoder::new(Field::all(), order.max_json, stop.clone())
        .keeping_secrets(order.keep_secrets);
    let work = tokio::task::spawn_blocking(move || decode(decoder, fetched));
    let (files, mut brought) = work.await.map_err(|_| IngestError::Lost("a parcel"))??;
    // A parcel that was not decoded to its end has no account.
    if stop.requested() {
        return Err(IngestError::Cancelled);
    }
    brought.account.written = write_events(&place.lake, order.id, &files).await?;
    Ok(brought)
}

fn decode(
    mut decoder: ParcelDecoder,
    fetched: FetchedParcel,
) -> Result<(Vec<DataFile>, Brought), IngestError> {
    let mut seen: HashSet<EventKey> = HashSet::new();
    let (mut files, mut events) = (Vec::new(), Vec::new());
    let mut take = |rows: EventRows| {
        let EventRows {
            batch,
            keys,
            log_files,
        } = rows;
        let fresh: Vec<bool> = keys.iter().map(|key| seen.insert(*key)).collect();
        for (rows, log_file) in log_files {
            let fresh = rows.filter(|row| fresh[*row]);
            events.extend(fresh.map(|row| Event {
                key: keys[row],
                log_file: log_file as u32,
            }));
        }
        files.extend(data_files(&batch, &keys, &fresh)?);
        Ok::<_, IngestError>(Taken {
            fresh,
            spent: Some(batch),
        })
    };
    let DecodedParcel { log_files, rejects } = decoder.decode(fetched, &mut take)?;
    let account = Account {
        written: Vec::new(),
        log_files,
        rejects,
    };
    Ok((files, Brought { account, events }))
}
