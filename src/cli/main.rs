//! `keytrail`, the command line.
//!
//! In: arguments. Out: an answer on standard output, words for people on standard error, and an exit code: 0 done, 1
//! failed, 2 usage, 3 done but some log files or records were rejected, 130 stopped by Ctrl-C. Promise: standard output
//! carries the answer and nothing else.

mod args;
mod commands;
mod context;
mod failure;
mod interrupt;
mod output;
mod progress;
mod question;
mod size;
mod summary;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::{Done, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return args::explain(&refused),
    };
    let context = Context::new(&cli.global);
    match run(cli, &context) {
        Ok(done) => done.into(),
        Err(failure) => {
            context.say(&failure.to_string());
            failure.into()
        }
    }
}

fn run(cli: Cli, context: &Context) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("the runtime did not start").because(&error))?;
    runtime.block_on(cli.command.run(context))
}
