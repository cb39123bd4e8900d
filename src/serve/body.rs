//! What a page shows of an answer.
//!
//! In: an answer, the notes of the case. Out: tables, remarks, and what was not seen, for the template. Promise: every text is one in which
//! nothing hides; escaping is the template's.

use super::calendar::{self, Calendar};
use super::case::{self, Notes};
use super::cells::{self, Grid, visible};
use super::pages::Page;
use super::problem::Problem;
use super::query::Address;
use crate::render::{coverage_lines, heading, html, notes_section};
use crate::report::trace::Trace;
use crate::report::{Coverage, Report, counted};
use crate::service::{Answer, Document, Facet, Part, View};
use serde_json::{Map, Value};

/// What is shown of an answer.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Body {
    notes: Vec<String>,
    found: Option<Found>,
    facts: Vec<Grid>,
    tables: Vec<Grid>,
    facets: Vec<Choices>,
    calendar: Option<Calendar>,
    coverage: Vec<String>,
    /// What was not seen, in a few words each.
    missed: Vec<String>,
    empty: bool,
    pub(super) problem: Option<String>,
    answered: bool,
    page: Option<String>,
    /// What is noted about the event, to be changed.
    pub(super) noting: Option<case::Form>,
}

/// What has to be known of a trace at once: the alarm, the facts, and what to do.
#[derive(Debug, serde::Serialize)]
struct Found {
    brief: Value,
    /// The event of the first suspicious use.
    event: Option<String>,
    /// Where all steps are.
    steps: String,
}

impl Found {
    fn of(here: &Address, trace: &Trace) -> Result<Self, Problem> {
        let first = trace.summary.first_suspicious_use.as_ref();
        Ok(Self {
            brief: html::visible(&trace.brief()).map_err(Problem::failed)?,
            event: first.map(|first| here.other("event", &[("event_id", &first.event_id)])),
            steps: here.with(&[("section", Some("containment"))]),
        })
    }
}

/// A column's values, each a link that chooses it.
#[derive(Debug, serde::Serialize)]
struct Choices {
    column: String,
    values: Vec<Choice>,
    more: usize,
}

#[derive(Debug, serde::Serialize)]
struct Choice {
    text: String,
    count: usize,
    link: String,
    chosen: bool,
}

fn choices(here: &Address, section: Option<&str>, facets: &[Facet]) -> Vec<Choices> {
    let only = here.only();
    // Of one value there is no choice, unless it was chosen.
    let facets = facets.iter().filter(|facet| {
        let chosen = only.iter().any(|(column, _)| *column == facet.column);
        chosen || facet.values.len() > 1
    });
    let facets = facets.map(|facet| {
        let values = facet.values.iter().map(|(value, count)| {
            let chosen = only.contains(&(facet.column.clone(), value.clone()));
            Choice {
                text: visible(value),
                count: *count,
                link: here.choosing(&facet.column, (!chosen).then_some(value), section),
                chosen,
            }
        });
        Choices {
            column: heading(&facet.column).into_owned(),
            values: values.collect(),
            more: facet.more,
        }
    });
    facets.collect()
}

impl Body {
    pub(super) fn of(
        (here, page): (&Address, &Page),
        answer: &Answer,
        notes: &Notes,
    ) -> Result<Self, Problem> {
        let count = match answer {
            Answer::Report(report) => report.sections.len(),
            _ => usize::MAX,
        };
        let part = here.part(count == 1);
        // Sorting and filtering are of the table that is named, or of the only one.
        let alone = count == 1 || part.section.is_some();
        let view = match alone {
            true => here.view(),
            false => View::default(),
        };
        let document = answer.document(&view, &part)?;
        let Document {
            notes: remarks,
            facts,
            tables,
            ..
        } = document;
        let facts = Value::Object(facts);
        let grids = tables.iter().filter(|table| alone || table.total > 0);
        let grids = grids.map(|table| cells::grid(here, notes, table, &view, alone));
        let own = matches!(answer, Answer::Trace(_) | Answer::Plan(_));
        Ok(Self {
            notes: remarks
                .iter()
                .chain(notes.problem.as_ref())
                .map(|note| visible(note))
                .collect(),
            found: match answer {
                Answer::Trace(found) if !alone => Some(Found::of(here, &found.0)?),
                _ => None,
            },
            empty: tables.iter().all(|table| table.total == 0),
            tables: grids.collect(),
            facts: match alone {
                true => Vec::new(),
                false => summary(here, notes, &facts)
                    .into_iter()
                    .chain(noted(here, notes, answer)?)
                    .collect(),
            },
            calendar: match here.page.as_str() {
                "coverage" if !alone => days(answer)?,
                _ => None,
            },
            coverage: answer.coverage().map(lines).unwrap_or_default(),
            missed: answer.coverage().map(missed).unwrap_or_default(),
            facets: choices(
                here,
                page.facets.section,
                &answer.facets(&view, page.facets.section, page.facets.columns)?,
            ),
            answered: true,
            page: own.then(|| here.as_form("page")),
            ..Self::default()
        })
    }
}

