//! What a key needed, as the events show it.
//!
//! In: events of one key. Out: [`Use`]s. Promise: the events are read once; the work after that grows with distinct
//! permissions, addresses and programs, not with events.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use datafusion::common::ScalarValue;

use crate::analysis::AnalysisError;
use crate::cloudtrail::AccessKeyId;
use crate::session::{Params, Session};

pub(super) const NEEDS: &str = include_str!("../../../queries/policy/needs.sql");

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was allowed and succeeded.
    Allowed,
    /// It was refused for want of a permission.
    Denied,
    /// It failed for another reason: nothing there, wrong parameters, too many calls.
    Failed,
}

/// A permission that calls needed, from one address, with one program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The action, e.g. `s3:GetObject`.
    pub action: String,
    /// The resource; if there are leaves, what stands before them.
    pub resource: String,
    /// The condition under which alone it was needed: key and values, `kms:ViaService=s3.eu-west-1.amazonaws.com`.
    pub condition: Option<String>,
    /// How the calls ended.
    pub outcome: Outcome,
    /// The error, if they failed.
    pub error_code: Option<String>,
    /// Where they came from.
    pub source_ip_address: Option<String>,
    /// The VPC endpoint they went through.
    pub vpc_endpoint_id: Option<String>,
    /// The AWS service that made them for the key.
    pub via_service: Option<String>,
    /// The program.
    pub user_agent: Option<String>,
    /// The objects: the first and the last by name, which are all there are if they are not `many`.
    pub leaves: BTreeSet<String>,
    /// Whether there are more objects than `leaves` holds.
    pub many: bool,
    /// How many calls.
    pub events: i64,
    /// Time of the first call, microseconds since 1970.
    pub first_seen: i64,
    /// Time of the last call.
    pub last_seen: i64,
}

/// Whose the key is, as its calls say.
#[derive(Debug, Clone, Default)]
pub(super) struct Owner {
    /// The account of the user.
    pub(super) account: Option<String>,
    /// A region that was called, which tells the partition.
    pub(super) region: Option<String>,
}

/// Reads what a key needed, and whose it is.
pub(super) async fn read(
    session: &Session,
    key: &AccessKeyId,
) -> Result<(Vec<Use>, Owner), AnalysisError> {
    let (_, batches) = session.sql(NEEDS, &params(key)).await?;
    let (mut uses, mut owner) = (Vec::new(), Owner::default());
    for batch in &batches {
        add(batch, &mut uses, &mut owner)?;
    }
    // In an order of its own, so that the same trail gives the same bytes.
    uses.sort();
    Ok((uses, owner))
}

/// The parameters of [`NEEDS`].
pub(super) fn params(key: &AccessKeyId) -> Params {
    let key = ScalarValue::from(key.as_str());
    Params::from([("access_key_id".to_owned(), key)])
}

/// The texts of the query, by their place; numbers and times follow.
const TEXTS: usize = 13;

fn add(batch: &RecordBatch, uses: &mut Vec<Use>, owner: &mut Owner) -> Result<(), AnalysisError> {
    let texts = batch.columns()[..TEXTS]
        .iter()
        .map(|column| cast(column, &DataType::Utf8));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let numbers = |index: usize| batch.column(index).as_primitive::<Int64Type>();
    let times = |index: usize| {
        batch
            .column(index)
            .as_primitive::<TimestampMicrosecondType>()
    };
    let (leaves, events) = (numbers(TEXTS), numbers(TEXTS + 1));
    let (first_seen, last_seen) = (times(TEXTS + 2), times(TEXTS + 3));
    for row in 0..batch.num_rows() {
        let text = |index: usize| {
            let column = texts[index].as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        owner.account = text(11).or(owner.account.take());
        owner.region = text(12).or(owner.region.take());
        uses.push(Use {
            action: text(0).unwrap_or_default(),
            resource: text(1).unwrap_or_default(),
            condition: text(2),
            outcome: match text(3).as_deref() {
                Some("allowed") => Outcome::Allowed,
                Some("denied") => Outcome::Denied,
                _ => Outcome::Failed,
            },
            error_code: text(4),
            source_ip_address: text(5),
            vpc_endpoint_id: text(6),
            via_service: text(7),
            user_agent: text(8),
            leaves: [text(9), text(10)].into_iter().flatten().collect(),
            many: leaves.value(row) > 2,
            events: events.value(row),
            first_seen: first_seen.value(row),
            last_seen: last_seen.value(row),
        });
    }
    Ok(())
}
