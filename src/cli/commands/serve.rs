//! `keytrail serve`: the explorer in the browser.
//!
//! In: a lake or log files, an address to listen on. Out: the address to open, on standard output. Promise: loopback only, unless
//! another address is named; who has no token is not answered.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use keytrail::case::CaseFile;
use keytrail::serve::Explorer;

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output;
use crate::service::{ServiceArgs, apart};

/// Explore keys, traces and events in the browser
///
/// Serves pages on this machine only, and prints the address to open, which contains a token: keys, who uses them, traces,
/// events and those around them, addresses, roles, resources, saved queries, SQL, coverage. Every page is also available as
/// JSON, CSV and Parquet, and shows what the logs do not cover. Agents find an MCP server at /mcp, with the same token.
/// Ctrl-C stops it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Also open the browser
    #[arg(long)]
    open: bool,

    /// Listen on this address; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    bind: SocketAddr,

    /// Keep notes, tags and bookmarks on events in this file; beside a local lake (LAKE.case.json) if not given, else keytrail.case.json here
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,

    #[command(flatten)]
    service: ServiceArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail serve                                  On ./keytrail-lake; open the address that is printed
  keytrail serve --open --lake s3://security/lake In the browser at once
  keytrail serve --trail ./AWSLogs                Straight from log files, which are read once
  keytrail serve --bind 127.0.0.1:8787            Always at the same port, for a tunnel or an agent
  keytrail serve --case incident-42.json          Keep notes in this file";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let case = args.case.unwrap_or_else(|| args.service.case_file());
    let case = CaseFile::at(case);
    // What is no case file is not found out at the first note.
    case.notes()?;
    let service = args.service.service(context).await?;
    let context = context.clone();
    apart(async move {
        let failed = |error: std::io::Error| {
            Failure::new(format!("{} cannot be served", args.bind)).because(&error)
        };
        let explorer = Explorer::bind(args.bind, service, case).await.map_err(failed)?;
        if explorer.is_open() {
            context.mention("other machines can reach this address: anyone with the token can read the logs, and nothing is encrypted");
        }
        let url = explorer.url();
        output::print(|out| writeln!(out, "{url}"))?;
        if args.open && !opened(&url) {
            context.mention("the browser did not open: open the address above");
        }
        explorer.run().await.map_err(failed)
    })
    .await?;
    Ok(Done::Complete)
}

/// Whether the system's own way to open an address began.
fn opened(url: &str) -> bool {
    let mut opener = match std::env::consts::OS {
        "macos" => Command::new("open"),
        "windows" => Command::new("explorer"),
        _ => Command::new("xdg-open"),
    };
    let opener = opener.arg(url).stdin(Stdio::null()).stdout(Stdio::null());
    opener.stderr(Stdio::null()).spawn().is_ok()
}
