//! What the page of a trace shows besides the trace.
//!
//! In: a trace, and the session it was found in. Out: hashes of its log files, the records of its events, and whose network each address
//! is in. Promise: of a long trace, the records that its claims rest on come first.

use crate::analysis::{AnalysisError, event_records, log_file_hashes, log_file_states};
use crate::knowledge::AddressBook;
use crate::render::html::Sources;
use crate::report::trace::Trace;
use crate::session::Session;
use std::collections::{BTreeSet, HashMap};

/// Most events of which the page has the whole record.
const RECORDS: usize = 2_000;

/// What the page of a trace needs.
///
/// # Errors
///
/// Those of the session.
pub async fn page_sources(
    session: &Session,
    trace: &Trace,
    book: &AddressBook,
) -> Result<Sources, AnalysisError> {
    let events = trace.timeline.iter();
    let files = events.clone().filter_map(|event| event.log_file.as_deref());
    let files = files.collect();
    let addresses = events.filter_map(|event| event.source_ip_address.as_deref());
    let addresses: BTreeSet<&str> = addresses.collect();
    let networks = addresses.into_iter().map(|address| {
        let network = book.describe(address, &book.classify(address, &HashMap::new()));
        (address.to_owned(), network)
    });
    Ok(Sources {
        log_files: log_file_hashes(session, &files).await?,
        integrity: log_file_states(session, &files).await?,
        records: event_records(session, &trace.events_by_weight(RECORDS)).await?,
        networks: networks.collect(),
    })
}
