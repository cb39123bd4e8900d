//! Signs of an intruder among the consumers.
//!
//! In: consumers with warnings: attack tools, systems for penetration tests. Out: what was seen, with the first event.
//! Promise: asks for the events of suspicious consumers alone.

use super::trail::{Columns, value};
use crate::analysis::AnalysisError;
use crate::analysis::consumers::{Consumer, Consumers};
use crate::session::{Params, Session};
use arrow::array::ArrayRef;
use datafusion::common::ScalarValue;
use std::collections::HashMap;

const FIRST_CALL: &str = include_str!("../../../queries/ready/first_call.sql");

/// Signs by key, in words.
pub(super) type Signs = HashMap<String, Vec<String>>;

/// Reads them.
pub(super) async fn read(session: &Session, found: &Consumers) -> Result<Signs, AnalysisError> {
    let mut signs = Signs::new();
    let suspicious = |consumer: &&Consumer| !consumer.warnings.is_empty();
    for consumer in found.consumers.iter().filter(suspicious) {
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
        let when = consumer.first_seen.format("%Y-%m-%d %H:%M:%S");
        let call = first.unwrap_or_else(|| "a call".to_owned());
        let warning = consumer.warnings.join(", ");
        signs
            .entry(consumer.access_key_id.clone())
            .or_default()
            .push(format!(
                "{warning} ({call} at {when}, the first of {} of {})",
                consumer.events, consumer.consumer_id
            ));
    }
    Ok(signs)
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
