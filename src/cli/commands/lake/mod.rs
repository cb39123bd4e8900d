//! `keytrail lake`: looking after a lake.
//!
//! In: a lake and one of the subcommands. Out: what each says. Promise: every subcommand takes the same options to name and
//! reach the lake.

mod check;
mod compact;
mod ddl;
mod forget;
mod mend;
mod stats;
mod vacuum;

use clap::Subcommand;
use keytrail::lake::Location;
use keytrail::render::Format;

use crate::args::{LakeArgs, SourceArgs};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output_args::formats;
use crate::question;

/// Maintain a lake: check, mend, compact, vacuum, forget
///
/// A lake is three Delta Lake tables: events, log_files and rejects. It stays correct without maintenance. These
/// commands find and repair damage, merge small files, free space, and let other engines read the lake.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: LakeCommand,
}

const EXAMPLES: &str = "\
Examples:
  keytrail lake check                   Is every event of ./keytrail-lake still there?
  keytrail lake mend                    Restore what is lost from its log files
  keytrail lake compact                 Merge the small files of each day
  keytrail lake vacuum                  Remove files that no table uses
  keytrail lake forget --before 2024-01-01
  keytrail lake ddl --engine athena     Statements that define the tables in Athena";

#[derive(Debug, Subcommand)]
enum LakeCommand {
    Check(check::Args),
    Mend(mend::Args),
    Stats(stats::Args),
    Compact(compact::Args),
    Vacuum(vacuum::Args),
    Forget(forget::Args),
    Ddl(ddl::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    match args.command {
        LakeCommand::Check(args) => check::run(args, context).await,
        LakeCommand::Mend(args) => mend::run(args, context).await,
        LakeCommand::Stats(args) => stats::run(args, context).await,
        LakeCommand::Compact(args) => compact::run(args, context).await,
        LakeCommand::Vacuum(args) => vacuum::run(args, context).await,
        LakeCommand::Forget(args) => forget::run(args, context).await,
        LakeCommand::Ddl(args) => ddl::run(args, context).await,
    }
}

/// The lake and how the answer is written.
#[derive(Debug, Clone, clap::Args)]
struct Options {
    #[command(flatten)]
    lake: LakeArgs,

    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value_t, value_parser = formats(&[Format::Table, Format::Json]))]
    format: Format,

    #[command(flatten)]
    access: SourceArgs,
}

impl Options {
    async fn location(&self) -> Result<Location, Failure> {
        question::location(&self.lake.lake, &self.access).await
    }
}
