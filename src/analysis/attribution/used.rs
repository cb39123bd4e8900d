//! How a credential was used.
//!
//! In: rows of a query, or events of a lineage. Out: [`Use`]s. Promise: the same for both, so that every answer judges alike.

use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::event::has_effect;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use std::collections::BTreeMap;

/// Microseconds of an hour and of a day.
pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// One call from one place with one program, counted.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis) struct Use {
    pub(in crate::analysis) address: String,
    pub(in crate::analysis) agent: String,
    /// Without `.amazonaws.com`.
    pub(in crate::analysis) service: String,
    pub(in crate::analysis) operation: String,
    pub(in crate::analysis) region: String,
    pub(in crate::analysis) error_code: Option<String>,
    /// Whether a change in IAM is of the caller itself.
    pub(in crate::analysis) about_itself: bool,
    /// Whether the call quarantines its own user, as AWS does with keys that it finds in public.
    pub(in crate::analysis) is_quarantine: bool,
    /// What AWS gave the credential to: an instance, a function, a task.
    pub(in crate::analysis) workload: Option<String>,
    /// The first event.
    pub(in crate::analysis) event_id: String,
    pub(in crate::analysis) events: u64,
    /// Microseconds since 1970.
    pub(in crate::analysis) first: i64,
    pub(in crate::analysis) last: i64,
}

impl Use {
    /// The call as people write it.
    pub(in crate::analysis) fn call(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    pub(super) fn denied(&self) -> bool {
        is_denied(self.error_code.as_deref())
    }

    pub(super) fn succeeded(&self) -> bool {
        has_effect(self.error_code.as_deref())
    }
}

/// Words in the error codes of calls that were refused for a lack of rights.
const DENIALS: [&str; 5] = [
    "AccessDenied",
    "Unauthorized",
    "NotAuthorized",
    "Forbidden",
    "Denied",
];

/// Whether an error is a lack of rights.
pub(in crate::analysis) fn is_denied(code: Option<&str>) -> bool {
    code.is_some_and(|code| DENIALS.iter().any(|word| code.contains(word)))
}

/// Whose a key is, and how it was used.
#[derive(Debug, Default)]
pub(super) struct KeyUses {
    pub(super) account: Option<String>,
    pub(super) user: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) uses: Vec<Use>,
}

/// Adds the rows of a batch of `uses.sql`.
pub(super) fn add(
    keys: &mut BTreeMap<String, KeyUses>,
    batch: &RecordBatch,
) -> Result<(), AnalysisError> {
    let columns = Columns(batch);
    let ids = columns.text("access_key_id")?;
    let addresses = columns.text("source_ip_address")?;
    let agents = columns.text("user_agent")?;
    let sources = columns.text("event_source")?;
    let operations = columns.text("operation")?;
    let regions = columns.text("aws_region")?;
    let event_ids = columns.text("event_id")?;
    let errors = columns.text("error_code")?;
    let users = columns.text("user_identity_user_name")?;
    let accounts = columns.text("user_identity_account_id")?;
    let arns = columns.text("user_identity_arn")?;
    let deliveries = columns.text("session_ec2_role_delivery")?;
    let itself = columns.named("about_itself")?.as_boolean();
    let quarantines = columns.named("is_quarantine")?.as_boolean();
    let events = columns.named("events")?.as_primitive::<Int64Type>();
    for row in 0..batch.num_rows() {
        let (Some(key), Some(first), Some(last)) = (
            value(&ids, row),
            columns.time("first_seen", row)?,
            columns.time("last_seen", row)?,
        ) else {
            continue;
        };
        let text = |column| value(column, row).unwrap_or_default().to_owned();
        let held = keys.entry(key.to_owned()).or_default();
        let some = |column| value(column, row).map(str::to_owned);
        held.account = held.account.take().or(some(&accounts));
        held.user = held.user.take().or(some(&users));
        held.arn = held.arn.take().or(some(&arns));
        let source = text(&sources);
        held.uses.push(Use {
            address: text(&addresses),
            agent: text(&agents),
            service: source.trim_end_matches(".amazonaws.com").to_owned(),
            operation: text(&operations),
            region: text(&regions),
            error_code: some(&errors),
            about_itself: itself.is_valid(row) && itself.value(row),
            is_quarantine: quarantines.is_valid(row) && quarantines.value(row),
            workload: value(&deliveries, row).map(|_| "an EC2 instance".to_owned()),
            event_id: text(&event_ids),
            events: events.value(row).unsigned_abs(),
            first: first.timestamp_micros(),
            last: last.timestamp_micros(),
        });
    }
    Ok(())
}
