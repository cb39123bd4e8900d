//! Who uses a key?
//!
//! In: the distinct uses of keys (SQL), and what is known of networks. Out: [`Consumer`]s: programs, machines and people, each
//! with its kind, evidence, cadence, and what it should use instead of the key. Promise: the work grows with distinct
//! combinations of key, address, user agent, call and day, not with events; the same trail gives the same answer.
//!
//! ```text
//! uses.sql ─▶ uses ─▶ group ─▶ evidence ─▶ describe ─▶ Consumer ─▶ rows
//! ```

mod agent;
mod apart;
mod cadence;
mod consumer;
mod context;
mod describe;
mod elsewhere;
mod evidence;
mod facts;
mod group;
mod key_evidence;
mod name;
mod replacement;
mod rows;
mod signs;
mod site;
mod uses;

pub use consumer::{
    AddressUse, ApiUse, Cadence, Confidence, Consumer, Counted, DayUse, Pattern, Target, Workload,
};
pub(super) use elsewhere::{Elsewhere, ForeignCall};
pub(super) use key_evidence::Asked;
pub use key_evidence::{KeyEvidence, LEFT_OUT};
pub(super) use replacement::SESSIONS;
pub use replacement::{Replacement, RoleSessions};
pub use rows::{CONSUMERS, ConsumersQuestion};
pub use uses::ServiceUse;

use super::AnalysisError;
use super::findings::Lists;
use crate::cloudtrail::AccessKeyId;
use crate::knowledge::{AddressBook, AddressClass};
use crate::session::{Params, Session};
pub(super) use agent::Agent;
use context::Context;
pub(in crate::analysis) use context::Profiles;
use datafusion::common::ScalarValue;
use describe::Surroundings;
use group::{Known, group};
use site::sites;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use uses::{KeyUses, Texts, Uses};

pub(super) const USES: &str = include_str!("../../../queries/consumers/uses.sql");
pub(super) const CONTEXT: &str = include_str!("../../../queries/consumers/context.sql");

/// How consumers are found.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// What is known of networks.
    pub addresses: Arc<AddressBook>,
    /// Whose unusual use is expected: the list `known_principals`.
    pub lists: Arc<Lists>,
    /// Whether intruders count among the consumers.
    pub include_intruder: bool,
}

impl ConsumerOptions {
    /// With what the program itself knows.
    pub fn built_in() -> Result<Self, AnalysisError> {
        Ok(Self {
            addresses: Arc::new(AddressBook::built_in()?),
            lists: Arc::default(),
            include_intruder: false,
        })
    }
}

/// The consumers of some keys, and what does not make a consumer.
#[derive(Debug, Clone, Default)]
pub struct Consumers {
    /// Ordered by key, then by calls.
    pub consumers: Vec<Consumer>,
    /// Calls that AWS services made on a key's behalf, by key and service.
    pub through_services: BTreeMap<String, BTreeMap<String, ServiceUse>>,
    /// The roles of instance profiles, as the log shows them.
    pub(in crate::analysis) profiles: Profiles,
}

/// The bounds between which every long-term key lies.
const LONG_TERM: (&str, &str) = ("AKIA", "AKIA~");

/// Finds the consumers of these keys; of every long-term key if none is named.
pub async fn consumers(
    session: &Session,
    keys: &[AccessKeyId],
    options: &ConsumerOptions,
) -> Result<Consumers, AnalysisError> {
    let (params, none) = (bounds(keys), Params::new());
    session
        .foresee(&[(CONTEXT, &none), (USES, &params)])
        .await?;
    let mut context = Context::default();
    let mut rows = session.rows(CONTEXT, &none).await?;
    while let Some(batch) = rows.next().await? {
        context.add(&batch)?;
    }
    let mut uses = Uses::default();
    let mut rows = session.rows(USES, &params).await?;
    while let Some(batch) = rows.next().await? {
        uses.add(&batch)?;
    }
    Ok(found(&mut uses, &context, &options.addresses))
}

