//! A note that is sent.
//!
//! In: a form. Out: a changed case file, and the page of the event. Promise: only a form of this server's own pages changes anything, and
//! only in the case file; what was typed is not lost where it cannot be kept.

use super::body::first_row;
use super::case::Draft;
use super::problem::Problem;
use super::query::Address;
use super::render;
use super::state::Pages;
use crate::case::CaseError;
use crate::report::note::Note;
use crate::service::Question;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use serde_json::Value;
use std::collections::BTreeMap;
use url::form_urlencoded;

/// Keeps what a form says.
pub(super) async fn change(pages: &Pages, body: &[u8]) -> Response {
    let values: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let value = |name: &str| values.get(name).map_or("", String::as_str);
    let here = Address::event(
        value("event_id"),
        [("since", value("since")), ("until", value("until"))],
    );
    let refused = |problem: &Problem| render::refused(pages, &here, problem);
    if !pages.guard.is_form_token(value("token")) {
        let words = "nothing was saved: the page is from an earlier run of keytrail; reload it";
        return refused(&Problem {
            status: StatusCode::FORBIDDEN,
            words: words.to_owned(),
        });
    }
    let about = match about(pages, value("event_id")).await {
        Ok(about) => about,
        Err(problem) => return refused(&problem),
    };
    let tags = value("tags").split(',').map(str::trim);
    let mut tags: Vec<String> = tags
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect();
    tags.sort();
    tags.dedup();
    let note = Note {
        bookmark: values.contains_key("bookmark"),
        tags,
        note: value("note").replace("\r\n", "\n").trim().to_owned(),
        changed: Utc::now(),
        ..about
    };
    let (file, seen, new) = (pages.case.clone(), value("seen").to_owned(), note.clone());
    let kept = tokio::task::spawn_blocking(move || file.keep(new, &seen)).await;
    let problem = match kept {
        Ok(Ok(())) => {
            return (StatusCode::SEE_OTHER, [(header::LOCATION, here.with(&[]))]).into_response();
        }
        Ok(Err(error)) => because(&error),
        Err(error) => Problem::failed(error),
    };
    render::event(pages, &here, Draft { note, problem }).await
}

/// What is known of an event that is to be noted.
async fn about(pages: &Pages, event_id: &str) -> Result<Note, Problem> {
    let values = [("event_id".to_owned(), event_id.to_owned())].into();
    let question = Question::Saved("event".to_owned(), values);
    let answered = pages.service.ask(&question.into()).await?;
    let row = first_row(&answered.answer)?.ok_or_else(|| Problem {
        status: StatusCode::NOT_FOUND,
        words: "nothing was saved: there is no such event".to_owned(),
    })?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Note {
        event_id: event_id.to_owned(),
        event_time: text("event_time").and_then(|time| time.parse().ok()),
        event_name: text("event_name"),
        access_key_id: text("access_key_id"),
        source_ip_address: text("source_ip_address"),
        ..Note::default()
    })
}

fn because(error: &CaseError) -> Problem {
    let (status, more) = match error {
        CaseError::Changed(now) => {
            let now = now.as_ref().map(|note| note.in_short());
            let now = now.map_or_else(
                || "it was deleted".to_owned(),
                |now| format!("it now says: {now}"),
            );
            (
                StatusCode::CONFLICT,
                format!(" ({now}). Save again to put yours in its place."),
            )
        }
        CaseError::TooMuch { .. } => (StatusCode::BAD_REQUEST, String::new()),
        CaseError::Io { .. } | CaseError::Form { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            ". Nothing was saved.".to_owned(),
        ),
    };
    Problem {
        status,
        words: format!("{error}{more}"),
    }
}
