//! `keytrail man`: manual pages.
//!
//! In: a folder, or none. Out: one page per command in the folder, or the main page on standard output. Promise: they are
//! made from the same definitions as the command line itself.

use std::fs;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::cli::Cli;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// Show the manual page, or write one page per command into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write keytrail.1 and one page per command into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  keytrail man                                       Read the manual page
  keytrail man --dir ~/.local/share/man/man1         Install all pages";

pub(crate) async fn run(args: Args, _context: &Context) -> Result<Done, Failure> {
    match args.dir {
        Some(dir) => {
            fs::create_dir_all(&dir)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), &dir))
                .map_err(|error| {
                    Failure::new(format!("no manual pages in {}", dir.display())).because(&error)
                })?;
        }
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Failure::new("no manual page").because(&error))?;
            if !(stdout().is_terminal() && is_read(&page)) {
                output::print(|out| out.write_all(&page))?;
            }
        }
    }
    Ok(Done::Complete)
}

/// Shows the page with the system's `man`, if there is one. Whoever sits at a terminal wants to read it, not its source.
fn is_read(page: &[u8]) -> bool {
    let viewer = Command::new("man")
        .args(["-l", "-"])
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut viewer) = viewer else { return false };
    // A reader who leaves early closes the pipe.
    let written = viewer.stdin.take().map(|mut pipe| pipe.write_all(page));
    drop(written);
    viewer.wait().is_ok_and(|status| status.success())
}
