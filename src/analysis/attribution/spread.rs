//! Who is behind the uses of every long-term key.
//!
//! In: a session. Out: an [`Attribution`]. Promise: what an intruder's use issued is the intruder's, to any depth; so is what comes
//! from an address that only an intruder used. An address that an owner used before stays the owner's.

use super::issued::{Issue, issues};
use super::judge::judge;
use super::known::{Known, SignIn};
use super::signs::Sign;
use super::source::{Source, Sources};
use super::used::{self, KeyUses};
use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::analysis::findings::{ListName, Lists};
use crate::knowledge::{AddressBook, Networks};
use crate::report::trace::Origin;
use crate::session::{Params, Session};
use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use chrono::DateTime;
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(in crate::analysis) const USES: &str = include_str!("../../../queries/attribution/uses.sql");
pub(in crate::analysis) const LINEAGE: &str =
    include_str!("../../../queries/attribution/lineage.sql");
pub(in crate::analysis) const SIGN_INS: &str =
    include_str!("../../../queries/attribution/sign_ins.sql");

/// One key.
#[derive(Debug, Default)]
pub(super) struct Judged {
    sources: Sources,
    /// Of the sessions that it opened, themselves or through one more session.
    lineage: Sources,
    /// Why all of it is the intruder's.
    made_by_intruder: Option<String>,
}

/// Verdicts on the uses of all long-term keys, and of the sessions that made some of them.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Attribution {
    pub(super) keys: BTreeMap<String, Judged>,
    /// Addresses that only an intruder used, with the first use from each, and of which key.
    addresses: BTreeMap<String, (i64, String)>,
    /// Sessions that an intruder opened.
    sessions: BTreeSet<String>,
}

impl Attribution {
    /// Reads the uses and judges them.
    pub(in crate::analysis) async fn read(
        session: &Session,
        lists: &Lists,
        book: Option<&AddressBook>,
    ) -> Result<Self, AnalysisError> {
        let issues = issues(session).await?;
        let makers = issues
            .iter()
            .filter(|issue| issue.key.starts_with("AKIA") && !issue.by.starts_with("AKIA"))
            .map(|issue| &*issue.by);
        let mut uses = uses(session, makers.collect()).await?;
        let sign_ins = sign_ins(session).await?;
        let networks = Networks::built_in()?;
        let made: HashMap<&str, i64> = issues
            .iter()
            .map(|issue| (&*issue.key, issue.time))
            .collect();
        let mut attribution = Self::default();
        for (key, held) in &mut uses {
            let user = held.account.clone().zip(held.user.clone());
            let known = Known {
                sign_ins: user
                    .and_then(|user| sign_ins.get(&user).cloned())
                    .unwrap_or_default(),
                made: made.get(key.as_str()).copied(),
                book,
                is_session: !key.starts_with("AKIA"),
                is_break_glass: is_break_glass(lists, held),
                ..Known::default()
            };
            let judged = Judged {
                // They are not needed any more: the sources have them.
                sources: judge(&std::mem::take(&mut held.uses), &known, &networks),
                ..Judged::default()
            };
            attribution.keys.insert(key.clone(), judged);
        }
        for (key, held) in &mut lineage(session).await? {
            let owner = uses.get(key);
            let known = Known {
                is_break_glass: owner.is_some_and(|owner| is_break_glass(lists, owner)),
                book,
                ..Known::default()
            };
            let judged = attribution.keys.entry(key.clone()).or_default();
            judged.lineage = judge(&std::mem::take(&mut held.uses), &known, &networks);
            for source in &mut judged.lineage.all {
                source.is_by_session = true;
            }
        }
        attribution.spread(&issues);
        Ok(attribution)
    }

    /// Who is behind the uses of a key from an address with a program, by its user agent.
    pub(in crate::analysis) fn of_use(&self, key: &str, address: &str, agent: &str) -> Origin {
        if self.sessions.contains(key) {
            return Origin::Intruder;
        }
        match self.keys.get(key) {
            Some(judged) if judged.made_by_intruder.is_some() => Origin::Intruder,
            Some(judged) => judged
                .sources
                .get(address, agent)
                .map_or(Origin::Unknown, |source| source.origin),
            None => Origin::Unknown,
        }
    }

