//! Which policy does observed use ask for?
//!
//! In: the events of one key. Out: [`Observed`] use, and a [`Policy`] of it: documents that allow what succeeded and
//! nothing else; apart from them what was denied, and what the events do not show. Promise: every document is valid IAM JSON and short
//! enough for its place; nothing is allowed that no event asks for, but for the generalising that `permissions` documents.

mod answer;
mod document;
mod guards;
mod open;
mod permissions;
mod profiles;
mod recurring;
mod trust;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::AnalysisError;
use super::consumers::{Asked, Consumer, Elsewhere, KeyEvidence};
use crate::cloudtrail::AccessKeyId;
use crate::knowledge::arn;
use crate::knowledge::iam::Open;
use crate::report::Coverage;
use crate::report::trace::Origin;
use crate::session::Session;

pub use document::{Conditions, PolicyDocument, PolicyKind, Statement};
pub use guards::{Guard, Guarded, scp_document, scp_report};
pub use permissions::{Permission, Permissions, Used, permissions, statements};
pub use trust::{InvalidTrust, Trust};
pub use uses::{Outcome, Use};

/// What the policy is to hold.
#[derive(Debug, Clone)]
pub struct PolicyOptions {
    /// Also what was refused for want of permission.
    pub denied: bool,
    /// Also what failed before AWS looked at permissions.
    pub failed: bool,
    /// Where the documents go.
    pub place: PolicyKind,
    /// Guards to make.
    pub guards: Vec<Guard>,
    /// Trust policies to make.
    pub trusts: Vec<Trust>,
    /// More addresses than this are no stable set to bind a key to.
    pub most_addresses: usize,
}

impl Default for PolicyOptions {
    fn default() -> Self {
        Self {
            denied: false,
            failed: false,
            place: PolicyKind::Managed,
            guards: Vec::new(),
            trusts: Vec::new(),
            most_addresses: 20,
        }
    }
}

/// What a key needed, and what that rests on.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The key.
    pub key: AccessKeyId,
    /// The account of its user.
    pub account: String,
    /// The partition of AWS it was used in.
    pub partition: String,
    /// The uses.
    pub uses: Vec<Use>,
    /// The id and the name of the consumer whose use it is; none if it is all of the key's.
    pub consumer: Option<(String, String)>,
    /// The use that is an intruder's and was left out.
    pub left_out: Vec<Use>,
    /// Addresses and user agents of use that is suspicious, and is in the policy all the same.
    pub suspicious: BTreeSet<(String, String)>,
    /// Calls that may be of the key and that only other accounts' logs have.
    pub elsewhere: Vec<NotDerived>,
    /// What the logs cover.
    pub coverage: Coverage,
}

impl Observed {
    /// Says what is asked in the following, so that log files are read once for it: the use, and the evidence on the key.
    pub async fn foresee(session: &Session, key: &AccessKeyId) -> Result<(), AnalysisError> {
        let needs = uses::params(key);
        let asked = Asked::new(std::slice::from_ref(key));
        let mut questions = asked.questions();
        questions.push((uses::NEEDS, &needs));
        Ok(session.foresee(&questions).await?)
    }

    /// Reads what the key needed.
    pub async fn read(session: &Session, key: &AccessKeyId) -> Result<Self, AnalysisError> {
        let (uses, owner) = uses::read(session, key).await?;
        let decoded = || key.account().map(|account| account.to_string());
        Ok(Self {
            key: key.clone(),
            account: owner.account.or_else(decoded).unwrap_or_default(),
            partition: owner
                .partition
                .filter(|partition| partition.starts_with("aws"))
                .unwrap_or_else(|| {
                    arn::partition(owner.region.as_deref().unwrap_or_default()).to_owned()
                }),
            uses,
            consumer: None,
            left_out: Vec::new(),
            suspicious: BTreeSet::new(),
            elsewhere: Vec::new(),
            coverage: session.coverage().await?,
        })
    }

    /// The use without what an intruder did: calls from sources that are an intruder's; all of it if an intruder made the key.
    #[must_use]
    pub fn without_intruder(mut self, evidence: &KeyEvidence) -> Self {
        let attribution = &evidence.attribution;
        let key = self.key.as_str();
        let all = attribution.made_by_intruder(key).is_some();
        let (theirs, own) = self.uses.into_iter().partition(|of| {
            let (address, agent) = of.source();
            all || attribution.of_use(key, &address, &agent) == Origin::Intruder
        });
        self.left_out = theirs;
        self.uses = own;
        self
    }

    /// With what the evidence says besides: calls that may be of the key and that only other accounts' logs have, which use is
    /// suspicious, and which roles the instance profiles have.
    #[must_use]
    pub fn with_evidence(mut self, evidence: &KeyEvidence) -> Self {
        let sources: BTreeSet<_> = self.uses.iter().map(Use::source).collect();
        let key = self.key.as_str();
        self.suspicious = sources
            .into_iter()
            .filter(|(address, agent)| {
                evidence.attribution.of_use(key, address, agent) == Origin::Suspicious
            })
            .collect();
        self.uses = profiles::known(self.uses, &evidence.consumers.profiles);
        let calls: Vec<_> = evidence.elsewhere.of(self.key.as_str()).collect();
        let told = Elsewhere::each_call(&calls).into_iter();
        self.elsewhere = told
            .map(|(subject, reason)| NotDerived { subject, reason })
            .collect();
        self
    }

