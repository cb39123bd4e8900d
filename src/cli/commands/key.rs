//! `keytrail key`: everything one access key did.
//!
//! In: a lake or log files, and a key. Out: the dossier, in sections. Promise: every event of the key is counted, and what
//! the answer rests on comes with it.

use keytrail::cloudtrail::AccessKeyId;

use datafusion::common::ScalarValue;
use keytrail::analysis::{KEY, answer};
use keytrail::session::Params;

use crate::args::{OutputArgs, TrailArgs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::{output, question};

/// Show one access key: every source IP, user agent, API call, region and error
///
/// Counted is every event that the key signed; an error is an event with an error code. Calls that an AWS service made
/// on the key's behalf are counted too, and listed again under via_services.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The access key, e.g. AKIAIOSFODNN7EXAMPLE
    #[arg(value_name = "ACCESS_KEY_ID")]
    access_key_id: AccessKeyId,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail key AKIAIOSFODNN7EXAMPLE                       The dossier, from ./keytrail-lake
  keytrail key AKIAIOSFODNN7EXAMPLE --since 2025-03-01    Since the day the key leaked
  keytrail key AKIAIOSFODNN7EXAMPLE --trail ./AWSLogs     Straight from log files
  keytrail key AKIAIOSFODNN7EXAMPLE --format markdown     For the ticket";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let session = question::session(&args.trail, context).await?;
    let key = ScalarValue::from(args.access_key_id.as_str());
    let params = Params::from([("access_key_id".to_owned(), key)]);
    let report = answer(&session, &KEY, &params).await?;
    output::write(&report, &args.output, context)
}
