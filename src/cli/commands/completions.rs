//! `keytrail completions`: the shell completes commands and options.
//!
//! In: the name of a shell. Out: a script on standard output. Promise: it is made from the same definitions as the
//! command line itself.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::cli::Cli;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  keytrail completions bash > ~/.local/share/bash-completion/completions/keytrail
  keytrail completions zsh > ~/.zfunc/_keytrail
  keytrail completions fish > ~/.config/fish/completions/keytrail.fish";

pub(crate) async fn run(args: Args, _context: &Context) -> Result<Done, Failure> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // Into memory first: the generator does not expect a pipe to close.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    output::print(|out| out.write_all(&script))?;
    Ok(Done::Complete)
}
