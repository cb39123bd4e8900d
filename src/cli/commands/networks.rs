//! `keytrail networks`: the table of address ranges.
//!
//! In: files as providers publish them. Out: one compressed table. Promise: the same files give the same bytes.

use std::path::PathBuf;

use clap::Subcommand;
use keytrail::knowledge::Networks;

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output_file::write_file;

/// Build a table of address ranges, for --ip-ranges
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(Build),
}

/// Build the table from a folder of published files
///
/// It reads AWS's *ip-ranges.json, and PROVIDER-ipv4.txt and PROVIDER-ipv6.txt with one CIDR per line; any of them may be
/// compressed (.gz). Of nested ranges, the narrowest one decides.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Build {
    /// The folder with the published files
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,

    /// The table to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Date of the ranges, YYYY-MM-DD; default: the date in AWS's file
    #[arg(long, value_name = "DATE")]
    date: Option<chrono::NaiveDate>,
}

const EXAMPLES: &str = "\
Examples:
  curl -o ranges/aws-ip-ranges.json https://ip-ranges.amazonaws.com/ip-ranges.json
  keytrail networks build --from ranges --output networks.txt.gz
  keytrail consumers --ip-ranges networks.txt.gz";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let Command::Build(build) = args.command;
    let date = build.date.map(|date| date.to_string());
    let table = Networks::build(&build.from, date.as_deref())
        .map_err(|error| Failure::new("no table was written").because(&error))?;
    write_file(&build.output, |out| out.write_all(&table))?;
    context.mention(&format!(
        "{}: {} bytes",
        build.output.display(),
        table.len()
    ));
    Ok(Done::Complete)
}
