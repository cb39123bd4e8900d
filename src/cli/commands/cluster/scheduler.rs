//! `keytrail cluster scheduler`: the process that hands out the work.
//!
//! In: an address. Out: a scheduler, until the process is stopped. Promise: it needs no credentials.

use std::net::SocketAddr;

use keytrail::cluster::{SchedulerOptions, schedule};

use crate::context::Context;
use crate::failure::{Done, Failure};

/// Run the scheduler of a cluster
///
/// It accepts queries and distributes their parts to executors. It needs no disk and no access to S3. Its state is in
/// memory: if it stops, running queries fail, and executors register again with the next scheduler.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50050")]
    bind: SocketAddr,

    /// Name or address under which executors reach it, if that is not the address it listens on
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    super::check(args.bind, args.advertise.as_deref())?;
    let options = SchedulerOptions {
        bind: args.bind,
        advertise: args.advertise,
    };
    let listening =
        |address| context.mention(&format!("scheduler on df://{address}; Ctrl-C stops"));
    schedule(options, listening).await?;
    Ok(Done::Complete)
}
