//! `keytrail cluster executor`: the process that does the work.
//!
//! In: a scheduler's address and what this machine gives. Out: an executor, until the process is stopped. Promise: S3 is
//! reached with this machine's credentials.

use std::net::SocketAddr;
use std::path::PathBuf;

use keytrail::cluster::{Address, ExecutorOptions, execute};

use crate::args::{SourceArgs, at_least_one};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::question;
use crate::size::ByteSize;

/// Run an executor of a cluster
///
/// An executor runs parts of queries and ingests, and passes rows to other executors and to the client. It reads log files
/// and the lake directly, with this machine's credentials; a lake in a folder must be at the same path everywhere. Ctrl-C and
/// SIGTERM stop it after its running tasks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scheduler to join; waits until it can be reached
    #[arg(long, value_name = "ADDRESS")]
    scheduler: Address,

    /// Address to listen on; also uses the next port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50051")]
    bind: SocketAddr,

    /// Name or address under which scheduler, executors and clients reach it, if that is not the address it listens on
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,

    /// Tasks to run at once; default: one per core
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    slots: Option<usize>,

    /// Folder for rows passed between executors and for what does not fit in memory; one per executor
    #[arg(long, value_name = "DIR")]
    work_dir: PathBuf,

    /// Memory for sorting, grouping and joining, for all slots together
    #[arg(long, value_name = "SIZE", default_value = "4GiB")]
    memory: ByteSize,

    #[command(flatten)]
    access: SourceArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Done, Failure> {
    super::check(args.bind, args.advertise.as_deref())?;
    let slots = args.slots.unwrap_or_else(question::threads);
    let options = ExecutorOptions {
        scheduler: args.scheduler,
        bind: args.bind,
        advertise: args.advertise,
        slots,
        work_dir: args.work_dir,
        max_memory: args.memory.0,
        access: args.access.options(),
    };
    context.mention(&format!(
        "executor on {}, {slots} slots, {} of memory, for {}; Ctrl-C stops",
        options.bind, args.memory, options.scheduler
    ));
    execute(options).await?;
    Ok(Done::Complete)
}
