//! `keytrail evidence`: a case in one file.
//!
//! In: a subcommand. Out: what it says. Promise: each is a file of its own.

mod export;
mod verify;

use crate::context::Context;
use crate::failure::{Done, Failure};

/// Export a case as one file, with hashes, that others can check
///
/// The file is a tar archive, compressed with Zstandard, with a manifest of the SHA-256 of each part. The same input gives the
/// same bytes. It can be checked on any machine, without the lake.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Export(Box<export::Args>),
    Verify(verify::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    match args.command {
        Command::Export(args) => export::run(*args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
    }
}
