//! An answer as data, or as the report to hand over.
//!
//! In: a page and the form it is wanted in. Out: a response. Promise: the bytes are those that the command gives in that format.

use super::case::Notes;
use super::pages::Page;
use super::problem::Problem;
use super::query::Address;
use super::state::Pages;
use crate::render::Format;
use crate::render::html;
use crate::render::{RenderOptions, TraceView, render_trace};
use crate::service::{Answer, Answered, Asked};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// What a page asks; none until its form is filled in.
pub(super) async fn asked(
    pages: &Pages,
    here: &Address,
    page: &Page,
    notes: &Notes,
) -> Result<Option<Arc<Answered>>, Problem> {
    if here.page == "case" {
        return notes.answer().map(Some);
    }
    let Some(question) = page.question.clone() else {
        return Ok(None);
    };
    let range = here.range().map_err(Problem::asked)?;
    Ok(Some(pages.service.ask(&Asked { question, range }).await?))
}

/// The answer as data.
pub(super) async fn of(
    pages: &Pages,
    here: &Address,
    page: Page,
    form: &str,
) -> Result<Response, Problem> {
    let unknown = || Problem {
        status: StatusCode::NOT_FOUND,
        words: format!("there is no form {form:?}: json, jsonl, csv, md, parquet"),
    };
    let (format, kind) = match form {
        "json" => (Format::Json, "application/json"),
        "jsonl" => (Format::Jsonl, "application/x-ndjson"),
        "csv" => (Format::Csv, "text/csv; charset=utf-8"),
        "md" => (Format::Markdown, "text/markdown; charset=utf-8"),
        "parquet" => (Format::Parquet, "application/vnd.apache.parquet"),
        "page" => (Format::Json, "text/html; charset=utf-8"),
        _ => return Err(unknown()),
    };
    let notes = Notes::read(&pages.case);
    let answered = asked(pages, here, &page, &notes).await?;
    let answered = answered.ok_or_else(|| Problem::asked("nothing is asked yet"))?;
    let mut bytes = Vec::new();
    if form == "page" {
        match &answered.answer {
            Answer::Trace(found) => {
                let notes = notes.of_trace(&found.0);
                html::page(&found.0, &found.1, &notes, &mut bytes)
            }
            Answer::Plan(plan) => html::plan_page(plan, &mut bytes),
            Answer::Report(_) => return Err(unknown()),
        }
        .map_err(Problem::failed)?;
        // Its own policy stands in it, by hashes. It can run its scripts and nothing else, not even as this server.
        let policy = "sandbox allow-scripts allow-downloads; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, policy),
        ];
        return Ok((headers, bytes).into_response());
    }
    let written = match (format, &answered.answer) {
        // A Parquet file has one table: the one that is named, or the first.
        (Format::Parquet, Answer::Report(report)) => {
            let mut report = report.clone();
            let section = here.value("section");
            report
                .sections
                .retain(|of| section.is_none_or(|name| of.name == name));
            report.sections.truncate(1);
            Answer::Report(report).write(format, &mut bytes)
        }
        (format, Answer::Trace(found)) => {
            let view = TraceView {
                full: true,
                notes: notes.of_trace(&found.0),
                ..TraceView::default()
            };
            let how = (RenderOptions::default(), &view);
            render_trace(&found.0, format, how, &mut bytes)
        }
        (format, answer) => answer.write(format, &mut bytes),
    };
    written.map_err(Problem::failed)?;
    let name = format!("attachment; filename=\"keytrail-{}.{form}\"", here.page);
    let shown = matches!(form, "json" | "md");
    let place = if shown { "inline".to_owned() } else { name };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, place),
    ];
    Ok((headers, bytes).into_response())
}
