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

/// Two accounts, eight keys, one of them stolen.
static TRAIL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/testdata/trail");
/// A weekend on which a stolen key is used.
static QUESTIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/testdata/questions");

/// What the walk-throughs need besides, by its place in the folder.
const FILES: [(&str, &[u8]); 3] = [
    (
        "ready/trail.json.gz",
        include_bytes!("../../../testdata/ready/trail.json.gz"),
    ),
    (
        "ready/credential-report.csv",
        include_bytes!("../../../testdata/ready/credential-report.csv"),
    ),
    (
        "credential-report-444455556666.csv",
        include_bytes!("../../../testdata/credential-report-444455556666.csv"),
    ),
];

/// Write small invented trails to try keytrail on
///
/// The log files of two accounts over five days: eight access keys, one of them stolen; and what the walk-throughs on
/// incidents and migrations need besides: their commands work in this folder as they are. It prints commands to try
/// first; no AWS account is needed.
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

/// The doors: what somebody wants, and the commands for it; `FOLDER` stands for the folder.
const DOORS: [(&str, &[(&str, &str)]); 3] = [
    (
        "A key may be stolen",
        &[
            (
                "Which keys look stolen, and why",
                "keys --suspicious --trail FOLDER/testdata/trail",
            ),
            (
                "What happened, what to do now",
                "trace AKIARTX3GSDS75MXKBSU --trail FOLDER/testdata/trail",
            ),
        ],
    ),
    (
        "Retire access keys",
        &[
            (
                "Which keys can be retired now, and which cannot",
                "ready --trail FOLDER/testdata/trail",
            ),
            (
                "Who uses a key, and what each should use instead",
                "consumers AKIARTX3GSDSVYJXHKU3 --trail FOLDER/testdata/trail",
            ),
            (
                "The steps for one key",
                "plan AKIARTX3GSDSVYJXHKU3 --trail FOLDER/testdata/trail",
            ),
        ],
    ),
    (
        "Ask anything in SQL",
        &[
            (
                "The calls, the most frequent first",
                "sql --trail FOLDER/testdata/trail \\\n    \"SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 5\"",
            ),
            ("The saved queries", "list"),
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
    write_all(&args.folder.join("testdata")).map_err(|error| {
        Failure::new(format!("{} cannot be written", args.folder.display())).because(&error)
    })?;
    let folder = shell_word(&args.folder.display().to_string());
    output::lines(context, |out| {
        writeln!(
            out,
            "The log files of an invented organization are in {folder}: 2 accounts, 5 days, 8 access keys, one of them stolen."
        )?;
        for (title, commands) in DOORS {
            writeln!(out, "\n{title}")?;
            for (what, command) in commands {
                let command = command.replace("FOLDER", &folder);
                writeln!(out, "  # {what}\n  keytrail {command}")?;
            }
        }
        Ok(())
    })?;
    Ok(Done::Complete)
}

fn write_all(folder: &Path) -> io::Result<()> {
    write(&TRAIL, &folder.join("trail"))?;
    write(&QUESTIONS, &folder.join("questions"))?;
    fs::create_dir(folder.join("ready"))?;
    for (place, contents) in FILES {
        fs::write(folder.join(place), contents)?;
    }
    Ok(())
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
