//! The whole command line.
//!
//! In: the command line. Out: [`Cli`], as typed. Promise: manual pages, completions and `--help` are made from it.

use clap::{CommandFactory, FromArgMatches as _, Parser};

use super::Command;
use crate::args::{GlobalArgs, one_input, with_sql};

/// Find out who uses which AWS access key, from CloudTrail log files.
///
/// keytrail reads CloudTrail log files from S3 or disk, keeps every event once in a lake of Parquet files, and answers
/// questions about access keys. Every question can also be answered from the log files directly, without a lake.
#[derive(Debug, Parser)]
#[command(name = "keytrail", version, max_term_width = 100, after_help = EXAMPLES)]
#[command(propagate_version = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Examples come before options: most readers want one of them.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}";

impl Cli {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = shown(Self::command());
        let matches = command.try_get_matches_from_mut(with_sql(std::env::args_os()))?;
        let read = one_input(&matches).and_then(|()| Self::from_arg_matches(&matches));
        read.map_err(|error| error.format(&mut command))
    }
}

/// The command and its subcommands, with their help as it is shown.
fn shown(command: clap::Command) -> clap::Command {
    command.help_template(TEMPLATE).mut_subcommands(shown)
}

const EXAMPLES: &str = "\
Examples:
  keytrail keys --trail s3://my-trail-bucket   Which keys are used? Straight from the log files
  keytrail ingest s3://my-trail-bucket         Read the trail into ./keytrail-lake
  keytrail keys --suspicious                   Which keys look stolen?
  keytrail trace AKIAIOSFODNN7EXAMPLE          What did it do, and what to do now?
  keytrail ready                               Which keys can be deactivated or deleted?
  keytrail coverage                            Which accounts, regions and days do the logs cover?
  keytrail list                                Which saved queries are there?
  keytrail demo                                A small sample trail to try this with

Exit codes:
  0 done   1 failed, or nothing to read   2 wrong usage   3 done, but something was not read   130 stopped by Ctrl-C";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
