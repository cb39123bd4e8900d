//! `keytrail describe`: the columns of the lake.
//!
//! In: the one table of columns. Out: one row per column. Promise: nothing is described that is not in that table.

use keytrail::analysis::catalogue::{column_named, column_names, columns};

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::Ending;
use crate::output_args::OutputArgs;
use crate::{next, output};

/// Describe the columns of an event: name, type, place in the record, meaning
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these columns
    #[arg(id = "names", value_name = "COLUMN")]
    columns: Vec<String>,

    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail describe                      Every column of the lake's events
  keytrail describe user_agent           One column
  keytrail describe --format markdown    The same for a wiki";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let named = args.columns.iter().map(|name| column_named(name));
    let named: Vec<Option<&str>> = named.collect();
    if let Some(place) = named.iter().position(Option::is_none) {
        let name = &args.columns[place];
        let alike: Vec<&str> = column_names()
            .filter(|known| known.contains(name))
            .collect();
        let failure = Failure::usage(format!("there is no column {name:?}"));
        return Err(match alike.as_slice() {
            [] => failure.hint("keytrail describe lists all columns"),
            alike => failure.hint(format!("did you mean {}?", alike.join(" or "))),
        });
    }
    let named: Vec<String> = named.into_iter().flatten().map(str::to_owned).collect();
    let report = columns(&named)
        .map_err(|error| Failure::new("the columns do not line up").because(&error))?;
    let sql = match named.first() {
        Some(name) => {
            format!("SELECT {name}, count(*) FROM events GROUP BY {name} ORDER BY 2 DESC LIMIT 20")
        }
        None => "SELECT * FROM events LIMIT 5".to_owned(),
    };
    let ending = Ending::next(next::line(&["sql", &sql], None));
    output::write_ending(&report, &args.output, &ending, context)
}
