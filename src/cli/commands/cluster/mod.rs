//! `keytrail cluster`: the processes of a cluster.
//!
//! In: what is to be started. Out: the process, until it is stopped. Promise: both listen on this machine alone unless told
//! otherwise.

mod executor;
mod scheduler;

use std::net::SocketAddr;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Done, Failure};

/// Run a cluster, which spreads ingests and queries over several machines
///
/// A cluster is one scheduler and any number of executors. They are Apache DataFusion Ballista, with keytrail's functions.
/// Ingests and queries go there with --cluster. Anyone who can reach their ports can read and write whatever the executors
/// can: keep them in a private network.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    process: Process,
}

const EXAMPLES: &str = "\
Examples, on one machine:
  keytrail cluster scheduler
  keytrail cluster executor --scheduler df://127.0.0.1:50050 --work-dir /var/tmp/executor
  keytrail ingest s3://my-trail-bucket --lake s3://my-lake --cluster df://127.0.0.1:50050
  keytrail keys --lake s3://my-lake --cluster df://127.0.0.1:50050";

#[derive(Debug, Subcommand)]
enum Process {
    Scheduler(scheduler::Args),
    Executor(executor::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    match args.process {
        Process::Scheduler(args) => scheduler::run(args, context).await,
        Process::Executor(args) => executor::run(args, context).await,
    }
}

/// Refuses what nobody could reach.
fn check(bind: SocketAddr, advertise: Option<&str>) -> Result<(), Failure> {
    if bind.ip().is_unspecified() && advertise.is_none() {
        return Err(Failure::usage(format!(
            "--bind {bind} listens on every address of this machine; the others need to know one"
        ))
        .hint("name it: --advertise HOST"));
    }
    Ok(())
}
