//! `keytrail demo`: something to try keytrail on.
//!
//! In: a folder that is to be made. Out: the log files of a small invented organization in it, and commands that work on them. Promise:
//! nothing that is there is overwritten; no log file, no AWS account and no network is needed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use keytrail::analysis::shell_word;

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;

/// The trail of the tests: two accounts, eight keys, one of them stolen.
static TRAIL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/testdata/trail");

/// Write a small invented trail to try keytrail on
///
/// The log files of two accounts over five days: eight access keys, one of them stolen. It prints commands to try on
/// them; no AWS account is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder to create; it must not exist yet
    #[arg(value_name = "FOLDER", default_value = "keytrail-demo")]
    folder: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  keytrail demo          Into ./keytrail-demo
  keytrail demo /tmp/k   Into another folder";

/// The doors: what somebody wants, and the commands for it; `TRAIL` stands for the folder.
const DOORS: [(&str, &[(&str, &str)]); 3] = [
    (
        "A key may be stolen",
        &[
            (
                "keys --suspicious --trail TRAIL",
                "which keys look stolen, and why",
            ),
            (
                "trace AKIARTX3GSDS75MXKBSU --trail TRAIL",
                "what happened, what to do now",
            ),
        ],
    ),
    (
        "Retire access keys",
        &[
            (
                "ready --trail TRAIL",
                "which keys can be retired now, and which cannot",
            ),
            (
                "plan AKIARTX3GSDSVYJXHKU3 --trail TRAIL",
                "the steps for one key",
            ),
        ],
    ),
    (
        "Ask anything in SQL",
        &[
            (
                "sql \"SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 5\" --trail TRAIL",
                "",
            ),
            ("list", "the saved queries"),
        ],
    ),
];

pub(crate) fn run(args: &Args, context: &Context) -> Result<Done, Failure> {
    if args.folder.exists() {
        return Err(
            Failure::new(format!("{} already exists", args.folder.display()))
                .hint("name another folder: keytrail demo FOLDER"),
        );
    }
    write(&TRAIL, &args.folder).map_err(|error| {
        Failure::new(format!("{} cannot be written", args.folder.display())).because(&error)
    })?;
    let folder = shell_word(&args.folder.display().to_string());
    output::show(context, |out| {
        writeln!(
            out,
            "The log files of an invented organization are in {folder}: 2 accounts, 5 days, 8 access keys, one of them stolen."
        )?;
        for (title, commands) in DOORS {
            writeln!(out, "\n{title}")?;
            for (command, what) in commands {
                let command = command.replace("TRAIL", &folder);
                match what.is_empty() {
                    true => writeln!(out, "  keytrail {command}")?,
                    false => writeln!(out, "  keytrail {command}   # {what}")?,
                }
            }
        }
        Ok(())
    })?;
    Ok(Done::Complete)
}

/// Writes a folder and what is in it.
fn write(dir: &Dir<'_>, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for file in dir.files() {
        let name = file.path().file_name().unwrap_or_default();
        fs::write(folder.join(name), file.contents())?;
    }
    for sub in dir.dirs() {
        let name = sub.path().file_name().unwrap_or_default();
        write(sub, &folder.join(name))?;
    }
    Ok(())
}
