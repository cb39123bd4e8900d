//! `keytrail progress`: how far has the migration come?
//!
//! In: a lake or log files, and a day. Out: each consumer of each key before and since that day. Promise: what a consumer
//! moved to is named, and why it is taken for the same.

use chrono::Utc;
use keytrail::analysis::progress::progress;
use keytrail::cloudtrail::{AccessKeyId, Bound};

use super::consumers::{IncludeArgs, NetworkArgs};
use crate::args::{TrailArgs, moment};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::{FoldArgs, OutputArgs};
use crate::pick::PickArgs;
use crate::{advise, next, output, question, sought};

/// Show which consumers have stopped, moved to a role, stayed or appeared since a date
///
/// Compares the consumers of each key before and after that date. A consumer has moved if it no longer uses the key, and the
/// same program makes the same calls from the same addresses with a session of a role.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these access keys
    #[arg(value_name = "ACCESS_KEY_ID", value_parser = crate::args::key_id)]
    access_key_ids: Vec<AccessKeyId>,

    /// The cut-over date (UTC), the first day of the second part: 2025-03-01, or a time ago: 30d
    #[arg(long, value_name = "DATE")]
    before: String,

    #[command(flatten)]
    include: IncludeArgs,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    fold: FoldArgs,

    #[command(flatten)]
    pick: PickArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail progress --before 2025-03-01                         What has changed since March
  keytrail progress --before 14d AKIAIOSFODNN7EXAMPLE           One key, two weeks after the switch
  keytrail progress --before 2025-03-01 --format csv            For a spreadsheet";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let before = moment("--before", Some(&args.before), Utc::now(), Bound::Since)?;
    let day = before.unwrap_or_default().date_naive();
    let options = args.include.options(&args.networks)?;
    let session = question::session(&args.trail, context).await?;
    let found = progress(&session, &args.access_key_ids, day, &options).await?;
    let ending = Ending::next(next::judged(&["ready"], &args.trail, &args.networks));
    let ending = ending.fold_unless(&args.access_key_ids, args.fold);
    let mut report = found.report()?;
    advise::on(&mut report.notes);
    if report.sections.iter().all(|section| section.rows() == 0) {
        sought::check_keys(&session, &args.access_key_ids).await?;
    }
    args.pick.apply(&mut report)?;
    output::write_ending(&report, &args.output, &ending, context)
}
