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
use arrow::array::AsArray;
use std::collections::{HashMap, HashSet};
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
    let names = fetched.log_files.iter().enumerate();
    let names: HashMap<String, u32> = names
        .map(|(at, file)| (file.log_file.uri.clone(), at as u32))
        .collect();
    let mut seen: HashSet<EventKey> = HashSet::new();
    let (mut files, mut events) = (Vec::new(), Vec::new());
    let mut take = |rows: EventRows| {
        let EventRows { batch, keys } = rows;
        let fresh: Vec<bool> = keys.iter().map(|key| seen.insert(*key)).collect();
        let log_files = batch.column(Field::LogFile as usize).as_string::<i32>();
        for (row, key) in keys.iter().enumerate().filter(|(row, _)| fresh[*row]) {
            let at = names.get(log_files.value(row));
            let log_file = *at.ok_or(IngestError::Lost("a log file"))?;
            events.push(Event {
                key: *key,
                log_file,
            });
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
