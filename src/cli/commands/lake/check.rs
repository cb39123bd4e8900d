//! `keytrail lake check`: is the lake whole?
//!
//! In: a lake. Out: what was looked at, and every fault. Promise: exit code 1 as long as there is a fault.

use std::io::{self, Write};

use keytrail::analysis::shell_word;
use keytrail::lake::{Checked, check};
use keytrail::render::Format;
use keytrail::render::escape::terminal;
use keytrail::report::counted;
use serde_json::json;

use super::Options;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;
use crate::size::ByteSize;

/// Check that the lake is intact: files, hashes, counts, event ids, ledger
///
/// Reads every file of the lake and changes nothing. Compares the size and SHA-256 of each data file with what was
/// written, the number of rows with the table's log, and, for each log file, the stored events with the ledger's count.
/// No event may be stored twice, and summaries of use must match the events.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake check                              Of ./keytrail-lake
  keytrail lake check --lake s3://my-lake/keytrail --format json

Exit code 1 means that something is damaged or lost: see keytrail lake mend.";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let location = args.options.location().await?;
    let checked = check(&location).await?;
    output::show(context, |out| match args.options.format {
        Format::Json => json(&checked, &location.name(), out),
        _ => text(&checked, out),
    })?;
    if checked.is_whole() {
        return Ok(Done::Complete);
    }
    let lake = location.name();
    Err(Failure::new(format!(
        "the lake {lake} has {}",
        counted(checked.faults.len() as u64, "fault")
    ))
    .hint(format!(
        "restore what is lost from its log files: keytrail lake mend --lake {}",
        shell_word(&lake)
    )))
}

fn text(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    for table in &checked.tables {
        writeln!(
            out,
            "{:<10} {}, {}, {}, {} hashes compared",
            table.table.as_str(),
            counted(table.files, "file"),
            ByteSize(table.bytes),
            counted(table.rows, "row"),
            table.hashed
        )?;
    }
    if checked.unaccounted > 0 {
        writeln!(
            out,
            "\n{} from an ingest that was killed before it wrote the ledger: the next ingest accounts for them",
            counted(checked.unaccounted, "event")
        )?;
    }
    if checked.is_whole() {
        return writeln!(out, "\nThe lake is intact.");
    }
    writeln!(out, "\nfaults:")?;
    for fault in &checked.faults {
        let file = fault
            .file
            .as_deref()
            .map(|file| format!(" {}", terminal(file)));
        writeln!(
            out,
            "  {}{}: {}",
            fault.table.as_str(),
            file.unwrap_or_default(),
            terminal(&fault.problem)
        )?;
    }
    Ok(())
}

fn json(checked: &Checked, lake: &str, out: &mut dyn Write) -> io::Result<()> {
    let tables = checked.tables.iter().map(|table| {
        json!({
            "table": table.table.as_str(),
            "files": table.files,
            "hashes_compared": table.hashed,
            "bytes": table.bytes,
            "rows": table.rows,
        })
    });
    let faults = checked.faults.iter().map(|fault| {
        json!({"table": fault.table.as_str(), "file": fault.file, "problem": fault.problem})
    });
    let value = json!({
        "report": "lake-check",
        "lake": lake,
        "whole": checked.is_whole(),
        "tables": tables.collect::<Vec<_>>(),
        "events_unaccounted": checked.unaccounted,
        "faults": faults.collect::<Vec<_>>(),
    });
    writeln!(out, "{value:#}")
}
