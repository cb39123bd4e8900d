//! `keytrail list`: the questions that can be asked by name.
//!
//! In: the library, and a folder of the user's own. Out: one row per question, by aim; or one question in full. Promise: what
//! is listed can be run; a broken file of the user's is named with its reason.

use arrow::error::ArrowError;
use keytrail::analysis::Analysis as _;
use keytrail::analysis::catalogue::{saved_queries, saved_query};
use keytrail::analysis::question::{Library, Question};
use keytrail::render::Format;
use keytrail::render::escape::terminal;
use keytrail::report::Report;
use keytrail::session::EVENT_DATA_STORE;

use crate::args::LibraryArgs;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::{next, output};

/// List the saved queries, or show one in full
///
/// Each is a SQL query over the events, with a title, its parameters, and the meaning of one row of its answer. Run one
/// with `keytrail run`.
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
  keytrail list                          Every saved query, by purpose
  keytrail list key-timeline             One in full, with its SQL
  keytrail list --queries ./our-queries  With your own files
  keytrail list --format json            For programs";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let library = args.library.library(EVENT_DATA_STORE, context)?;
    match args.name {
        Some(name) => describe(library.get(&name)?, &args.output, context),
        None => {
            let ending = Ending::next(next::line(&["list", "key-timeline"], None));
            output::write_ending(&all(&library)?, &args.output, &ending, context)
        }
    }
}

/// Shows one question in full: as text for people, as rows for programs.
pub(crate) fn describe(
    question: &Question,
    args: &OutputArgs,
    context: &Context,
) -> Result<Done, Failure> {
    match args.format {
        Format::Table => {
            let ending = Ending::next(usable(question));
            output::write_text(&in_full(question), args, &ending, context)?;
            Ok(Done::Complete)
        }
        _ => output::write(&saved_query(question).map_err(uneven)?, args, context),
    }
}

/// The command that runs a question, if it needs no value that only a person knows.
fn usable(question: &Question) -> Option<String> {
    let mut parameters = question.header().parameters.iter();
    let is_complete = parameters.all(|parameter| parameter.default_text().is_some());
    is_complete.then(|| next::line(&["run", question.name()], None))
}

fn uneven(error: ArrowError) -> Failure {
    Failure::new("the questions do not line up").because(&error)
}

/// Every question, a section per aim, and the commands that are questions too.
pub(crate) fn all(library: &Library) -> Result<Report, Failure> {
    saved_queries(library).map_err(uneven)
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
            None => "required".to_owned(),
            Some("null") => "optional".to_owned(),
            Some(default) => format!("default {default}"),
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