    /// The sources of a key's use, and of its sessions'.
    pub(in crate::analysis) fn sources(&self, key: &str) -> impl Iterator<Item = &Source> {
        self.keys.get(key).into_iter().flat_map(Judged::all)
    }

    /// Those that are an intruder's or suspicious.
    pub(in crate::analysis) fn strangers(&self, key: &str) -> impl Iterator<Item = &Source> {
        let sources = self.sources(key);
        sources.filter(|source| matches!(source.origin, Origin::Intruder | Origin::Suspicious))
    }

    /// The long-term keys, in order.
    pub(in crate::analysis) fn long_term_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.keys().map(String::as_str);
        keys.filter(|key| key.starts_with("AKIA"))
    }

    /// Why a key is an intruder's as a whole, if one made it.
    pub(in crate::analysis) fn made_by_intruder(&self, key: &str) -> Option<&str> {
        self.keys.get(key)?.made_by_intruder.as_deref()
    }

    /// Until nothing is new: what an intruder issued, and what comes from an intruder's address.
    fn spread(&mut self, issues: &[Issue]) {
        loop {
            let mut changed = self.learn_addresses();
            for issue in issues {
                changed |= self.follow(issue);
            }
            changed |= self.meet();
            if !changed {
                return;
            }
        }
    }

    /// Collects the addresses of what is known to be an intruder's.
    fn learn_addresses(&mut self) -> bool {
        let mut found: BTreeMap<String, (i64, String)> = BTreeMap::new();
        for (key, judged) in &self.keys {
            for sources in [&judged.sources, &judged.lineage] {
                for (address, first) in sources.addresses() {
                    let here = (first, key.clone());
                    let known = found.entry(address).or_insert_with(|| here.clone());
                    *known = here.min(known.clone());
                }
            }
        }
        let mut owners: BTreeMap<&str, i64> = BTreeMap::new();
        let all = self.keys.values().flat_map(Judged::all);
        // A private address is another machine in another network.
        found.retain(|address, _| !is_private(address));
        for source in all {
            if matches!(source.origin, Origin::Owner | Origin::Unknown) {
                let first = owners.entry(&source.address).or_insert(source.first);
                *first = source.first.min(*first);
            }
        }
        found.retain(|address, (first, _)| {
            let owner = owners.get(address.as_str());
            owner.is_none_or(|owner| *owner > *first)
        });
        let changed = found.len() != self.addresses.len();
        self.addresses = found;
        changed
    }

    /// What an intruder's use issued is the intruder's.
    fn follow(&mut self, issue: &Issue) -> bool {
        let from_there = !issue.by.starts_with("AKIA")
            && self
                .addresses
                .get(&*issue.address)
                .is_some_and(|(first, _)| issue.time >= *first);
        let is_intruder =
            from_there || self.of_use(&issue.by, &issue.address, &issue.agent) == Origin::Intruder;
        if !is_intruder {
            return false;
        }
        if !issue.key.starts_with("AKIA") {
            let is_new = self.sessions.insert(issue.key.to_string());
            return self.take_over(&issue.key, issue) || is_new;
        }
        self.keys.entry(issue.key.to_string()).or_default();
        self.take_over(&issue.key, issue)
    }

    /// All uses of a key are the intruder's.
    fn take_over(&mut self, key: &str, issue: &Issue) -> bool {
        let Some(judged) = self.keys.get_mut(key) else {
            return false;
        };
        if judged.made_by_intruder.is_some() {
            return false;
        }
        let time = DateTime::from_timestamp_micros(issue.time).unwrap_or_default();
        let with = match &*issue.by {
            "" => String::new(),
            by => format!(" who used {by}"),
        };
        judged.made_by_intruder = Some(format!(
            "created {} from {} by the intruder{with} (event {})",
            time.format("%Y-%m-%d %H:%M"),
            issue.address,
            issue.event_id
        ));
        let Judged {
            sources, lineage, ..
        } = judged;
        for source in sources.all.iter_mut().chain(&mut lineage.all) {
            source.origin = Origin::Intruder;
        }
        true
    }

    /// What newly comes from an intruder's address is the intruder's.
    fn meet(&mut self) -> bool {
        let mut changed = false;
        for (key, judged) in &mut self.keys {
            for sources in [&mut judged.sources, &mut judged.lineage] {
                let began = sources.all.first().map(|source| source.first);
                for source in &mut sources.all {
                    let there = self.addresses.get(&source.address);
                    let Some((_, tied)) = there.filter(|(first, _)| source.first >= *first) else {
                        continue;
                    };
                    let newcomer = source.is_new || began == Some(source.first);
                    if newcomer && source.origin != Origin::Intruder {
                        let with = match tied == key {
                            true => String::new(),
                            false => format!(", with {tied}"),
                        };
                        source.origin = Origin::Intruder;
                        source.is_tied = tied != key;
                        let what =
                            format!("from an address that only an intruder used before{with}");
                        source.signs.insert(0, Sign::new(12, what));
                        changed = true;
                    }
                }
            }
        }
        changed
    }
}

