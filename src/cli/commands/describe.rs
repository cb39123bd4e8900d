//! `keytrail describe`: the columns of the lake.

use crate::args::OutputArgs;
use crate::context::Context;
use crate::failure::{Done, Failure};

/// Describe the columns of an event: name, type, place in the record, meaning
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail describe                      Every column of the lake's events
  keytrail describe --format markdown    The same for a wiki";

pub(crate) async fn run(_args: Args, _context: &Context) -> Result<Done, Failure> {
    Err(Failure::not_built_yet("describe"))
}