    /// The part of the use that is wanted, e.g. one consumer's.
    pub fn only(mut self, wanted: impl Fn(&Use) -> bool) -> Self {
        self.uses.retain(wanted);
        self
    }

    /// The part of the use that is a consumer's: calls from its addresses with its user agents. Calls that AWS services made
    /// on the key's behalf stay in it, because no event says for which consumer they were made.
    pub fn of(self, consumer: &Consumer) -> Self {
        let addresses: HashSet<&str> = consumer
            .source_ip_addresses
            .iter()
            .map(|used| used.source_ip_address.as_str())
            .collect();
        let agents: HashSet<&str> = consumer
            .user_agents
            .iter()
            .map(|agent| agent.name.as_str())
            .collect();
        // A consumer has an empty text where an event has none.
        let among = |known: &HashSet<&str>, text: &Option<String>| {
            known.contains(text.as_deref().unwrap_or_default())
        };
        let mut part = self.only(|of| {
            of.via_service.is_some()
                || among(&addresses, &of.source_ip_address) && among(&agents, &of.user_agent)
        });
        part.consumer = Some((consumer.consumer_id.clone(), consumer.name.clone()));
        part
    }

    /// The policy that this use asks for.
    pub fn policy(&self, options: &PolicyOptions) -> Policy {
        let included = |of: &&Use| match of.outcome {
            Outcome::Allowed => true,
            Outcome::Denied => options.denied,
            Outcome::Failed => options.failed,
        };
        let derived = |of: &&Use| of.open.is_none();
        let permissions = permissions(self.uses.iter().filter(included).filter(derived));
        let (groups, too_long) = document::packed(statements(&permissions), options.place.limit());
        let count = groups.len();
        let mut documents: Vec<PolicyDocument> = (1..)
            .zip(groups)
            .map(|(number, statements)| PolicyDocument {
                name: format!("policy-{number}"),
                purpose: match count {
                    1 => "permissions for the observed use".to_owned(),
                    _ => format!("permissions for the observed use, part {number} of {count}"),
                },
                statements,
            })
            .collect();
        let mut notes = answer::size_notes(options.place, &documents);
        notes.extend(too_long.iter().map(|statement| {
            format!(
                "statement {} is too long for a {} policy and was left out",
                statement.sid,
                options.place.name()
            )
        }));
        for wanted in &options.guards {
            let guarded = guards::guard(*wanted, &self.uses, &permissions, options.most_addresses);
            notes.extend(guarded.warnings);
            match guarded.document {
                Ok(document) => documents.push(document),
                Err(reason) => notes.push(reason),
            }
        }
        let trusts = options.trusts.iter();
        documents.extend(trusts.map(|trust| trust.document(&self.partition, &self.account)));
        Policy {
            documents,
            refused: refused(&self.uses),
            not_derived: open::not_derived(self, &permissions),
            permissions,
            notes,
        }
    }
}

/// A policy and what there is to say of it.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The policy's documents, then guards, then trust policies.
    pub documents: Vec<PolicyDocument>,
    /// What the documents allow.
    pub permissions: Permissions,
    /// What did not succeed.
    pub refused: Vec<Refused>,
    /// What cannot be derived from the events, and why.
    pub not_derived: Vec<NotDerived>,
    /// Warnings and remarks.
    pub notes: Vec<String>,
}

/// Calls that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The action that was needed.
    pub action: String,
    /// The resources.
    pub resources: Vec<String>,
    /// Why it failed.
    pub error_code: String,
    /// Whether for want of permission.
    pub denied: bool,
    /// How many calls.
    pub events: i64,
    /// Time of the last, microseconds since 1970.
    pub last_seen: i64,
}

/// Something that a policy may need and that the events do not tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotDerived {
    /// What.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What did not succeed, by action and error.
fn refused(uses: &[Use]) -> Vec<Refused> {
    let mut groups: BTreeMap<(bool, &str, &str), Vec<&Use>> = BTreeMap::new();
    // What is open beside an action was not refused by itself.
    let named = |of: &&Use| matches!(of.open, None | Some(Open::UnknownAction));
    // What was allowed and had an error did not succeed either.
    let unsuccessful = |of: &&Use| of.outcome != Outcome::Allowed || of.error_code.is_some();
    for of in uses.iter().filter(unsuccessful).filter(named) {
        let code = of.error_code.as_deref().unwrap_or_default();
        let failed = of.outcome != Outcome::Denied;
        groups
            .entry((failed, &of.action, code))
            .or_default()
            .push(of);
    }
    let groups = groups.into_iter().map(|((failed, action, code), uses)| {
        let resources = permissions(uses.iter().copied())
            .into_values()
            .flat_map(|used| used.resources);
        Refused {
            action: action.to_owned(),
            resources: resources.collect(),
            error_code: code.to_owned(),
            denied: !failed,
            events: uses.iter().map(|of| of.events).sum(),
            last_seen: uses.iter().map(|of| of.last_seen).max().unwrap_or_default(),
        }
    });
    groups.collect()
}