impl Judged {
    /// The sources of its own use, and of its sessions'.
    pub(super) fn all(&self) -> impl Iterator<Item = &Source> {
        self.sources.all.iter().chain(&self.lineage.all)
    }
}

pub(super) fn is_private(address: &str) -> bool {
    let address = address.parse();
    address.is_ok_and(super::place::is_private)
}

/// What the sessions of each long-term key were used for.
async fn lineage(session: &Session) -> Result<BTreeMap<String, KeyUses>, AnalysisError> {
    let mut keys = BTreeMap::new();
    let mut rows = session.rows(LINEAGE, &Params::new()).await?;
    while let Some(batch) = rows.next().await? {
        used::add(&mut keys, &batch)?;
    }
    Ok(keys)
}

fn is_break_glass(lists: &Lists, held: &KeyUses) -> bool {
    let names = held.user.iter().chain(&held.arn);
    names
        .into_iter()
        .any(|name| lists.has(ListName::KnownPrincipals, name))
}

/// Parameters of the uses; without keys, which temporary keys made long-term ones is not known yet.
pub(in crate::analysis) fn params(makers: Option<BTreeSet<&str>>) -> Params {
    let list = match makers {
        Some(makers) => {
            let values: Vec<ScalarValue> = makers.into_iter().map(ScalarValue::from).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Utf8))
        }
        None => ScalarValue::new_null_list(DataType::Utf8, true, 1),
    };
    Params::from([("keys".to_owned(), list)])
}

async fn uses(
    session: &Session,
    makers: BTreeSet<&str>,
) -> Result<BTreeMap<String, KeyUses>, AnalysisError> {
    let params = params(Some(makers));
    let mut keys = BTreeMap::new();
    let mut rows = session.rows(USES, &params).await?;
    while let Some(batch) = rows.next().await? {
        used::add(&mut keys, &batch)?;
    }
    Ok(keys)
}

/// Sign-ins to the console, by account and user.
pub(in crate::analysis) async fn sign_ins(
    session: &Session,
) -> Result<HashMap<(String, String), Vec<SignIn>>, AnalysisError> {
    let mut found: HashMap<(String, String), Vec<SignIn>> = HashMap::new();
    for batch in session.sql(SIGN_INS, &Params::new()).await?.1 {
        let columns = Columns(&batch);
        let accounts = columns.text("account_id")?;
        let users = columns.text("user_name")?;
        let addresses = columns.text("source_ip_address")?;
        let mfa = columns.named("mfa")?.as_boolean();
        for row in 0..batch.num_rows() {
            let text = |column| value(column, row).unwrap_or_default().to_owned();
            let Some(time) = columns.time("first_seen", row)? else {
                continue;
            };
            found
                .entry((text(&accounts), text(&users)))
                .or_default()
                .push(SignIn {
                    address: text(&addresses),
                    time: time.timestamp_micros(),
                    mfa: mfa.is_valid(row) && mfa.value(row),
                });
        }
    }
    Ok(found)
}
