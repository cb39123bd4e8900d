//! Which keys look stolen?
//!
//! In: a session. Out: the keys with a use that is an intruder's or looks like one, each with a score and its reasons. Promise: the same
//! judge as for a trace and for `ready`; the score is the weight of the signs of a key's gravest use, and decides nothing itself.

use super::attribution::{self, Attribution, Source};
use super::batches::{Columns, value};
use super::findings::Lists;
use super::rows::{Micros, read};
use super::{AnalysisError, KEYS};
use crate::knowledge::AddressBook;
use crate::report::table::{Column, Kind, section};
use crate::report::trace::Origin;
use crate::report::{Report, Section, counted};
use crate::session::{Params, Session};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The weight of a key that an intruder's use issued: what a tool of attackers weighs.
const ISSUED_BY_INTRUDER: i32 = 12;

/// In so many events, a question about something else does not wait for the search for strange use. Two million take some 4 s
/// on two cores.
const MOST_EVENTS: u64 = 2_000_000;

/// A key with a use that is not its owner's, or may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// The key.
    pub access_key_id: String,
    /// The gravest verdict on its uses: intruder or suspicious.
    pub origin: Origin,
    /// The weight of the signs of its gravest use.
    pub score: i32,
    /// The signs, the heaviest first.
    pub why: Vec<String>,
    /// The first such use.
    pub first_use: Option<DateTime<Utc>>,
    /// From where.
    pub source_ip_address: Option<String>,
    /// The event.
    pub event_id: Option<String>,
}

/// The keys that look stolen, the gravest first.
#[derive(Debug, Clone, Default)]
pub struct Suspicions(Vec<Suspicion>);

impl Suspicions {
    /// Whether the keys of another answer can be marked without making people wait for it.
    pub fn are_quick(session: &Session) -> Result<bool, AnalysisError> {
        let events = session.stored_events()?;
        Ok(events.is_none_or(|events| events <= MOST_EVENTS))
    }

    /// Says what is asked in the following, with other questions, so that log files are read once.
    pub async fn foresee(
        session: &Session,
        others: &[(&str, &Params)],
    ) -> Result<(), AnalysisError> {
        let (none, makers) = (Params::new(), attribution::params(None));
        let mut questions = others.to_vec();
        questions.extend([
            (attribution::USES, &makers),
            (attribution::LINEAGE, &none),
            (attribution::ISSUED, &none),
            (attribution::DOORS, &none),
            (attribution::SIGN_INS, &none),
        ]);
        Ok(session.foresee(&questions).await?)
    }

    /// Judges the uses of all long-term keys, with what is known of networks.
    pub async fn read(session: &Session, book: &AddressBook) -> Result<Self, AnalysisError> {
        let attribution = Attribution::read(session, &Lists::default(), Some(book)).await?;
        let mut found: Vec<Suspicion> = attribution
            .long_term_keys()
            .filter_map(|key| suspicion(key, &attribution))
            .collect();
        found.sort_by(|a, b| {
            let order = |one: &Suspicion| (one.origin, -one.score);
            order(a)
                .cmp(&order(b))
                .then_with(|| a.access_key_id.cmp(&b.access_key_id))
        });
        Ok(Self(found))
    }

    /// What speaks against a key, if anything does.
    pub fn of(&self, key: &str) -> Option<&Suspicion> {
        self.0.iter().find(|one| one.access_key_id == key)
    }

    /// Says first in the report on a key that it looks stolen.
    pub fn warn(&self, key: &str, report: &mut Report) {
        if let Some(found) = self.of(key) {
            let (origin, why) = (found.origin.as_str(), found.why.join("; "));
            let warning = format!("it looks stolen ({origin}): {why}");
            report.notes.insert(0, warning);
        }
    }

    /// All of them, the gravest first.
    pub fn iter(&self) -> impl Iterator<Item = &Suspicion> {
        self.0.iter()
    }

    /// The keys of an inventory with a column that says who is behind them, where that is not the owner.
    pub fn mark(&self, keys: &Section) -> Result<Section, AnalysisError> {
        let mut fields = keys.schema.fields().to_vec();
        let at = fields
            .iter()
            .position(|field| field.name() == "last_seen")
            .unwrap_or(fields.len());
        fields.insert(at, Arc::new(Field::new("origin", DataType::Utf8, true)));
        let schema = Arc::new(Schema::new_with_metadata(
            fields,
            keys.schema.metadata().clone(),
        ));
        let origins: HashMap<&str, Origin> = self
            .iter()
            .map(|one| (one.access_key_id.as_str(), one.origin))
            .collect();
        let batches = keys.batches.iter().map(|batch| {
            let ids = Columns(batch).text("access_key_id")?;
            let marks: StringArray = (0..batch.num_rows())
                .map(|row| origins.get(value(&ids, row)?).map(|origin| origin.as_str()))
                .collect();
            let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
            columns.insert(at, Arc::new(marks));
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
        });
        let batches = batches.collect::<Result<Vec<_>, AnalysisError>>()?;
        Ok(Section {
            schema,
            batches,
            ..keys.clone()
        })
    }
}

