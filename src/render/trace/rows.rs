//! The sections of a trace as tables, in reading order.
//!
//! In: a trace. Out: a [`Report`] for the terminal and for Markdown. Promise: the answers come first and fit one screen; every
//! section of the JSON is there.

use super::{Kind, TraceView, fold, framed, section, tree};
use crate::report::Report;
use crate::report::trace::{Origin, State, Step, Trace};
use arrow::error::ArrowError;

pub(super) fn report(trace: &Trace, view: TraceView) -> Result<Report, ArrowError> {
    use Kind::{Detail, DetailTime, Long, Number, Text, Texts, Time, Whole};
    let mut sections = vec![
        section(
            ("summary", "In short"),
            &trace.summary.answers,
            &[("question", Whole), ("answer", Long)],
        )?,
        section(
            ("credentials", "Lineage"),
            &tree::lines(&trace.credentials),
            &[
                ("no", Number),
                ("credential", Whole),
                ("speaks_for", Text),
                ("made_by", Whole),
                ("who", Whole),
                ("events", Number),
                ("first_seen", Time),
                ("confidence", Detail),
                ("rule", Detail),
                ("last_seen", DetailTime),
                ("account_id", Detail),
            ],
        )?,
    ];
    if !trace.findings.is_empty() {
        sections.push(section(
            ("findings", "Findings"),
            &trace.findings,
            &[
                ("severity", Whole),
                ("tactic", Whole),
                ("technique_id", Whole),
                ("event_name", Whole),
                ("events", Number),
                ("first_seen", Time),
                ("why", Long),
                ("technique_name", Detail),
                ("technique_id_before", Detail),
            ],
        )?);
    }
    let timeline = fold::lines(&trace.timeline, view.all);
    sections.extend([
        section(
            ("timeline", timeline_title(timeline.len(), trace)),
            &timeline,
            &[
                ("time", Time),
                ("events", Number),
                ("who", Whole),
                ("by", Number),
                ("call", Whole),
                ("target", Text),
                ("result", Text),
                ("source_ip_address", Whole),
                ("finding", Detail),
                ("aws_region", Detail),
                ("access_key_id", Detail),
                ("event_id", Detail),
            ],
        )?,
        section(
            ("sources", "Where it was used from"),
            &trace.summary.sources,
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
            &trace.created,
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
            &trace.data_access,
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
            &trace.denied,
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
            &trace.pivot,
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
                "What to do now (keytrail runs none of these commands)",
            ),
            &trace.containment,
            &[("what", Whole), ("command", Whole)],
        )?,
        section(
            ("undo", "Clean-up: what is still there"),
            &undo(trace),
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
                "Changes by the owner, not followed (--follow-owner follows them)",
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

/// What is left of what somebody else than the owner made, and the commands that undo it, the latest first: what was made last
/// may rest on what was made before.
fn undo(trace: &Trace) -> Vec<Step> {
    let left = trace
        .created
        .iter()
        .filter(|row| row.state == State::There && row.origin != Origin::Owner);
    left.rev()
        .map(|row| Step {
            what: match &row.on {
                Some(on) => format!("{} {} on {on}", row.kind, row.id),
                None => format!("{} {}", row.kind, row.id),
            },
            command: row.undo.clone(),
        })
        .collect()
}

fn timeline_title(lines: usize, trace: &Trace) -> &'static str {
    match lines < trace.timeline.len() {
        true => {
            "Timeline (reads and the owner's calls are counted together; --all shows each event)"
        }
        false => "Timeline",
    }
}
