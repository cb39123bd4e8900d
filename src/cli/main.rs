//! `keytrail`, the command line.
//!
//! In: arguments. Out: an answer on standard output, words for people on standard error, and an exit code: 0 done, 1
//! failed or nothing to read, 2 usage, 3 done but something was not read, 130 stopped by Ctrl-C. Promise: standard output
//! carries the answer and nothing else.

mod advise;
mod args;
#[cfg(feature = "cluster")]
mod cluster;
mod columns;
mod commands;
mod config;
mod context;
mod diagnostics;
mod failure;
mod integrity;
mod interrupt;
mod inventory;
mod memory;
mod metrics;
mod next;
mod output;
mod output_args;
mod output_file;
mod pager;
mod pick;
mod progress;
mod query;
mod question;
#[cfg(feature = "mcp")]
mod service;
mod shell;
mod size;
mod sought;
mod stream;
mod summary;
mod waiting;

use std::any::Any;
use std::panic;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use keytrail::render::escape::terminal;

use crate::commands::Cli;
use crate::context::Context;
use crate::failure::{Done, Failure};

/// Stack of a thread. Queries are trees, and are walked; memory is taken only for what is used of it.
const STACK: usize = 16 << 20;

/// How long threads may take to end.
const PARTING: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let configured = config::load();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(refused) => return args::explain(&refused),
    };
    diagnostics::begin(cli.global.verbose);
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |broken| match is_ours(broken.location()) {
        true => usual(broken),
        // Its words are in the error of the query.
        false => tracing::debug!(%broken, "a part of the engine broke down"),
    }));
    let context = Context::new(cli.global.quiet, cli.global.color).with_pager(!cli.global.no_pager);
    match configured {
        Ok(left_out) => left_out
            .iter()
            .for_each(|it| context.mention(&terminal(it))),
        Err(failure) => {
            context.say(&failure.to_string());
            return failure.into();
        }
    }
    // Not on the first thread, whose stack is as the system has it.
    let done = thread::scope(|scope| {
        let work = thread::Builder::new().stack_size(STACK);
        let work = work.spawn_scoped(scope, || run(cli, &context));
        let done = work.map(|work| work.join().unwrap_or_else(|said| Err(broken(said))));
        done.unwrap_or_else(|error| Err(Failure::new("the runtime did not start").because(&error)))
    });
    context.end_waiting();
    diagnostics::end();
    match done {
        Ok(done) => done.into(),
        Err(failure) => {
            context.say(&failure.to_string());
            failure.into()
        }
    }
}

/// Whether a place is in keytrail itself, not in the engine.
fn is_ours(place: Option<&panic::Location<'_>>) -> bool {
    place.is_none_or(|place| place.file().starts_with("src/"))
}

/// What to say of a command that broke down.
fn broken(said: Box<dyn Any + Send>) -> Failure {
    let words = said.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| said.downcast_ref::<&str>().copied());
    Failure::new(match words {
        Some(words) => format!("keytrail broke down: {words}"),
        None => "keytrail broke down".to_owned(),
    })
}

fn run(cli: Cli, context: &Context) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| Failure::new("the runtime did not start").because(&error))?;
    let done = runtime.block_on(async {
        let done = cli.command.run(context).await;
        #[cfg(feature = "cluster")]
        if let Some(cluster) = context.cluster() {
            cluster.end().await;
        }
        done
    });
    // What was given up (a query after its time, say) is not waited for. Threads that end are: glibc before 2.37 may touch the
    // stack of a thread that ends just as it is let go (https://sourceware.org/bugzilla/show_bug.cgi?id=19951).
    runtime.shutdown_timeout(PARTING);
    done
}
