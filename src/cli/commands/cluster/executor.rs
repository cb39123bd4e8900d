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
/// It works on parts of questions and ingests, and hands rows to other executors and to the client. It reaches log files and
/// the lake itself, with the credentials of this machine; a lake in a folder must be at the same path everywhere. Ctrl-C and
/// SIGTERM end it after the tasks under way.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scheduler to work for; it is waited for
    #[arg(long, value_name = "ADDRESS")]
    scheduler: Address,

    /// Address to listen on; the next port is used, too
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50051")]
    bind: SocketAddr,

    /// Name or address under which scheduler, executors and clients reach it, if that is not the address it listens on
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,

    /// Partitions to work on at once; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    slots: Option<usize>,

    /// Folder for what executors hand to each other and what does not fit into memory; one for each executor
    #[arg(long, value_name = "DIR")]
    work_dir: PathBuf,

    /// Memory for sorting, grouping and joining, all slots together
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
