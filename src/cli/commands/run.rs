//! `keytrail run`: a question of the library.
//!
//! In: a lake or log files, the name of a question, and values for its parameters. Out: its rows. Promise: values are bound,
//! not pasted; what the answer rests on comes with it.

use chrono::Utc;
use keytrail::analysis::answer;

use crate::args::{LibraryArgs, OutputArgs, TrailArgs};
use crate::commands::list;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::{output, question};

/// Ask a question by its name (see `keytrail list`)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The question
    #[arg(value_name = "NAME")]
    name: String,

    /// A value for a parameter of the question (repeatable)
    #[arg(long = "param", short, value_name = "NAME=VALUE", value_parser = parameter)]
    params: Vec<(String, String)>,

    /// Do not ask, but show the question: when to ask it, its parameters, its SQL
    #[arg(long)]
    describe: bool,

    #[command(flatten)]
    library: LibraryArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail run key-timeline --param access_key_id=AKIAIOSFODNN7EXAMPLE   From ./keytrail-lake
  keytrail run secrets-to-rotate --since 2025-03-06 --trail ./AWSLogs    Straight from log files
  keytrail run address --param source_ip_address=203.0.113.7 -f csv      For a spreadsheet
  keytrail run our-question --queries ./our-queries                      From a file of your own
  keytrail run key-timeline --describe                                   What it needs, and its SQL";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let library = args.library.library(context)?;
    let asked = library.get(&args.name)?;
    if args.describe {
        list::describe(asked, &args.output, context)?;
        return Ok(Done::Complete);
    }
    let params = asked.params(&args.params, Utc::now())?;
    let session = question::session(&args.trail).await?;
    let report = answer(&session, asked, &params).await?;
    output::write(&report, &args.output, context)?;
    Ok(Done::Complete)
}

/// `NAME=VALUE`.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("it is written NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
