//! Signs of an intruder among the consumers.
//!
//! In: consumers, and what is known of attacks. Out: [`Sign`]s in words, with the first event of each. Promise: one query,
//! however many consumers are suspicious, which asks for their first events alone; one that is only new is not suspicious.

use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::analysis::consumers::{Consumer, Consumers, bounds};
use crate::analysis::findings::{Rule, Rules, Severity};
use crate::cloudtrail::AccessKeyId;
use crate::session::{Params, Session};
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use std::collections::{BTreeSet, HashMap};

pub(super) const FIRST_CALLS: &str = include_str!("../../../queries/ready/first_calls.sql");

/// A key must have been in use for so long before a consumer counts as new.
const BASELINE: TimeDelta = TimeDelta::days(1);

/// What intruders do to stay and to blind, and programs with one task do not.
const TACTICS: [&str; 2] = ["persistence", "defense-impairment"];

/// Signs that a key has.
#[derive(Debug, Default)]
pub(super) struct Sign {
    /// Attack tools, and systems for penetration tests.
    pub(super) tools: Vec<String>,
    /// Consumers that came later, from elsewhere, with another program, for what intruders do.
    pub(super) strangers: Vec<String>,
}

/// Signs by key.
pub(super) type Signs = HashMap<String, Sign>;

/// Reads them.
pub(super) async fn read(
    session: &Session,
    keys: &[AccessKeyId],
    found: &Consumers,
) -> Result<Signs, AnalysisError> {
    let rules = Rules::builtin()?;
    let grave: HashMap<(&str, &str), &Rule> = rules
        .iter()
        .filter(|rule| {
            rule.severity >= Severity::High
                && rule.condition.is_empty()
                && TACTICS.contains(&&*rule.tactic)
        })
        .map(|rule| ((&*rule.event_source, &*rule.event_name), rule))
        .collect();
    let mut suspicious = Vec::new();
    for of_key in found
        .consumers
        .chunk_by(|a, b| a.access_key_id == b.access_key_id)
    {
        for consumer in of_key {
            let tool = (!consumer.warnings.is_empty()).then(|| consumer.warnings.join(", "));
            let stranger = stranger(consumer, of_key, &grave);
            if tool.is_some() || stranger.is_some() {
                suspicious.push((consumer, tool, stranger));
            }
        }
    }
    let moments = suspicious.iter().map(|(consumer, ..)| consumer.first_seen);
    let first_calls = first_calls(session, keys, moments.collect()).await?;
    let mut signs = Signs::new();
    for (consumer, tool, stranger) in suspicious {
        let first = first_calls.of(consumer);
        let with_first = |what: String| format!("{what} ({first})");
        let sign = signs.entry(consumer.access_key_id.clone()).or_default();
        sign.tools.extend(tool.map(with_first));
        sign.strangers.extend(stranger.map(with_first));
    }
    Ok(signs)
}

/// What makes a consumer of a key a stranger.
fn stranger(
    consumer: &Consumer,
    of_key: &[Consumer],
    grave: &HashMap<(&str, &str), &Rule>,
) -> Option<String> {
    let earlier = || {
        let others = of_key.iter();
        others.filter(|other| other.first_seen < consumer.first_seen)
    };
    let began = earlier().map(|other| other.first_seen).min()?;
    let after = consumer.first_seen - began;
    let known_place =
        || earlier().any(|other| other.site == consumer.site || other.program == consumer.program);
    if after < BASELINE || known_place() {
        return None;
    }
    let usual: BTreeSet<(&str, &str)> = earlier()
        .flat_map(|other| &other.api_calls)
        .map(|call| (call.event_source.as_str(), call.operation.as_str()))
        .collect();
    let done: Vec<String> = consumer
        .api_calls
        .iter()
        .filter(|call| call.events > call.errors)
        .map(|call| (call.event_source.as_str(), call.operation.as_str()))
        .filter(|call| !usual.contains(call))
        .filter_map(|call| {
            let rule = grave.get(&call)?;
            let service = call.0.trim_end_matches(".amazonaws.com");
            Some(format!(
                "{service}:{} ({} {})",
                call.1, rule.technique_id, rule.technique_name
            ))
        })
        .collect();
    (!done.is_empty()).then(|| {
        format!(
            "{} came {} d after the key's first use, from another place, with another program, and did what the key never did: {}",
            consumer.name,
            after.num_days(),
            done.join(", ")
        )
    })
}

/// The parameters of [`FIRST_CALLS`]; the moments are not known yet when none.
pub(super) fn first_calls_params(
    keys: &[AccessKeyId],
    moments: Option<BTreeSet<DateTime<Utc>>>,
) -> Params {
    let moments = match moments {
        Some(moments) => {
            let micros = moments.into_iter().map(|time| time.timestamp_micros());
            let micros: Vec<ScalarValue> = micros.map(ScalarValue::from).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&micros, &DataType::Int64))
        }
        None => ScalarValue::new_null_list(DataType::Int64, true, 1),
    };
    let mut params = bounds(keys);
    params.insert("moments".to_owned(), moments);
    params
}

/// Events of keys at the moments when consumers were first seen: by key and moment, the user agent and the event in words.
#[derive(Debug, Default)]
struct FirstCalls(HashMap<(String, DateTime<Utc>), Vec<(String, String)>>);

async fn first_calls(
    session: &Session,
    keys: &[AccessKeyId],
    moments: BTreeSet<DateTime<Utc>>,
) -> Result<FirstCalls, AnalysisError> {
    let mut found = FirstCalls::default();
    if moments.is_empty() {
        return Ok(found);
    }
    let params = first_calls_params(keys, Some(moments));
    for batch in session.sql(FIRST_CALLS, &params).await?.1 {
        let columns = Columns(&batch);
        let (keys, agents) = (columns.text("access_key_id")?, columns.text("user_agent")?);
        for row in 0..batch.num_rows() {
            let (Some(key), Some(time)) = (value(&keys, row), columns.time("event_time", row)?)
            else {
                continue;
            };
            let agent = value(&agents, row).unwrap_or_default().to_owned();
            let calls = found.0.entry((key.to_owned(), time)).or_default();
            calls.push((agent, call(&columns, row)?));
        }
    }
    Ok(found)
}

impl FirstCalls {
    /// The first event of a consumer, in words.
    fn of(&self, consumer: &Consumer) -> String {
        let place = (consumer.access_key_id.clone(), consumer.first_seen);
        let mut calls = self.0.get(&place).into_iter().flatten();
        let own =
            calls.find(|(agent, _)| consumer.user_agents.iter().any(|own| own.name == *agent));
        format!(
            "{} at {}, the first of {} of {}",
            own.map_or("its first call", |(_, call)| call),
            consumer.first_seen.format("%Y-%m-%d %H:%M:%S"),
            consumer.events,
            consumer.consumer_id
        )
    }
}

/// An event in words.
fn call(columns: &Columns<'_>, row: usize) -> Result<String, AnalysisError> {
    let at = |column: &ArrayRef| value(column, row).unwrap_or("?").to_owned();
    let source = at(&columns.text("event_source")?);
    let service = source.trim_end_matches(".amazonaws.com");
    Ok(format!(
        "event {}, {service}:{} from {}",
        at(&columns.text("event_id")?),
        at(&columns.text("event_name")?),
        at(&columns.text("source_ip_address")?),
    ))
}
