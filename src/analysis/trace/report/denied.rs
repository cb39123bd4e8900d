//! What was tried and did not work.
//!
//! In: the deeds. Out: one [`Denied`] per credential, call and reason, in order. Promise: every failed call is counted; those that
//! failed for a lack of rights are marked, since they show what somebody wanted.

use super::super::graph::deeds::Deed;
use crate::analysis::attribution::is_denied;
use crate::report::trace::Denied;
use std::collections::BTreeMap;

/// Failed calls, in the order of their first.
pub(in crate::analysis::trace) fn denied(deeds: &[Deed]) -> Vec<Denied> {
    let mut rows: Vec<Denied> = Vec::new();
    let mut places: BTreeMap<(Option<String>, String, String, String), usize> = BTreeMap::new();
    for deed in deeds
        .iter()
        .filter(|deed| deed.member.is_some() && deed.failed())
    {
        let event = &deed.event;
        let code = event
            .error_code
            .clone()
            .or(event.error_message.clone())
            .unwrap_or_default();
        let source = event.event_source.clone().unwrap_or_default();
        let place = (
            event.access_key_id.clone(),
            source.clone(),
            event.event_name.clone(),
            code.clone(),
        );
        let at = *places.entry(place).or_insert_with(|| {
            rows.push(Denied {
                access_key_id: event.access_key_id.clone(),
                event_source: source,
                event_name: event.event_name.clone(),
                access_denied: is_denied(Some(&code)),
                error_code: code,
                first_seen: event.event_time.clone(),
                origin: event.origin,
                error_message: event.error_message.clone(),
                event_id: event.event_id.clone(),
                ..Denied::default()
            });
            rows.len() - 1
        });
        let row = &mut rows[at];
        row.events += 1;
        row.last_seen = event.event_time.clone();
        row.origin = row.origin.min(event.origin);
        if let Some(region) = event
            .aws_region
            .as_ref()
            .filter(|region| !row.regions.contains(region))
        {
            row.regions.push(region.clone());
        }
    }
    rows
}
