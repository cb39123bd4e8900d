//! `keytrail lake vacuum`: files that no table names are removed.
//!
//! In: a lake and an age. Out: what was removed. Promise: nothing that a running ingest or question may need.

use chrono::TimeDelta;
use keytrail::lake::Lake;
use keytrail::render::Format;
use keytrail::report::counted;
use serde_json::json;

use super::Options;
use crate::args::span;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;
use crate::size::ByteSize;

/// Remove files that no table uses
///
/// Killed ingests leave files that never became part of a table; compact and forget leave the files they replaced.
/// Removes those that were written, or removed from their table, longer ago than --retain: running ingests and queries
/// may still need newer ones, and engines with time travel read the replaced ones.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Keep files newer than this; at least 1h
    #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = span)]
    retain: TimeDelta,

    /// Only count the files
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake vacuum --dry-run     How much would be freed?
  keytrail lake vacuum               Remove what is older than 7 days
  keytrail lake vacuum --retain 1h   After a forget: remove the events for good";

/// An ingest needs less time than this from writing a file to naming it.
const LEAST: TimeDelta = TimeDelta::hours(1);

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    if args.retain < LEAST {
        return Err(Failure::usage(
            "--retain is at least 1h: a running ingest may be about to use newer files",
        ));
    }
    let lake = Lake::open(&args.options.location().await?).await?;
    let orphans = lake.vacuum(args.retain, !args.dry_run).await?;
    let done = if args.dry_run {
        "would be removed"
    } else {
        "removed"
    };
    output::show(context, |out| match args.options.format {
        Format::Json => {
            let value = json!({
                "report": "lake-vacuum",
                "lake": lake.name(),
                "dry_run": args.dry_run,
                "files": orphans.files,
                "bytes": orphans.bytes,
                "kept": orphans.kept,
            });
            writeln!(out, "{value:#}")
        }
        _ => writeln!(
            out,
            "{} {done}, {}; {} kept",
            counted(orphans.files, "file"),
            ByteSize(orphans.bytes),
            counted(orphans.kept, "newer file")
        ),
    })?;
    Ok(Done::Complete)
}
