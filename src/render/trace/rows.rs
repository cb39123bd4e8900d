//! The sections of a trace as tables, in reading order.
//!
//! In: a trace. Out: a [`Report`] for the terminal and for Markdown. Promise: the answers come first, the intruder's rows
//! before all others; every section of the JSON is there.

use super::super::advice::{Advice, behind};
use super::{TraceView, fold, framed, notes_section, titled, tree};
use crate::report::Report;
use crate::report::table::{Kind, shown};
use crate::report::trace::{Origin, Trace};
use arrow::error::ArrowError;

pub(super) fn report(
    trace: &Trace,
    view: &TraceView,
    advice: Option<&Advice>,
) -> Result<Report, ArrowError> {
    let owners_changes = behind(advice, |advice| advice.owners_changes);
    let mut sections = vec![shown(
        titled("summary"),
        &[
            ("question", Kind::Text, Some("whole")),
            ("answer", Kind::Text, Some("wrap")),
        ],
        &trace.summary.answers,
    )?];
    if !view.notes.is_empty() {
        sections.push(notes_section(&view.notes)?);
    }
    sections.push(shown(
        titled("credentials"),
        &[
            ("no", Kind::Count, None),
            ("credential", Kind::Text, Some("whole")),
            ("who", Kind::Text, Some("whole")),
            ("events", Kind::Count, None),
            ("speaks_for", Kind::Text, None),
            ("made_by", Kind::Text, Some("detail")),
            ("first_seen", Kind::Time, Some("detail")),
            ("confidence", Kind::Text, Some("detail")),
            ("rule", Kind::Text, Some("detail")),
            ("last_seen", Kind::Time, Some("detail")),
            ("account_id", Kind::Text, Some("detail")),
        ],
        &tree::lines(&trace.credentials),
    )?);
    if !trace.findings.is_empty() {
        sections.push(shown(
            titled("findings"),
            &[
                ("severity", Kind::Text, Some("whole")),
                ("event_name", Kind::Text, Some("whole")),
                ("why", Kind::Text, Some("wrap")),
                ("first_seen", Kind::Time, Some("detail")),
                ("events", Kind::Count, Some("detail")),
                ("tactic", Kind::Text, Some("detail")),
                ("technique_id", Kind::Text, Some("detail")),
                ("technique_name", Kind::Text, Some("detail")),
                ("technique_id_before", Kind::Text, Some("detail")),
            ],
            &trace.findings,
        )?);
    }
    let timeline = fold::lines(&trace.timeline, view.all);
    sections.extend([
        shown(
            ("timeline", &timeline_title(timeline.len(), trace, advice)),
            &[
                ("time", Kind::Time, None),
                ("who", Kind::Text, Some("whole")),
                ("call", Kind::Text, Some("whole")),
                ("target", Kind::Text, None),
                ("source_ip_address", Kind::Text, Some("whole")),
                ("result", Kind::Text, None),
                ("events", Kind::Count, Some("detail")),
                ("by", Kind::Count, Some("detail")),
                ("finding", Kind::Text, Some("detail")),
                ("aws_region", Kind::Text, Some("detail")),
                ("access_key_id", Kind::Text, Some("detail")),
                ("event_id", Kind::Text, Some("detail")),
            ],
            &timeline,
        )?,
        shown(
            titled("sources"),
            &[
                ("source_ip_address", Kind::Text, Some("whole")),
                ("program", Kind::Text, Some("whole")),
                ("origin", Kind::Text, Some("whole")),
                ("events", Kind::Count, None),
                ("first_seen", Kind::Time, None),
                ("last_seen", Kind::Time, None),
                ("why", Kind::Text, Some("wrap")),
            ],
            &intruders_first(&trace.summary.sources, |row| row.origin),
        )?,
        shown(
            titled("created"),
            &[
                ("kind", Kind::Text, Some("whole")),
                ("id", Kind::Text, None),
                ("on", Kind::Text, None),
                ("state", Kind::Text, Some("whole")),
                ("origin", Kind::Text, Some("whole")),
                ("event_time", Kind::Time, None),
                ("aws_region", Kind::Text, Some("detail")),
                ("account_id", Kind::Text, Some("detail")),
                ("event_id", Kind::Text, Some("detail")),
            ],
            &intruders_first(&trace.created, |row| row.origin),
        )?,
        shown(
            titled("data_access"),
            &[
                ("kind", Kind::Text, Some("whole")),
                ("resource", Kind::Text, None),
                ("origin", Kind::Text, Some("whole")),
                ("requests", Kind::Count, None),
                ("failed", Kind::Count, None),
                ("objects_read", Kind::Count, None),
                ("bytes_out", Kind::Count, None),
                ("actions", Kind::Texts, Some("detail")),
            ],
            &intruders_first(&trace.data_access, |row| row.origin),
        )?,
        shown(
            titled("denied"),
            &[
                ("first_seen", Kind::Time, None),
                ("events", Kind::Count, None),
                ("event_source", Kind::Text, Some("whole")),
                ("event_name", Kind::Text, Some("whole")),
                ("error_code", Kind::Text, None),
                ("origin", Kind::Text, Some("whole")),
                ("access_key_id", Kind::Text, Some("detail")),
                ("regions", Kind::Texts, Some("detail")),
            ],
            &intruders_first(&trace.denied, |row| row.origin),
        )?,
        shown(
            titled("pivot"),
            &[
                ("access_key_id", Kind::Text, Some("whole")),
                ("principal_arn", Kind::Text, None),
                ("source_ip_address", Kind::Text, Some("whole")),
                ("origin", Kind::Text, Some("whole")),
                ("round", Kind::Count, None),
                ("events", Kind::Count, None),
                ("first_seen", Kind::Time, None),
                ("last_seen", Kind::Time, None),
            ],
            &intruders_first(&trace.pivot, |row| row.origin),
        )?,
        shown(
            titled("rotate"),
            &[
                ("kind", Kind::Text, Some("whole")),
                ("id", Kind::Text, Some("wrap")),
                ("why", Kind::Text, Some("wrap")),
            ],
            &trace.rotate,
        )?,
        shown(
            titled("containment"),
            &[
                ("what", Kind::Text, Some("wrap")),
                ("command", Kind::Text, Some("whole")),
            ],
            &trace.containment,
        )?,
        shown(
            titled("undo"),
            &[
                ("what", Kind::Text, Some("wrap")),
                ("command", Kind::Text, Some("whole")),
            ],
            &trace.undo(),
        )?,
        shown(
            titled("unseen"),
            &[
                ("kind", Kind::Text, Some("whole")),
                ("what", Kind::Text, Some("wrap")),
                ("meaning", Kind::Text, Some("wrap")),
            ],
            &trace.unseen,
        )?,
    ]);
    if !trace.not_followed.is_empty() {
        sections.push(shown(
            (
                "not_followed",
                &format!("{}{owners_changes}", titled("not_followed").1),
            ),
            &[
                ("what", Kind::Text, Some("whole")),
                ("event_name", Kind::Text, Some("whole")),
                ("events", Kind::Count, None),
                ("credentials", Kind::Count, None),
                ("first_seen", Kind::Time, None),
                ("last_seen", Kind::Time, None),
                ("account_id", Kind::Text, Some("detail")),
                ("source_ip_addresses", Kind::Texts, Some("detail")),
            ],
            &trace.not_followed,
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
        false => titled("timeline").1.to_owned(),
    }
}
