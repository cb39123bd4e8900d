//! `keytrail run`: a question of the library.
//!
//! In: a lake or log files, the name of a question, and values for its parameters. Out: its rows. Promise: values are bound,
//! not pasted; what the answer rests on comes with it.

use std::collections::BTreeMap;

use chrono::Utc;
use keytrail::analysis::Analysis as _;
use keytrail::analysis::question::NOTHING;

use crate::args::{LibraryArgs, TrailArgs};
use crate::commands::list;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output_args::RowsArgs;
use crate::query::{self, LimitArgs, ParamArgs, StoreArgs};
use crate::stream::{self, Asked, Terms};
use crate::{next, question, sought};

/// Run a saved query (see `keytrail list`)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The saved query
    #[arg(value_name = "NAME")]
    name: String,

    /// Values of its parameters, in their order, e.g. the access key
    #[arg(value_name = "VALUE")]
    values: Vec<String>,

    #[command(flatten)]
    params: ParamArgs,

    /// Show the saved query instead of running it: when to use it, its parameters, its SQL
    #[arg(long)]
    describe: bool,

    #[command(flatten)]
    library: LibraryArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    output: RowsArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail run key-timeline AKIAIOSFODNN7EXAMPLE                         From ./keytrail-lake
  keytrail run secrets-to-rotate --since 2025-03-06 --trail ./AWSLogs    Straight from log files
  keytrail run address --param source_ip_address=203.0.113.7 -f csv      For a spreadsheet
  keytrail run our-question --queries ./our-queries                      From a file of your own
  keytrail run key-timeline --describe                                   What it needs, and its SQL";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let library = args.library.library(args.store.name(), context)?;
    let asked = library.get(&args.name)?;
    let written = args.output.output()?;
    if args.describe {
        return list::describe(asked, &written, context);
    }
    let parameters = asked.header().parameters.iter();
    let names: Vec<&str> = parameters
        .map(|parameter| parameter.name.as_str())
        .collect();
    let texts = args.params.with(&args.values, &names)?;
    let params = asked.params(&texts, Utc::now())?;
    let terms = Terms::begin(&args.limits, context)?;
    let answered = terms.run(async {
        let session =
            question::session_within(Some(args.limits.max_memory()), &args.trail, context).await?;
        session.name_event_data_store(args.store.name()).await?;
        let query = asked.ready(&session, &params).await;
        let query = query.map_err(|error| Failure::from(error).within(asked.file()))?;
        let asked = Asked {
            name: asked.report().to_owned(),
            title: asked.title().to_owned(),
            queries: vec![query],
            nothing: Some(NOTHING),
            notes: query::unfilled("", &texts),
        };
        let answered = stream::write(&session, asked, &written, &terms).await?;
        if answered.rows == 0 {
            sought::check_params(&session, &texts).await?;
        }
        Ok(answered)
    });
    let answered = answered.await?;
    if answered.is_some_and(|answered| answered.rows > 0)
        && let Some(next) = next(&texts, &args.trail)
    {
        next::mention(&next, &written, context);
    }
    Ok(answered.map_or(Done::Stopped, |answered| answered.done))
}

/// What to ask of the key or address that the rows are about.
fn next(values: &BTreeMap<String, String>, trail: &TrailArgs) -> Option<String> {
    let about = ["access_key_id", "source_ip_address"];
    let about = about.iter().find_map(|name| values.get(*name))?;
    Some(next::command(&["trace", about], trail))
}