fn lines(coverage: &Coverage) -> Vec<String> {
    coverage_lines(coverage)
        .iter()
        .map(|line| visible(line))
        .collect()
}

/// What was not seen, in a few words each; all lines say more.
fn missed(coverage: &Coverage) -> Vec<String> {
    let days = coverage.days_missing.len();
    let days = (days > 0).then(|| format!("{} without an event", counted(days, "day")));
    let nothing = coverage
        .is_void()
        .then(|| "anything: nothing could be read".to_owned());
    let unlogged = (coverage.events > 0 && coverage.data_event_services.is_empty())
        .then(|| "data events of any service, such as reads of objects in S3".to_owned());
    let warnings = coverage.warnings.iter().map(|warning| visible(warning));
    nothing
        .into_iter()
        .chain(days)
        .chain(coverage.losses())
        .chain(unlogged)
        .chain(warnings)
        .collect()
}

/// What was noted about the events of a trace.
fn noted(here: &Address, notes: &Notes, answer: &Answer) -> Result<Option<Grid>, Problem> {
    let Answer::Trace(found) = answer else {
        return Ok(None);
    };
    let here_noted = notes.of_trace(&found.0);
    if here_noted.is_empty() {
        return Ok(None);
    }
    let section = notes_section(&here_noted).map_err(Problem::failed)?;
    let report = Answer::Report(Report::of("case", "", vec![section]));
    let view = View::default();
    let document = report.document(&view, &here.part(false))?;
    let table = document.tables.first();
    Ok(table.map(|table| cells::grid(here, notes, table, &view, false)))
}

/// The tables in the summary of a trace: the answers to a responder's questions, and where it was used from.
fn summary(here: &Address, notes: &Notes, facts: &Value) -> Vec<Grid> {
    let titles = [
        ("answers", "In short"),
        ("sources", "Where it was used from"),
    ];
    let tables = titles.into_iter().filter_map(|(name, title)| {
        let rows = facts["summary"][name].as_array()?;
        let rows: Vec<_> = rows.iter().filter_map(Value::as_object).cloned().collect();
        let table = crate::service::Table {
            name: name.to_owned(),
            title: title.to_owned(),
            columns: rows.first()?.keys().cloned().collect(),
            total: rows.len(),
            rows,
            ..Default::default()
        };
        Some(cells::grid(here, notes, &table, &View::default(), false))
    });
    tables.collect()
}

fn days(answer: &Answer) -> Result<Option<Calendar>, Problem> {
    let all = Part {
        section: Some("days".to_owned()),
        offset: 0,
        rows: usize::MAX,
    };
    let document = answer.document(&View::default(), &all)?;
    Ok(document.tables.first().and_then(calendar::of))
}

/// The first row of an answer: the event, where one is asked for.
pub(super) fn first_row(answer: &Answer) -> Result<Option<Map<String, Value>>, Problem> {
    let part = Part {
        section: None,
        offset: 0,
        rows: 1,
    };
    let document = answer.document(&View::default(), &part)?;
    let table = document.tables.into_iter().next();
    Ok(table.and_then(|table| table.rows.into_iter().next()))
}

/// What stands beside an event.
pub(super) fn around(
    here: &Address,
    answer: &Answer,
) -> Result<Vec<(&'static str, String)>, Problem> {
    let Some(event) = first_row(answer)? else {
        return Ok(Vec::new());
    };
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let moment = ("moment", text("event_time"));
    let near = |title, name: &'static str, seconds| {
        let value = (name, text(name));
        (!value.1.is_empty()).then(|| {
            (
                title,
                here.other("find", &[moment, value, ("seconds", seconds)]),
            )
        })
    };
    let panels = [
        near("A minute around it, same account", "account_id", "60"),
        near(
            "Same address, an hour around it",
            "source_ip_address",
            "3600",
        ),
        near("Same program, an hour around it", "user_agent", "3600"),
        near("Same key, an hour around it", "access_key_id", "3600"),
    ];
    Ok(panels.into_iter().flatten().collect())
}
