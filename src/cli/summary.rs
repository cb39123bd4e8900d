//! What an ingest did, in words and in JSON.
//!
//! In: an [`IngestSummary`] or a [`Plan`]. Out: text. Promise: every rejected log file is named with its reason; the numbers
//! of events add up, and the text shows that they do.

use keytrail::cloudtrail::second;
use std::io::{self, Write};
use std::time::Duration;

use chrono::Utc;
use keytrail::ingest::{IngestSummary, Plan, Refused};
use keytrail::render::escape::terminal;
use serde_json::json;

use crate::progress::readable;
use crate::size::ByteSize;

/// What S3 charges for a thousand GET requests and for ten thousand listed keys' worth of LIST requests, in US dollars
/// (us-east-1, S3 Standard). Transfer out of AWS comes on top.
const DOLLARS_PER_GET: f64 = 0.0004 / 1_000.0;
const DOLLARS_PER_LIST: f64 = 0.005 / 1_000.0;

/// Compressed bytes per second that two cores decode and pack, as measured (see the README's benches).
const BYTES_PER_SECOND: f64 = 40e6;

/// Kinds of skipped files are listed one by one up to this many; beyond, they are counted by reason.
const SHOWN_SKIPS: usize = 10;

/// The summary for people.
pub(crate) fn text(summary: &IngestSummary, lake: &str, out: &mut dyn Write) -> io::Result<()> {
    let rejected = summary.rejected.len();
    writeln!(
        out,
        "log files  {} listed = {} stored + {} already there + {rejected} rejected{} + {} without events{}",
        summary.listed,
        summary.stored,
        summary.already_stored,
        match summary.rejected_before.len() {
            0 => String::new(),
            before => format!(" + {before} rejected before"),
        },
        summary.without_events(),
        match summary.left {
            0 => String::new(),
            left => format!(" + {left} left unread"),
        }
    )?;
    writeln!(
        out,
        "events     {} read = {} stored + {} duplicates + {} rejected",
        summary.events_read,
        summary.events_stored,
        summary.events_duplicates,
        summary.events_rejected
    )?;
    writeln!(
        out,
        "bytes      {} compressed, {} of JSON, {} in the lake",
        ByteSize(summary.bytes_compressed),
        ByteSize(summary.bytes_json),
        ByteSize(summary.bytes_lake)
    )?;
    let seconds = summary.elapsed.as_secs_f64().max(1e-3);
    writeln!(
        out,
        "time       {}, {:.0} events/s, {}/s of JSON",
        readable(summary.elapsed),
        summary.events_read as f64 / seconds,
        ByteSize((summary.bytes_json as f64 / seconds) as u64)
    )?;
    writeln!(out, "lake       {}", terminal(lake))?;
    list(("rejected", &summary.rejected, usize::MAX), out)?;
    let before = (
        "rejected before, not read again (--retry-rejected)",
        summary.rejected_before.as_slice(),
        SHOWN_SKIPS,
    );
    list(before, out)?;
    list(("odd, but read", &summary.remarks, usize::MAX), out)?;
    list(
        ("not as AWS delivered it", &summary.failed, usize::MAX),
        out,
    )?;
    list(("digest files", &findings(summary), usize::MAX), out)?;
    list(("skipped", &summary.skipped, SHOWN_SKIPS), out)?;
    if summary.stopped_listing {
        return writeln!(
            out,
            "\nStopped early, before all log files were found. Nothing was read and nothing is stored."
        );
    }
    if summary.listed == 0 {
        writeln!(out, "\nNo log file was found.")?;
    }
    if summary.left > 0 {
        writeln!(
            out,
            "\nStopped early. Run the same command again to continue; what is stored is not stored again."
        )?;
    }
    match summary.events_of_left {
        0 => Ok(()),
        events => writeln!(
            out,
            "Of log files that were not read to their ends, {} stored.",
            match events {
                1 => "1 event is".to_owned(),
                events => format!("{events} events are"),
            }
        ),
    }
}

/// What is wrong with digest files.
fn findings(summary: &IngestSummary) -> Vec<Refused> {
    let findings = summary.integrity.iter();
    let findings = findings.map(|it| Refused {
        log_file: it.file.clone(),
        reason: format!("{}: {}", it.problem.as_str(), it.detail),
    });
    findings.collect()
}

fn list((title, refused, most): (&str, &[Refused], usize), out: &mut dyn Write) -> io::Result<()> {
    if refused.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for Refused { log_file, reason } in refused.iter().take(most) {
        writeln!(out, "  {}: {}", terminal(log_file), terminal(reason))?;
    }
    match refused.len().saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(
            out,
            "  and {more} more (see the table log_files, or --format json)"
        ),
    }
}

