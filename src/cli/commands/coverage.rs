//! `keytrail coverage`: what was seen of the trail, and what was not.
//!
//! In: a lake or log files. Out: one row per account, region and day, and the holes. Promise: rejected log files and days
//! without any are named.

use keytrail::analysis::{COVERAGE, answer};
use keytrail::session::Params;

use crate::args::TrailArgs;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::{FoldArgs, OutputArgs};
use crate::{next, output, question};

/// Show which accounts, regions and days the logs cover, and what is missing
///
/// Accounts, regions and days with their log files and events, rejected log files, gaps, and which event categories
/// and data events are present at all. Check this before you conclude that a key did not do something.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    fold: FoldArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail coverage                            Of ./keytrail-lake
  keytrail coverage --since 30d --format csv   Of the last 30 days, for a spreadsheet
  keytrail coverage --account 123456789012     Of one account";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let session = question::session(&args.trail, context).await?;
    let report = answer(&session, &COVERAGE, &Params::new()).await?;
    let ending = Ending::next(next::command(&["keys"], &args.trail)).fold(args.fold);
    output::write_ending(&report, &args.output, &ending, context)
}
