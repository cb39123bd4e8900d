//! What Ctrl-C does to an ingest.
//!
//! In: SIGINT, or SIGTERM as sent by container runtimes. Out: the first asks the ingest to finish what is in flight; the
//! second ends the process at once, which loses nothing but time, because the next run heals what was half done.

use std::io;
use std::process;
use std::sync::Arc;

use keytrail::ingest::Stop;

use crate::context::Context;
use crate::failure::{Failure, STOPPED};
use crate::progress::Progress;

/// Listens for signals until the process ends.
pub(crate) fn listen(stop: Stop, progress: Arc<Progress>, context: Context) -> Result<(), Failure> {
    let mut signals = Signals::new()
        .map_err(|error| Failure::new("signals cannot be received").because(&error))?;
    tokio::spawn(async move {
        signals.next().await;
        stop.request();
        progress.say(
            &context,
            "stopping: finishing what is in flight; Ctrl-C again stops at once",
        );
        signals.next().await;
        progress.finish();
        end();
    });
    Ok(())
}

#[expect(clippy::exit, reason = "the second Ctrl-C must not wait for anything")]
fn end() -> ! {
    process::exit(i32::from(STOPPED))
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
