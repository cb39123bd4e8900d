//! What Ctrl-C does to an ingest, and to a query.
//!
//! In: SIGINT, or SIGTERM as sent by container runtimes. Out: the first asks the ingest to finish what is in flight; the
//! second ends the process at once, which loses nothing but time, because the next run heals what was half done. A query just stops.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use keytrail::read::Stop;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, Sleep, interval_at, sleep};

use crate::context::Context;
use crate::failure::{Failure, STOPPED};
use crate::memory;
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

/// Ends the process by Ctrl-C, after this. The second Ctrl-C does not wait for it.
#[cfg(feature = "cluster")]
pub(crate) fn end_after(before: impl Future<Output = ()> + Send + 'static) -> Result<(), Failure> {
    let mut signals = Signals::new()
        .map_err(|error| Failure::new("signals cannot be received").because(&error))?;
    tokio::spawn(async move {
        signals.next().await;
        tokio::select! {
            () = before => {}
            _ = signals.next() => {}
        }
        end();
    });
    Ok(())
}

/// Ctrl-C and time for one query after another.
///
/// Both are watched by a thread of their own: the engine's threads may be busy with one step of a query for minutes.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    asked: Arc<Asked>,
    clock: Handle,
}

#[derive(Debug, Default)]
struct Asked {
    /// Whether the query under way is to stop.
    stop: AtomicBool,
    /// Whether Ctrl-C never ends the process.
    stays: AtomicBool,
    wake: Notify,
}

impl Watch {
    /// Watches until the process ends. The first Ctrl-C stops the query, the second one the process.
    pub(crate) fn begin() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new("signals cannot be received").because(&error);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let clock = runtime.handle().clone();
        let mut signals = {
            let _here = runtime.enter();
            Signals::new().map_err(failed)?
        };
        let asked = Arc::new(Asked::default());
        let told = Arc::clone(&asked);
        let watch = async move {
            loop {
                let signal = signals.next().await;
                let again = told.stop.swap(true, Ordering::AcqRel);
                let ends = match told.stays.load(Ordering::Acquire) {
                    true => signal != Received::Interrupt,
                    false => again,
                };
                if ends {
                    end();
                }
                told.wake.notify_waiters();
            }
        };
        thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || runtime.block_on(watch))
            .map_err(failed)?;
        Ok(Self { asked, clock })
    }

    /// Ends the process if its time or its memory is over long before `Terms` could say so: what is computed does not give
    /// way. Dropping the guard ends the watch.
    pub(crate) fn guard(&self, timeout: Option<Duration>, memory: u64, context: &Context) -> Guard {
        let context = context.clone();
        Guard(self.clock.spawn(async move {
            let begun = Instant::now();
            loop {
                sleep(LOOK).await;
                if timeout.is_some_and(|timeout| begun.elapsed() > timeout + GRACE) {
                    context.say(&too_slow(timeout.unwrap_or_default()).to_string());
                } else if memory::held().is_some_and(|held| held > memory + memory / 2) {
                    context.say(&too_large().to_string());
                } else {
                    continue;
                }
                give_up();
            }
        }))
    }

    /// Comes when the process holds more memory than this.
    pub(crate) async fn memory_over(&self, most: u64) {
        while memory::held().is_none_or(|held| held <= most) {
            self.sleep(LOOK).await;
        }
    }

    /// Comes after some time.
    pub(crate) fn sleep(&self, time: Duration) -> Sleep {
        let _there = self.clock.enter();
        sleep(time)
    }

    /// Comes again and again.
    pub(crate) fn ticks(&self, time: Duration) -> Interval {
        let _there = self.clock.enter();
        interval_at(Instant::now() + time, time)
    }

    /// From now on Ctrl-C only stops queries: somebody stays who asks again and again.
    pub(crate) fn stay(&self) {
        self.asked.stays.store(true, Ordering::Release);
    }

    /// A query begins: what was asked before was not for it.
    pub(crate) fn forget(&self) {
        self.asked.stop.store(false, Ordering::Release);
    }

    /// Waits until the query is to stop.
    pub(crate) async fn asked(&self) {
        loop {
            let woken = self.asked.wake.notified();
            if self.asked.stop.load(Ordering::Acquire) {
                return;
            }
            woken.await;
        }
    }
}

/// How often the memory is looked at: it grows by some ten megabytes meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// How long a query has, after its time, to give way.
const GRACE: Duration = Duration::from_secs(2);

/// A watch over a query.
#[derive(Debug)]
pub(crate) struct Guard(JoinHandle<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What to say of a query whose time is over.
pub(crate) fn too_slow(timeout: Duration) -> Failure {
    Failure::new(format!("no answer within {} s", timeout.as_secs()))
        .hint("raise --timeout, or ask for less: --since, --account, LIMIT")
}

/// What to say of a query whose memory is over.
pub(crate) fn too_large() -> Failure {
    Failure::new("the query takes more memory than --max-memory allows")
        .hint("raise --max-memory, or ask for less: --since, --account, fewer columns")
}

#[expect(clippy::exit, reason = "the engine's threads do not give way")]
fn give_up() -> ! {
    process::exit(1)
}

#[expect(clippy::exit, reason = "the second Ctrl-C must not wait for anything")]
fn end() -> ! {
    process::exit(i32::from(STOPPED))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Received {
    /// Ctrl-C.
    Interrupt,
    #[cfg(unix)]
    Terminate,
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

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.interrupt.recv() => Received::Interrupt,
            _ = self.terminate.recv() => Received::Terminate,
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

    async fn next(&mut self) -> Received {
        self.0.recv().await;
        Received::Interrupt
    }
}
