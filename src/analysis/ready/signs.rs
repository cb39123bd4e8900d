//! Signs of an intruder in the use of keys.
//!
//! In: who is behind each use. Out: [`Sign`]s in words. Promise: the same judge as for a trace; a use that is only new is
//! not an intruder's.

use crate::analysis::AnalysisError;
use crate::analysis::attribution::{Attribution, Source};
use crate::analysis::findings::Lists;
use crate::report::trace::Origin;
use crate::session::Session;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Signs that a key has.
#[derive(Debug, Default)]
pub(super) struct Sign {
    /// Attack tools, and systems for penetration tests.
    pub(super) tools: Vec<String>,
    /// Uses that are an intruder's.
    pub(super) strangers: Vec<String>,
    /// From where an intruder used it, and since when.
    pub(super) places: Vec<(String, DateTime<Utc>)>,
}

/// Signs by key.
pub(super) type Signs = HashMap<String, Sign>;

/// Reads them.
pub(super) async fn read(session: &Session) -> Result<Signs, AnalysisError> {
    let mut signs = Signs::new();
    let attribution = Attribution::read(session, &Lists::default()).await?;
    for key in attribution.intruders_keys() {
        let sign = signs.entry(key.to_owned()).or_default();
        sign.strangers
            .extend(attribution.made_by_intruder(key).map(str::to_owned));
        let intruders = attribution
            .strangers(key)
            .filter(|source| source.origin == Origin::Intruder);
        for source in intruders {
            let since = source.first_use();
            let since = since.and_then(|first| DateTime::from_timestamp_micros(first.first));
            sign.places
                .extend(since.map(|since| (source.address.clone(), since)));
            match source.is_attack_tool() {
                true => sign.tools.push(told(source)),
                false => sign.strangers.push(told(source)),
            }
        }
    }
    Ok(signs)
}

/// A source in words, with its first event.
fn told(source: &Source) -> String {
    let why = source.why().join("; ");
    let Some(first) = source.first_use() else {
        return why;
    };
    let time = DateTime::from_timestamp_micros(first.first);
    let time = time.map(|time| time.format("%Y-%m-%d %H:%M:%S").to_string());
    format!(
        "{why} (event {}, {} from {} at {}, the first of {})",
        first.event_id,
        first.call(),
        source.address,
        time.unwrap_or_default(),
        source.events
    )
}
