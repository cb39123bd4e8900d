//! `keytrail lake stats`: how large is the lake, and in what pieces?
//!
//! In: a lake. Out: its figures. Promise: opens no data file.

use std::io::{self, Write};

use chrono::TimeDelta;
use keytrail::lake::{Lake, Orphans, Stats};
use keytrail::render::Format;
use keytrail::report::counted;
use serde_json::json;

use super::Options;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;
use crate::size::ByteSize;

/// Show the size of the lake: files, bytes, rows, days
///
/// Also how many small files could be merged (keytrail lake compact) and how many files no table uses (keytrail lake
/// vacuum). Reads the logs of the tables and lists their folders.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake stats
  keytrail lake stats --lake s3://my-lake/keytrail --format json";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let lake = Lake::open(&args.options.location().await?).await?;
    let stats = lake.stats()?;
    let orphans = lake.vacuum(TimeDelta::zero(), false).await?;
    output::show(context, |out| match args.options.format {
        Format::Json => json((&stats, &orphans), &lake.name(), out),
        _ => text((&stats, &orphans), out),
    })?;
    Ok(Done::Complete)
}

fn text((stats, orphans): (&Stats, &Orphans), out: &mut dyn Write) -> io::Result<()> {
    for table in &stats.tables {
        writeln!(
            out,
            "{:<10} {}, {}, {}, version {}",
            table.table.as_str(),
            counted(table.files, "file"),
            ByteSize(table.bytes),
            counted(table.rows, "row"),
            table.version
        )?;
    }
    if let (Some(first), Some(last)) = (stats.first_day, stats.last_day) {
        writeln!(
            out,
            "days       {} with events, {first} to {last}",
            stats.days
        )?;
    }
    let (days, files) = stats.small;
    if files > 0 {
        writeln!(
            out,
            "small      {} on {}: keytrail lake compact merges them",
            counted(files, "small file"),
            counted(days, "day")
        )?;
    }
    if orphans.files > 0 {
        writeln!(
            out,
            "unused     {}, {}, not used by any table: keytrail lake vacuum removes them",
            counted(orphans.files, "file"),
            ByteSize(orphans.bytes)
        )?;
    }
    Ok(())
}

fn json((stats, orphans): (&Stats, &Orphans), lake: &str, out: &mut dyn Write) -> io::Result<()> {
    let tables = stats.tables.iter().map(|table| {
        json!({
            "table": table.table.as_str(),
            "files": table.files,
            "bytes": table.bytes,
            "rows": table.rows,
            "version": table.version,
        })
    });
    let value = json!({
        "report": "lake-stats",
        "lake": lake,
        "tables": tables.collect::<Vec<_>>(),
        "days": stats.days,
        "first_day": stats.first_day.map(|day| day.to_string()),
        "last_day": stats.last_day.map(|day| day.to_string()),
        "small_files": {"days": stats.small.0, "files": stats.small.1},
        "unnamed_files": {"files": orphans.files, "bytes": orphans.bytes},
    });
    writeln!(out, "{value:#}")
}
