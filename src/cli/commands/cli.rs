//! The whole command line.
//!
//! In: the command line. Out: [`Cli`], as typed. Promise: manual pages, completions and `--help` are made from it.

use clap::Parser;

use super::Command;
use crate::args::GlobalArgs;

/// Find out who uses which AWS access key, from CloudTrail log files.
///
/// keytrail reads CloudTrail log files from S3 or disk, keeps every event once in a lake of Parquet files, and answers
/// questions about access keys. Every question can also be asked of the log files directly, without a lake.
#[derive(Debug, Parser)]
#[command(name = "keytrail", version, max_term_width = 100, after_help = EXAMPLES)]
#[command(propagate_version = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  keytrail keys --trail s3://my-trail-bucket   Which keys are used? Straight from the log files
  keytrail ingest s3://my-trail-bucket         Read the trail into ./keytrail-lake
  keytrail keys                                Which keys are used? From the lake, in a moment
  keytrail key AKIAIOSFODNN7EXAMPLE            Who uses this key, from where, for what?
  keytrail trace AKIAIOSFODNN7EXAMPLE          What did it do, and all that came out of it?
  keytrail coverage                            Which accounts, regions and days do the logs cover?
  keytrail list                                Which saved queries are there?

Exit codes:
  0 done   1 failed, or nothing to read   2 wrong usage   3 done, but something was not read   130 stopped by Ctrl-C";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
