//! `keytrail lake forget`: events older than a day are removed.
//!
//! In: a lake and a day. Out: how much was removed. Promise: whole days, in one step.

use chrono::NaiveDate;
use keytrail::lake::Lake;
use keytrail::render::Format;
use keytrail::report::counted;
use serde_json::json;

use super::Options;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;
use crate::size::ByteSize;

/// Remove old events from the lake
///
/// Removes the events of all days before a date. The ledger keeps their log files, so that an ingest does not read
/// them again; rejected records stay. keytrail lake vacuum frees the space.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// The first day to keep, in UTC
    #[arg(long, value_name = "DATE")]
    before: NaiveDate,

    /// Only count the events
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake forget --before 2024-01-01 --dry-run   How much would be removed?
  keytrail lake forget --before 2024-01-01
  keytrail lake vacuum --retain 1h                     Remove the files, too";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let mut lake = Lake::open(&args.options.location().await?).await?;
    let forgotten = lake.forget(args.before, args.dry_run).await?;
    let done = if args.dry_run {
        "would be removed"
    } else {
        "removed"
    };
    output::show(context, |out| match args.options.format {
        Format::Json => {
            let value = json!({
                "report": "lake-forget",
                "lake": lake.name(),
                "before": args.before.to_string(),
                "dry_run": args.dry_run,
                "days": forgotten.days,
                "files": forgotten.files,
                "bytes": forgotten.bytes,
                "events": forgotten.events,
            });
            writeln!(out, "{value:#}")
        }
        _ => writeln!(
            out,
            "{} of {} {done}: {}, {}",
            counted(forgotten.events, "event"),
            counted(forgotten.days, "day"),
            counted(forgotten.files, "file"),
            ByteSize(forgotten.bytes)
        ),
    })?;
    Ok(Done::Complete)
}