/// The parameters that name keys; every long-term key if there are none.
pub(super) fn bounds(keys: &[AccessKeyId]) -> Params {
    let first = keys.iter().min().map_or(LONG_TERM.0, AccessKeyId::as_str);
    let last = keys.iter().max().map_or(LONG_TERM.1, AccessKeyId::as_str);
    let named: Vec<&str> = keys.iter().map(AccessKeyId::as_str).collect();
    let params = [
        ("first_key", first),
        ("last_key", last),
        ("keys", &named.join(",")),
    ];
    let params = params.iter();
    params
        .map(|(name, value)| ((*name).to_owned(), ScalarValue::from(*value)))
        .collect()
}

fn found(uses: &mut Uses, context: &Context, book: &AddressBook) -> Consumers {
    let Uses { texts, keys } = uses;
    let mut agents: HashMap<u32, Agent> = HashMap::new();
    let mut classes: HashMap<(u32, bool), AddressClass> = HashMap::new();
    let mut ipv6: HashSet<u32> = HashSet::new();
    let mut found = Consumers {
        profiles: context.profiles.clone(),
        ..Consumers::default()
    };
    for (key, uses) in keys {
        if !uses.through_services.is_empty() {
            found
                .through_services
                .insert(key.clone(), uses.through_services.clone());
        }
        in_order(uses, texts);
        for used in &uses.uses {
            agents
                .entry(used.agent)
                .or_insert_with(|| Agent::new(texts.get(used.agent)));
            if texts.get(used.address).contains(':') {
                ipv6.insert(used.address);
            }
            let place = (used.address, used.vpc_endpoint);
            classes.entry(place).or_insert_with(|| {
                match book.classify(texts.get(used.address), &context.addresses) {
                    AddressClass::Private | AddressClass::Public if used.vpc_endpoint => {
                        AddressClass::VpcEndpoint
                    }
                    class => class,
                }
            });
        }
        let known = Known {
            agents: &agents,
            classes: &classes,
            ipv6: &ipv6,
        };
        let groups = group(&uses.uses, &known);
        let surroundings = Surroundings {
            key,
            kernels: kernels(uses, &agents),
            uses,
            texts,
            known,
            book,
            context,
        };
        let mut consumers: Vec<Consumer> = groups
            .iter()
            .filter_map(|group| surroundings.describe(group))
            .collect();
        sites(key, &mut consumers);
        consumers.sort_by(|a, b| {
            let order = b.events.cmp(&a.events);
            order.then_with(|| a.consumer_id.cmp(&b.consumer_id))
        });
        found.consumers.extend(consumers);
    }
    found
}

/// The engine hands out rows in any order; the texts themselves decide.
fn in_order(uses: &mut KeyUses, texts: &Texts) {
    uses.uses.sort_by(|a, b| {
        let place = |id: u32| texts.get(id);
        (
            a.first,
            a.last,
            place(a.address),
            place(a.agent),
            place(a.operation),
            place(a.region),
        )
            .cmp(&(
                b.first,
                b.last,
                place(b.address),
                place(b.agent),
                place(b.operation),
                place(b.region),
            ))
    });
}

/// Kernels that tell something, by address and program.
fn kernels(
    uses: &KeyUses,
    agents: &HashMap<u32, Agent>,
) -> HashMap<u32, BTreeMap<String, &'static str>> {
    let mut kernels: HashMap<u32, BTreeMap<String, &'static str>> = HashMap::new();
    for used in &uses.uses {
        if let Some(agent) = agents.get(&used.agent)
            && let Some(flavour) = agent.flavour
        {
            let seen = kernels.entry(used.address).or_default();
            if !seen.contains_key(&agent.program) {
                seen.insert(agent.program.clone(), flavour);
            }
        }
    }
    kernels
}
