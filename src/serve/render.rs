//! An answer as a page, as a part of one, or as data.
//!
//! In: an address. Out: a response. Promise: the template escapes every value; a page says what its answer rests on, how it is asked
//! on the command line, and where it is as data.

use super::body::{Body, around};
use super::case::{self, Draft, Notes};
use super::cells::visible;
use super::data::{self, asked};
use super::pages::{self, BAR, Page};
use super::problem::Problem;
use super::query::Address;
use super::state::Pages;
use crate::analysis::shell_word as quoted;
use crate::service::Question;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::value::Serde;
use minijinja::{Environment, context};
use std::sync::LazyLock;

/// Templates whose names end in `.html` escape everything.
const TEMPLATES: [(&str, &str); 4] = [
    ("shell.html", include_str!("page/shell.html.j2")),
    ("part.html", include_str!("page/part.html.j2")),
    ("how.html", include_str!("page/how.html.j2")),
    ("table.html", include_str!("page/table.html.j2")),
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, minijinja::Error>> =
    LazyLock::new(|| {
        let mut environment = Environment::new();
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        Ok(environment)
    });

/// What an address gives.
pub(super) async fn answer(pages: &Pages, uri: &Uri) -> Response {
    let here = Address::of(uri);
    let form = here.form.as_deref();
    let done = match pages::page(&here, pages.service.settings()) {
        None => Err(Problem {
            status: StatusCode::NOT_FOUND,
            words: "there is no such page".to_owned(),
        }),
        Some(Err(problem)) => Err(Problem::asked(problem)),
        Some(Ok(page)) => match form {
            None | Some("part") => shown(pages, &here, page, None).await,
            Some(form) => data::of(pages, &here, page, form).await,
        },
    };
    done.unwrap_or_else(|problem| refused(pages, &here, &problem))
}

/// The page with its answer; for an event, with the form for its note.
async fn shown(
    pages: &Pages,
    here: &Address,
    mut page: Page,
    draft: Option<&Draft>,
) -> Result<Response, Problem> {
    let notes = Notes::read(&pages.case);
    let answered = asked(pages, here, &page, &notes).await?;
    let mut body = Body::default();
    if let Some(answered) = &answered {
        body = Body::of((here, &page), &answered.answer, &notes)?;
        if here.page == "event" {
            page.panels = around(here, &answered.answer)?;
            if !page.panels.is_empty() {
                body.noting = Some(case::form(pages, here, &notes, draft));
            }
        }
    }
    let template = match here.form {
        Some(_) => "part.html",
        None => "shell.html",
    };
    body.problem = draft.map(|draft| visible(&draft.problem.words));
    let mut response = written(template, pages, here, Some(&page), body)?;
    if let Some(draft) = draft {
        *response.status_mut() = draft.problem.status;
    }
    Ok(response)
}

/// The page of an event, with a note that could not be kept.
pub(super) async fn event(pages: &Pages, here: &Address, draft: Draft) -> Response {
    let done = match pages::page(here, pages.service.settings()) {
        Some(Ok(page)) => shown(pages, here, page, Some(&draft)).await,
        Some(Err(problem)) => Err(Problem::asked(problem)),
        None => Err(draft.problem),
    };
    done.unwrap_or_else(|problem| refused(pages, here, &problem))
}

/// Says why there is no answer, in the form that was asked for.
pub(super) fn refused(pages: &Pages, here: &Address, problem: &Problem) -> Response {
    let words = visible(&problem.words);
    let response = match here.form.as_deref() {
        None | Some("part") => {
            let template = match here.form {
                Some(_) => "part.html",
                None => "shell.html",
            };
            // The form stays, so that it can be mended.
            let page = pages::page(here, pages.service.settings()).and_then(Result::ok);
            let mut body = Body::default();
            body.problem = Some(words.clone());
            written(template, pages, here, page.as_ref(), body)
        }
        Some(_) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            let json = serde_json::json!({ "error": words }).to_string();
            Ok((kind, json).into_response())
        }
    };
    let mut response = response.unwrap_or_else(|failed| {
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        (kind, visible(&failed.words)).into_response()
    });
    *response.status_mut() = problem.status;
    response
}

fn written(
    template: &str,
    pages: &Pages,
    here: &Address,
    page: Option<&Page>,
    body: Body,
) -> Result<Response, Problem> {
    let environment = ENVIRONMENT.as_ref().map_err(Problem::failed)?;
    let question = page.and_then(|page| page.question.as_ref());
    let beside = page.map(|page| page.panels.iter());
    let panels = beside.into_iter().flatten().map(|(title, href)| {
        let part = match href.split_once('?') {
            Some((path, query)) => format!("{path}.part?{query}"),
            None => format!("{href}.part"),
        };
        context! { title => *title, href, part }
    });
    let forms = ["json", "csv", "md", "parquet"];
    let data = forms
        .into_iter()
        .filter(|form| *form != "parquet" || has_rows(question));
    let data = data.map(|form| context! { form, href => here.as_form(form) });
    let bar = BAR.iter().map(|(name, title)| {
        context! { title => *title, href => here.other(name, &[]), here => *name == here.page }
    });
    let moment = |name: &str| here.value(name).map(visible);
    let text = environment
        .get_template(template)
        .and_then(|template| {
            template.render(context! {
                title => page.map_or_else(|| "keytrail".to_owned(), |page| visible(&page.title)),
                about => page.map(|page| page.about),
                form => page.map(|page| Serde(&page.form)),
                path => format!("/{}", here.page),
                panels => panels.collect::<Vec<_>>(),
                data => data.collect::<Vec<_>>(),
                bar => bar.collect::<Vec<_>>(),
                since => moment("since"),
                until => moment("until"),
                everything => here.with(&[("since", None), ("until", None)]),
                filter => here.value("filter").map(visible),
                section => here.value("section").map(visible),
                overview => here.with(&[("section", None), ("sort", None), ("order", None), ("filter", None), ("offset", None)]),
                hidden => Serde(here.around_filter()),
                part => here.form.is_some(),
                command => question.map(|question| command(pages, here, question)),
                sql => question.map(|question| statements(pages, question)),
                made => question.is_some_and(|question| !question.is_sql()),
                ranged => question.is_none_or(Question::rests_on_events),
                version => env!("CARGO_PKG_VERSION"),
                body => Serde(&body),
            })
        })
        .map_err(Problem::failed)?;
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((kind, text).into_response())
}

fn statements(pages: &Pages, question: &Question) -> Vec<String> {
    let sql = question.sql(pages.service.settings());
    sql.iter().map(|sql| lines_of(sql)).collect()
}

/// A text of many lines in which nothing hides.
fn lines_of(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

fn has_rows(question: Option<&Question>) -> bool {
    question.is_some_and(|question| !matches!(question, Question::Plan(_)))
}

/// The command that asks the same.
fn command(pages: &Pages, here: &Address, question: &Question) -> String {
    let mut words = vec!["keytrail".to_owned()];
    words.extend(question.command());
    if question.rests_on_events() {
        for name in ["since", "until"] {
            if let Some(value) = here.value(name) {
                words.extend([format!("--{name}"), value.to_owned()]);
            }
        }
        for (name, value) in &pages.service.settings().input {
            words.push((*name).to_owned());
            words.extend(value.clone());
        }
    }
    let quoted: Vec<String> = words.iter().map(|word| option_or_word(word)).collect();
    visible(&quoted.join(" "))
}

/// Options stand as they are; what a value holds is quoted.
fn option_or_word(word: &str) -> String {
    let option = word.strip_prefix("--").is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    });
    match option {
        true => word.to_owned(),
        false => quoted(word),
    }
}
