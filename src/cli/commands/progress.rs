//! `keytrail progress`: how far has the migration come?
//!
//! In: a lake or log files, and a day. Out: each consumer of each key before and since that day. Promise: what a consumer
//! moved to is named, and why it is taken for the same.

use std::sync::Arc;

use chrono::Utc;
use keytrail::analysis::consumers::ConsumerOptions;
use keytrail::analysis::progress::progress;
use keytrail::cloudtrail::{AccessKeyId, Bound};

use super::consumers::NetworkArgs;
use crate::args::{OutputArgs, TrailArgs, moment};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::{output, question};

/// Show which consumers are gone, moved to a role, still there or new since a day
///
/// The log is cut in two at that day, and each consumer of each key is looked for in both parts. One that no longer calls
/// with the key, and whose program is seen at the same addresses with a role's session and the same calls, has moved.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these access keys
    #[arg(value_name = "ACCESS_KEY_ID")]
    access_key_ids: Vec<AccessKeyId>,

    /// The day (UTC) that cuts the log; it is the first day of the second part: 2025-03-01, or a time ago: 30d
    #[arg(long, value_name = "DATE")]
    before: String,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail progress --before 2025-03-01                         What has changed since March
  keytrail progress --before 14d AKIAIOSFODNN7EXAMPLE           One key, two weeks after the switch
  keytrail progress --before 2025-03-01 --format csv            For a spreadsheet";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let before = moment(Some(&args.before), Utc::now(), Bound::Since)?;
    let day = before.unwrap_or_default().date_naive();
    let options = ConsumerOptions {
        addresses: Arc::new(args.networks.address_book()?),
    };
    let session = question::session(&args.trail, context).await?;
    let found = progress(&session, &args.access_key_ids, day, &options).await?;
    output::write(&found.report()?, &args.output, context)
}
