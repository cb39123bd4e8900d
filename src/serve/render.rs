//! An answer as a page, as a part of one, or as data.
//!
//! In: an address. Out: a response. Promise: the template escapes every value; a page says what its answer rests on, how it is asked
//! on the command line, and where it is as data.

use super::calendar::{self, Calendar};
use super::cells::{self, Grid, visible};
use super::data::{self, asked};
use super::pages::{self, BAR, Page};
use super::problem::Problem;
use super::query::Address;
use crate::analysis::shell_word as quoted;
use crate::render::coverage_lines;
use crate::report::Coverage;
use crate::service::{Answer, Document, Part, Question, Service, View};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde_json::Value;
use std::sync::LazyLock;

/// Templates whose names end in `.html` escape everything.
const TEMPLATES: [(&str, &str); 3] = [
    ("shell.html", include_str!("page/shell.html.j2")),
    ("part.html", include_str!("page/part.html.j2")),
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
pub(super) async fn answer(service: &Service, uri: &Uri) -> Response {
    let here = Address::of(uri);
    let form = here.form.as_deref();
    let done = match pages::page(&here, service.settings()) {
        None => Err(Problem {
            status: StatusCode::NOT_FOUND,
            words: "there is no such page".to_owned(),
        }),
        Some(Err(problem)) => Err(Problem::asked(problem)),
        Some(Ok(page)) => match form {
            None | Some("part") => shown(service, &here, page).await,
            Some(form) => data::of(service, &here, page, form).await,
        },
    };
    done.unwrap_or_else(|problem| refused(service, &here, &problem))
}

/// The page with its answer.
async fn shown(service: &Service, here: &Address, mut page: Page) -> Result<Response, Problem> {
    let answered = asked(service, here, &page).await?;
    let mut body = Body::default();
    if let Some(answered) = &answered {
        body = Body::of(here, &answered.answer)?;
        if here.page == "event" {
            page.panels = around(here, &answered.answer)?;
        }
    }
    let template = match here.form {
        Some(_) => "part.html",
        None => "shell.html",
    };
    written(template, service, here, Some(&page), body)
}

/// What is shown of an answer.
#[derive(Debug, Default, serde::Serialize)]
struct Body {
    notes: Vec<String>,
    facts: Vec<Grid>,
    tables: Vec<Grid>,
    calendar: Option<Calendar>,
    coverage: Vec<String>,
    /// What was not seen, in a few words each.
    missed: Vec<String>,
    empty: bool,
    problem: Option<String>,
    answered: bool,
    page: Option<String>,
}

impl Body {
    fn of(here: &Address, answer: &Answer) -> Result<Self, Problem> {
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
            notes,
            facts,
            tables,
            ..
        } = document;
        let facts = Value::Object(facts);
        let grids = tables.iter().filter(|table| alone || table.total > 0);
        let grids = grids.map(|table| cells::grid(here, table, &view, alone));
        let own = matches!(answer, Answer::Trace(_) | Answer::Plan(_));
        Ok(Self {
            notes: notes.iter().map(|note| visible(note)).collect(),
            empty: tables.iter().all(|table| table.total == 0),
            tables: grids.collect(),
            facts: match alone {
                true => Vec::new(),
                false => summary(here, &facts),
            },
            calendar: match here.page.as_str() {
                "coverage" if !alone => days(answer)?,
                _ => None,
            },
            coverage: answer.coverage().map(lines).unwrap_or_default(),
            missed: answer.coverage().map(missed).unwrap_or_default(),
            problem: None,
            answered: true,
            page: own.then(|| here.as_form("page")),
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
    let days = match coverage.days_missing.len() {
        0 => None,
        1 => Some("1 day without an event".to_owned()),
        days => Some(format!("{days} days without an event")),
    };
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

/// The tables in the summary of a trace: the answers to a responder's questions, and where it was used from.
fn summary(here: &Address, facts: &Value) -> Vec<Grid> {
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
        Some(cells::grid(here, &table, &View::default(), false))
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

/// What stands beside an event.
fn around(here: &Address, answer: &Answer) -> Result<Vec<(&'static str, String)>, Problem> {
    let part = Part {
        section: None,
        offset: 0,
        rows: 1,
    };
    let document = answer.document(&View::default(), &part)?;
    let Some(event) = document.tables.first().and_then(|table| table.rows.first()) else {
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

/// Says why there is no answer, in the form that was asked for.
fn refused(service: &Service, here: &Address, problem: &Problem) -> Response {
    let words = visible(&problem.words);
    let response = match here.form.as_deref() {
        None | Some("part") => {
            let template = match here.form {
                Some(_) => "part.html",
                None => "shell.html",
            };
            // The form stays, so that it can be mended.
            let page = pages::page(here, service.settings()).and_then(Result::ok);
            let body = Body {
                problem: Some(words.clone()),
                ..Body::default()
            };
            written(template, service, here, page.as_ref(), body)
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
    service: &Service,
    here: &Address,
    page: Option<&Page>,
    body: Body,
) -> Result<Response, Problem> {
    let environment = ENVIRONMENT.as_ref().map_err(Problem::failed)?;
    let question = page.and_then(|page| page.question.as_ref());
    let panels = page.map(|page| page.panels.iter());
    let panels = panels.into_iter().flatten().map(|(title, href)| {
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
                hidden => here.values(&[]),
                command => question.map(|question| command(service, here, question)),
                sql => question.and_then(|question| question.sql(service.settings())).map(|sql| lines_of(&sql)),
                ranged => question.is_none_or(Question::rests_on_events),
                version => env!("CARGO_PKG_VERSION"),
                body => Serde(&body),
            })
        })
        .map_err(Problem::failed)?;
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((kind, text).into_response())
}

/// A text of many lines in which nothing hides.
fn lines_of(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

fn has_rows(question: Option<&Question>) -> bool {
    question.is_some_and(|question| !matches!(question, Question::Plan(_)))
}

/// The command that asks the same.
fn command(service: &Service, here: &Address, question: &Question) -> String {
    let mut words = vec!["keytrail".to_owned()];
    words.extend(question.command());
    if question.rests_on_events() {
        for name in ["since", "until"] {
            if let Some(value) = here.value(name) {
                words.extend([format!("--{name}"), value.to_owned()]);
            }
        }
        for (name, value) in &service.settings().input {
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