/// A round of an ingest that goes on, if it brought something.
pub(crate) fn line(summary: &IngestSummary, out: &mut dyn Write) -> io::Result<()> {
    let files = summary.stored + summary.rejected.len() as u64;
    if files == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "{}  {} log files stored, {} rejected; {} events stored, {} duplicates, {} rejected",
        second(Utc::now()),
        summary.stored,
        summary.rejected.len(),
        summary.events_stored,
        summary.events_duplicates,
        summary.events_rejected,
    )?;
    list(("rejected", &summary.rejected, SHOWN_SKIPS), out)
}

/// The same for programs: a line, whatever it brought.
pub(crate) fn json_line(summary: &IngestSummary, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", value(summary))
}

/// The summary for programs.
pub(crate) fn json(summary: &IngestSummary, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:#}", value(summary))
}

fn files(list: &[Refused]) -> Vec<serde_json::Value> {
    let row = |file: &Refused| json!({"log_file": file.log_file, "reason": file.reason});
    list.iter().map(row).collect()
}

fn value(summary: &IngestSummary) -> serde_json::Value {
    json!({
        "report": "ingest",
        "log_files": {
            "listed": summary.listed,
            "stored": summary.stored,
            "already_stored": summary.already_stored,
            "rejected": summary.rejected.len(),
            "rejected_before": summary.rejected_before.len(),
            "rejected_by_kind": summary
                .rejected_by_kind
                .iter()
                .map(|(kind, count)| (kind.to_string(), json!(count)))
                .collect::<serde_json::Map<_, _>>(),
            "skipped": summary.skipped.len(),
            "left": summary.left,
            "stopped_listing": summary.stopped_listing,
        },
        "events": {
            "read": summary.events_read,
            "stored": summary.events_stored,
            "duplicates": summary.events_duplicates,
            "rejected": summary.events_rejected,
            "stored_of_left": summary.events_of_left,
        },
        "bytes": {
            "compressed": summary.bytes_compressed,
            "json": summary.bytes_json,
            "lake": summary.bytes_lake,
        },
        "seconds": summary.elapsed.as_secs_f64(),
        "rejected": files(&summary.rejected),
        "rejected_before": files(&summary.rejected_before),
        "skipped": files(&summary.skipped),
        "remarks": files(&summary.remarks),
        "integrity": {
            "checked": summary.compared,
            "failed": files(&summary.failed),
            "digests": files(&findings(summary)),
        },
    })
}

/// What S3 will charge for reading a plan, listing included, in US dollars.
fn dollars(plan: &Plan) -> f64 {
    let gets = if plan.requests > 0 {
        plan.log_files.len() as f64
    } else {
        0.0
    };
    gets * DOLLARS_PER_GET + plan.requests as f64 * DOLLARS_PER_LIST
}

fn duration(plan: &Plan) -> Duration {
    Duration::from_secs_f64(plan.bytes as f64 / BYTES_PER_SECOND)
}

/// The plan for people.
pub(crate) fn plan_text(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "log files  {} listed = {} to be read + {} already there{}",
        plan.listed,
        plan.log_files.len(),
        plan.already_stored,
        match plan.rejected_before.len() {
            0 => String::new(),
            before => format!(" + {before} rejected before"),
        }
    )?;
    writeln!(
        out,
        "bytes      {} to be read, compressed",
        ByteSize(plan.bytes)
    )?;
    writeln!(
        out,
        "requests   {} made for this listing, {} to come",
        plan.requests,
        if plan.requests > 0 {
            plan.log_files.len()
        } else {
            0
        }
    )?;
    writeln!(
        out,
        "estimate   ${:.2} for requests, {} on two cores without network limits; transfer out of AWS not included",
        dollars(plan),
        readable(duration(plan))
    )?;
    list(("skipped", &left_out(plan), SHOWN_SKIPS), out)
}

/// What a plan leaves out.
fn left_out(plan: &Plan) -> Vec<Refused> {
    let skipped = plan.skipped.iter();
    let skipped = skipped.map(|it| Refused {
        log_file: it.uri.clone(),
        reason: it.reason.to_string(),
    });
    skipped.collect()
}

/// The plan for programs.
pub(crate) fn plan_json(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let value = json!({
        "report": "ingest-plan",
        "log_files": {
            "listed": plan.listed,
            "to_read": plan.log_files.len(),
            "already_stored": plan.already_stored,
            "rejected_before": plan.rejected_before.len(),
            "skipped": plan.skipped.len(),
        },
        "skipped": files(&left_out(plan)),
        "bytes": {"compressed": plan.bytes},
        "requests": {"made": plan.requests},
        "estimate": {"dollars": dollars(plan), "seconds": duration(plan).as_secs_f64()},
    });
    writeln!(out, "{value:#}")
}
