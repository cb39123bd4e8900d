//! `keytrail list`: the questions that can be asked by name.
//!
//! In: the library, and a folder of the user's own. Out: one row per question, by aim; or one question in full. Promise: what
//! is listed can be run; a broken file of the user's is named with its reason.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use keytrail::analysis::question::{Group, Library, Question};
use keytrail::analysis::{ANALYSES, Analysis as _};
use keytrail::render::Format;
use keytrail::render::escape::terminal;
use keytrail::report::{FIT, Report, Section};
use keytrail::session::EVENT_DATA_STORE;

use crate::args::{LibraryArgs, OutputArgs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// List the saved queries, or show one in full
///
/// Each is a SQL query over the events, with a title, its parameters, and what one row of its answer is. Run it with
/// `keytrail run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show this saved query in full: when to use it, its parameters, its SQL
    #[arg(value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    library: LibraryArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail list                          Every question, by aim
  keytrail list key-timeline             One in full, with its SQL
  keytrail list --queries ./our-queries  With your own files
  keytrail list --format json            For programs";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let library = args.library.library(EVENT_DATA_STORE, context)?;
    match args.name {
        Some(name) => describe(library.get(&name)?, &args.output, context)?,
        None => {
            let report = all(&library)?;
            output::write(&report, &args.output, context)?;
        }
    }
    Ok(Done::Complete)
}

/// Shows one question in full: as text for people, as rows for programs.
pub(crate) fn describe(
    question: &Question,
    args: &OutputArgs,
    context: &Context,
) -> Result<(), Failure> {
    match args.format {
        Format::Table => output::write_text(&in_full(question), args),
        _ => output::write(&one(question).map_err(uneven)?, args, context),
    }
}

fn uneven(error: ArrowError) -> Failure {
    Failure::new("the questions do not line up").because(&error)
}

/// Every question, a section per aim, and the commands that are questions too.
pub(crate) fn all(library: &Library) -> Result<Report, Failure> {
    sections(library).map_err(uneven)
}

fn sections(library: &Library) -> Result<Report, ArrowError> {
    let mut sections = Vec::new();
    for group in Group::ALL {
        let questions: Vec<&Question> = library.of(group).collect();
        let rows = questions.iter().map(|question| {
            let header = question.header();
            let parameters =
                header
                    .parameters
                    .iter()
                    .map(|parameter| match parameter.default_text() {
                        Some(default) => format!("{}={default}", parameter.name),
                        None => parameter.name.clone(),
                    });
            vec![
                Some(question.name().to_owned()),
                Some(header.title.clone()),
                Some(parameters.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty()),
                header.when.clone(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            let head = [
                ("name", "whole"),
                ("title", "wrap"),
                ("parameters", "wrap"),
                ("when", "detail"),
            ];
            sections.push(section((group.name(), group.title()), &head, &rows)?);
        }
    }
    let commands: Vec<_> = ANALYSES
        .iter()
        .map(|analysis| {
            vec![
                Some(analysis.name().to_owned()),
                Some(analysis.title().to_owned()),
            ]
        })
        .collect();
    let title = "Questions with a command of their own (keytrail NAME)";
    sections.push(section(
        ("commands", title),
        &[("name", "whole"), ("title", "wrap")],
        &commands,
    )?);
    Ok(report("Questions (ask with keytrail run NAME)", sections))
}

/// One question as rows.
fn one(question: &Question) -> Result<Report, ArrowError> {
    let header = question.header();
    let text = |text: &str| Some(text.to_owned());
    let row = vec![
        text(question.name()),
        text(question.group().name()),
        text(&header.title),
        header.when.clone(),
        text(&header.grain),
        text(question.file()),
        text(question.sql()),
    ];
    let head =
        ["name", "group", "title", "when", "grain", "file", "sql"].map(|name| (name, "wrap"));
    let parameters: Vec<_> = header
        .parameters
        .iter()
        .map(|parameter| {
            vec![
                text(&parameter.name),
                text(parameter.kind.name()),
                parameter.default_text().map(str::to_owned),
                text(&parameter.meaning),
            ]
        })
        .collect();
    let names = ["name", "type", "default", "meaning"].map(|name| (name, "wrap"));
    let sections = vec![
        section(("query", "Question"), &head, &[row])?,
        section(("parameters", "Parameters"), &names, &parameters)?,
    ];
    Ok(report(&header.title, sections))
}

fn report(title: &str, sections: Vec<Section>) -> Report {
    Report {
        name: "list".to_owned(),
        title: title.to_owned(),
        sections,
        notes: Vec::new(),
        coverage: None,
    }
}

/// A table of texts: its columns with what may happen to them where they have to fit, and its rows.
fn section(
    (name, title): (&str, &str),
    head: &[(&str, &str)],
    rows: &[Vec<Option<String>>],
) -> Result<Section, ArrowError> {
    let fields = head.iter().map(|(name, fit)| {
        let fit = HashMap::from([(FIT.to_owned(), (*fit).to_owned())]);
        Field::new(*name, DataType::Utf8, true).with_metadata(fit)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let column = |index: usize| -> ArrayRef {
        let texts = rows.iter().map(|row| row[index].as_deref());
        Arc::new(texts.collect::<StringArray>())
    };
    let columns = (0..head.len()).map(column).collect();
    Ok(Section {
        name: name.to_owned(),
        title: title.to_owned(),
        batches: vec![RecordBatch::try_new(Arc::clone(&schema), columns)?],
        schema,
    })
}

/// One question as text.
fn in_full(question: &Question) -> String {
    let header = question.header();
    let mut lines = vec![
        format!("{}: {}", question.name(), header.title),
        String::new(),
    ];
    lines.extend(header.when.as_ref().map(|when| format!("when   {when}")));
    lines.push(format!("row    {}", header.grain));
    lines.push(format!("group  {}", question.group()));
    lines.push(format!("file   {}", question.file()));
    lines.push(String::new());
    if header.parameters.is_empty() {
        lines.push("no parameters".to_owned());
    } else {
        lines.push("parameters (--param NAME=VALUE)".to_owned());
    }
    for parameter in &header.parameters {
        let default = match parameter.default_text() {
            None => "has to be given".to_owned(),
            Some("null") => "may be left out".to_owned(),
            Some(default) => format!("{default} if not given"),
        };
        lines.push(format!(
            "  {}  {}, {default}: {}",
            parameter.name, parameter.kind, parameter.meaning
        ));
    }
    lines.push(String::new());
    lines.extend(question.sql().lines().map(str::to_owned));
    lines
        .iter()
        .map(|line| terminal(line).into_owned() + "\n")
        .collect()
}
