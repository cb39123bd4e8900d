//! `keytrail lake mend`: a damaged lake is made whole.
//!
//! In: a lake, and where its log files are now. Out: what was done. Promise: what cannot be read again is named, and stays
//! marked as missing in the ledger and in every answer's coverage.

use std::collections::BTreeSet;
use std::sync::Arc;

use keytrail::analysis::shell_word;
use keytrail::cloudtrail::Selection;
use keytrail::ingest::{IngestOptions, IngestSummary, ingest};
use keytrail::lake::{Lake, Mended, check, mend};
use keytrail::read::Stop;
use keytrail::render::Format;
use keytrail::render::escape::terminal;
use keytrail::source::{self, Source, SourceError};
use serde_json::json;

use super::Options;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::progress::Progress;
use crate::{interrupt, output, question};

/// Repair a damaged lake: restore what is lost from its log files
///
/// Removes damaged and missing files from the tables, recovers events whose entry in the table's log is lost, and rereads
/// log files whose events are incomplete: from their place in the ledger, or from SOURCE if they have moved. If it names
/// log files that could not be read, run it again with another SOURCE.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where the log files are now, if not where the ledger says
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,

    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake mend                              From where the log files were
  keytrail lake mend s3://my-trail-bucket         From the whole trail: finds all that is missing
  keytrail lake check && echo whole               Afterwards

Exit code 3 means that some log files could not be read again; they are named. If it says that rows of the ledger are
lost, read the trail again with keytrail ingest.";

/// The most JSON a log file may have.
const MAX_JSON: u64 = 2 << 30;
const FETCHES: usize = 32;

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let location = args.options.location().await?;
    let checked = check(&location).await?;
    let faults = checked.faults.len();
    let mut mended = mend(&location, checked).await?;
    let mut unread = BTreeSet::new();
    let sources = match args.sources.is_empty() {
        false => question::sources(&args.sources, &args.options.access).await?,
        true => places(&mended.to_read, &args.options, &mut unread).await?,
    };
    let mut lake = Lake::open_or_create(&location).await?;
    let options = IngestOptions {
        selection: Selection::default(),
        max_json: MAX_JSON,
        fetches: FETCHES,
        threads: question::threads(),
        retry_rejected: false,
        keep_secrets: false,
        verify: None,
        packers: None,
    };
    let progress = Arc::new(Progress::new(context));
    let stop = Stop::default();
    interrupt::listen(stop.clone(), Arc::clone(&progress), context.clone())?;
    let summary = ingest(&mut lake, &sources, &options, (progress.as_ref(), &stop)).await;
    progress.finish();
    let summary = summary?;
    // Reads the ledger again: the ingest wrote to it, and the next commit follows that.
    lake.known_log_files(false).await?;
    unread.extend(lake.lost_log_files().await?);
    // Of the log files that nothing is known of any more, those that were named have been read.
    mended.forgets &= args.sources.is_empty();
    let told = (&mended, &summary, &unread);
    output::show(context, |out| match args.options.format {
        Format::Json => json(told, (&lake.name(), faults), out),
        _ => text(told, (&lake.name(), faults), out),
    })?;
    Ok(match (summary.left, unread.is_empty() && !mended.forgets) {
        (1.., _) => Done::Stopped,
        (_, false) => Done::WithRejects,
        _ => Done::Complete,
    })
}

/// The log files of these names, each as a source; those that are gone are noted.
async fn places(
    names: &BTreeSet<String>,
    options: &Options,
    gone: &mut BTreeSet<String>,
) -> Result<Vec<Arc<dyn Source>>, Failure> {
    let mut sources = Vec::new();
    for name in names {
        match source::open(name, &options.access.options()).await {
            Ok(source) => sources.push(source),
            Err(SourceError::NotFound { .. }) => drop(gone.insert(name.clone())),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sources)
}

type Told<'a> = (&'a Mended, &'a IngestSummary, &'a BTreeSet<String>);

fn text(
    (mended, summary, unread): Told<'_>,
    (lake, faults): (&str, usize),
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    writeln!(out, "faults     {faults} found")?;
    for table in &mended.rebuilt {
        writeln!(out, "table      {} recreated", table.as_str())?;
    }
    for file in &mended.removed {
        writeln!(out, "file       {} removed", terminal(file))?;
    }
    writeln!(
        out,
        "events     {} recovered from data files",
        mended.recovered
    )?;
    writeln!(
        out,
        "log files  {} read again, {} events stored",
        summary.stored, summary.events_stored
    )?;
    if !unread.is_empty() {
        writeln!(out, "\nnot read again, their events are still missing:")?;
        for name in unread {
            writeln!(out, "  {}", terminal(name))?;
        }
    }
    if mended.forgets {
        writeln!(
            out,
            "\nRows of the ledger are lost: log files that have no events of their own, e.g. rejected ones, are not known any \
             more.\nRead the trail again: {}",
            again(lake)
        )?;
    }
    Ok(())
}

/// The command that reads the trail again.
fn again(lake: &str) -> String {
    format!("keytrail ingest SOURCE --lake {}", shell_word(lake))
}

fn json(
    (mended, summary, unread): Told<'_>,
    (lake, faults): (&str, usize),
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let rebuilt: Vec<&str> = mended.rebuilt.iter().map(|table| table.as_str()).collect();
    let value = json!({
        "report": "lake-mend",
        "lake": lake,
        "faults": faults,
        "tables_made_anew": rebuilt,
        "files_taken_out": mended.removed,
        "events_found_again": mended.recovered,
        "log_files_read_again": summary.stored,
        "events_stored": summary.events_stored,
        "log_files_not_read": unread,
        "ledger_rows_lost": mended.forgets,
    });
    writeln!(out, "{value:#}")
}
