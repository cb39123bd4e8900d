//! `keytrail mcp`: a server for agents.
//!
//! In: a lake or log files, and calls of the Model Context Protocol on standard input. Out: answers on standard output. Promise:
//! standard output carries the protocol and nothing else; tools only ask.

use keytrail::mcp::Server;

use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::service::{ServiceArgs, apart};

/// Answer the questions of an AI agent, as an MCP server on standard input and output
///
/// The agent's program starts it, and calls its tools: keys, key, trace, consumers, ready, coverage, saved queries, SQL.
/// Tools are read-only: none writes, opens other files, or uses the network. Answers come in parts, each with its coverage;
/// text from the logs is marked as untrusted. Each call may take 2 minutes (--timeout).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

const EXAMPLES: &str = "\
Examples:
  keytrail mcp                              On ./keytrail-lake
  keytrail mcp --lake s3://security/lake    On a lake in a bucket
  claude mcp add keytrail -- keytrail mcp --lake /data/lake   For Claude Code; docs/mcp.md has others";

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    let service = args.service.service(context).await?;
    apart(async move {
        let served = Server::new(service).on_stdio().await;
        served.map_err(Failure::from)
    })
    .await?;
    Ok(Done::Complete)
}
