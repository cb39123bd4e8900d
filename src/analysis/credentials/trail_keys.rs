//! What a trail knows of long-term keys.
//!
//! In: events. Out: [`TrailKeys`]: for each key its user, its use, and the calls that made, changed and deleted it.
//! Promise: the events are read once.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, Utc};

use crate::analysis::AnalysisError;
use crate::cloudtrail::{AccessKeyId, AccessKeyKind, AccountId};
use crate::iam::ROOT;
use crate::session::{Params, Session};

pub(in crate::analysis) const KEY_EVENTS: &str =
    include_str!("../../../queries/credentials/key_events.sql");

/// The long-term keys of a trail, in order of their ids.
#[derive(Debug, Clone, Default)]
pub struct TrailKeys {
    /// Every long-term key that signed a call or that a call made, changed or deleted.
    pub keys: BTreeMap<AccessKeyId, TrailKey>,
    /// The first and the last event of the whole trail.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A long-term key as a trail shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailKey {
    /// The account of its user.
    pub account: Option<AccountId>,
    /// Its user's name; [`ROOT`] for root.
    pub user_name: Option<String>,
    /// Events that the key signed, also through AWS services.
    pub events: u64,
    /// The first and the last of them.
    pub used: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When it was made, if the trail saw it.
    pub created: Option<DateTime<Utc>>,
    /// The changes of its status that the trail saw, in order: when, and whether it was active afterwards.
    pub status: Vec<(DateTime<Utc>, bool)>,
    /// When it was deleted, if the trail saw it.
    pub deleted: Option<DateTime<Utc>>,
}

impl TrailKey {
    /// When the key was made inactive, if the last change that the trail saw did that.
    pub fn inactive_since(&self) -> Option<DateTime<Utc>> {
        self.status
            .last()
            .and_then(|(time, active)| (!active).then_some(*time))
    }

    /// The earliest sign of its existence.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.created.or(self.used.map(|(first, _)| first))
    }
}

impl TrailKeys {
    /// Reads them.
    pub async fn read(session: &Session) -> Result<Self, AnalysisError> {
        let (_, batches) = session.sql(KEY_EVENTS, &Params::new()).await?;
        let coverage = session.coverage().await?;
        let time = |text: Option<String>| text?.parse::<DateTime<Utc>>().ok();
        let mut keys = TrailKeys {
            keys: BTreeMap::new(),
            span: time(coverage.first_event).zip(time(coverage.last_event)),
        };
        for batch in &batches {
            keys.add(batch)?;
        }
        for key in keys.keys.values_mut() {
            key.status.sort_unstable();
        }
        Ok(keys)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let rows = Rows::new(batch)?;
        for row in 0..batch.num_rows() {
            self.use_of(&rows, row);
            self.change(&rows, row);
        }
        Ok(())
    }

    /// The key that signed the events of the row.
    fn use_of(&mut self, rows: &Rows, row: usize) {
        let Some(id) = rows.long_term(row, ACCESS_KEY_ID) else {
            return;
        };
        let (Some(first), Some(last)) = (rows.time(row, FIRST_SEEN), rows.time(row, LAST_SEEN))
        else {
            return;
        };
        let key = self.keys.entry(id).or_default();
        key.events += rows.count(row, EVENTS);
        let used = key.used.get_or_insert((first, last));
        *used = (used.0.min(first), used.1.max(last));
        if rows.text(row, USER_TYPE) == Some("Root") {
            key.user_name = Some(ROOT.to_owned());
        } else if let Some(name) = rows.text(row, USER_NAME) {
            key.user_name = Some(name.to_owned());
        }
        if let Some(account) = rows.account(row, USER_ACCOUNT) {
            key.account = Some(account);
        }
    }

    /// The key that the calls of the row made, changed or deleted.
    fn change(&mut self, rows: &Rows, row: usize) {
        let (Some(change), Some(first), Some(last)) = (
            rows.text(row, CHANGE),
            rows.time(row, FIRST_SEEN),
            rows.time(row, LAST_SEEN),
        ) else {
            return;
        };
        let request = rows
            .text(row, CHANGE_REQUEST)
            .and_then(crate::json::Value::parse);
        let request = request.unwrap_or_default();
        let id = match change {
            "CreateAccessKey" => rows.long_term(row, ISSUED),
            _ => request["accessKeyId"].as_str().and_then(long_term),
        };
        let Some(id) = id else {
            return;
        };
        let key = self.keys.entry(id).or_default();
        match change {
            "CreateAccessKey" => key.created = Some(first),
            "DeleteAccessKey" => key.deleted = Some(last),
            _ => {
                let active = request["status"].as_str() == Some("Active");
                key.status.push((first, active));
                if last != first {
                    key.status.push((last, active));
                }
            }
        }
        let named = match change {
            "CreateAccessKey" => rows.text(row, ISSUED_PRINCIPAL),
            _ => request["userName"].as_str(),
        };
        // Without a name the call is about the caller's own key.
        let name = named.or_else(|| rows.text(row, USER_NAME));
        if key.user_name.is_none() {
            key.user_name = name.map(str::to_owned);
        }
        if key.account.is_none() {
            key.account = rows.account(row, CHANGED_IN);
        }
    }
}

// The columns of the query, by their place.
const ACCESS_KEY_ID: usize = 0;
const USER_TYPE: usize = 1;
const USER_ACCOUNT: usize = 2;
const USER_NAME: usize = 3;
const CHANGE: usize = 4;
const CHANGED_IN: usize = 5;
const CHANGE_REQUEST: usize = 6;
const ISSUED: usize = 7;
const ISSUED_PRINCIPAL: usize = 8;
const EVENTS: usize = 9;
const FIRST_SEEN: usize = 10;
const LAST_SEEN: usize = 11;

/// A batch whose texts are plain strings.
struct Rows(RecordBatch);

impl Rows {
    fn new(batch: &RecordBatch) -> Result<Self, AnalysisError> {
        let mut columns = batch.columns().to_vec();
        for column in &mut columns[..EVENTS] {
            *column = cast(column, &DataType::Utf8)?;
        }
        let names = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().clone());
        Ok(Self(RecordBatch::try_from_iter(names.zip(columns))?))
    }

    fn text(&self, row: usize, column: usize) -> Option<&str> {
        let column = self.0.column(column).as_string::<i32>();
        column.is_valid(row).then(|| column.value(row))
    }

    fn account(&self, row: usize, column: usize) -> Option<AccountId> {
        self.text(row, column)?.parse().ok()
    }

    fn long_term(&self, row: usize, column: usize) -> Option<AccessKeyId> {
        long_term(self.text(row, column)?)
    }

    fn count(&self, row: usize, column: usize) -> u64 {
        let count = self.0.column(column).as_primitive::<Int64Type>().value(row);
        count.unsigned_abs()
    }

    fn time(&self, row: usize, column: usize) -> Option<DateTime<Utc>> {
        let column = self
            .0
            .column(column)
            .as_primitive::<TimestampMicrosecondType>();
        column
            .is_valid(row)
            .then(|| DateTime::from_timestamp_micros(column.value(row)))?
    }
}

fn long_term(id: &str) -> Option<AccessKeyId> {
    let id = AccessKeyId::new(id).ok()?;
    (id.kind() == AccessKeyKind::LongTerm).then_some(id)
}
