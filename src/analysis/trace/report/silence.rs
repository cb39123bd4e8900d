//! Where logs fell silent after somebody blinded them.
//!
//! In: the deeds. Out: for each call that stopped or narrowed a trail, the regions of its account that fell silent, from when to
//! when. Promise: a region in which nothing happens is silent, too: it is said what the logs show, not why.

use super::super::graph::deeds::{Deed, rfc3339};
use super::super::graph::facts::{SECOND, list, number, numbers, text, texts};
use crate::analysis::AnalysisError;
use crate::report::trace::{BlindSpot, Origin, Unseen};
use crate::session::{Params, Session};
use std::collections::BTreeMap;

/// Calls after which a trail may say less.
const STOPS: [&str; 4] = [
    "StopLogging",
    "DeleteTrail",
    "UpdateTrail",
    "PutEventSelectors",
];

/// A shorter silence is none.
const LONG: i64 = 3_600 * SECOND;

/// Looks for it.
pub(in crate::analysis::trace) async fn silence(
    session: &Session,
    deeds: &[Deed],
) -> Result<Vec<Unseen>, AnalysisError> {
    let mut stops: BTreeMap<(i64, String), &Deed> = BTreeMap::new();
    for deed in deeds {
        let ours = deed.event.origin == Origin::Owner || !deed.has_effect();
        if !ours && deed.service() == "cloudtrail" && STOPS.contains(&deed.operation.as_str()) {
            let account = deed.event.account_id.clone().unwrap_or_default();
            stops.entry((deed.time, account)).or_insert(deed);
        }
    }
    if stops.is_empty() {
        return Ok(Vec::new());
    }
    let accounts = stops.keys().map(|(_, account)| account.as_str());
    let moments = stops.values().map(|deed| deed.event.event_time.as_str());
    let params = Params::from([
        ("accounts".to_owned(), list(accounts)),
        ("moments".to_owned(), list(moments)),
    ]);
    let sql = include_str!("../../../../queries/trace/silence.sql");
    let (_, batches) = session.sql(sql, &params).await?;
    let mut regions: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for batch in &batches {
        let (accounts, moments) = (texts(batch, "account_id")?, texts(batch, "moment")?);
        let names = texts(batch, "aws_region")?;
        let (before, after) = (
            numbers(batch, "last_before")?,
            numbers(batch, "first_after")?,
        );
        for row in 0..batch.num_rows() {
            // A region that was never heard of has not fallen silent.
            let Some(last) = number(&before, row) else {
                continue;
            };
            let region = text(&names, row).unwrap_or("no region");
            let said = match number(&after, row) {
                Some(first) if first - last < LONG => continue,
                Some(first) => format!("{region} from {} to {}", rfc3339(last), rfc3339(first)),
                None => format!("{region} from {} to the end of the logs", rfc3339(last)),
            };
            let key = |column| text(column, row).unwrap_or_default().to_owned();
            let place = (key(&moments), key(&accounts));
            regions.entry(place).or_default().push(said);
        }
    }
    let rows = stops.values().filter_map(|deed| {
        let account = deed.event.account_id.clone().unwrap_or_default();
        let silent = regions.get(&(deed.event.event_time.clone(), account.clone()))?;
        let name = deed.call().first("request.name|request.trailName");
        Some(Unseen {
            kind: BlindSpot::Silence,
            what: format!(
                "no events of account {account} in {} after {} of {} at {}",
                silent.join(", "),
                deed.event.event_name,
                name.as_deref().unwrap_or("a trail"),
                deed.event.event_time,
            ),
            meaning: "activity there is not logged unless another trail covers it; an unused region looks the same",
        })
    });
    Ok(rows.collect())
}