fn suspicion(key: &str, attribution: &Attribution) -> Option<Suspicion> {
    let issued = attribution.made_by_intruder(key);
    let strangers = || attribution.strangers(key);
    let gravest = strangers().min_by_key(|source| (source.origin, -score(source)));
    let maybe_issued = attribution.maybe_made_by_intruder(key);
    let origin = match (issued, gravest) {
        (Some(_), _) => Origin::Intruder,
        (None, Some(gravest)) => gravest.origin,
        (None, None) => maybe_issued.map(|_| Origin::Suspicious)?,
    };
    let issued_why = issued.or(maybe_issued);
    let mut why: Vec<String> = issued_why.map(str::to_owned).into_iter().collect();
    if gravest.is_some_and(|source| source.is_by_session) {
        why.push("a session that it opened".to_owned());
    }
    for reason in gravest.into_iter().flat_map(Source::why) {
        if !why.contains(&reason) {
            why.push(reason);
        }
    }
    let earliest = strangers()
        .filter(|source| source.origin == origin)
        .min_by_key(|source| source.strange_since());
    let first = earliest.and_then(Source::first_strange_use);
    Some(Suspicion {
        access_key_id: key.to_owned(),
        origin,
        score: gravest
            .map_or(0, score)
            .max(issued.map_or(0, |_| ISSUED_BY_INTRUDER)),
        why,
        first_use: first.and_then(|first| DateTime::from_timestamp_micros(first.first)),
        source_ip_address: earliest.map(|source| source.address.clone()),
        event_id: first.map(|first| first.event_id.clone()),
    })
}

fn score(source: &Source) -> i32 {
    source.signs.iter().map(|sign| sign.weight).sum()
}

const COLUMNS: &[Column] = &[
    ("origin", Kind::Text, Some("whole")),
    ("score", Kind::Count, None),
    ("access_key_id", Kind::Text, None),
    ("user_identity_user_name", Kind::Text, Some("cut")),
    ("why", Kind::Text, Some("below")),
    ("first_suspicious_use", Kind::Time, Some("detail")),
    ("source_ip_address", Kind::Text, Some("detail")),
    ("account_id", Kind::Text, Some("detail")),
    ("event_id", Kind::Text, Some("detail")),
];

#[derive(Serialize)]
struct Row<'a> {
    origin: &'a str,
    score: i32,
    access_key_id: &'a str,
    user_identity_user_name: Option<&'a str>,
    why: String,
    first_suspicious_use: Option<Micros>,
    source_ip_address: Option<&'a str>,
    account_id: Option<&'a str>,
    event_id: Option<&'a str>,
}

#[derive(Deserialize)]
struct Owner {
    access_key_id: String,
    user_identity_user_name: Option<String>,
    account_id: Option<String>,
}

/// The keys that look stolen, as a report.
pub async fn suspicious_keys(
    session: &Session,
    book: &AddressBook,
) -> Result<Report, AnalysisError> {
    let inventory = &KEYS.sections[0];
    let params = Params::from([("temporary".to_owned(), ScalarValue::from(false))]);
    Suspicions::foresee(session, &[(inventory.sql, &params)]).await?;
    let owners = read::<Owner>(&inventory.rows(session, &params).await?.1)?;
    let owners: BTreeMap<&str, &Owner> = owners
        .iter()
        .map(|owner| (owner.access_key_id.as_str(), owner))
        .collect();
    let found = Suspicions::read(session, book).await?;
    let rows: Vec<Row<'_>> = found
        .iter()
        .map(|one| {
            let owner = owners.get(one.access_key_id.as_str());
            Row {
                origin: one.origin.as_str(),
                score: one.score,
                access_key_id: &one.access_key_id,
                user_identity_user_name: owner
                    .and_then(|owner| owner.user_identity_user_name.as_deref()),
                why: one.why.join("; "),
                first_suspicious_use: one.first_use.map(Micros),
                source_ip_address: one.source_ip_address.as_deref(),
                account_id: owner.and_then(|owner| owner.account_id.as_deref()),
                event_id: one.event_id.as_deref(),
            }
        })
        .collect();
    let notes = match rows.is_empty() {
        true => vec![format!(
            "no use of the {} looks like an intruder's; this proves nothing about calls that are not in these logs",
            counted(owners.len(), "long-term key")
        )],
        false => Vec::new(),
    };
    Ok(Report {
        name: "suspicious_keys".to_owned(),
        title: "Keys that look stolen".to_owned(),
        sections: vec![section(("keys", "Keys that look stolen"), COLUMNS, &rows)?],
        notes,
        coverage: Some(session.coverage().await?),
    })
}
