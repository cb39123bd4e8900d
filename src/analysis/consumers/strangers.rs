//! Which of a key's consumers are intruders?
//!
//! In: consumers, and who is behind each use. Out: the consumers without those that an intruder is behind. Promise: a consumer is
//! left out only if every address of it is an intruder's, or an intruder made the key; the answer names what was left out.

use std::collections::BTreeSet;

use super::super::AnalysisError;
use super::super::attribution::{self, Attribution};
use super::super::findings::Lists;
use super::{CONTEXT, Consumer, Consumers, USES, bounds};
use crate::cloudtrail::AccessKeyId;
use crate::report::trace::Origin;
use crate::session::{Params, Session};

/// Says what is asked in the following, so that log files are read once for it.
pub(super) async fn foresee(session: &Session, keys: &[AccessKeyId]) -> Result<(), AnalysisError> {
    let (none, bounds) = (Params::new(), bounds(keys));
    let makers = attribution::params(None);
    let questions = [
        (CONTEXT, &none),
        (USES, &bounds),
        (attribution::USES, &makers),
        (attribution::ISSUED, &none),
        (attribution::SIGN_INS, &none),
    ];
    Ok(session.foresee(&questions).await?)
}

/// Takes out the consumers that an intruder is behind.
pub(super) async fn left_out(
    session: &Session,
    found: &mut Consumers,
) -> Result<Vec<Consumer>, AnalysisError> {
    let attribution = Attribution::read(session, &Lists::default()).await?;
    let (theirs, own) = found
        .consumers
        .drain(..)
        .partition(|consumer| is_intruder(&attribution, consumer));
    found.consumers = own;
    Ok(theirs)
}

fn is_intruder(attribution: &Attribution, consumer: &Consumer) -> bool {
    let key = consumer.access_key_id.as_str();
    if attribution.made_by_intruder(key).is_some() {
        return true;
    }
    let sources: Vec<_> = attribution
        .strangers(key)
        .filter(|source| source.origin == Origin::Intruder)
        .collect();
    let agents: BTreeSet<&str> = consumer
        .user_agents
        .iter()
        .map(|agent| agent.name.as_str())
        .collect();
    let stolen = |address: &str| {
        sources.iter().any(|source| {
            source.address == address
                && source
                    .agents
                    .iter()
                    .any(|agent| agents.contains(agent.as_str()))
        })
    };
    let mut addresses = consumer.source_ip_addresses.iter();
    !consumer.source_ip_addresses.is_empty()
        && addresses.all(|used| stolen(&used.source_ip_address))
}

/// What was left out, in words.
pub(super) fn note(left_out: &[Consumer]) -> Option<String> {
    const SHOWN: usize = 3;
    let first = left_out.first()?;
    let keys: BTreeSet<&str> = left_out
        .iter()
        .map(|consumer| consumer.access_key_id.as_str())
        .collect();
    let names: Vec<&str> = keys.iter().take(SHOWN).copied().collect();
    let more = match keys.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more keys"),
    };
    let who = match left_out.len() {
        1 => format!("an intruder ({}) used", first.name),
        several => format!("intruders ({several} programs) used"),
    };
    Some(format!(
        "{who} {}{more}: left out of the consumers",
        names.join(", ")
    ))
}
