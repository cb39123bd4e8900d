//! What every command knows about its surroundings.
//!
//! In: the global options and the environment. Out: [`Context`], which also is the one voice for people. Promise: text
//! reaches the terminal only from here and from `output`, in one piece, and a reader who has gone away is no error.

use std::env;
use std::io::{IsTerminal as _, Write as _, stderr, stdout};
#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::ColorChoice;
use indicatif::ProgressBar;
#[cfg(feature = "cluster")]
use keytrail::cluster::Cluster;

/// The surroundings of a command.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Whether only the answer and errors are wanted.
    pub(crate) quiet: bool,
    color: ColorChoice,
    /// Whether answers that are taller than the screen go through a pager.
    paged: bool,
    /// A line on standard error that changes while somebody waits for an answer.
    line: Arc<Mutex<Option<ProgressBar>>>,
    /// Whether the command listens for Ctrl-C itself.
    #[cfg(feature = "cluster")]
    watched: Arc<AtomicBool>,
    /// The cluster that the command asks.
    #[cfg(feature = "cluster")]
    cluster: Arc<Mutex<Option<Arc<Cluster>>>>,
}

#[cfg(feature = "cluster")]
impl Context {
    /// The command listens for Ctrl-C itself.
    pub(crate) fn watch(&self) {
        self.watched.store(true, Ordering::Release);
    }

    /// Whether it does.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Acquire)
    }

    /// The cluster that the command asks, if it asked one already.
    pub(crate) fn cluster(&self) -> Option<Arc<Cluster>> {
        let kept = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    /// Keeps the cluster that the command asks.
    pub(crate) fn keep_cluster(&self, cluster: Arc<Cluster>) {
        *self.cluster.lock().unwrap_or_else(PoisonError::into_inner) = Some(cluster);
    }
}

impl Context {
    /// The surroundings as given by the global options.
    pub(crate) fn new(quiet: bool, color: ColorChoice) -> Self {
        Self {
            quiet,
            color,
            paged: true,
            line: Arc::default(),
            #[cfg(feature = "cluster")]
            watched: Arc::default(),
            #[cfg(feature = "cluster")]
            cluster: Arc::default(),
        }
    }

    /// With a pager for long answers, or without.
    pub(crate) fn with_pager(self, paged: bool) -> Self {
        Self { paged, ..self }
    }

    /// The lines from which on an answer goes through a pager, if there is one.
    pub(crate) fn page(&self) -> Option<usize> {
        self.height().filter(|_| self.paged)
    }

    /// Shows a line that changes until the answer is there.
    pub(crate) fn wait_with(&self, line: ProgressBar) {
        *self.line() = Some(line);
    }

    /// Says on that line what is waited for.
    #[cfg(feature = "cluster")]
    pub(crate) fn waiting_for(&self, what: String) {
        if let Some(line) = self.line().as_ref() {
            line.set_message(what);
        }
    }

    /// Takes that line away.
    pub(crate) fn end_waiting(&self) {
        if let Some(line) = self.line().take() {
            line.finish_and_clear();
        }
    }

    fn line(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something on standard error, whatever was asked for: an error.
    pub(crate) fn say(&self, text: &str) {
        let say = || drop(writeln!(stderr().lock(), "{text}"));
        match self.line().as_ref() {
            Some(line) => line.suspend(say),
            None => say(),
        }
    }

    /// Says something on standard error, unless quiet was asked for.
    pub(crate) fn mention(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Whether standard output takes bold and dim text.
    pub(crate) fn color(&self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb(),
        }
    }

    /// The columns of standard output: `COLUMNS` if it is set, those of the terminal, or no limit.
    pub(crate) fn width(&self) -> Option<u16> {
        let asked = env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        asked.filter(|&columns| columns > 0).or_else(|| {
            let (width, _) = terminal_size::terminal_size_of(stdout())?;
            Some(width.0)
        })
    }

    /// The lines of standard output, if it is a terminal.
    pub(crate) fn height(&self) -> Option<usize> {
        let (_, height) = terminal_size::terminal_size_of(stdout())?;
        Some(usize::from(height.0))
    }
}

/// As the convention has it: set and not empty.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}
