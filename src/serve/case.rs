//! Notes on events.
//!
//! In: the case file. Out: what was noted about the rows of an answer, all of it as a report, and the form that changes it. Promise: a file
//! that cannot be read hides no log.

use super::problem::Problem;
use super::query::Address;
use super::state::Pages;
use crate::case::{CaseFile, state};
use crate::cloudtrail::minute;
use crate::render::notes_section;
use crate::report::Report;
use crate::report::note::{Note, of_trace};
use crate::report::trace::Trace;
use crate::service::{Answer, Answered};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The notes, as they are now.
pub(super) struct Notes {
    all: Vec<Note>,
    /// Where each event's is.
    places: BTreeMap<String, usize>,
    /// Why there are none, if the file cannot be read: no reason to hide the logs.
    pub(super) problem: Option<String>,
    path: String,
}

impl Notes {
    pub(super) fn read(file: &CaseFile) -> Self {
        let (all, problem) = match file.notes() {
            Ok(all) => (all, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let places = all.iter().enumerate();
        Self {
            places: places.map(|(at, of)| (of.event_id.clone(), at)).collect(),
            all,
            problem,
            path: file.path().display().to_string(),
        }
    }

    /// The note about an event.
    pub(super) fn about(&self, event_id: &str) -> Option<&Note> {
        Some(&self.all[*self.places.get(event_id)?])
    }

    /// The note about an event of a row; the first, if it has several.
    pub(super) fn of_row(&self, row: &Map<String, Value>) -> Option<&Note> {
        let several = row.get("event_ids").and_then(Value::as_array);
        let ids = row.get("event_id").into_iter();
        let mut ids = ids.chain(several.into_iter().flatten());
        ids.find_map(|id| self.about(id.as_str()?))
    }

    /// Those about events of a trace.
    pub(super) fn of_trace(&self, trace: &Trace) -> Vec<Note> {
        of_trace(self.all.clone(), trace).0
    }

    /// All of them.
    pub(super) fn answer(&self) -> Result<Arc<Answered>, Problem> {
        let section = notes_section(&self.all).map_err(Problem::failed)?;
        let mut report = Report::of("case", "Case", vec![section]);
        let kept = "keytrail trace KEY --case FILE puts them into the report";
        let path = &self.path;
        report.notes.push(format!(
            "Notes, tags and bookmarks on events. They are in {path}; {kept}."
        ));
        Ok(Arc::new(Answered {
            answer: Answer::Report(report),
            state: 0,
        }))
    }
}

/// A form with what is noted about an event.
#[derive(Debug, Serialize)]
pub(super) struct Form {
    event_id: String,
    note: String,
    tags: String,
    bookmark: bool,
    seen: String,
    token: String,
    changed: Option<String>,
}

/// What was typed and is not kept, and why.
pub(super) struct Draft {
    pub(super) note: Note,
    pub(super) problem: Problem,
}

/// The form of an event's page: what is noted, or what somebody wanted to.
pub(super) fn form(pages: &Pages, here: &Address, notes: &Notes, draft: Option<&Draft>) -> Form {
    let event_id = here.value("event_id").unwrap_or_default();
    let now = notes.about(event_id);
    let shown = draft.map(|draft| &draft.note).or(now);
    Form {
        event_id: event_id.to_owned(),
        note: shown.map_or_else(String::new, |note| note.note.clone()),
        tags: shown.map_or_else(String::new, |note| note.tags.join(", ")),
        bookmark: shown.is_some_and(|note| note.bookmark),
        seen: state(now),
        token: pages.guard.form_token(),
        changed: now.map(|note| minute(note.changed)),
    }
}
