//! What a key needed, as the events show it.
//!
//! In: events of one key. Out: [`Use`]s. Promise: the events are read once; the work after that grows with distinct
//! permissions, addresses and programs, not with events.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;

use crate::analysis::AnalysisError;
use crate::analysis::batches::{Columns, value};
use crate::cloudtrail::AccessKeyId;
use crate::knowledge::iam::Open;
use crate::session::{Params, Session};

pub(super) const NEEDS: &str = include_str!("../../../queries/policy/needs.sql");

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was allowed: it succeeded, or failed for a reason that shows that permissions were not missing, as where nothing was there.
    Allowed,
    /// It was refused for want of a permission.
    Denied,
    /// It failed before permissions counted: the signature or the token was not valid, the bucket did not exist.
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
    /// Why no policy can allow it from the events alone; none for a permission that can be allowed.
    pub open: Option<Open>,
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

impl Use {
    /// The address and the user agent.
    pub(super) fn source(&self) -> (String, String) {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        (text(&self.source_ip_address), text(&self.user_agent))
    }

    /// What S3 shows by saying that an object is not there: that the caller may list the bucket. Without, it denies access.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    fn listing(&self) -> Option<Use> {
        let reads = matches!(self.action.as_str(), "s3:GetObject" | "s3:GetObjectVersion");
        let code = self.error_code.as_deref().unwrap_or_default();
        if !reads || self.outcome != Outcome::Allowed || !matches!(code, "404" | "NoSuchKey") {
            return None;
        }
        // An access point stands for its bucket: `…:accesspoint/ap/object/key`.
        let (bucket, _) = match self.resource.split_once(":s3:::") {
            Some((start, path)) => {
                let bucket = path.split('/').next().unwrap_or_default();
                self.resource
                    .split_at(start.len() + ":s3:::".len() + bucket.len())
            }
            None => self.resource.split_once("/object/")?,
        };
        Some(Use {
            action: "s3:ListBucket".to_owned(),
            resource: bucket.to_owned(),
            leaves: BTreeSet::new(),
            many: false,
            // The call was for the object.
            error_code: None,
            ..self.clone()
        })
    }
}

/// Whose the key is, as its calls say.
#[derive(Debug, Clone, Default)]
pub(super) struct Owner {
    /// The account of the user.
    pub(super) account: Option<String>,
    /// The partition, as the user's ARN has it.
    pub(super) partition: Option<String>,
    /// A region that was called, which tells the partition where no ARN does.
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

fn add(batch: &RecordBatch, uses: &mut Vec<Use>, owner: &mut Owner) -> Result<(), AnalysisError> {
    let columns = Columns(batch);
    let texts = TEXTS
        .iter()
        .map(|name| Ok((*name, columns.text(name)?)))
        .collect::<Result<HashMap<_, _>, AnalysisError>>()?;
    for row in 0..batch.num_rows() {
        let text = |name: &str| {
            let column = texts.get(name)?;
            value(column, row).map(str::to_owned)
        };
        owner.account = text("user_identity_account_id").or(owner.account.take());
        owner.partition = text("partition").or(owner.partition.take());
        owner.region = text("aws_region").or(owner.region.take());
        let time = |name: &str| {
            let time = columns.time(name, row)?;
            Ok::<_, AnalysisError>(time.map_or(0, |time| time.timestamp_micros()))
        };
        let used = Use {
            action: text("action").unwrap_or_default(),
            resource: text("resource").unwrap_or_default(),
            condition: text("condition"),
            open: text("open").as_deref().and_then(Open::named),
            outcome: match text("outcome").as_deref() {
                Some("allowed") => Outcome::Allowed,
                Some("denied") => Outcome::Denied,
                _ => Outcome::Failed,
            },
            error_code: text("error_code"),
            source_ip_address: text("source_ip_address"),
            vpc_endpoint_id: text("vpc_endpoint_id"),
            via_service: text("via_service"),
            user_agent: text("user_agent"),
            leaves: [text("first_leaf"), text("last_leaf")]
                .into_iter()
                .flatten()
                .collect(),
            many: number(&columns, "leaves", row)? > 2,
            events: number(&columns, "events", row)?,
            first_seen: time("first_seen")?,
            last_seen: time("last_seen")?,
        };
        uses.extend(used.listing());
        uses.push(used);
    }
    Ok(())
}

fn number(columns: &Columns<'_>, name: &str, row: usize) -> Result<i64, AnalysisError> {
    Ok(columns.named(name)?.as_primitive::<Int64Type>().value(row))
}

/// The columns of the query that hold texts.
const TEXTS: [&str; 15] = [
    "action",
    "resource",
    "condition",
    "open",
    "outcome",
    "error_code",
    "source_ip_address",
    "vpc_endpoint_id",
    "via_service",
    "user_agent",
    "first_leaf",
    "last_leaf",
    "user_identity_account_id",
    "partition",
    "aws_region",
];
