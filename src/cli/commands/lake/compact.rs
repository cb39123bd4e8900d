//! `keytrail lake compact`: small files become large ones.
//!
//! In: a lake. Out: what was merged. Promise: the answers stay the same.

use chrono::{TimeDelta, Utc};
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

/// Merge the small files of each day into large ones
///
/// Many small ingests leave many small files, which make queries slow. Merged files are sorted by access key and time.
/// Ingests and queries may run at the same time, and it can be killed at any moment. The old files stay until keytrail
/// lake vacuum removes them. Files written by older versions of keytrail get their summary of use.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,

    /// Skip the most recent days, which may still get events
    #[arg(long, value_name = "SPAN", value_parser = span)]
    older_than: Option<TimeDelta>,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake compact
  keytrail lake compact --older-than 2d    After each daily ingest";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let mut lake = Lake::open(&args.options.location().await?).await?;
    let before = args.older_than.map(|span| (Utc::now() - span).date_naive());
    let compacted = lake.compact(before).await?;
    output::show(context, |out| match args.options.format {
        Format::Json => {
            let value = json!({
                "report": "lake-compact",
                "lake": lake.name(),
                "days": compacted.days,
                "files": {"before": compacted.before, "after": compacted.after},
                "bytes": {"before": compacted.bytes_before, "after": compacted.bytes_after},
                "summaries_written": compacted.summaries,
            });
            writeln!(out, "{value:#}")
        }
        _ if compacted.before == 0 && compacted.summaries == 0 => {
            writeln!(out, "There is nothing to merge.")
        }
        _ if compacted.before == 0 => writeln!(
            out,
            "There is nothing to merge; {} of events now have a summary of use.",
            counted(compacted.summaries, "file")
        ),
        _ => writeln!(
            out,
            "{} of {} and of the ledger merged into {}; {} became {}",
            counted(compacted.before, "file"),
            counted(compacted.days, "day"),
            compacted.after,
            ByteSize(compacted.bytes_before),
            ByteSize(compacted.bytes_after)
        ),
    })?;
    Ok(Done::Complete)
}
