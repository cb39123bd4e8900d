//! Signs of an intruder among the consumers.
//!
//! In: consumers, and what is known of attacks. Out: [`Sign`]s in words, with the first event of each. Promise: asks for the
//! events of suspicious consumers alone; one that is only new is not suspicious.

use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::analysis::consumers::{Consumer, Consumers};
use crate::analysis::findings::{Rule, Rules, Severity};
use crate::session::{Params, Session};
use arrow::array::ArrayRef;
use chrono::TimeDelta;
use datafusion::common::ScalarValue;
use std::collections::{BTreeSet, HashMap};

const FIRST_CALL: &str = include_str!("../../../queries/ready/first_call.sql");

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
pub(super) async fn read(session: &Session, found: &Consumers) -> Result<Signs, AnalysisError> {
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
    let mut signs = Signs::new();
    for of_key in found
        .consumers
        .chunk_by(|a, b| a.access_key_id == b.access_key_id)
    {
        for consumer in of_key {
            let tool = (!consumer.warnings.is_empty()).then(|| consumer.warnings.join(", "));
            let stranger = stranger(consumer, of_key, &grave);
            if tool.is_none() && stranger.is_none() {
                continue;
            }
            let first = first_call(session, consumer).await?;
            let told = |what: String| format!("{what} ({first})");
            let sign = signs.entry(consumer.access_key_id.clone()).or_default();
            sign.tools.extend(tool.map(told));
            sign.strangers.extend(stranger.map(told));
        }
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

/// The first event of a consumer, in words.
async fn first_call(session: &Session, consumer: &Consumer) -> Result<String, AnalysisError> {
    let micros = consumer.first_seen.timestamp_micros();
    let params = Params::from([
        (
            "access_key_id".to_owned(),
            ScalarValue::from(consumer.access_key_id.as_str()),
        ),
        (
            "moment".to_owned(),
            ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())),
        ),
    ]);
    let mut first = None;
    for batch in session.sql(FIRST_CALL, &params).await?.1 {
        let columns = Columns(&batch);
        let agents = columns.text("user_agent")?;
        let row = (0..batch.num_rows()).find(|&row| {
            let agent = value(&agents, row).unwrap_or_default();
            consumer.user_agents.iter().any(|own| own.name == agent)
        });
        if let Some(row) = row {
            first = Some(call(&columns, row)?);
            break;
        }
    }
    let first = first.unwrap_or_else(|| "its first call".to_owned());
    Ok(format!(
        "{first} at {}, the first of {} of {}",
        consumer.first_seen.format("%Y-%m-%d %H:%M:%S"),
        consumer.events,
        consumer.consumer_id
    ))
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
