//! An answer, in whichever form it was given.
//!
//! In: a report, a trace or a plan. Out: its parts as rows, or all of it in a format. Promise: nothing is escaped here but by
//! `render`; every answer that rests on events has its coverage.

use super::document::{Document, of_report, of_trace, of_value};
use super::facets::{Facet, facets};
use super::table::{Part, with_text};
use super::{ServiceError, View};
use crate::render::html::Sources;
use crate::render::{
    Format, PlanView, RenderOptions, TraceView, render_plan, render_trace, renderer,
};
use crate::report::plan::Plan;
use crate::report::trace::Trace;
use crate::report::{Coverage, Report, Section};
use arrow::array::RecordBatch;
use std::io::Write;

/// An answer.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most answers are reports, and there is one at a time"
)]
pub enum Answer {
    /// Tables.
    Report(Report),
    /// What a credential did, and what its page shows besides.
    Trace(Box<(Trace, Sources)>),
    /// What has to be done until keys can go.
    Plan(Box<Plan>),
}

/// About what an event of a timeline takes.
const EVENT: usize = 2 << 10;

impl Answer {
    /// What it rests on; none where it rests on no trail.
    pub fn coverage(&self) -> Option<&Coverage> {
        match self {
            Answer::Report(report) => report.coverage.as_ref(),
            Answer::Trace(found) => Some(&found.0.coverage),
            Answer::Plan(plan) => Some(&plan.coverage),
        }
    }

    /// A part of it, as rows.
    ///
    /// # Errors
    ///
    /// A column that is not there.
    pub fn document(&self, view: &View, part: &Part) -> Result<Document, ServiceError> {
        match self {
            Answer::Report(report) => of_report(report, view, part),
            Answer::Trace(_) => of_trace(&self.json()?, part),
            Answer::Plan(_) => of_value(&self.json()?, part),
        }
    }

    /// What the rows of a table, the first if it has no name, have in common in these columns.
    ///
    /// # Errors
    ///
    /// None are known.
    pub fn facets(
        &self,
        view: &View,
        section: Option<&str>,
        columns: &[&str],
    ) -> Result<Vec<Facet>, ServiceError> {
        let Answer::Report(report) = self else {
            return Ok(Vec::new());
        };
        let is_meant = |of: &&Section| section.is_none_or(|name| of.name == name);
        let Some(section) = report.sections.iter().find(is_meant) else {
            return Ok(Vec::new());
        };
        let batch = with_text(section, view)?;
        Ok(facets(&batch, &view.only, columns)?)
    }

    /// All of it, in a format.
    ///
    /// # Errors
    ///
    /// Those of the writer, and of what the format has no place for.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> std::io::Result<()> {
        let options = RenderOptions::default();
        match self {
            Answer::Report(report) => renderer(format, options).render(report, out),
            Answer::Trace(found) => {
                let view = TraceView {
                    full: true,
                    ..TraceView::default()
                };
                render_trace(&found.0, format, (options, &view), out)
            }
            Answer::Plan(plan) => {
                render_plan(plan, format, (options, PlanView { steps: true }), out)
            }
        }
    }

    fn json(&self) -> std::io::Result<Vec<u8>> {
        let mut json = Vec::new();
        self.write(Format::Json, &mut json)?;
        Ok(json)
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Answer::Report(report) => {
                let batches = report.sections.iter().flat_map(|section| &section.batches);
                batches.map(RecordBatch::get_array_memory_size).sum()
            }
            Answer::Trace(found) => {
                found.0.timeline.len() * EVENT
                    + found.1.records.values().map(String::len).sum::<usize>()
            }
            Answer::Plan(plan) => plan.keys.len() * EVENT,
        }
    }
}
