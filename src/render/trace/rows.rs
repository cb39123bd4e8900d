//! The sections of a trace as tables, in reading order.
//!
//! In: a trace. Out: a [`Report`] for the terminal and for Markdown. Promise: the answers come first, the intruder's rows
//! before all others; every section of the JSON is there.

use super::super::advice::{Advice, behind};
use super::{Kind, TraceView, fold, framed, notes_section, section, tree};
use crate::report::Report;
use crate::report::trace::{Origin, Trace};
use arrow::error::ArrowError;

pub(super) fn report(
    trace: &Trace,
    view: &TraceView,
    advice: Option<&Advice>,
) -> Result<Report, ArrowError> {
    let owners_changes = behind(advice, |advice| advice.owners_changes);
    use Kind::{Detail, DetailNumber, DetailTime, Long, Number, Text, Texts, Time, Whole};
    let mut sections = vec![section(
        ("summary", "In short"),
        &trace.summary.answers,
        &[("question", Whole), ("answer", Long)],
    )?];
    if !view.notes.is_empty() {
        sections.push(notes_section(&view.notes)?);
    }
    sections.push(section(
        ("credentials", "Lineage"),
        &tree::lines(&trace.credentials),
        &[
            ("no", Number),
            ("credential", Whole),
            ("who", Whole),
            ("events", Number),
            ("speaks_for", Text),
            ("made_by", Detail),
            ("first_seen", DetailTime),
            ("confidence", Detail),
            ("rule", Detail),
            ("last_seen", DetailTime),
            ("account_id", Detail),
        ],
    )?);
    if !trace.findings.is_empty() {
        sections.push(section(
            ("findings", "Findings"),
            &trace.findings,
            &[
                ("severity", Whole),
                ("event_name", Whole),
                ("why", Long),
                ("first_seen", DetailTime),
                ("events", DetailNumber),
                ("tactic", Detail),
                ("technique_id", Detail),
                ("technique_name", Detail),
                ("technique_id_before", Detail),
            ],
        )?);
    }
    let timeline = fold::lines(&trace.timeline, view.all);
    sections.extend([
        section(
            ("timeline", &timeline_title(timeline.len(), trace, advice)),
            &timeline,
            &[
                ("time", Time),
                ("who", Whole),
                ("call", Whole),
                ("target", Text),
                ("source_ip_address", Whole),
                ("result", Text),
                ("events", DetailNumber),
                ("by", DetailNumber),
                ("finding", Detail),
                ("aws_region", Detail),
                ("access_key_id", Detail),
                ("event_id", Detail),
            ],
        )?,
        section(
            ("sources", "Where it was used from"),
            &intruders_first(&trace.summary.sources, |row| row.origin),
            &[
                ("source_ip_address", Whole),
                ("program", Whole),
                ("origin", Whole),
                ("events", Number),
                ("first_seen", Time),
                ("last_seen", Time),
                ("why", Long),
            ],
        )?,
        section(
            ("created", "Created and changed"),
            &intruders_first(&trace.created, |row| row.origin),
            &[
                ("kind", Whole),
                ("id", Text),
                ("on", Text),
                ("state", Whole),
                ("origin", Whole),
                ("event_time", Time),
                ("aws_region", Detail),
                ("account_id", Detail),
                ("event_id", Detail),
            ],
        )?,
        section(
            ("data_access", "Data and secrets touched"),
            &intruders_first(&trace.data_access, |row| row.origin),
            &[
                ("kind", Whole),
                ("resource", Text),
                ("origin", Whole),
                ("requests", Number),
                ("failed", Number),
                ("objects_read", Number),
                ("bytes_out", Number),
                ("actions", Texts),
            ],
        )?,
        section(
            ("denied", "Tried and failed"),
            &intruders_first(&trace.denied, |row| row.origin),
            &[
                ("first_seen", Time),
                ("events", Number),
                ("event_source", Whole),
                ("event_name", Whole),
                ("error_code", Text),
                ("origin", Whole),
                ("access_key_id", Detail),
                ("regions", Texts),
            ],
        )?,
        section(
            ("pivot", "Others seen from the same addresses"),
            &intruders_first(&trace.pivot, |row| row.origin),
            &[
                ("access_key_id", Whole),
                ("principal_arn", Text),
                ("source_ip_address", Whole),
                ("origin", Whole),
                ("round", Number),
                ("events", Number),
                ("first_seen", Time),
                ("last_seen", Time),
            ],
        )?,
        section(
            ("rotate", "Secrets to replace"),
            &trace.rotate,
            &[("kind", Whole), ("id", Long), ("why", Long)],
        )?,
        section(
            (
                "containment",
                "What to do (keytrail runs none of these commands)",
            ),
            &trace.containment,
            &[("what", Whole), ("command", Whole)],
        )?,
        section(
            ("undo", "Clean-up: what still exists"),
            &trace.undo(),
            &[("what", Whole), ("command", Whole)],
        )?,
        section(
            ("unseen", "What these logs do not show"),
            &trace.unseen,
            &[("kind", Whole), ("what", Long), ("meaning", Long)],
        )?,
    ]);
    if !trace.not_followed.is_empty() {
        sections.push(section(
            (
                "not_followed",
                &format!("Changes by the owner, not followed{owners_changes}"),
            ),
            &trace.not_followed,
            &[
                ("what", Whole),
                ("event_name", Whole),
                ("events", Number),
                ("credentials", Number),
                ("first_seen", Time),
                ("last_seen", Time),
                ("account_id", Detail),
                ("source_ip_addresses", Texts),
            ],
        )?);
    }
    Ok(framed(trace, sections))
}

/// Rows with those of the intruder first.
fn intruders_first<T>(rows: &[T], origin: fn(&T) -> Origin) -> Vec<&T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_by_key(|row| origin(row));
    rows
}

fn timeline_title(lines: usize, trace: &Trace, advice: Option<&Advice>) -> String {
    match lines < trace.timeline.len() {
        true => {
            let advice = behind(advice, |advice| advice.events);
            format!("Timeline (reads and the owner's calls are counted together{advice})")
        }
        false => "Timeline".to_owned(),
    }
}
