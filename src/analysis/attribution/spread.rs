//! Who is behind the uses of every long-term key.
//!
//! In: a session. Out: an [`Attribution`]. Promise: what an intruder's use issued is the intruder's, to any depth; so is what comes
//! from an address that only an intruder used. An address that an owner used before stays the owner's.

use super::issued::{Acts, SignIns};
use super::judge::judge;
use super::known::{Known, SignIn};
use super::source::{Source, Sources};
use super::used::{self, KeyUses};
use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::analysis::findings::{ListName, Lists};
use crate::knowledge::{AddressBook, Networks};
use crate::report::trace::Origin;
use crate::session::{Params, Session};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use futures::future::try_join;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(in crate::analysis) const USES: &str = include_str!("../../../queries/attribution/uses.sql");
pub(in crate::analysis) const LINEAGE: &str =
    include_str!("../../../queries/attribution/lineage.sql");
pub(in crate::analysis) const SIGN_INS: &str =
    include_str!("../../../queries/attribution/sign_ins.sql");

/// One key.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Account and name of its user.
    pub(super) user: Option<(String, String)>,
    pub(super) sources: Sources,
    /// Of the sessions that it opened, themselves or through one more session.
    pub(super) lineage: Sources,
    /// Why all of it is the intruder's.
    pub(super) made_by_intruder: Option<String>,
    /// Why it may be an intruder's.
    pub(super) maybe_made_by_intruder: Option<String>,
}

/// Verdicts on the uses of all long-term keys, and of the sessions that made some of them.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Attribution {
    pub(super) keys: BTreeMap<String, Judged>,
    /// Addresses that only an intruder used, with the first use from each, and of which key.
    pub(super) addresses: BTreeMap<String, (i64, String)>,
    /// The same, of sessions that came in through an intruder's change.
    pub(super) entered: BTreeMap<String, (i64, String)>,
    /// Sessions that an intruder opened.
    pub(super) sessions: BTreeSet<String>,
    /// Which changes that let somebody in are an intruder's.
    pub(super) opened: Vec<bool>,
}

impl Attribution {
    /// Reads the uses and judges them.
    pub(in crate::analysis) async fn read(
        session: &Session,
        lists: &Lists,
        book: Option<&AddressBook>,
    ) -> Result<Self, AnalysisError> {
        let acts = async {
            let sign_ins = sign_ins(session).await?;
            let acts = Acts::read(session, &sign_ins).await?;
            Ok((sign_ins, acts))
        };
        let ((sign_ins, acts), mut lineage) = try_join(acts, lineage(session)).await?;
        let issues = acts.issues.iter();
        let makers = issues
            .filter(|issue| issue.key.starts_with("AKIA") && !issue.act.by.starts_with("AKIA"))
            .map(|issue| &*issue.act.by);
        let mut uses = uses(session, makers.collect()).await?;
        let networks = Networks::built_in()?;
        let issues = acts.issues.iter();
        let made: HashMap<&str, i64> = issues.map(|issue| (&*issue.key, issue.act.time)).collect();
        let mut attribution = Self::default();
        let with_mfa = with_mfa(&sign_ins);
        for (key, held) in &mut uses {
            let user = held.account.clone().zip(held.user.clone());
            let known = Known {
                sign_ins: user
                    .as_ref()
                    .and_then(|user| sign_ins.get(user).cloned())
                    .unwrap_or_default(),
                colleagues: user.as_ref().map_or_else(Vec::new, |user| {
                    let addresses = held.uses.iter().map(|one| &*one.address);
                    let addresses: BTreeSet<&str> = addresses.collect();
                    let there = addresses
                        .iter()
                        .filter_map(|at| with_mfa.get(&(&*user.0, at)));
                    colleagues(there.flatten().copied(), user)
                }),
                made: made.get(key.as_str()).copied(),
                book,
                is_session: !key.starts_with("AKIA"),
                is_break_glass: is_break_glass(lists, held),
                ..Known::default()
            };
            let judged = Judged {
                // They are not needed any more: the sources have them.
                sources: judge(&std::mem::take(&mut held.uses), &known, &networks),
                user,
                ..Judged::default()
            };
            attribution.keys.insert(key.clone(), judged);
        }
        for (key, held) in &mut lineage {
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
        attribution.spread(&acts);
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

    /// Why a key may be an intruder's as a whole: it was made from a machine into which one may have come.
    pub(in crate::analysis) fn maybe_made_by_intruder(&self, key: &str) -> Option<&str> {
        let judged = self.keys.get(key)?;
        let why = judged.maybe_made_by_intruder.as_deref();
        why.filter(|_| judged.made_by_intruder.is_none())
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

/// A user, by account and name, and one of its sign-ins.
pub(in crate::analysis) type Signed<'a> = (&'a (String, String), &'a SignIn);

/// All with a second factor, by account and address.
fn with_mfa(sign_ins: &SignIns) -> HashMap<(&str, &str), Vec<Signed<'_>>> {
    let mut found: HashMap<(&str, &str), Vec<Signed<'_>>> = HashMap::new();
    for (user, all) in sign_ins {
        for sign_in in all.iter().filter(|sign_in| sign_in.mfa.is_some()) {
            let place = (&*user.0, &*sign_in.address);
            found.entry(place).or_default().push((user, sign_in));
        }
    }
    found
}

/// Sign-ins with a second factor by the other users of an account.
pub(in crate::analysis) fn colleagues<'a>(
    sign_ins: impl Iterator<Item = Signed<'a>>,
    user: &(String, String),
) -> Vec<SignIn> {
    let others = sign_ins
        .filter(|(other, sign_in)| user.0 == other.0 && user.1 != other.1 && sign_in.mfa.is_some());
    others.map(|(_, sign_in)| sign_in.clone()).collect()
}

/// Sign-ins to the console, by account and user.
pub(in crate::analysis) async fn sign_ins(session: &Session) -> Result<SignIns, AnalysisError> {
    let mut found = SignIns::new();
    for batch in session.sql(SIGN_INS, &Params::new()).await?.1 {
        let columns = Columns(&batch);
        let accounts = columns.text("account_id")?;
        let users = columns.text("user_name")?;
        let addresses = columns.text("source_ip_address")?;
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
                    mfa: columns
                        .time("first_with_mfa", row)?
                        .map(|time| time.timestamp_micros()),
                });
        }
    }
    Ok(found)
}
