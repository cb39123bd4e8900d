//! Who uses a key, and who of them is an intruder?
//!
//! In: the uses of keys. Out: [`KeyEvidence`]: consumers, and who is behind each use. Promise: read and judged once, for every answer
//! about keys; an intruder's consumers are left out unless they are wanted, and a note says so. A consumer is an intruder's only
//! if every address of it is, or if an intruder made the key.

use std::collections::BTreeSet;

use futures::future::try_join3;

use super::super::AnalysisError;
use super::super::attribution::{self, Attribution, Source};
use super::elsewhere::{ELSEWHERE, Elsewhere};
use super::{CONTEXT, Consumer, ConsumerOptions, Consumers, USES, bounds, consumers};
use crate::cloudtrail::AccessKeyId;
use crate::report::trace::Origin;
use crate::session::{Params, Session};

/// Consumers, and who is behind the use of each key.
#[derive(Debug)]
pub struct KeyEvidence {
    /// The owner's consumers; the intruders', too, where they are wanted.
    pub consumers: Consumers,
    /// Consumers of intruders that were left out.
    pub left_out: Vec<Consumer>,
    pub(in crate::analysis) attribution: Attribution,
    /// Use that only other accounts' logs show.
    pub(in crate::analysis) elsewhere: Elsewhere,
    asked: Vec<AccessKeyId>,
}

/// The parameters of what is asked for the evidence.
pub(in crate::analysis) struct Asked {
    none: Params,
    bounds: Params,
    makers: Params,
}

impl Asked {
    /// For these keys.
    pub(in crate::analysis) fn new(keys: &[AccessKeyId]) -> Self {
        Self {
            none: Params::new(),
            bounds: bounds(keys),
            makers: attribution::params(None),
        }
    }

    /// What is going to be asked, for [`Session::foresee`].
    pub(in crate::analysis) fn questions(&self) -> Vec<(&'static str, &Params)> {
        vec![
            (CONTEXT, &self.none),
            (USES, &self.bounds),
            (attribution::USES, &self.makers),
            (attribution::LINEAGE, &self.none),
            (attribution::ISSUED, &self.none),
            (attribution::DOORS, &self.none),
            (attribution::SIGN_INS, &self.none),
            (ELSEWHERE, &self.none),
        ]
    }
}

impl KeyEvidence {
    /// Reads it for these keys; for every long-term key if none is named.
    pub async fn read(
        session: &Session,
        keys: &[AccessKeyId],
        options: &ConsumerOptions,
    ) -> Result<Self, AnalysisError> {
        session.foresee(&Asked::new(keys).questions()).await?;
        let (mut found, attribution, elsewhere) = try_join3(
            consumers(session, keys, options),
            Attribution::read(session, &options.lists, Some(&options.addresses)),
            Elsewhere::read(session),
        )
        .await?;
        let mut left_out = Vec::new();
        if !options.include_intruder {
            (left_out, found.consumers) = found
                .consumers
                .into_iter()
                .partition(|consumer| is_intruder(&attribution, consumer));
        }
        Ok(Self {
            consumers: found,
            left_out,
            attribution,
            elsewhere,
            asked: keys.to_vec(),
        })
    }

    /// What there is to say of intruders, before anything else.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = left_out(&self.left_out).into_iter().collect();
        let asked: BTreeSet<&str> = self.asked.iter().map(AccessKeyId::as_str).collect();
        let is_asked = |key: &&str| asked.is_empty() || asked.contains(*key);
        let keys: Vec<&str> = self.attribution.long_term_keys().filter(is_asked).collect();
        let sessions = keys.iter().filter_map(|key| {
            let sources = self.attribution.strangers(key);
            let stolen =
                sources.filter(|source| source.is_by_session && source.origin == Origin::Intruder);
            some_places(stolen).map(|places| format!("{key} ({places})"))
        });
        notes.extend(list(
            "an intruder used sessions that these keys opened",
            sessions.collect(),
        ));
        let suspicious = keys.iter().filter_map(|key| {
            let sources = self.attribution.strangers(key);
            let sources = sources.filter(|source| source.origin == Origin::Suspicious);
            some_places(sources).map(|places| format!("{key} ({places})"))
        });
        notes.extend(list(
            "suspicious use (keytrail trace KEY has the reasons)",
            suspicious.collect(),
        ));
        notes
    }

    /// That there are calls which may be a key's and that only other accounts' logs have.
    pub fn seen_elsewhere(&self) -> Option<String> {
        let asked = self.asked.iter().map(AccessKeyId::as_str);
        let all = || self.consumers.consumers.iter();
        let all = all().map(|consumer| consumer.access_key_id.as_str());
        let keys: BTreeSet<&str> = match self.asked.is_empty() {
            true => all.collect(),
            false => asked.collect(),
        };
        let told = keys.into_iter().filter_map(|key| {
            let calls: Vec<_> = self.elsewhere.of(key).collect();
            (!calls.is_empty()).then(|| format!("{key} ({})", Elsewhere::words(&calls)))
        });
        list(
            "possible use of these keys, not counted as consumers",
            told.collect(),
        )
    }
}

/// How the note begins that says which consumers were left out.
pub const LEFT_OUT: &str = "use by an intruder is excluded";

/// So many keys or places are named; the others are counted.
const SHOWN: usize = 3;

fn list(what: &str, keys: Vec<String>) -> Option<String> {
    let more = match keys.len().saturating_sub(SHOWN) {
        0 => String::new(),
        1 => " and 1 more key".to_owned(),
        more => format!(" and {more} more keys"),
    };
    let shown = &keys[..keys.len().min(SHOWN)];
    (!keys.is_empty()).then(|| format!("{what}: {}{more}", shown.join(", ")))
}

/// The addresses of some sources.
fn some_places<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<String> {
    let addresses: BTreeSet<&str> = sources.map(|source| source.address.as_str()).collect();
    let shown: Vec<&str> = addresses.iter().take(SHOWN).copied().collect();
    match addresses.len().saturating_sub(SHOWN) {
        _ if addresses.is_empty() => None,
        0 => Some(format!("from {}", shown.join(", "))),
        more => Some(format!("from {} and {more} more", shown.join(", "))),
    }
}

fn is_intruder(attribution: &Attribution, consumer: &Consumer) -> bool {
    let key = consumer.access_key_id.as_str();
    if attribution.made_by_intruder(key).is_some() {
        return true;
    }
    let sources: Vec<_> = attribution
        .strangers(key)
        .filter(|source| source.origin == Origin::Intruder && !source.is_by_session)
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

/// That consumers were left out, in words.
fn left_out(left_out: &[Consumer]) -> Option<String> {
    let first = left_out.first()?;
    let keys: BTreeSet<String> = left_out
        .iter()
        .map(|consumer| consumer.access_key_id.clone())
        .collect();
    let who = match left_out.len() {
        1 => format!("{LEFT_OUT} ({})", first.name),
        several => format!("{LEFT_OUT} ({several} consumers)"),
    };
    list(&who, keys.into_iter().collect())
}
