//! The distinct uses of keys, as read.
//!
//! In: the rows of `uses.sql`. Out: [`KeyUses`] per key, with texts by number. Promise: calls that AWS services made on a key's
//! behalf are counted and kept apart.

use super::super::AnalysisError;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMicrosecondType};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Texts by number.
#[derive(Debug, Default)]
pub(super) struct Texts {
    ids: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        // More than four billion distinct texts do not fit into memory.
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
    }

    /// The text of a number.
    pub(super) fn get(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", |text| text)
    }
}

/// One distinct use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) address: u32,
    pub(super) agent: u32,
    pub(super) vpc_endpoint: bool,
    pub(super) event_source: u32,
    pub(super) operation: u32,
    pub(super) region: u32,
    pub(super) read_only: bool,
    pub(super) resource: Option<u32>,
    pub(super) session: Option<u32>,
    /// Days since 1970.
    pub(super) day: i32,
    pub(super) hours: u32,
    pub(super) events: u64,
    pub(super) errors: u64,
    /// Microseconds since 1970.
    pub(super) first: i64,
    pub(super) last: i64,
}

/// Everything one key was used for.
#[derive(Debug, Default)]
pub(super) struct KeyUses {
    pub(super) user_name: Option<String>,
    pub(super) user_arn: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) uses: Vec<Use>,
    /// Calls that AWS services made on the key's behalf.
    pub(super) through_services: BTreeMap<String, ServiceUse>,
}

/// What an AWS service called on a key's behalf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceUse {
    /// How many calls.
    pub events: u64,
    /// The first and the last call of each day (UTC), in microseconds since 1970.
    pub days: BTreeMap<i32, (i64, i64)>,
}

impl ServiceUse {
    /// The last call, in microseconds since 1970.
    pub fn last(&self) -> Option<i64> {
        let (_, (_, last)) = self.days.last_key_value()?;
        Some(*last)
    }
}

/// All uses, by key.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) texts: Texts,
    pub(super) keys: BTreeMap<String, KeyUses>,
}

impl Uses {
    /// Adds the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let column = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| AnalysisError::NoColumn(name.to_owned()))
        };
        let text = |name: &str| Ok::<_, AnalysisError>(cast(column(name)?, &DataType::Utf8)?);
        let number = |name: &str| Ok::<_, AnalysisError>(cast(column(name)?, &DataType::Int64)?);
        let keys = text("access_key_id")?;
        let addresses = text("source_ip_address")?;
        let agents = text("user_agent")?;
        let endpoints = text("vpc_endpoint_id")?;
        let sources = text("event_source")?;
        let operations = text("operation")?;
        let regions = text("aws_region")?;
        let services = text("via_service")?;
        let resources = text("resource")?;
        let sessions = text("session_name")?;
        let names = text("user_identity_user_name")?;
        let arns = text("user_identity_arn")?;
        let accounts = text("user_identity_account_id")?;
        let (events, errors, hours) = (number("events")?, number("errors")?, number("hours")?);
        let read_only = column("read_only")?.as_boolean();
        let days = column("event_date")?.as_primitive::<Date32Type>();
        let first = column("first_seen")?.as_primitive::<TimestampMicrosecondType>();
        let last = column("last_seen")?.as_primitive::<TimestampMicrosecondType>();
        let count = |array: &dyn Array, row: usize| {
            u64::try_from(array.as_primitive::<Int64Type>().value(row)).unwrap_or_default()
        };
        for row in 0..batch.num_rows() {
            let at = |array: &'_ Arc<dyn Array>| value(array.as_string(), row).map(str::to_owned);
            let Some(key) = at(&keys) else { continue };
            let held = self.keys.entry(key).or_default();
            held.user_name = at(&names).or(held.user_name.take());
            held.user_arn = at(&arns).or(held.user_arn.take());
            held.account_id = at(&accounts).or(held.account_id.take());
            let events = count(&events, row);
            if let Some(service) = at(&services) {
                let used = held.through_services.entry(service).or_default();
                used.events += events;
                let times = (first.value(row), last.value(row));
                let day = used.days.entry(days.value(row)).or_insert(times);
                *day = (day.0.min(times.0), day.1.max(times.1));
                continue;
            }
            let texts = &mut self.texts;
            let mut id =
                |array: &Arc<dyn Array>| value(array.as_string(), row).map(|text| texts.id(text));
            let resource = id(&resources);
            let session = id(&sessions);
            let mut whole = |array: &Arc<dyn Array>| {
                let text = value(array.as_string(), row).unwrap_or_default();
                self.texts.id(text)
            };
            held.uses.push(Use {
                address: whole(&addresses),
                agent: whole(&agents),
                vpc_endpoint: !endpoints.is_null(row),
                event_source: whole(&sources),
                operation: whole(&operations),
                region: whole(&regions),
                read_only: !read_only.is_null(row) && read_only.value(row),
                resource,
                session,
                day: days.value(row),
                hours: u32::try_from(count(&hours, row)).unwrap_or_default(),
                events,
                errors: count(&errors, row),
                first: first.value(row),
                last: last.value(row),
            });
        }
        Ok(())
    }
}

fn value(array: &StringArray, row: usize) -> Option<&str> {
    (!array.is_null(row)).then(|| array.value(row))
}
